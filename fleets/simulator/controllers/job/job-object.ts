// The parts of a Job that its controllers look at, and small facts about it.
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";

/** Keeps a Pod until its Job has counted it. */
export const TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking";

export interface ExitCodesRequirement {
  readonly containerName?: string;
  readonly operator: string;
  readonly values: readonly number[];
}

export interface PodFailurePolicyRule {
  readonly action: "FailJob" | "FailIndex" | "Ignore" | "Count";
  readonly onExitCodes?: ExitCodesRequirement;
  readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[];
}

interface SuccessPolicyRule {
  readonly succeededIndexes?: string;
  readonly succeededCount?: number;
}

export interface JobSpec {
  readonly parallelism: number;
  readonly completions?: number;
  readonly activeDeadlineSeconds?: number;
  readonly backoffLimit: number;
  readonly backoffLimitPerIndex?: number;
  readonly maxFailedIndexes?: number;
  readonly podFailurePolicy?: { readonly rules: readonly PodFailurePolicyRule[] };
  readonly successPolicy?: { readonly rules: readonly SuccessPolicyRule[] };
  readonly completionMode?: string;
  readonly suspend?: boolean;
  readonly podReplacementPolicy?: string;
  readonly managedBy?: string;
  readonly ttlSecondsAfterFinished?: number;
  readonly template: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly finalizers?: readonly string[];
    };
    readonly spec: Readonly<Record<string, unknown>>;
  };
}

export interface JobCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly lastProbeTime: string;
  readonly lastTransitionTime: string;
}

/** A Job's status while it is worked out. */
export interface JobStatus {
  active?: number;
  ready?: number;
  terminating?: number;
  succeeded?: number;
  failed?: number;
  completedIndexes?: string;
  failedIndexes?: string;
  uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] };
  startTime?: string;
  completionTime?: string;
  conditions?: JobCondition[];
}

export interface Job extends KubeObject {
  readonly spec: JobSpec;
  readonly status: JobStatus;
}

/** A Job of the store, as its controllers read it. */
export function jobOf(object: KubeObject): Job {
  // The server has checked and completed every Job that it holds; only a status may be absent.
  return (isObject(object["status"]) ? object : { ...object, status: {} }) as Job;
}

/** Whether each Pod of the Job stands for a completion index. */
export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === "Indexed";
}

/** Whether the Job has ended, well or badly. */
export function isFinished({ status }: Job): boolean {
  return finishedCondition(status) !== undefined;
}

/** The condition that tells that a Job has ended. */
export function finishedCondition({ conditions = [] }: JobStatus): JobCondition | undefined {
  return conditions.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
}

/** Whether another controller than the built-in one looks after the Job. */
export function isManagedElsewhere({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== "kubernetes.io/job-controller";
}

/** Whether a Pod is replaced only when its containers have ended, not as soon as it is being deleted. */
export function replacesOnlyFailedPods({ spec }: Job): boolean {
  // As Kubernetes: a failure policy must see exit codes, so it always waits.
  return spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;
}

/** A condition that holds from now on. */
export function trueCondition(type: string, reason: string, message: string, nowMs: number): JobCondition {
  return conditionOf(type, "True", reason, message, nowMs);
}

export function conditionOf(
  type: string,
  status: JobCondition["status"],
  reason: string,
  message: string,
  nowMs: number,
): JobCondition {
  const time = rfc3339(nowMs);
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
}

/** The true condition of a type. */
export function findTrue({ conditions = [] }: JobStatus, type: string): JobCondition | undefined {
  return conditions.find((each) => each.type === type && each.status === "True");
}

/**
 * Puts a condition in its place among the others, or at their end; says whether anything changed. Its times move
 * whenever its reason or message does. A false condition that was never true is not added.
 */
export function putCondition(status: JobStatus, condition: JobCondition): boolean {
  const conditions = status.conditions ?? [];
  const index = conditions.findIndex(({ type }) => type === condition.type);
  const known = conditions[index];
  if (known === undefined) {
    if (condition.status === "False") return false;
    status.conditions = [...conditions, condition];
    return true;
  }
  const same =
    known.status === condition.status && known.reason === condition.reason && known.message === condition.message;
  if (!same) status.conditions = conditions.with(index, condition);
  return !same;
}
