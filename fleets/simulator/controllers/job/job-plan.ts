// Which Pods a Job removes or makes next.
import { isTerminating, type Pod } from "../pod-object.ts";
import type { JobAssessment } from "./job-assessment.ts";
import { finishedAtMs, remainingBackoffMs } from "./job-backoff.ts";
import { isIndexed, type Job, replacesOnlyFailedPods } from "./job-object.ts";
import { indexFailures, indexOf, surplusPods } from "./job-pods.ts";

/** As Kubernetes, so that big Jobs leave time for others. */
const MOST_AT_ONCE = 500;

/** Pods to remove, or to make: one for each entry, with its completion index if the Job has them; or how long to wait. */
type JobPlan =
  | { readonly do: "remove"; readonly pods: readonly Pod[] }
  | { readonly do: "make"; readonly indexes: readonly (number | undefined)[] }
  | { readonly do: "wait"; readonly afterMs: number }
  | { readonly do: "nothing" };

/** What a Job that goes on does about its Pods. Removing comes first; both are never done at once. */
export function planPods(job: Job, assessment: JobAssessment, nowMs: number): JobPlan {
  const { active } = assessment;
  if (job.spec.suspend === true) return { do: "remove", pods: surplusPods(job, active, active.length) };
  const wanted = wantedPods(job, assessment);
  const surplus = surplusPods(job, active, Math.max(0, active.length - wanted));
  if (surplus.length > 0) return { do: "remove", pods: surplus.slice(0, MOST_AT_ONCE) };
  const leaving = replacesOnlyFailedPods(job) ? assessment.terminating : 0;
  const missing = wanted - leaving - active.length;
  if (missing <= 0) return { do: "nothing" };
  const hasLimitPerIndex = job.spec.backoffLimitPerIndex !== undefined;
  const wait = hasLimitPerIndex ? 0 : remainingBackoffMs(assessment.backoff, nowMs);
  if (wait > 0) return { do: "wait", afterMs: wait };
  const count = Math.min(missing, MOST_AT_ONCE);
  if (!isIndexed(job)) return { do: "make", indexes: Array.from({ length: count }, () => undefined) };
  const indexes = pendingIndexes(job, assessment, count);
  return hasLimitPerIndex ? dueIndexes(indexes, assessment, nowMs) : { do: "make", indexes };
}

function wantedPods({ spec }: Job, { succeeded, active }: JobAssessment): number {
  // Without completions, one success ends it all: nobody is started after that.
  if (spec.completions === undefined) return succeeded > 0 ? active.length : spec.parallelism;
  return Math.max(0, Math.min(spec.parallelism, spec.completions - succeeded));
}

function pendingIndexes(job: Job, assessment: JobAssessment, count: number): number[] {
  const { active, pods, succeededIndexes, failedIndexes } = assessment;
  const busy = replacesOnlyFailedPods(job) ? [...active, ...pods.filter(isTerminating)] : active;
  const taken = succeededIndexes.with(busy.map(indexOf).filter((index) => index !== undefined));
  const gone = failedIndexes === undefined ? taken : taken.union(failedIndexes);
  return gone.absent(count, job.spec.completions ?? 0);
}

/** Indexes whose own back-off is over; when none is, how long the first has to wait. */
function dueIndexes(indexes: readonly number[], { awaitingReplacement }: JobAssessment, nowMs: number): JobPlan {
  const waits = indexes.map((index) => {
    const last = awaitingReplacement.get(index);
    if (last === undefined) return 0;
    return remainingBackoffMs({ failures: indexFailures(last) + 1, lastFailureMs: finishedAtMs(last) }, nowMs);
  });
  const due = indexes.filter((_, i) => waits[i] === 0);
  if (due.length > 0 || indexes.length === 0) return { do: "make", indexes: due };
  return { do: "wait", afterMs: Math.min(...waits) };
}
