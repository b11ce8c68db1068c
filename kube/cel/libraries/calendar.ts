// Parts of timestamps and durations: `getHours("Europe/Berlin")`.
import { type FunctionDeclaration, member } from "../declarations.ts";
import { type CalendarFields, calendarFields } from "../times.ts";
import { DURATION, INT, STRING, TIMESTAMP } from "../types.ts";
import type { CelDuration, CelTimestamp } from "../values.ts";

type Pick = (fields: CalendarFields) => number;

const PARTS: readonly (readonly [name: string, id: string, withZone: string, pick: Pick])[] = [
  ["getFullYear", "timestamp_to_year", "timestamp_to_year_with_tz", (of) => of.year],
  ["getMonth", "timestamp_to_month", "timestamp_to_month_with_tz", (of) => of.month],
  ["getDayOfYear", "timestamp_to_day_of_year", "timestamp_to_day_of_year_with_tz", (of) => of.yearDay],
  ["getDayOfMonth", "timestamp_to_day_of_month", "timestamp_to_day_of_month_with_tz", (of) => of.day - 1],
  ["getDate", "timestamp_to_day_of_month_1_based", "timestamp_to_day_of_month_1_based_with_tz", (of) => of.day],
  ["getDayOfWeek", "timestamp_to_day_of_week", "timestamp_to_day_of_week_with_tz", (of) => of.weekDay],
  ["getHours", "timestamp_to_hours", "timestamp_to_hours_with_tz", (of) => of.hours],
  ["getMinutes", "timestamp_to_minutes", "timestamp_to_minutes_with_tz", (of) => of.minutes],
  ["getSeconds", "timestamp_to_seconds", "timestamp_to_seconds_tz", (of) => of.seconds],
  ["getMilliseconds", "timestamp_to_milliseconds", "timestamp_to_milliseconds_with_tz", (of) => of.milliseconds],
];

/** Whole units of a duration; milliseconds are the part below the second. */
const UNITS: readonly (readonly [name: string, id: string, call: (nanos: bigint) => bigint])[] = [
  ["getHours", "duration_to_hours", (nanos) => nanos / 3_600_000_000_000n],
  ["getMinutes", "duration_to_minutes", (nanos) => nanos / 60_000_000_000n],
  ["getSeconds", "duration_to_seconds", (nanos) => nanos / 1_000_000_000n],
  ["getMilliseconds", "duration_to_milliseconds", (nanos) => nanos / 1_000_000n],
];

export const CALENDAR: readonly FunctionDeclaration[] = [
  ...PARTS.flatMap(([name, id, withZone, pick]) => [
    member(name, id, [TIMESTAMP], INT, (time: CelTimestamp) => BigInt(pick(calendarFields(time, undefined)))),
    member(name, withZone, [TIMESTAMP, STRING], INT, (time: CelTimestamp, zone: string) =>
      BigInt(pick(calendarFields(time, zone))),
    ),
  ]),
  ...UNITS.map(([name, id, call]) => member(name, id, [DURATION], INT, (value: CelDuration) => call(value.nanos))),
];
