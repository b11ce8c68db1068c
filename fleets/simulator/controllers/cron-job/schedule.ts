// When a CronJob's schedule comes up, by wall clock of its time zone.
import { parseDuration } from "../../../../runtime/duration.ts";
import { type CronFields, cronFields, cronProblem } from "../../../apiserver/kinds/cron-schedule.ts";
import type { TimeZone, WallTime } from "./time-zone.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A schedule that does not come up in five years never does: the 31st of February. */
const MOST_YEARS = 5;

export interface Schedule {
  /** The first time after an instant; undefined when there is none. */
  next(afterMs: number): number | undefined;
}

/** Reads a schedule. Throws an Error that says what is wrong with it. */
export function readSchedule(text: string, zone: TimeZone): Schedule {
  const every = /^@every (.+)$/.exec(text)?.[1];
  if (every !== undefined) {
    const delay = Math.max(SECOND_MS, wholeSeconds(parseDuration(every)));
    return { next: (after) => wholeSeconds(after) + delay };
  }
  const fields = cronFields(text);
  if (fields === undefined) throw new Error(cronProblem(text) ?? `unrecognized descriptor: ${text}`);
  return { next: (after) => nextTime(fields, zone, after) };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / SECOND_MS) * SECOND_MS;
}

function nextTime(fields: CronFields, zone: TimeZone, after: number): number | undefined {
  const start = wholeSeconds(after) + SECOND_MS;
  const lastYear = zone.wallTime(start).year + MOST_YEARS;
  for (let at = start; ; ) {
    const wall = zone.wallTime(at);
    if (wall.year > lastYear) return undefined;
    const later = skip(fields, zone, wall, at);
    if (later === undefined) return at;
    // Where clocks skip midnight, the day before must not begin again.
    at = Math.max(later, at + SECOND_MS);
  }
}

/** Where to look next when the schedule does not come up at an instant; undefined when it does. */
function skip(fields: CronFields, zone: TimeZone, wall: WallTime, at: number): number | undefined {
  const { year, month, day, hour, minute, second } = wall;
  if (!fields.month.values.has(month)) return zone.midnight(year, month + 1, 1);
  if (!isDay(fields, wall)) return zone.midnight(year, month, day + 1);
  // An hour that clocks show twice comes up twice, and one that they skip does not.
  if (!fields.hour.values.has(hour)) return at - minute * MINUTE_MS - second * SECOND_MS + HOUR_MS;
  if (!fields.minute.values.has(minute) || second !== 0) return at - second * SECOND_MS + MINUTE_MS;
  return undefined;
}

/** As cron: when both fields for days say something, one of them is enough. */
function isDay({ dayOfMonth, dayOfWeek }: CronFields, { day, weekday }: WallTime): boolean {
  const isOfMonth = dayOfMonth.values.has(day);
  const isOfWeek = dayOfWeek.values.has(weekday);
  return dayOfMonth.isAll || dayOfWeek.isAll ? isOfMonth && isOfWeek : isOfMonth || isOfWeek;
}
