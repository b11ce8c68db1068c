// Native rules: how the statuses of Jobs and CronJobs add up.

import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { sumOf } from "./aggregate-workloads.ts";
import { type MemberStatus, reportedStatuses, withStatus } from "./aggregation.ts";
import { interpreterFieldMalformed } from "./errors.ts";
import { type Fields, fieldsAt, listAt, nonZero, present, textAt } from "./field-access.ts";
import { hasCondition, outcomeOfJob } from "./job-conditions.ts";

/** A Job has failed once it failed anywhere, and is complete once it completed everywhere. The outcome is never revised. */
export function aggregateJob(object: KubeObject, items: readonly AggregatedStatusItem[], now: string): KubeObject {
  const old = fieldsAt(object, "status");
  if (outcomeOfJob(old) !== undefined) return object;
  const members = reportedStatuses(items);
  const conditions = jobConditions(members, items.length, now);
  return withStatus(
    object,
    present({
      active: nonZero(sumOf(members, "active")),
      succeeded: nonZero(sumOf(members, "succeeded")),
      failed: nonZero(sumOf(members, "failed")),
      conditions: conditions.length === 0 ? undefined : conditions,
      startTime: textAt(old, "startTime") || extremeTime(members, "startTime", items.length, isEarlier),
      completionTime: extremeTime(members, "completionTime", items.length, isLater),
    }),
  );
}

function jobConditions(members: readonly MemberStatus[], clusters: number, now: string): readonly Fields[] {
  const failed = members.filter(({ status }) => outcomeOfJob(status) === "Failed");
  if (failed.length > 0) {
    const names = failed.map(({ clusterName }) => clusterName).join(",");
    return [condition("Failed", "JobFailed", `Job executed failed in member clusters ${names}`, now)];
  }
  const complete = members.filter(({ status }) => outcomeOfJob(status) === "Complete");
  if (complete.length === 0 || complete.length !== clusters) return [];
  const conditions = [condition("Complete", "Completed", "Job completed", now)];
  if (complete.every(({ status }) => hasCondition(status, "SuccessCriteriaMet"))) {
    const message = "All member clusters have met success criteria";
    conditions.push(condition("SuccessCriteriaMet", "CompletionsReached", message, now));
  }
  return conditions;
}

function condition(type: string, reason: string, message: string, now: string): Fields {
  return { type, status: "True", lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** CronJobs: what runs anywhere runs, and the latest run anywhere is the latest. */
export function aggregateCronJob(object: KubeObject, items: readonly AggregatedStatusItem[]): KubeObject {
  const members = reportedStatuses(items);
  const active = members.flatMap(({ status }) => listAt(status, "active"));
  return withStatus(
    object,
    present({
      active: active.length === 0 ? undefined : active,
      lastScheduleTime: extremeTime(members, "lastScheduleTime", 0, isLater),
      lastSuccessfulTime: extremeTime(members, "lastSuccessfulTime", 0, isLater),
    }),
  );
}

function isEarlier(time: string, than: string): boolean {
  return Date.parse(time) < Date.parse(than);
}

function isLater(time: string, than: string): boolean {
  return Date.parse(time) > Date.parse(than);
}

/** The first time under `key` that no other beats; undefined when fewer than `atLeast` clusters have one. */
function extremeTime(
  members: readonly MemberStatus[],
  key: string,
  atLeast: number,
  beats: (time: string, than: string) => boolean,
): string | undefined {
  const times = members.map(({ status }) => timeAt(status, key)).filter((time) => time !== "");
  if (times.length < atLeast || times.length === 0) return undefined;
  return times.reduce((best, time) => (beats(time, best) ? time : best));
}

/** Written into the template, a time that is none would be refused by the server, and nobody would know whose it was. */
function timeAt(status: Fields, key: string): string {
  const time = textAt(status, key);
  if (time !== "" && Number.isNaN(Date.parse(time))) throw interpreterFieldMalformed(key, "a time", status);
  return time;
}
