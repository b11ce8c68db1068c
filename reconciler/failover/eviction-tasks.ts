// When an evicted copy may go.

import type { GracefulEvictionTask } from "../../api/work.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import type { Binding } from "../scheduler/occasion.ts";

export const DEFAULT_EVICTION_TIMEOUT_MS = 600_000;

export interface TaskVerdict {
  readonly task: GracefulEvictionTask;
  readonly verdict: "keep" | "remove";
  /** For people. */
  readonly reason: string;
}

export interface EvictionTasksDecision {
  /** The tasks as they are to be; absent when they stay as they are. */
  readonly tasks?: readonly GracefulEvictionTask[];
  readonly verdicts: readonly TaskVerdict[];
  /** When to look again although nothing changed (milliseconds). */
  readonly nextMs?: number;
}

export interface EvictionTasksOptions {
  /** How long a copy waits whose task does not say. */
  readonly timeoutMs?: number;
  /** False: the copies that are to replace it are known not to be all there yet, whatever health they report. */
  readonly mayReplace?: boolean;
  /**
   * Beyond Karmada: why a copy is not let go merely because its time is over (`replaced`), or not even because others are
   * well (`returned`); undefined when it may be.
   */
  readonly mustKeep?: (
    task: GracefulEvictionTask,
  ) => { readonly until: "replaced" | "returned"; readonly reason: string } | undefined;
}

/**
 * Decides about the tasks of a binding at `now` (milliseconds). A copy goes when the copies that are to replace it are
 * healthy, or when its time is over: then also if nothing replaced it.
 */
export function decideEvictionTasks(
  binding: Binding,
  now: number,
  options: EvictionTasksOptions = {},
): EvictionTasksDecision {
  const { timeoutMs = DEFAULT_EVICTION_TIMEOUT_MS, mayReplace = true, mustKeep } = options;
  const before = binding.spec.gracefulEvictionTasks ?? [];
  const replaced = mayReplace && isReplaced(binding);
  const verdicts = before.map((task) => judge(task, now, timeoutMs, replaced, mustKeep?.(task)));
  const kept = verdicts.filter((entry) => entry.verdict === "keep").map((entry) => entry.task);
  const ends = kept
    .filter((task) => task.suppressDeletion !== true)
    .map((task) => endOf(task, timeoutMs))
    // What stays although its time is over waits for something else.
    .filter((end) => end >= now);
  const changed = kept.length !== before.length || kept.some((task, i) => task !== before[i]);
  return {
    ...(changed ? { tasks: kept } : {}),
    verdicts,
    ...(ends.length === 0 ? {} : { nextMs: Math.min(...ends) }),
  };
}

function judge(
  task: GracefulEvictionTask,
  now: number,
  timeoutMs: number,
  replaced: boolean,
  kept: ReturnType<NonNullable<EvictionTasksOptions["mustKeep"]>>,
): TaskVerdict {
  if (!task.creationTimestamp) {
    return { task: { ...task, creationTimestamp: rfc3339(now) }, verdict: "keep", reason: "begins now" };
  }
  if (task.suppressDeletion === true) return { task, verdict: "keep", reason: "suppressDeletion is true" };
  if (task.suppressDeletion === false) return { task, verdict: "remove", reason: "suppressDeletion is false" };
  if (kept?.until === "returned") return { task, verdict: "keep", reason: kept.reason };
  if (now > endOf(task, timeoutMs)) {
    if (kept === undefined || replaced) return { task, verdict: "remove", reason: "its grace period is over" };
    return { task, verdict: "keep", reason: `its grace period is over, but ${kept.reason}` };
  }
  return replaced
    ? { task, verdict: "remove", reason: "every present target is healthy" }
    : { task, verdict: "keep", reason: "the present targets are not all healthy yet" };
}

function endOf(task: GracefulEvictionTask, timeoutMs: number): number {
  const graceMs = task.gracePeriodSeconds == null ? timeoutMs : task.gracePeriodSeconds * 1000;
  return Date.parse(task.creationTimestamp ?? "") + graceMs;
}

/** Whether the scheduler has seen the binding as it is, and every target is healthy. */
export function isReplaced({ metadata, spec, status }: Binding): boolean {
  if (status?.schedulerObservedGeneration !== metadata.generation) return false;
  return (spec.clusters ?? []).every((target) =>
    status?.aggregatedStatus?.some((item) => item.clusterName === target.name && item.health === "Healthy"),
  );
}
