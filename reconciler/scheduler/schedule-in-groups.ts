// Ordered affinity groups: the first that works is used.

import { findGroup } from "./filters.ts";
import type { SchedulingResult } from "./result.ts";
import { type SchedulingRequest, schedule } from "./schedule.ts";
import type { SchedulingError } from "./scheduling-error.ts";
import type { SchedulingTrace } from "./trace.ts";
import { isRescheduleRequested } from "./workload.ts";

export interface GroupAttempt {
  readonly index: number;
  readonly affinityName: string;
  readonly error: SchedulingError;
  /** Only if asked for. */
  readonly trace?: SchedulingTrace;
}

export interface GroupedResult {
  readonly result: SchedulingResult;
  /** The group whose clusters were chosen; absent when none works or the placement has no groups. */
  readonly affinityName?: string;
  /** The groups that were tried in vain, in order. */
  readonly failed: readonly GroupAttempt[];
}

/**
 * Schedules with the group in use, else with those after it. An earlier group is tried again only when the group in use
 * is gone (or, as Karmada 1.19 will, when a reschedule is asked for). When none works the first error is the result.
 */
export function scheduleInGroups(request: SchedulingRequest): GroupedResult {
  const { spec, status } = request;
  const groups = spec.placement?.clusterAffinities ?? [];
  if (spec.placement?.clusterAffinity != null || groups.length === 0) return { result: schedule(request), failed: [] };
  const observed =
    spec.placement == null ? -1 : findGroup(spec.placement, status?.schedulerObservingAffinityName ?? "");
  const restarts = request.options?.compatibility === "1.19" && isRescheduleRequested(spec, status);
  const start = restarts ? 0 : Math.max(0, observed);
  const failed: GroupAttempt[] = [];
  let first: SchedulingResult | undefined;
  for (const [index, { affinityName }] of groups.entries()) {
    if (index < start) continue;
    const result = schedule({ ...request, status: { ...status, schedulerObservingAffinityName: affinityName } });
    if (result.error === undefined) return { result, affinityName, failed };
    const { error, trace } = result;
    failed.push({ index, affinityName, error, ...(trace === undefined ? {} : { trace }) });
    first ??= result;
  }
  return { result: first ?? schedule(request), failed };
}
