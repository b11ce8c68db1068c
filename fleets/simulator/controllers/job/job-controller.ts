// Runs Jobs: makes their Pods, counts how they end, and ends the Job.
import { ApiStatusError, isNamespaceEnding } from "../../../../kube/client/status-error.ts";
import { cloneJson, type KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { attempt, perform, type Reconcile, type Steps, tell } from "../../kernel/action.ts";
import { type Controller, controllerOf, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { claimObjects, watchOrphans } from "../controller-refs.ts";
import { DueKeys } from "../due-keys.ts";
import { isReady, type Pod, podOf } from "../pod-object.ts";
import { growingBatches } from "../slow-start.ts";
import { assessJob, type JobAssessment } from "./job-assessment.ts";
import { type BackoffRecord, NO_FAILURES } from "./job-backoff.ts";
import {
  conditionOf,
  isFinished,
  isManagedElsewhere,
  type Job,
  type JobCondition,
  type JobStatus,
  jobOf,
  putCondition,
  TRACKING_FINALIZER,
  trueCondition,
} from "./job-object.ts";
import { planPods } from "./job-plan.ts";
import { releasePod } from "./job-pod-release.ts";
import { isTracked, newPod } from "./job-pods.ts";
import { countReleased, trackPods, uidOf } from "./pod-tracking.ts";

/** As Kubernetes: changes of Pods, and of a Job's own status, are gathered for a second. */
const BATCH_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** Runs Jobs to their end. */
export function jobController(): Controller {
  const due = new DueKeys();
  const backoffs = new Map<string, BackoffRecord>();
  const failures = new Map<string, number>();

  function* reconcile(key: string, world: World): Reconcile {
    const now = world.now();
    if (due.take(key, now)) {
      const { namespace, name } = splitKey(key);
      const object = world.state.get("batch/jobs", namespace, name);
      const job = object === undefined ? undefined : jobOf(object);
      if (job === undefined || isFinished(job)) {
        backoffs.delete(key);
        failures.delete(key);
      } else if (!isManagedElsewhere(job)) {
        const refusal = yield* refusalOf(syncJob(job, key, world), () => due.want(key, now));
        if (refusal === undefined) failures.delete(key);
        else {
          const count = (failures.get(key) ?? 0) + 1;
          failures.set(key, count);
          due.want(key, now + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 10)));
        }
      }
    }
    return due.remaining(key, world.now());
  }

  /** One look at a Job. Answers what refused a Pod or its deletion: the rest is done all the same. */
  function* syncJob(job: Job, key: string, world: World): Steps<ApiStatusError | undefined> {
    const now = world.now();
    const status: JobStatus = cloneJson(job.status);
    if (status.startTime === undefined && job.spec.suspend !== true) status.startTime = rfc3339(now);
    const started: Job = { ...job, status };
    const pods = yield* claimPods(job, world);
    const assessment = assessJob(started, pods, backoffs.get(key) ?? NO_FAILURES, now);
    if (assessment.verdict === undefined && assessment.deadlineInMs !== undefined)
      due.want(key, now + assessment.deadlineInMs);
    const outcome = yield* managePods(started, assessment, (ms) => due.want(key, now + Math.max(ms, BATCH_MS)), now);
    let { verdict } = outcome;
    let changed = false;
    if (verdict === undefined && assessment.verdict === undefined) {
      const { spec } = job;
      const isComplete =
        outcome.active === 0 &&
        (spec.completions === undefined ? assessment.succeeded > 0 : assessment.succeeded >= spec.completions);
      if (isComplete)
        verdict = trueCondition(
          "SuccessCriteriaMet",
          "CompletionsReached",
          "Reached expected number of succeeded pods",
          now,
        );
      else if (job.metadata.deletionTimestamp === undefined) changed = yield* noteSuspension(started, status, now);
    }
    changed ||=
      outcome.active !== (status.active ?? 0) ||
      outcome.ready !== status.ready ||
      outcome.terminating !== status.terminating;
    Object.assign(status, { active: outcome.active, ready: outcome.ready, terminating: outcome.terminating });
    yield* trackAndEnd(
      started,
      assessment,
      verdict,
      changed,
      outcome.terminating,
      () => {
        backoffs.set(key, assessment.backoff);
      },
      world,
    );
    return outcome.refusal;
  }

  return {
    name: "job-controller",
    manager: "kube-controller-manager",
    watches: [
      {
        resource: "batch/jobs",
        keys: ({ type, object, previous }, world) => {
          const isSpecChange = type !== "updated" || previous()?.metadata.generation !== object.metadata.generation;
          if (type === "updated" && isFinished(jobOf(object))) return [];
          due.want(objectKey(object), world.now() + (isSpecChange ? 0 : BATCH_MS));
          return [objectKey(object)];
        },
      },
      {
        resource: "pods",
        keys: ({ object, previous }, world) => {
          const owner = controllerOf(object) ?? (previous() === undefined ? undefined : controllerOf(previous()!));
          if (owner?.kind !== "Job") return [];
          const namespace = object.metadata.namespace ?? "";
          if (world.state.get("batch/jobs", namespace, owner.name)?.metadata.uid !== owner.uid) return [];
          const key = `${namespace}/${owner.name}`;
          due.want(key, world.now() + BATCH_MS);
          return [key];
        },
      },
      {
        resource: "pods",
        keys: (change, world) => {
          const keys = [...watchOrphans("pods", "batch/jobs").keys(change, world)];
          for (const key of keys) due.want(key, world.now() + BATCH_MS);
          return keys;
        },
      },
    ],
    reconcile,
  };
}

/** The Pods of a Job, after it has adopted those that nobody controls and let go those that it no longer selects. */
function* claimPods(job: Job, world: World): Steps<Pod[]> {
  const pods: Pod[] = [];
  const before = new Set(world.state.ownedBy(job, "pods").map(({ metadata }) => metadata.uid));
  for (const object of yield* claimObjects(job, "pods", world)) {
    if (before.has(object.metadata.uid) || isTracked(object)) pods.push(podOf(object));
    else {
      const finalizers = [...(object.metadata.finalizers ?? []), TRACKING_FINALIZER];
      const outcome = yield* attempt({ do: "patch", object, patch: { metadata: { finalizers } } });
      if (outcome.ok && outcome.object !== undefined) pods.push(podOf(outcome.object));
    }
  }
  return pods;
}

/** Runs steps; a refusal of the server is an answer. Whatever else goes wrong is told to `failed`, and thrown. */
function* refusalOf(steps: Steps<ApiStatusError | undefined>, failed: () => void): Steps<ApiStatusError | undefined> {
  try {
    return yield* steps;
  } catch (error) {
    if (error instanceof ApiStatusError) return error;
    failed();
    throw error;
  }
}

interface PodsOutcome {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
  /** Why the Job is to end; undefined while Pods of it could not be deleted. */
  readonly verdict: JobCondition | undefined;
  readonly refusal: ApiStatusError | undefined;
}

/** Deletes and makes Pods, and counts what is left. */
function* managePods(job: Job, assessment: JobAssessment, wait: (ms: number) => void, now: number): Steps<PodsOutcome> {
  const { active, ready, terminating, verdict } = assessment;
  const left = (removed: Removed): PodsOutcome => ({
    active: active.length - removed.count,
    ready: ready - removed.ready,
    terminating: terminating + removed.count,
    verdict: removed.refusal === undefined ? verdict : undefined,
    refusal: removed.refusal,
  });
  const unchanged = left({ count: 0, ready: 0, refusal: undefined });
  if (verdict !== undefined) return left(yield* removePods(job, active, "tracked"));
  if (job.metadata.deletionTimestamp !== undefined) return unchanged;
  const plan = planPods(job, assessment, now);
  switch (plan.do) {
    case "remove":
      return left(yield* removePods(job, plan.pods, "released"));
    case "make": {
      const { count, refusal } = yield* makePods(job, plan.indexes, assessment);
      return { ...unchanged, active: active.length + count, refusal };
    }
    case "wait":
      wait(plan.afterMs);
      return unchanged;
    case "nothing":
      return unchanged;
  }
}

interface Removed {
  readonly count: number;
  readonly ready: number;
  readonly refusal: ApiStatusError | undefined;
}

/** Deletes Pods. `released`: they shall not count as failures, so they lose their finalizer first. */
function* removePods(job: Job, pods: readonly Pod[], how: "tracked" | "released"): Steps<Removed> {
  let count = 0;
  let ready = 0;
  let refusal: ApiStatusError | undefined;
  for (const pod of pods) {
    if (how === "released") yield* releasePod(pod);
    const outcome = yield* attempt({ do: "delete", object: pod });
    if (isReady(pod)) ready++;
    if (outcome.ok) {
      count++;
      yield* tell(job, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
    } else if (outcome.error.status.code === 404) count++;
    else {
      refusal ??= outcome.error;
      yield* tell(job, "Warning", "FailedDelete", `Error deleting: ${outcome.error.message}`);
    }
  }
  return { count, ready, refusal };
}

/** Makes Pods in growing batches, and none after one that was refused: a full quota is not asked five hundred times. */
function* makePods(
  job: Job,
  indexes: readonly (number | undefined)[],
  { awaitingReplacement }: JobAssessment,
): Steps<{ readonly count: number; readonly refusal: ApiStatusError | undefined }> {
  let count = 0;
  let refusal: ApiStatusError | undefined;
  for (const batch of growingBatches(indexes)) {
    for (const index of batch) {
      const object = newPod(job, index, index === undefined ? undefined : awaitingReplacement.get(index));
      const outcome = yield* attempt({ do: "create", object });
      if (outcome.ok) {
        count++;
        yield* tell(job, "Normal", "SuccessfulCreate", `Created pod: ${outcome.object?.metadata.name}`);
      } else if (isNamespaceEnding(outcome.error)) count++;
      else {
        refusal ??= outcome.error;
        yield* tell(job, "Warning", "FailedCreate", `Error creating: ${outcome.error.message}`);
      }
    }
    if (refusal !== undefined) break;
  }
  return { count, refusal };
}

/** Writes down that a Job is held back, or goes on again; says whether that is new. */
function* noteSuspension(job: Job, status: JobStatus, now: number): Steps<boolean> {
  if (job.spec.suspend === true) {
    if (!putCondition(status, conditionOf("Suspended", "True", "JobSuspended", "Job suspended", now))) return false;
    yield* tell(job, "Normal", "Suspended", "Job suspended");
    delete status.startTime;
    return true;
  }
  if (!putCondition(status, conditionOf("Suspended", "False", "JobResumed", "Job resumed", now))) return false;
  yield* tell(job, "Normal", "Resumed", "Job resumed");
  // The deadline counts from here.
  status.startTime = rfc3339(now);
  return true;
}

/** Counts what has ended, lets the Pods go, and ends the Job when nothing of it is left. */
function* trackAndEnd(
  job: Job,
  assessment: JobAssessment,
  verdict: JobCondition | undefined,
  changed: boolean,
  terminating: number,
  written: () => void,
  world: World,
): Steps<void> {
  const tracking = trackPods(job, job.status, assessment, verdict);
  let mustWrite = changed || tracking.changed;
  const ending = verdict === undefined ? undefined : endingOf(job.status, verdict, world.now());
  mustWrite ||= ending?.isNew === true;
  let current = job;
  if (mustWrite) {
    current = yield* writeJob(job, job.status);
    written();
  }
  for (const pod of tracking.release)
    yield* releasePod(podOf(world.state.get("pods", pod.metadata.namespace, pod.metadata.name ?? "") ?? pod));
  const status: JobStatus = cloneJson(current.status);
  const released = new Set(tracking.release.map(uidOf));
  const still = assessment.pods
    .filter(isTracked)
    .map(uidOf)
    .filter((uid) => !released.has(uid));
  mustWrite = countReleased(status, new Set(still));
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const ends = ending !== undefined && !tracking.isFull && succeeded.length + failed.length === 0 && terminating === 0;
  if (ends) {
    putCondition(status, ending.condition);
    if (ending.condition.type === "Complete") status.completionTime = ending.condition.lastTransitionTime;
  }
  if (!ends && !mustWrite) return;
  const last = yield* writeJob(current, status);
  if (ends) yield* tellEnd(last, ending.condition);
}

/** The condition that ends a Job for a verdict; the verdict itself is put into the status, and `isNew` if it was not there. */
function endingOf(
  status: JobStatus,
  verdict: JobCondition,
  now: number,
): { readonly condition: JobCondition; readonly isNew: boolean } {
  const { type, reason, message } = verdict;
  if (type === "Failed") return { condition: verdict, isNew: false };
  const condition = trueCondition(type === "FailureTarget" ? "Failed" : "Complete", reason, message, now);
  return { condition, isNew: putCondition(status, verdict) };
}

function* tellEnd(job: Job, { type, reason, message }: JobCondition): Steps<void> {
  if (type === "Failed") {
    yield* tell(job, "Warning", reason, message);
    return;
  }
  const { completions } = job.spec;
  if (completions !== undefined && (job.status.succeeded ?? 0) > completions)
    yield* tell(
      job,
      "Warning",
      "TooManySucceededPods",
      "Too many succeeded pods running after completion count reached",
    );
  yield* tell(job, "Normal", "Completed", "Job completed");
}

function* writeJob(job: Job, status: JobStatus): Steps<Job> {
  const object: KubeObject = { ...job, status: compact(status) };
  return jobOf((yield* perform({ do: "update", object, subresource: "status" })) ?? object);
}

/** As Go writes it: numbers and texts that are zero are left out, those that may be absent are not. */
function compact(status: JobStatus): JobStatus {
  const written: JobStatus = { ...status };
  for (const field of ["active", "succeeded", "failed"] as const) if (written[field] === 0) delete written[field];
  if (written.completedIndexes === "") delete written.completedIndexes;
  return written;
}
