// A rollout in words: the condition of its binding, and events about what just happened.
import type { Condition, KubeObject } from "../../kube/object.ts";
import { type ClusterView, isInProgress, type RolloutDecision } from "./decide-rollout.ts";
import type { RolloutState } from "./rollout-state.ts";
import type { RolloutSettings } from "./settings.ts";

/** On a binding whose placement has a rollout: whether every cluster has the present revision. */
export const ROLLED_OUT = "RolledOut";

export interface RolloutSubject {
  readonly settings: RolloutSettings;
  readonly clusters: readonly ClusterView[];
  /** `deployment/web -n shop`, as the command line takes it. */
  readonly object: string;
}

const REASONS = {
  Progressing: "RolloutProgressing",
  Paused: "RolloutPaused",
  Complete: "RolloutComplete",
  Stopped: "RolloutStopped",
  Returning: "ReturningToLastHealthy",
  Returned: "ReturnedToLastHealthy",
} as const;

export function rolloutCondition(decision: RolloutDecision, subject: RolloutSubject, now: string): Condition {
  return {
    type: ROLLED_OUT,
    status: decision.state.phase === "Complete" ? "True" : "False",
    reason: REASONS[decision.state.phase],
    message: rolloutWords(decision, subject),
    lastTransitionTime: now,
  };
}

/** How the command line takes the object: `deployment/web -n shop`. */
export function objectWords({ kind, metadata: { namespace, name = "" } }: KubeObject): string {
  return `${kind.toLowerCase()}/${name}${namespace ? ` -n ${namespace}` : ""}`;
}

/** The outcome, then the reason, then what to do. */
export function rolloutWords(decision: RolloutDecision, subject: RolloutSubject): string {
  const { state, aborted } = decision;
  const { target, stable } = state;
  const why = aborted
    ? `revision ${target} was aborted`
    : `revision ${target} failed in ${failureWords(state.failure ?? {})}`;
  const retry = `push a change, or try again: flaghoist rollout retry ${subject.object}`;
  switch (state.phase) {
    case "Complete":
      return [`revision ${target} is everywhere (${countWords(subject.clusters.length)})`, ...leftWords(decision)].join(
        "; ",
      );
    case "Paused":
      return `paused: ${progressWords(decision, subject)}; to go on: flaghoist rollout resume ${subject.object}`;
    case "Progressing":
      return progressWords(decision, subject);
    case "Returning":
      return `${why}: going back to revision ${stable}, the last healthy one, in every cluster${waitingWords(decision, stable)}; ${retry}`;
    case "Returned":
      return `${why}: every cluster is back at revision ${stable}, the last healthy one; ${retry}`;
    case "Stopped": {
      const reason = stable === undefined ? "there is no healthy revision to return to" : "onFailure is Stop";
      return `${why}: nothing further is sent, and ${reason}; ${retry}${stable === undefined ? "" : `, or go back: flaghoist rollout abort ${subject.object}`}`;
    }
  }
}

function progressWords(decision: RolloutDecision, { settings, clusters }: RolloutSubject): string {
  const { state, wave } = decision;
  const { target, stable } = state;
  if (target === stable)
    return `revision ${target}, known to be healthy, goes to every cluster${waitingWords(decision, target)}`;
  const done = clusters.filter(({ name }) => {
    const record = state.clusters[name];
    return record?.revision === target && record.done;
  });
  const where = wave === undefined ? "" : `, wave ${settings.waves[wave]?.name ?? wave} (${orderOf(wave, clusters)})`;
  const held = stable === undefined ? "" : `; the others keep revision ${stable} until their turn`;
  return [
    `revision ${target}${where}: ${done.length} of ${countWords(clusters.length)} done${waitingFor(decision, clusters)}${held}`,
    ...leftWords(decision),
  ].join("; ");
}

/** `2 of 3`, of the waves that have clusters. */
function orderOf(wave: number, clusters: readonly ClusterView[]): string {
  const used = [...new Set(clusters.map((view) => view.wave))].sort((a, b) => a - b);
  return `${used.indexOf(wave) + 1} of ${used.length}`;
}

const SHOWN = 5;

function waitingFor({ state }: RolloutDecision, clusters: readonly ClusterView[]): string {
  const waiting = clusters.filter(({ name }) => isInProgress(state.clusters[name], state.target));
  if (waiting.length === 0) return "";
  const words = waiting.slice(0, SHOWN).map(({ name, message, copy }) => {
    const soaking = copy === "healthy" || state.clusters[name]?.healthySince !== undefined;
    if (soaking) return `${name} healthy and being watched`;
    return message === undefined ? name : `${name}: ${message}`;
  });
  return `, waiting for ${words.join(", ")}${moreWords(waiting.length)}`;
}

function waitingWords({ state }: RolloutDecision, revision: string | undefined): string {
  const waiting = Object.entries(state.clusters)
    .filter(([, record]) => record.revision === revision && !record.done)
    .map(([name]) => name);
  return waiting.length === 0 ? "" : `, waiting for ${waiting.slice(0, SHOWN).join(", ")}${moreWords(waiting.length)}`;
}

function leftWords({ state, skipped }: RolloutDecision): string[] {
  const failed = Object.entries(state.clusters).filter(([, { failed }]) => failed !== undefined);
  return [
    ...(failed.length === 0
      ? []
      : [`failed in ${failureWords(Object.fromEntries(failed.map(([name, record]) => [name, record.failed ?? ""])))}`]),
    ...(skipped.length === 0
      ? []
      : [`${skipped.slice(0, SHOWN).join(", ")}${moreWords(skipped.length)} not ready: to follow when back`]),
  ];
}

function failureWords(failure: Readonly<Record<string, string>>): string {
  const entries = Object.entries(failure);
  const words = entries.slice(0, SHOWN).map(([name, why]) => (why === "" ? name : `${name} (${why})`));
  return `${words.join(", ")}${moreWords(entries.length)}`;
}

function moreWords(count: number): string {
  return count > SHOWN ? ` and ${count - SHOWN} more` : "";
}

function countWords(count: number): string {
  return count === 1 ? "1 cluster" : `${count} clusters`;
}

export interface RolloutEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** What a decision brought about that the one before had not. */
export function rolloutEvents(
  before: RolloutState | undefined,
  decision: RolloutDecision,
  subject: RolloutSubject,
): readonly RolloutEvent[] {
  const { state } = decision;
  const events: RolloutEvent[] = [];
  const isNew = before?.target !== state.target;
  for (const [name, { failed, revision }] of Object.entries(state.clusters)) {
    const old = before?.clusters[name];
    if (failed !== undefined && (old?.failed === undefined || old.revision !== revision))
      events.push({
        type: "Warning",
        reason: "RolloutClusterFailed",
        message: `revision ${revision} failed in cluster ${name}: ${failed}`,
      });
  }
  // What was there before anybody asked for a rollout is no news.
  if (before === undefined && state.phase === "Complete") return events;
  if (!isNew && before?.phase === state.phase) return events;
  const words = rolloutWords(decision, subject);
  switch (state.phase) {
    case "Progressing":
      events.push({ type: "Normal", reason: isNew ? "RolloutStarted" : "RolloutResumed", message: words });
      break;
    case "Paused":
      events.push({ type: "Normal", reason: "RolloutPaused", message: words });
      break;
    case "Complete":
      events.push({ type: "Normal", reason: "RolloutComplete", message: words });
      break;
    case "Stopped":
      events.push({ type: "Warning", reason: decision.aborted ? "RolloutAborted" : "RolloutFailed", message: words });
      break;
    case "Returning":
      events.push({ type: "Warning", reason: decision.aborted ? "RolloutAborted" : "RolloutFailed", message: words });
      break;
    case "Returned":
      events.push({ type: "Normal", reason: "RolloutReturned", message: words });
      break;
  }
  return events;
}
