// Everything the scheduler does to one binding at one moment, as a value: the loop around it only writes.

import type { ResourceBindingStatus, TargetCluster } from "../../api/work.ts";
import { findCondition, isConditionTrue, setCondition } from "../../kube/conditions.ts";
import { type Condition, equalJson } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { APPLIED_PLACEMENT_ANNOTATION, formatPlacement } from "./applied-placement.ts";
import type { SchedulingTrace } from "./explanation/trace.ts";
import type { FleetIndex } from "./fleet/fleet-index.ts";
import { type Binding, findOccasion, type Occasion, whyIgnored } from "./occasion.ts";
import { resolveGates, type SchedulingOptions } from "./options.ts";
import { type GroupAttempt, type GroupedResult, scheduleInGroups } from "./schedule-in-groups.ts";
import { SchedulingError } from "./scheduling-error.ts";

export interface DecisionOptions extends SchedulingOptions {
  readonly schedulerName?: string;
  /**
   * Writes nothing when only the order of the targets would change. Karmada writes it, so that objects which go to every
   * cluster are rewritten whenever clusters report another capacity.
   */
  readonly keepOrder?: boolean;
  /**
   * Says nothing when everything stays as it is: no time, no event. Karmada records each look at a binding that is not
   * divided, so that every change of a cluster rewrites most bindings.
   */
  readonly quiet?: boolean;
  /**
   * Where nothing is to be scheduled, the `Scheduled` condition is made True if it is not. Karmada leaves it False when a
   * workload shrinks to what it already has, and missing when its first status could not be written.
   */
  readonly mendsCondition?: boolean;
  /** Schedules for this reason, without looking whether the binding itself gives one. */
  readonly occasion?: Occasion;
}

export interface BindingEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "ScheduleBindingSucceed" | "ScheduleBindingFailed";
  readonly message: string;
}

/** How a binding goes back into the queue: `done`, not at all; `unschedulable`, when something may have changed. */
export type Requeue = "done" | "backoff" | "unschedulable";

export interface SchedulingDecision {
  /**
   * `scheduled`, `failed`: was tried. `current`: needs nothing. `observed`: needs nothing, only the generation is to be
   * recorded. `ignored`: not the scheduler's business.
   */
  readonly verdict: "scheduled" | "failed" | "current" | "observed" | "ignored";
  /** For people: why it was scheduled, or why not. */
  readonly reason: string;
  readonly occasion?: Occasion;
  /** New `spec.clusters`; absent when they stay. */
  readonly clusters?: readonly TargetCluster[];
  /** New annotations; absent when they stay. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Fields of the status that change, conditions whole; absent when none does. */
  readonly status?: Partial<ResourceBindingStatus>;
  /** The `Scheduled` condition as it is to be, when scheduling was tried. */
  readonly condition?: Condition;
  readonly events: readonly BindingEvent[];
  readonly requeue: Requeue;
  /** Affinity groups that were tried in vain. */
  readonly failedGroups: readonly GroupAttempt[];
  readonly error?: SchedulingError;
  /** What scheduling answered, when it was tried: also the clusters that stay. */
  readonly grouped?: GroupedResult;
  readonly trace?: SchedulingTrace;
}

const SUCCESS_MESSAGE = "Binding has been scheduled successfully.";

/**
 * Decides about one binding at the time `now` (milliseconds). Deciding again on the written result changes nothing,
 * but for bindings that are not divided: their last scheduling is recorded anew each time.
 */
export function decideScheduling(
  binding: Binding,
  fleet: FleetIndex,
  now: number,
  options: DecisionOptions = {},
): SchedulingDecision {
  const ignored = whyIgnored(binding, options.schedulerName);
  if (ignored !== undefined) return leave("ignored", ignored);
  if (binding.metadata.deletionTimestamp != null) {
    const message = `the binding is being deleted, ${describeBinding(binding)} is not scheduled`;
    return {
      ...leave("ignored", "the binding is being deleted"),
      events: [{ type: "Warning", reason: "ScheduleBindingFailed", message }],
    };
  }
  if (binding.spec.placement == null) {
    const error = new SchedulingError(
      "SchedulerError",
      "failed to get placement from the binding, spec.placement is empty",
    );
    return { ...leave("failed", error.message), error, requeue: "backoff" };
  }
  const gates = resolveGates(options);
  const occasion = options.occasion ?? findOccasion(binding, fleet, gates.MultiplePodTemplatesScheduling);
  if (occasion !== undefined) return scheduleNow(binding, fleet, now, options, occasion);
  return leaveAsIs(binding, now, options);
}

function leaveAsIs(binding: Binding, now: number, options: DecisionOptions): SchedulingDecision {
  const { status } = binding;
  const { generation } = binding.metadata;
  const observed =
    generation === undefined || status?.schedulerObservedGeneration === generation
      ? undefined
      : { schedulerObservedGeneration: generation };
  if (options.mendsCondition === true && !isConditionTrue(status?.conditions, "Scheduled")) {
    const condition = scheduledCondition(undefined, status?.conditions, now);
    const conditions = setCondition(status?.conditions, condition, condition.lastTransitionTime);
    return {
      ...leave("observed", "the clusters are already those that the spec asks for"),
      condition,
      status: { ...observed, conditions, lastScheduledTime: rfc3339(now) },
    };
  }
  return observed === undefined
    ? leave("current", "placement, replicas and targets are as they were")
    : { ...leave("observed", "nothing that scheduling looks at has changed"), status: observed };
}

function leave(verdict: SchedulingDecision["verdict"], reason: string): SchedulingDecision {
  return { verdict, reason, events: [], requeue: "done", failedGroups: [] };
}

function scheduleNow(
  binding: Binding,
  fleet: FleetIndex,
  now: number,
  options: DecisionOptions,
  occasion: Occasion,
): SchedulingDecision {
  const { spec, status } = binding;
  const grouped = scheduleInGroups({ spec, status, fleet, options });
  const { result, affinityName, failed } = grouped;
  const groupEvents = failed.map((attempt) => groupEvent(binding, attempt));
  const traced = result.trace === undefined ? {} : { trace: result.trace };
  const common = { occasion, failedGroups: failed, grouped, ...traced };
  if (result.error !== undefined) {
    const { error } = result;
    const condition = scheduledCondition(error, status?.conditions, now);
    // Nothing fits: what is there must not stay. Any other failure may pass, so that present targets are kept.
    const cleared = error.kind === "NoClusterFit" ? changesOf(binding, [], options) : {};
    return {
      ...common,
      ...cleared,
      verdict: "failed",
      reason: error.message,
      status: { conditions: setCondition(status?.conditions, condition, condition.lastTransitionTime) },
      condition,
      // As Karmada: where groups failed one by one, only that nothing fits is told once more.
      events: failed.length > 0 && error.kind !== "NoClusterFit" ? groupEvents : [...groupEvents, failureEvent(error)],
      requeue: requeueAfter(error),
      error,
    };
  }
  const changes = changesOf(binding, result.clusters, options);
  if (options.quiet === true && isAsBefore(binding, occasion, changes, affinityName)) {
    return { ...leave("scheduled", occasion.reason), ...common };
  }
  const condition = scheduledCondition(undefined, status?.conditions, now);
  const generation = binding.metadata.generation;
  return {
    ...common,
    ...changes,
    verdict: "scheduled",
    reason: occasion.reason,
    status: {
      conditions: setCondition(status?.conditions, condition, condition.lastTransitionTime),
      ...(generation === undefined ? {} : { schedulerObservedGeneration: generation }),
      lastScheduledTime: rfc3339(now),
      ...(affinityName === undefined ? {} : { schedulerObservingAffinityName: affinityName }),
    },
    condition,
    events: [...groupEvents, successEvent(binding, result.clusters)],
    requeue: "done",
  };
}

/** Whether a look for want of anything better to ask found what the binding and its status say already. */
function isAsBefore(
  { metadata, status }: Binding,
  occasion: Occasion,
  changes: Pick<SchedulingDecision, "clusters" | "annotations">,
  affinityName: string | undefined,
): boolean {
  return (
    occasion.kind === "not-divided" &&
    changes.clusters === undefined &&
    changes.annotations === undefined &&
    status?.schedulerObservedGeneration === metadata.generation &&
    (affinityName === undefined || status?.schedulerObservingAffinityName === affinityName) &&
    isConditionTrue(status?.conditions, "Scheduled")
  );
}

function changesOf(
  binding: Binding,
  clusters: readonly TargetCluster[],
  options: DecisionOptions,
): Pick<SchedulingDecision, "clusters" | "annotations"> {
  const { placement } = binding.spec;
  const present = binding.spec.clusters ?? [];
  const stays =
    equalJson(present, clusters) || (options.keepOrder === true && equalJson(byName(present), byName(clusters)));
  const applied = placement == null ? "" : formatPlacement(placement);
  return {
    ...(stays ? {} : { clusters }),
    ...(binding.metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION] === applied
      ? {}
      : { annotations: { [APPLIED_PLACEMENT_ANNOTATION]: applied } }),
  };
}

function byName(clusters: readonly TargetCluster[]): TargetCluster[] {
  return [...clusters].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** How a failed binding is tried again. Nothing that fits is final until binding or fleet change. */
export function requeueAfter(error: SchedulingError): Requeue {
  switch (error.kind) {
    case "NoClusterFit":
      return "done";
    case "Unschedulable":
      return "unschedulable";
    case "SchedulerError":
      return "backoff";
  }
}

/** What the `Scheduled` condition can say of a failure. */
export interface SchedulingFailure {
  readonly kind: SchedulingError["kind"] | "QuotaExceeded";
  readonly message: string;
}

/** The `Scheduled` condition after success (no error) or failure; its time changes only with its status. */
export function scheduledCondition(
  error: SchedulingFailure | undefined,
  conditions: readonly Condition[] | undefined,
  now: number,
): Condition {
  const status = error === undefined ? "True" : "False";
  const before = findCondition(conditions, "Scheduled");
  return {
    type: "Scheduled",
    status,
    reason: error?.kind ?? "Success",
    message: error?.message ?? SUCCESS_MESSAGE,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : rfc3339(now),
  };
}

function successEvent(binding: Binding, clusters: readonly TargetCluster[]): BindingEvent {
  const list = clusters.map((target) => `${target.name}:${target.replicas ?? 0}`).join(", ");
  const label = binding.kind === "ResourceBinding" ? "Result: " : "Result ";
  return { type: "Normal", reason: "ScheduleBindingSucceed", message: `${SUCCESS_MESSAGE} ${label}{${list}}` };
}

export function failureEvent(error: SchedulingFailure): BindingEvent {
  return { type: "Warning", reason: "ScheduleBindingFailed", message: error.message };
}

function groupEvent(binding: Binding, attempt: GroupAttempt): BindingEvent {
  const message = `failed to schedule ${describeBinding(binding)} with clusterAffiliates index(${attempt.index}): ${attempt.error.message}`;
  return { type: "Warning", reason: "ScheduleBindingFailed", message };
}

function describeBinding(binding: Binding): string {
  const { namespace, name } = binding.metadata;
  return `${binding.kind}(${namespace ? `${namespace}/` : ""}${name})`;
}
