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

/**
 * Decides about the tasks of a binding at `now` (milliseconds). A copy goes when the copies that are to replace it are
 * healthy, or when its time is over: then also if nothing replaced it. `mayReplace` false says that the healthy ones are
 * known not to be all there yet.
 */
export function decideEvictionTasks(
  binding: Binding,
  now: number,
  defaultTimeoutMs: number = DEFAULT_EVICTION_TIMEOUT_MS,
  mayReplace = true,
): EvictionTasksDecision {
  const before = binding.spec.gracefulEvictionTasks ?? [];
  const replaced = mayReplace && isReplaced(binding);
  const verdicts = before.map((task) => judge(task, now, defaultTimeoutMs, replaced));
  const kept = verdicts.filter((entry) => entry.verdict === "keep").map((entry) => entry.task);
  const ends = kept.filter((task) => task.suppressDeletion !== true).map((task) => endOf(task, defaultTimeoutMs));
  const changed = kept.length !== before.length || kept.some((task, i) => task !== before[i]);
  return {
    ...(changed ? { tasks: kept } : {}),
    verdicts,
    ...(ends.length === 0 ? {} : { nextMs: Math.min(...ends) }),
  };
}

function judge(task: GracefulEvictionTask, now: number, timeoutMs: number, replaced: boolean): TaskVerdict {
  if (!task.creationTimestamp) {
    return { task: { ...task, creationTimestamp: rfc3339(now) }, verdict: "keep", reason: "begins now" };
  }
  if (task.suppressDeletion === true) return { task, verdict: "keep", reason: "suppressDeletion is true" };
  if (task.suppressDeletion === false) return { task, verdict: "remove", reason: "suppressDeletion is false" };
  if (now > endOf(task, timeoutMs)) return { task, verdict: "remove", reason: "its grace period is over" };
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
