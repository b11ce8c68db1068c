// Makes the Jobs of CronJobs at their times, and clears away those that have ended.
import { ApiStatusError, isNamespaceEnding } from "../../../../kube/client/status-error.ts";
import { quoteGo } from "../../../../kube/go-text.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { messageOf } from "../../../../runtime/errors.ts";
import { attempt, perform, type Reconcile, type Steps, tell } from "../../kernel/action.ts";
import { type Controller, controllerOf, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { controllerRef } from "../controller-refs.ts";
import { DueKeys } from "../due-keys.ts";
import { finishedCondition, type Job, jobOf } from "../job/job-object.ts";
import { type CronJob, type CronJobStatus, cronJobOf } from "./cron-job-object.ts";
import { areMany, missedTimes, NEVER_DUE, type ScheduleState, untilNextMs } from "./missed-times.ts";
import { readSchedule, type Schedule } from "./schedule.ts";
import { TimeZone } from "./time-zone.ts";

const SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** Makes the Jobs of CronJobs when they are due, and clears old ones away. */
export function cronJobController(): Controller {
  const due = new DueKeys();
  return {
    name: "cronjob-controller",
    manager: "kube-controller-manager",
    watches: [
      {
        resource: "batch/cronjobs",
        keys: ({ type, object, previous }, world) => {
          const before = type === "updated" ? previous() : undefined;
          const wait = before === undefined ? 0 : waitAfterChange(cronJobOf(before), cronJobOf(object), world.now());
          due.want(objectKey(object), world.now() + wait);
          return [objectKey(object)];
        },
      },
      {
        resource: "batch/jobs",
        keys: ({ object }, world) => {
          const owner = controllerOf(object);
          if (owner?.kind !== "CronJob") return [];
          const key = `${object.metadata.namespace ?? ""}/${owner.name}`;
          due.want(key, world.now());
          return [key];
        },
      },
    ],
    *reconcile(key, world): Reconcile {
      const now = world.now();
      if (due.take(key, now)) {
        const { namespace, name } = splitKey(key);
        const object = world.state.get("batch/cronjobs", namespace, name);
        if (object !== undefined) {
          try {
            const wait = yield* syncCronJob(cronJobOf(object), world);
            if (wait !== undefined) due.want(key, now + wait);
          } catch (error) {
            // It stays due: the kernel comes back with a growing delay.
            due.want(key, now);
            throw error;
          }
        }
      }
      return due.remaining(key, world.now());
    },
  };
}

/** As Kubernetes: a new schedule counts from its next time on, and nothing else is looked at before. */
function waitAfterChange(before: CronJob, after: CronJob, now: number): number {
  const isSame = before.spec.schedule === after.spec.schedule && before.spec.timeZone === after.spec.timeZone;
  if (isSame) return 0;
  const timing = timingOf(after);
  return timing.schedule === undefined ? 0 : untilNextMs(stateOf(after), timing.schedule, now);
}

function stateOf({ metadata, spec, status }: CronJob): ScheduleState {
  const last = status.lastScheduleTime;
  return {
    createdMs: Date.parse(metadata.creationTimestamp ?? ""),
    lastScheduleMs: last === undefined ? undefined : Date.parse(last),
    startingDeadlineSeconds: spec.startingDeadlineSeconds,
  };
}

type Timing =
  | { readonly schedule: Schedule; readonly zone: TimeZone }
  | { readonly schedule?: undefined; readonly reason: string; readonly message: string };

/** The schedule in its time zone, or what is wrong with them in the words of an Event. */
function timingOf({ spec }: CronJob): Timing {
  let zone: TimeZone;
  try {
    zone = new TimeZone(spec.timeZone ?? "");
  } catch {
    const name = spec.timeZone ?? "";
    return { reason: "UnknownTimeZone", message: `invalid timeZone: ${quoteGo(name)}: unknown time zone ${name}` };
  }
  try {
    return { schedule: readSchedule(spec.schedule, zone), zone };
  } catch (error) {
    const message = `unparseable schedule: ${quoteGo(spec.schedule)} : ${messageOf(error)}`;
    return { reason: "UnparseableSchedule", message };
  }
}

/** One look at a CronJob; answers when the next is due. */
function* syncCronJob(cronJob: CronJob, world: World): Steps<number | undefined> {
  const jobs = world.state.ownedBy(cronJob, "batch/jobs").map(jobOf);
  const status: CronJobStatus = { ...cronJob.status };
  const draft: CronJob = { ...cronJob, status };
  let changed = yield* clearHistory(draft, status, jobs);
  changed = (yield* noteJobs(draft, status, jobs, world)) || changed;
  let wait: number | undefined;
  let failure: unknown;
  if (cronJob.metadata.deletionTimestamp === undefined) {
    try {
      const step = yield* runDueJob(draft, status, world);
      wait = step.afterMs;
      changed ||= step.changed;
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      failure = error;
    }
  }
  if (changed) yield* perform({ do: "update", object: { ...cronJob, status: compact(status) }, subresource: "status" });
  if (failure !== undefined) throw failure;
  return wait;
}

function compact(status: CronJobStatus): CronJobStatus {
  const { active = [], ...rest } = status;
  return active.length === 0 ? rest : { active, ...rest };
}

/** Deletes the oldest Jobs that have ended beyond those to keep. */
function* clearHistory(cronJob: CronJob, status: CronJobStatus, jobs: readonly Job[]): Steps<boolean> {
  const { successfulJobsHistoryLimit: successful, failedJobsHistoryLimit: failed } = cronJob.spec;
  const limits = [
    ["Complete", successful],
    ["Failed", failed],
  ] as const;
  let changed = false;
  for (const [end, limit] of limits) {
    if (limit === undefined) continue;
    const ended = jobs.filter((job) => finishedCondition(job.status)?.type === end).sort(byStart);
    for (const job of ended.slice(0, Math.max(0, ended.length - limit)))
      changed = (yield* deleteJob(cronJob, status, job)) || changed;
  }
  return changed;
}

function byStart(a: Job, b: Job): number {
  const [one, two] = [a.status.startTime ?? "~", b.status.startTime ?? "~"];
  if (one !== two) return one < two ? -1 : 1;
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

function* deleteJob(cronJob: CronJob, status: CronJobStatus, job: KubeObject): Steps<boolean> {
  const outcome = yield* attempt({ do: "delete", object: job });
  if (!outcome.ok) {
    yield* tell(cronJob, "Warning", "FailedDelete", `Deleted job: ${outcome.error.message}`);
    return false;
  }
  forget(status, job.metadata.uid);
  yield* tell(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${job.metadata.name}`);
  return true;
}

function forget(status: CronJobStatus, uid: string | undefined): void {
  status.active = status.active?.filter((each) => each.uid !== uid) ?? [];
}

/** Brings the list of running Jobs up to date. */
function* noteJobs(cronJob: CronJob, status: CronJobStatus, jobs: readonly Job[], { state }: World): Steps<boolean> {
  let changed = false;
  for (const job of jobs) {
    const { uid, name } = job.metadata;
    const isListed = status.active?.some((each) => each.uid === uid) === true;
    const end = finishedCondition(job.status);
    if (end === undefined) {
      if (!isListed) {
        const message = `Saw a job that the controller did not create or forgot: ${name}`;
        yield* tell(cronJob, "Warning", "UnexpectedJob", message);
      }
      continue;
    }
    if (isListed) {
      forget(status, uid);
      yield* tell(cronJob, "Normal", "SawCompletedJob", `Saw completed job: ${name}, condition: ${end.type}`);
      changed = true;
    }
    const completed = end.type === "Complete" ? job.status.completionTime : undefined;
    if (completed !== undefined && completed > (status.lastSuccessfulTime ?? "")) {
      status.lastSuccessfulTime = completed;
      changed = true;
    }
  }
  const uids = new Set(jobs.map((job) => job.metadata.uid));
  for (const { uid, name = "", namespace = "" } of status.active ?? []) {
    if (uids.has(uid) || state.get("batch/jobs", namespace, name) !== undefined) continue;
    yield* tell(cronJob, "Normal", "MissingJob", `Active job went missing: ${name}`);
    forget(status, uid);
    changed = true;
  }
  return changed;
}

interface CronStep {
  readonly changed: boolean;
  readonly afterMs: number | undefined;
}

/** Makes the Job whose time has come, if any and if it may run. */
function* runDueJob(cronJob: CronJob, status: CronJobStatus, world: World): Steps<CronStep> {
  const { spec } = cronJob;
  const now = world.now();
  const timing = timingOf(cronJob);
  if (timing.schedule === undefined && timing.reason === "UnknownTimeZone") return yield* refuse(cronJob, timing);
  if (spec.suspend === true) return { changed: false, afterMs: undefined };
  if (timing.schedule === undefined) return yield* refuse(cronJob, timing);
  const { schedule, zone } = timing;
  const missed = missedTimes(stateOf(cronJob), schedule, now, true);
  if (missed === NEVER_DUE)
    return yield* refuse(cronJob, {
      reason: "InvalidSchedule",
      message: `invalid schedule: ${spec.schedule} : ${NEVER_DUE}`,
    });
  const later = (changed: boolean): CronStep => ({ changed, afterMs: untilNextMs(stateOf(cronJob), schedule, now) });
  const time = missed.latestMs;
  if (time === undefined) return later(false);
  if (areMany(missed)) {
    const advice = "Set or decrease .spec.startingDeadlineSeconds or check clock skew";
    yield* tell(cronJob, "Warning", "TooManyMissedTimes", `too many missed start times. ${advice}`);
  }
  if (spec.startingDeadlineSeconds !== undefined && time + spec.startingDeadlineSeconds * 1000 < now) {
    const when = new Date(time).toUTCString().replace("GMT", "+0000");
    yield* tell(cronJob, "Warning", "MissSchedule", `Missed scheduled time to start a job: ${when}`);
    return later(false);
  }
  const job = jobFor(cronJob, time, zone);
  const isDone =
    status.active?.some(({ name }) => name === job.metadata.name) || status.lastScheduleTime === rfc3339(time);
  if (isDone) return later(false);
  let changed = false;
  if (spec.concurrencyPolicy === "Forbid" && (status.active?.length ?? 0) > 0) {
    const why = "prior execution is running and concurrency policy is Forbid";
    yield* tell(cronJob, "Normal", "JobAlreadyActive", `Not starting job because ${why}`);
    return later(false);
  }
  if (spec.concurrencyPolicy === "Replace") {
    for (const { namespace, name = "" } of status.active ?? []) {
      const running = world.state.get("batch/jobs", namespace, name);
      if (running !== undefined) changed = (yield* deleteJob(cronJob, status, running)) || changed;
    }
  }
  const made = yield* makeJob(cronJob, job, world);
  if (made === undefined) return { changed, afterMs: undefined };
  const { apiVersion, kind, metadata } = made;
  const { namespace = "", name = "", uid = "", resourceVersion = "" } = metadata;
  const reference = { kind, namespace, name, uid, apiVersion, resourceVersion };
  status.active = [...(status.active ?? []), reference];
  status.lastScheduleTime = rfc3339(time);
  return later(true);
}

function* refuse(cronJob: CronJob, { reason, message }: { reason: string; message: string }): Steps<CronStep> {
  yield* tell(cronJob, "Warning", reason, message);
  return { changed: false, afterMs: undefined };
}

/** Makes a Job, or finds the one that was made when the status could not be written; undefined when it is another's. */
function* makeJob(cronJob: CronJob, job: KubeObject, { state }: World): Steps<KubeObject | undefined> {
  const outcome = yield* attempt({ do: "create", object: job });
  if (outcome.ok) {
    yield* tell(cronJob, "Normal", "SuccessfulCreate", `Created job ${job.metadata.name}`);
    return outcome.object;
  }
  const { error } = outcome;
  if (error.status.reason === "AlreadyExists") {
    const present = state.get("batch/jobs", job.metadata.namespace, job.metadata.name ?? "");
    const isOurs = present !== undefined && controllerOf(present)?.uid === cronJob.metadata.uid;
    return isOurs && !cronJob.status.active?.some(({ uid }) => uid === present.metadata.uid) ? present : undefined;
  }
  if (!isNamespaceEnding(error))
    yield* tell(cronJob, "Warning", "FailedCreate", `Error creating job: ${error.message}`);
  throw error;
}

/** The Job of a time. Its name holds the time in minutes, so that no time has two. */
function jobFor(cronJob: CronJob, timeMs: number, zone: TimeZone): KubeObject {
  const { name = "", namespace = "default" } = cronJob.metadata;
  const { metadata: template = {}, spec } = cronJob.spec.jobTemplate;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${name}-${Math.floor(timeMs / 60_000)}`,
      namespace,
      ...(template.labels === undefined ? {} : { labels: { ...template.labels } }),
      annotations: { ...template.annotations, [SCHEDULED_AT]: zone.rfc3339(timeMs) },
      ownerReferences: [controllerRef(cronJob)],
    },
    spec,
  };
}
