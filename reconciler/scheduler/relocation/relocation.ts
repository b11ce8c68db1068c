// Moves that nobody asked for by hand: what they look like, and how they are tried out before anything is written.

import type { TargetCluster } from "../../../api/work.ts";
import { type DecisionOptions, decideScheduling, type SchedulingDecision } from "../decide-scheduling.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding, Occasion } from "../occasion.ts";

/** Who evicts, in the tasks of such moves. */
export const RELOCATION_PRODUCER = "flaghoist-relocation";

export type Relocation =
  /** Nothing calls for a move; `away`: for the time being, as the workload is not where it belongs. */
  | { readonly verdict: "none"; readonly reason: string; readonly away?: true; readonly nextMs?: number }
  /** A move is called for, but would not work out: everything stays. */
  | { readonly verdict: "stay"; readonly occasion: Occasion; readonly reason: string; readonly nextMs?: number }
  | Move;

export interface Move {
  readonly verdict: "move";
  readonly occasion: Occasion;
  readonly reason: string;
  /** The binding as it was given to the scheduler: without the clusters it leaves. */
  readonly input: Binding;
  /** What the scheduler made of it. */
  readonly decision: SchedulingDecision;
  /** The targets as they are to be: all replicas are placed. */
  readonly clusters: readonly TargetCluster[];
  /** True when the workload is where it belongs afterwards, so that its home need not be remembered any more. */
  readonly endsAtHome: boolean;
  /** When to look again although nothing changed (milliseconds). */
  readonly nextMs?: number;
}

export interface Trial {
  readonly binding: Binding;
  readonly occasion: Occasion;
  /** What counts as the present targets. */
  readonly from: readonly TargetCluster[];
  /** Clusters that are not to be used, each with the reason as one word in CamelCase. */
  readonly avoid: ReadonlyMap<string, string>;
  /** The affinity group to begin with, instead of the one in use. */
  readonly group?: string;
}

export interface TrialResult {
  readonly input: Binding;
  readonly decision: SchedulingDecision;
  /** The targets as they would be; undefined when scheduling failed. */
  readonly clusters: readonly TargetCluster[] | undefined;
}

/** Schedules as if the binding were as `trial` says. Changes nothing. */
export function tryOut(trial: Trial, fleet: FleetIndex, now: number, options: DecisionOptions): TrialResult {
  const { binding, occasion, from, avoid, group } = trial;
  const tasks = binding.spec.gracefulEvictionTasks ?? [];
  const known = new Set(tasks.map((task) => task.fromCluster));
  // As evictions, so that the filter which keeps evicted workloads from returning keeps them away here too.
  const added = [...avoid]
    .filter(([name]) => !known.has(name))
    .map(([fromCluster, reason]) => ({ fromCluster, reason, producer: RELOCATION_PRODUCER }));
  const clusters = from.filter((target) => !avoid.has(target.name));
  const input = {
    ...binding,
    spec: { ...binding.spec, clusters, gracefulEvictionTasks: [...tasks, ...added] },
    status: { ...binding.status, ...(group === undefined ? {} : { schedulerObservingAffinityName: group }) },
    // The same kind with other values of its fields.
  } as Binding;
  const decision = decideScheduling(input, fleet, now, { ...options, occasion, quiet: false });
  if (decision.verdict !== "scheduled") return { input, decision, clusters: undefined };
  const inGroup = decision.status?.schedulerObservingAffinityName;
  if (group !== undefined && inGroup !== group) return { input, decision, clusters: undefined };
  return { input, decision, clusters: decision.clusters ?? clusters };
}

/** Targets of `after` that are none of `before`, in their order. */
export function newTargets(before: readonly TargetCluster[], after: readonly TargetCluster[]): readonly string[] {
  const names = new Set(before.map((target) => target.name));
  return after.filter((target) => !names.has(target.name)).map((target) => target.name);
}

/** `tokyo-1, paris-1 and 3 more`. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length <= 3 ? shown : `${shown} and ${names.length - 3} more`;
}

export function earliest(...times: readonly (number | undefined)[]): { readonly nextMs?: number } {
  const known = times.filter((time): time is number => time !== undefined && Number.isFinite(time));
  return known.length === 0 ? {} : { nextMs: Math.min(...known) };
}
