// Decides again from a recorded decision, and says where the answer differs from the recorded one.

import type { TargetCluster } from "../../../api/work.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import { scheduleInGroups } from "../schedule-in-groups.ts";
import {
  answerText,
  type RecordedAnswer,
  type RecordedDecision,
  type RecordedFailure,
  recordAnswer,
  restoreOptions,
} from "./recorded-decision.ts";
import type { SchedulingTrace } from "./trace.ts";

export interface Replay {
  readonly answer: RecordedAnswer;
  /** The full trace, of the group in use or, when none works, of the first one. */
  readonly trace: SchedulingTrace | undefined;
}

/** Runs the decision again with the same functions; nothing but what is recorded counts. */
export function replay(decision: RecordedDecision): Replay {
  const { spec, status, clusters } = decision;
  const grouped = scheduleInGroups({
    spec,
    status,
    fleet: new FleetIndex(clusters),
    options: { ...restoreOptions(decision.options), explain: true },
  });
  const { trace } = grouped.result;
  return {
    answer: recordAnswer(grouped),
    trace: trace === undefined ? undefined : { ...trace, fleetVersion: decision.fleetVersion },
  };
}

/** Where two answers part, a line each, in the order in which people look; empty when they are the same bit for bit. */
export function compareAnswers(recorded: RecordedAnswer, again: RecordedAnswer): string[] {
  if (answerText(recorded) === answerText(again)) return [];
  const lines: string[] = [];
  const differs = (what: string, was: string, is: string): void => {
    if (was !== is) lines.push(`${what}: recorded ${was}, now ${is}`);
  };
  differs("outcome", failureText(recorded.error), failureText(again.error));
  differs("affinity group", recorded.affinityName ?? "none", again.affinityName ?? "none");
  const before = new Map((recorded.clusters ?? []).map((target) => [target.name, targetText(target)]));
  const after = new Map((again.clusters ?? []).map((target) => [target.name, targetText(target)]));
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    differs(`cluster ${name}`, before.get(name) ?? "not chosen", after.get(name) ?? "not chosen");
  }
  const groups = (answer: RecordedAnswer): string =>
    answer.failedGroups.map((group) => `${group.affinityName} (${failureText(group)})`).join(", ") || "none";
  differs("groups tried in vain", groups(recorded), groups(again));
  const order = (answer: RecordedAnswer): string => (answer.clusters ?? []).map((target) => target.name).join(", ");
  if (lines.length === 0) differs("order of the clusters", order(recorded), order(again));
  return lines;
}

function failureText(error: RecordedFailure | undefined): string {
  return error === undefined ? "scheduled" : `${error.kind}: ${error.message}`;
}

function targetText({ replicas, components }: TargetCluster): string {
  const parts = (components ?? []).map((component) => `${component.name} ${component.replicas}`);
  const whole = replicas === undefined ? "chosen" : `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;
  return parts.length === 0 ? whole : `${whole} (${parts.join(", ")})`;
}
