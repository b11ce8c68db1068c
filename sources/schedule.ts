// When a source is due: by interval, by cron expression, or because someone asked.

import { createHash } from "node:crypto";
import { CronTime } from "cron";
import { AppError, messageOf } from "../runtime/errors.ts";

/** When a source wants to be looked at. Without interval and schedule it is looked at once and then only on request. */
export interface Schedule {
  /** Identifies the source (`namespace/name`); spreads sources of equal intervals over time. */
  readonly name: string;
  readonly intervalMs?: number | undefined;
  /** Share of the interval that the name may add or take away; 0.05 by default, as Flux. */
  readonly jitter?: number | undefined;
  /** Five or six cron fields or a word such as `@daily`; may start with `CRON_TZ=Europe/Berlin` or `TZ=…`. */
  readonly cron?: string | undefined;
  /** IANA zone of `cron` when it names none itself; UTC by default. */
  readonly timeZone?: string | undefined;
  /** Value of the request annotation. Anything that differs from `handledRequest` asks for a run now. */
  readonly requestedAt?: string | undefined;
  readonly handledRequest?: string | undefined;
}

/**
 * The time of the next run in milliseconds; at or before `nowMs` when it is due. Missed runs count as one.
 * `undefined`: never, until someone asks. Throws `schedule-invalid` for a cron expression or zone that does not parse.
 */
export function nextRun(spec: Schedule, lastRunMs: number | undefined, nowMs: number): number | undefined {
  if (lastRunMs === undefined) return nowMs;
  if (spec.requestedAt !== undefined && spec.requestedAt !== "" && spec.requestedAt !== spec.handledRequest) {
    return nowMs;
  }
  // A clock that was set back must not silence a source for the length of the step.
  const last = Math.min(lastRunMs, nowMs);
  const times: number[] = [];
  if (spec.intervalMs !== undefined && spec.intervalMs > 0) {
    times.push(last + jittered(spec.intervalMs, spec.name, spec.jitter ?? 0.05));
  }
  if (spec.cron !== undefined) {
    const next = nextCronTime(spec.cron, spec.timeZone, last);
    if (next !== undefined) times.push(next);
  }
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The interval made longer or shorter by at most `share`, always the same for the same name. */
export function jittered(intervalMs: number, name: string, share: number): number {
  const digest = createHash("sha256").update(name).digest();
  const unit = digest.readUInt32BE(0) / 0xffff_ffff;
  return Math.round(intervalMs * (1 + (2 * unit - 1) * Math.min(Math.max(share, 0), 1)));
}

/**
 * The first time after `afterMs` that the expression names, in the zone of its `CRON_TZ=` prefix, else in `timeZone`,
 * else in UTC. `undefined` when it never comes (31 February).
 */
export function nextCronTime(expression: string, timeZone: string | undefined, afterMs: number): number | undefined {
  const { fields, zone } = splitZone(expression);
  const used = zone ?? timeZone ?? "UTC";
  let time: CronTime;
  try {
    time = new CronTime(fields, used);
  } catch (error) {
    throw scheduleInvalid(expression, error);
  }
  try {
    return time.getNextDateFrom(new Date(afterMs), used).toMillis();
  } catch {
    return undefined;
  }
}

function splitZone(expression: string): { readonly fields: string; readonly zone: string | undefined } {
  const match = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/s.exec(expression.trim());
  return match === null
    ? { fields: expression.trim(), zone: undefined }
    : { fields: match[2] ?? "", zone: match[1] ?? undefined };
}

function scheduleInvalid(expression: string, cause: unknown): AppError {
  const shown = expression.length > 100 ? `${expression.slice(0, 100)}…` : expression;
  return new AppError("schedule-invalid", `the schedule ${JSON.stringify(shown)} cannot be read: ${messageOf(cause)}`, {
    recovery: "stall",
    cause,
  });
}
