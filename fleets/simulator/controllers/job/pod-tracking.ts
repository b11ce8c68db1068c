// How a Job counts each of its Pods exactly once: the Pod's uid goes into `uncountedTerminatedPods`, then the Pod loses
// its finalizer, then the uid leaves and the count goes up. Nothing is lost or counted twice if that is interrupted.
import type { Pod } from "../pod-object.ts";
import type { JobAssessment } from "./job-assessment.ts";
import { isIndexed, type Job, type JobCondition, type JobStatus } from "./job-object.ts";
import { isFailed, isTracked, validIndexOf } from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

/** As Kubernetes: keeps a status below some 20 KB. */
const MOST_UNCOUNTED = 500;

interface Tracking {
  /** Whether the status has something to write before the finalizers go. */
  readonly changed: boolean;
  /** Pods that are to lose their finalizer. */
  readonly release: readonly Pod[];
  /** Whether more Pods wait than a status may name at once: the Job cannot end yet. */
  readonly isFull: boolean;
}

/** Notes in `status` what has ended, and says which Pods are then to be released. */
export function trackPods(
  job: Job,
  status: JobStatus,
  assessment: JobAssessment,
  verdict: JobCondition | undefined,
): Tracking {
  const { pods, countedIndexes, succeededIndexes, failedIndexes } = assessment;
  const indexed = isIndexed(job);
  const inOrder = indexed
    ? [...pods].sort((a, b) => (validIndexOf(a, job) ?? -1) - (validIndexOf(b, job) ?? -1))
    : pods;
  let changed = countReleased(status, new Set(pods.filter(isTracked).map(uidOf)));
  const known = {
    succeeded: new Set(status.uncountedTerminatedPods?.succeeded),
    failed: new Set(status.uncountedTerminatedPods?.failed),
  };
  const succeeded = [...known.succeeded];
  const failed = [...known.failed];
  const newIndexes: number[] = [];
  const release: Pod[] = [];
  let isFull = false;
  for (const pod of inOrder) {
    if (!isTracked(pod) || !mayRelease(job, assessment, verdict, pod)) continue;
    release.push(pod);
    const uid = uidOf(pod);
    const index = validIndexOf(pod, job);
    if (pod.status.phase === "Succeeded" && !known.failed.has(uid)) {
      if (!indexed && !known.succeeded.has(uid)) succeeded.push(uid);
      if (index !== undefined && !countedIndexes.has(index)) newIndexes.push(index);
    } else if (isFailed(pod, job) || (verdict !== undefined && verdict.type !== "SuccessCriteriaMet")) {
      // When a Job fails, whatever still runs has failed.
      const counts = !known.failed.has(uid) && (!indexed || index !== undefined);
      if (counts && judgeFailure(job.spec.podFailurePolicy, pod).counts) failed.push(uid);
    }
    isFull = newIndexes.length + succeeded.length + failed.length >= MOST_UNCOUNTED;
    if (isFull) break;
  }
  changed ||= newIndexes.length > 0 || succeeded.length > known.succeeded.size || failed.length > known.failed.size;
  status.uncountedTerminatedPods = uncounted(succeeded, failed);
  if (indexed) {
    const completed = succeededIndexes.with(newIndexes);
    const text = completed.toString();
    changed ||= text !== (status.completedIndexes ?? "");
    status.succeeded = completed.size;
    status.completedIndexes = text;
    const failedText = failedIndexes?.toString();
    changed ||= failedText !== status.failedIndexes;
    if (failedText === undefined) delete status.failedIndexes;
    else status.failedIndexes = failedText;
  }
  return { changed, release, isFull };
}

/** Counts the Pods that the status names and that have no finalizer any more; says whether there were any. */
export function countReleased(status: JobStatus, tracked: ReadonlySet<string>): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const waiting = {
    succeeded: succeeded.filter((uid) => tracked.has(uid)),
    failed: failed.filter((uid) => tracked.has(uid)),
  };
  const newlySucceeded = succeeded.length - waiting.succeeded.length;
  const newlyFailed = failed.length - waiting.failed.length;
  if (newlySucceeded + newlyFailed === 0) return false;
  status.succeeded = (status.succeeded ?? 0) + newlySucceeded;
  status.failed = (status.failed ?? 0) + newlyFailed;
  status.uncountedTerminatedPods = uncounted(waiting.succeeded, waiting.failed);
  return true;
}

function uncounted(succeeded: string[], failed: string[]): NonNullable<JobStatus["uncountedTerminatedPods"]> {
  return { ...(succeeded.length === 0 ? {} : { succeeded }), ...(failed.length === 0 ? {} : { failed }) };
}

function mayRelease(
  job: Job,
  { awaitingReplacement }: JobAssessment,
  verdict: JobCondition | undefined,
  pod: Pod,
): boolean {
  if (job.metadata.deletionTimestamp !== undefined || verdict !== undefined || pod.status.phase === "Succeeded")
    return true;
  if (!isFailed(pod, job)) return false;
  const index = validIndexOf(pod, job);
  return index === undefined || awaitingReplacement.get(index) !== pod;
}

/** The Pod's uid; every stored Pod has one. */
export function uidOf({ metadata }: Pod): string {
  return metadata.uid ?? "";
}
