// Ordered affinity groups: the first that works is used.

import type { SchedulingTrace } from "./explanation/trace.ts";
import { findGroup } from "./fleet/filters.ts";
import type { SchedulingResult } from "./result.ts";
import { type SchedulingRequest, schedule } from "./schedule.ts";
import type { SchedulingError } from "./scheduling-error.ts";
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
 * The affinity groups that may be tried for the request, in order: that in use, and those after it. An earlier group is
 * tried again only when the group in use is gone (or, as Karmada 1.19 will, when a reschedule is asked for). Just the
 * present name when the placement has no groups.
 */
export function groupsInTurn({ spec, status, options }: SchedulingRequest): readonly string[] {
  const { placement } = spec;
  const groups = placement?.clusterAffinities ?? [];
  const observed = status?.schedulerObservingAffinityName ?? "";
  if (placement == null || placement.clusterAffinity != null || groups.length === 0) return [observed];
  const restarts = options?.compatibility === "1.19" && isRescheduleRequested(spec, status);
  const start = restarts ? 0 : Math.max(0, findGroup(placement, observed));
  return groups.slice(start).map((group) => group.affinityName);
}

/** Schedules with the first group of `groupsInTurn` that works. When none works the first error is the result. */
export function scheduleInGroups(request: SchedulingRequest): GroupedResult {
  const { spec, status } = request;
  const groups = spec.placement?.clusterAffinities ?? [];
  if (spec.placement?.clusterAffinity != null || groups.length === 0) return { result: schedule(request), failed: [] };
  const names = groupsInTurn(request);
  const start = groups.length - names.length;
  const failed: GroupAttempt[] = [];
  let first: SchedulingResult | undefined;
  for (const [turn, affinityName] of names.entries()) {
    const index = start + turn;
    const result = schedule({ ...request, status: { ...status, schedulerObservingAffinityName: affinityName } });
    if (result.error === undefined) return { result, affinityName, failed };
    const { error, trace } = result;
    failed.push({ index, affinityName, error, ...(trace === undefined ? {} : { trace }) });
    first ??= result;
  }
  return { result: first ?? schedule(request), failed };
}
