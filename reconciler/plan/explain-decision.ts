// The last decision about a binding as its record has it, and what is otherwise now.
import type { Cluster } from "../../api/cluster.ts";
import type { GracefulEvictionTask } from "../../api/work.ts";
import { findCondition } from "../../kube/conditions.ts";
import { type ReadDecision, readDecision } from "../scheduler/explanation/read-decision.ts";
import type { ClusterTrace } from "../scheduler/explanation/trace.ts";
import type { AnyBinding } from "../works/binding.ts";
import type { DecisionExplanation } from "./explanation.ts";
import type { World } from "./world.ts";

type Kept = Exclude<ReadDecision, { readonly state: "none" }>;

/** The record of the binding's last decision; undefined when there is none. */
export function readLastDecision(stored: AnyBinding, clusters: readonly Cluster[]): Kept | undefined {
  const names = clusters.map((cluster) => cluster.metadata.name ?? "").sort();
  const read = readDecision(stored, [names]);
  if (read.state === "none") return undefined;
  // What fails and changes nothing leaves no record: the one there is, is of an earlier decision.
  const condition = findCondition(stored.status?.conditions, "Scheduled");
  if (
    read.state === "whole" &&
    condition?.status === "False" &&
    condition.lastTransitionTime > read.summary.decidedAt
  ) {
    const reason = `it is of the decision before: the last attempt failed (${condition.reason})`;
    return { state: "partial", reason, summary: read.summary };
  }
  return read;
}

/** `now` is what the present state makes of each cluster, by name. */
export function explainDecision(
  read: Kept,
  stored: AnyBinding,
  world: World,
  now: ReadonlyMap<string, ClusterTrace>,
): DecisionExplanation | undefined {
  const { summary } = read;
  const problem = read.state === "whole" ? undefined : read.reason;
  if (summary === undefined) {
    return { decidedAt: "", occasion: "", fleetVersion: 0, problem, since: [] };
  }
  return {
    decidedAt: summary.decidedAt,
    occasion: summary.occasion.reason.endsWith(": never applied")
      ? "it had never been placed"
      : summary.occasion.reason,
    fleetVersion: summary.fleetVersion,
    problem,
    since: read.state === "whole" ? changesSince(read, stored, world, now) : [],
  };
}

const MOST_CHANGES = 12;

function changesSince(
  { decision, trace }: Extract<ReadDecision, { readonly state: "whole" }>,
  stored: AnyBinding,
  world: World,
  now: ReadonlyMap<string, ClusterTrace>,
): string[] {
  const lines: string[] = [];
  const chosen = new Map((decision.answer.clusters ?? []).map((target) => [target.name, target.replicas]));
  const present = new Map((stored.spec.clusters ?? []).map((target) => [target.name, target.replicas]));
  const evictions = new Map((stored.spec.gracefulEvictionTasks ?? []).map((task) => [task.fromCluster, task]));
  for (const [name, replicas] of chosen) {
    const eviction = evictions.get(name);
    if (!present.has(name))
      lines.push(
        `${name} was chosen, and is no longer: ${eviction === undefined ? "its copy was moved away" : evictionWords(eviction)}`,
      );
    else if (present.get(name) !== replicas)
      lines.push(`${name} was given ${replicas ?? 0}, and has ${present.get(name) ?? 0}`);
  }
  for (const name of present.keys()) if (!chosen.has(name)) lines.push(`${name} was not chosen, and has it`);
  const wanted = stored.spec.replicas ?? 0;
  if ((decision.spec.replicas ?? 0) !== wanted)
    lines.push(`replicas asked for: ${decision.spec.replicas ?? 0} then, ${wanted} now`);
  lines.push(
    ...fleetChanges(
      (trace?.clusters ?? []).filter((entry) => !evictions.has(entry.cluster)),
      world.clusters.filter((cluster) => !evictions.has(cluster.metadata.name ?? "")),
      now,
    ),
  );
  return lines.length <= MOST_CHANGES
    ? lines
    : [...lines.slice(0, MOST_CHANGES), `and ${lines.length - MOST_CHANGES} more`];
}

function fleetChanges(
  then: readonly ClusterTrace[],
  clusters: readonly Cluster[],
  now: ReadonlyMap<string, ClusterTrace>,
): string[] {
  const before = new Map(then.map((entry) => [entry.cluster, entry]));
  const names = new Set(clusters.map((cluster) => cluster.metadata.name ?? ""));
  const gone = then.filter((entry) => !names.has(entry.cluster)).map((entry) => `cluster ${entry.cluster} is gone`);
  const changed = [...names].sort().flatMap((name) => {
    const was = before.get(name);
    const is = now.get(name);
    if (was === undefined)
      return [`cluster ${name} joined${is === undefined || isAdmitted(is) ? "" : `: ${words(is)}`}`];
    if (is === undefined || isAdmitted(was) === isAdmitted(is)) {
      return is === undefined || is.waived.length <= was.waived.length
        ? []
        : [`${name}: ${words(is)}, but what is there stays`];
    }
    return [isAdmitted(is) ? `${name} would fit now` : `${name} would be refused now: ${words(is)}`];
  });
  return [...gone, ...changed];
}

function isAdmitted({ verdict }: ClusterTrace): boolean {
  return verdict === "chosen" || verdict === "spare";
}

function words({ refusals, waived, verdict }: ClusterTrace): string {
  if (verdict === "deleting") return "it is being removed";
  return [...refusals, ...waived].map((refusal) => refusal.detail).join("; ");
}

/** Why a copy leaves its cluster: `TaintUntolerated by TaintManager, gone at the latest after 600s`. */
export function evictionWords({ reason, producer, message, gracePeriodSeconds }: GracefulEvictionTask): string {
  const limit = gracePeriodSeconds === undefined ? "" : `, at the latest after ${gracePeriodSeconds}s`;
  return `${reason} by ${producer}${message ? ` (${message})` : ""}${limit}`;
}
