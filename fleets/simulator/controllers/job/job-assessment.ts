// What a Job's Pods mean for it: what counts as done and as failed, and whether the Job has ended.
import { isActive, isReady, isTerminating, type Pod } from "../pod-object.ts";
import { CompletionIndexes } from "./completion-indexes.ts";
import { type BackoffRecord, countFailures, finishedAtMs } from "./job-backoff.ts";
import { findTrue, isIndexed, type Job, type JobCondition, trueCondition } from "./job-object.ts";
import { countedIndexFailures, indexFailures, isFailed, isTracked, validIndexOf } from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";
import { matchSuccessPolicy } from "./success-policy.ts";

export interface JobAssessment {
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Indexes that the status has already, and those with what has succeeded since. */
  readonly countedIndexes: CompletionIndexes;
  readonly succeededIndexes: CompletionIndexes;
  /** Undefined when failures are not counted per index. */
  readonly failedIndexes: CompletionIndexes | undefined;
  /** Failed Pods that keep their finalizer until a Pod has replaced them, which takes over their count of failures. */
  readonly awaitingReplacement: ReadonlyMap<number, Pod>;
  readonly backoff: BackoffRecord;
  /** SuccessCriteriaMet, FailureTarget or Failed: why the Job is to end; undefined while it goes on. */
  readonly verdict: JobCondition | undefined;
  /** Until the Job is at its deadline; undefined without one. */
  readonly deadlineInMs: number | undefined;
}

/** Judges a Job by its Pods, those that it has counted already included. */
export function assessJob(job: Job, pods: readonly Pod[], record: BackoffRecord, nowMs: number): JobAssessment {
  const { spec, status } = job;
  const uncounted = status.uncountedTerminatedPods ?? {};
  const active = pods.filter(isActive);
  const fresh = (known: readonly string[] = []): Pod[] =>
    pods.filter(
      (pod) =>
        isTracked(pod) &&
        !known.includes(pod.metadata.uid ?? "") &&
        (!isIndexed(job) || validIndexOf(pod, job) !== undefined),
    );
  const newlySucceeded = fresh(uncounted.succeeded).filter((pod) => pod.status.phase === "Succeeded");
  const newlyFailed = fresh(uncounted.failed).filter((pod) => isFailed(pod, job));
  const countedFailures = newlyFailed.filter((pod) => judgeFailure(spec.podFailurePolicy, pod).counts).length;
  const failed = (status.failed ?? 0) + countedFailures + (uncounted.failed?.length ?? 0);
  const indexes = assessIndexes(job, pods, active);
  const succeeded = isIndexed(job)
    ? indexes.succeededIndexes.size
    : (status.succeeded ?? 0) + newlySucceeded.length + (uncounted.succeeded?.length ?? 0);
  return {
    pods,
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    succeeded,
    failed,
    ...indexes,
    backoff: countFailures(record, newlySucceeded, newlyFailed),
    verdict: verdictOf(job, pods, failed, indexes, nowMs),
    deadlineInMs: deadlineInMs(job, nowMs),
  };
}

type IndexAssessment = Pick<
  JobAssessment,
  "countedIndexes" | "succeededIndexes" | "failedIndexes" | "awaitingReplacement"
>;

function assessIndexes(job: Job, pods: readonly Pod[], active: readonly Pod[]): IndexAssessment {
  const { spec, status } = job;
  if (!isIndexed(job)) {
    const none = CompletionIndexes.none;
    return { countedIndexes: none, succeededIndexes: none, failedIndexes: undefined, awaitingReplacement: new Map() };
  }
  const completions = spec.completions ?? 0;
  const tracked = pods.filter((pod) => isTracked(pod) && validIndexOf(pod, job) !== undefined);
  const indexesOf = (some: readonly Pod[]): number[] => some.map((pod) => validIndexOf(pod, job) ?? 0);
  const countedIndexes = CompletionIndexes.parse(status.completedIndexes, completions);
  const succeededIndexes = countedIndexes.with(indexesOf(tracked.filter((pod) => pod.status.phase === "Succeeded")));
  if (spec.backoffLimitPerIndex === undefined)
    return { countedIndexes, succeededIndexes, failedIndexes: undefined, awaitingReplacement: new Map() };
  const failedIndexes = CompletionIndexes.parse(status.failedIndexes, completions).with(
    indexesOf(tracked.filter((pod) => failsIndex(job, pod))),
  );
  const awaitingReplacement = new Map<number, Pod>();
  const activeIndexes = new Set(active.map((pod) => validIndexOf(pod, job)));
  for (const pod of tracked) {
    const index = validIndexOf(pod, job) ?? 0;
    if (!isFailed(pod, job) || succeededIndexes.has(index) || failedIndexes.has(index) || activeIndexes.has(index))
      continue;
    const last = awaitingReplacement.get(index);
    const isLater =
      last === undefined || (indexFailures(last) <= indexFailures(pod) && finishedAtMs(pod) >= finishedAtMs(last));
    if (isLater) awaitingReplacement.set(index, pod);
  }
  return { countedIndexes, succeededIndexes, failedIndexes, awaitingReplacement };
}

function failsIndex(job: Job, pod: Pod): boolean {
  const { podFailurePolicy, backoffLimitPerIndex = 0 } = job.spec;
  if (!isFailed(pod, job)) return false;
  const { counts, action } = judgeFailure(podFailurePolicy, pod);
  return action === "FailIndex" || (counts && countedIndexFailures(pod) >= backoffLimitPerIndex);
}

/** The order is Kubernetes': what was decided before, failures, then success. */
function verdictOf(
  job: Job,
  pods: readonly Pod[],
  failed: number,
  { failedIndexes, succeededIndexes }: IndexAssessment,
  nowMs: number,
): JobCondition | undefined {
  const { spec, status } = job;
  const succeeding = findTrue(status, "SuccessCriteriaMet");
  if (succeeding !== undefined) return succeeding;
  const failing = findTrue(status, "FailureTarget");
  if (failing !== undefined) return trueCondition("Failed", failing.reason, failing.message, nowMs);
  const fails = (reason: string, message: string): JobCondition =>
    trueCondition("FailureTarget", reason, message, nowMs);
  const policy = spec.podFailurePolicy;
  if (policy !== undefined)
    for (const pod of pods) {
      const { jobMessage } = isFailed(pod, job) ? judgeFailure(policy, pod) : {};
      if (jobMessage !== undefined) return fails("PodFailurePolicy", jobMessage);
    }
  if (failed > spec.backoffLimit || hasRestartedTooOften(job, pods))
    return fails("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  const left = deadlineInMs(job, nowMs);
  if (left !== undefined && left <= 0)
    return fails("DeadlineExceeded", "Job was active longer than specified deadline");
  if (!isIndexed(job)) return undefined;
  const { completions = 0, maxFailedIndexes } = spec;
  if (failedIndexes !== undefined) {
    if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes)
      return fails("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
    if (failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= completions)
      return fails("FailedIndexes", "Job has failed indexes");
  }
  const rule = matchSuccessPolicy(spec.successPolicy, completions, succeededIndexes);
  return rule === undefined ? undefined : trueCondition("SuccessCriteriaMet", "SuccessPolicy", rule, nowMs);
}

/** Whether containers that are restarted in place have been so as often as the back-off limit allows. */
function hasRestartedTooOften({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec["restartPolicy"] !== "OnFailure") return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status.phase !== "Running" && status.phase !== "Pending") continue;
    for (const { restartCount = 0 } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
      restarts += restartCount;
  }
  return spec.backoffLimit === 0 ? restarts > 0 : restarts >= spec.backoffLimit;
}

function deadlineInMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status.startTime === undefined || spec.suspend === true)
    return undefined;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - nowMs;
}
