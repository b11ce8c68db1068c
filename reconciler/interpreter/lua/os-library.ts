// `os.time` and `os.date` of Karmada's sandbox, in UTC and with the time that the caller says it is.

import { checkInteger, checkString, checkTable } from "./arguments.ts";
import { toInteger } from "./numbers.ts";
import type { NativeFunction, Runtime } from "./runtime.ts";
import { LuaTable, type LuaValue } from "./values.ts";

const SECONDS_PER_DAY = 86_400;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
/** Beyond these no calendar has the date. */
const MAX_SECONDS = 8.64e12;

export const OS_FUNCTIONS: Readonly<Record<string, NativeFunction>> = { date: osDate, time: osTime };

const FORMATS: Readonly<Record<string, (date: Date) => string>> = {
  // Karmada's table of formats is kept, its slips included.
  a: () => "mon",
  A: (date) => DAYS[date.getUTCDay()] ?? "",
  b: shortMonth,
  B: (date) => MONTHS[date.getUTCMonth()] ?? "",
  c: (date) => `${two(date.getUTCDate())} ${shortMonth(date)} ${shortYear(date)} ${hourAndMinute(date)} UTC`,
  d: (date) => two(date.getUTCDate()),
  F: (date) => `${year(date)}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`,
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(date.getUTCHours() % 12 || 12),
  m: (date) => two(date.getUTCMonth() + 1),
  M: (date) => two(date.getUTCMinutes()),
  p: (date) => (date.getUTCHours() < 12 ? "AM" : "PM"),
  P: (date) => (date.getUTCHours() < 12 ? "am" : "pm"),
  S: (date) => two(date.getUTCSeconds()),
  w: (date) => String(date.getUTCDay()),
  x: (date) => `${two(date.getUTCHours())}/${two(date.getUTCMinutes())}/${two(date.getUTCSeconds())}`,
  X: (date) => `${hourAndMinute(date)}:${two(date.getUTCSeconds())}`,
  y: shortYear,
  Y: year,
  z: () => "+0000",
  Z: () => "UTC",
};

function osTime(args: LuaValue[], runtime: Runtime): LuaValue {
  if (args.length === 0) return Math.floor(runtime.now / 1000);
  const table = checkTable(args, 1, runtime);
  const field = (name: string, otherwise: number) => {
    const value = table.getText(name);
    return typeof value === "number" ? toInteger(value) : otherwise;
  };
  // Fields beyond their range carry over into the next one.
  const months = field("year", -1) * 12 + field("month", -1) - 1;
  const days = daysBefore(Math.floor(months / 12), months - 12 * Math.floor(months / 12)) + field("day", -1) - 1;
  return days * SECONDS_PER_DAY + field("hour", 12) * 3600 + field("min", 0) * 60 + field("sec", 0);
}

// Days from 1970 to the first of a month (0 to 11), in the Gregorian calendar of all times.
function daysBefore(year: number, month: number): number {
  const shifted = month < 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 10) % 12) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function osDate(args: LuaValue[], runtime: Runtime): LuaValue {
  let seconds = Math.floor(runtime.now / 1000);
  if (args.length === 0) return dateText("%c", dateOf(seconds, runtime));
  const format = checkString(args, 1, runtime).replace(/^!+/, "");
  if (args.length >= 2) seconds = checkInteger(args, 2, runtime);
  const date = dateOf(seconds, runtime);
  runtime.take(format.length >> 4);
  runtime.allocate(format.length * 2 + 16);
  return format.startsWith("*t") ? dateTable(date, runtime) : dateText(format, date);
}

function dateOf(seconds: number, runtime: Runtime): Date {
  if (Math.abs(seconds) > MAX_SECONDS) throw runtime.error(`no calendar has the second ${seconds}`);
  return new Date(seconds * 1000);
}

function dateTable(date: Date, runtime: Runtime): LuaTable {
  const table = new LuaTable();
  const fields = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    min: date.getUTCMinutes(),
    sec: date.getUTCSeconds(),
    wday: date.getUTCDay() + 1,
    // As gopher-lua, which does not count it.
    yday: 0,
    isdst: false,
  };
  for (const [name, value] of Object.entries(fields)) table.setText(name, value, runtime);
  return table;
}

function dateText(format: string, date: Date): string {
  return format.replace(/%(.)/gs, (whole, flag: string) => (flag === "%" ? "%" : (FORMATS[flag]?.(date) ?? whole)));
}

function shortMonth(date: Date): string {
  return (MONTHS[date.getUTCMonth()] ?? "").slice(0, 3);
}

function hourAndMinute(date: Date): string {
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

function year(date: Date): string {
  const value = date.getUTCFullYear();
  return `${value < 0 ? "-" : ""}${String(Math.abs(value)).padStart(4, "0")}`;
}

function shortYear(date: Date): string {
  return two(Math.abs(date.getUTCFullYear()) % 100);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
