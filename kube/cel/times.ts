// Durations and timestamps as text and as numbers of a calendar.
import { duration, floorDivide, timestamp } from "./arithmetic.ts";
import { type CelDuration, type CelTimestamp, EvaluationFailure, fail } from "./values.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const GO_DURATION = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** Nanoseconds of a Go duration such as `1h30m`, or undefined for text that is none. */
export function parseGoDuration(text: string): bigint | undefined {
  if (text.length > 1000 || !GO_DURATION.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit] of text.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = UNITS[unit!]!;
    total += BigInt(whole === "" ? 0 : whole) * scale;
    if (fraction !== "") total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  const nanos = text.startsWith("-") ? -total : total;
  return nanos >= -(2n ** 63n) && nanos < 2n ** 63n ? nanos : undefined;
}

const WORDS: readonly (readonly [string, bigint])[] = [
  ["nano", UNITS["ns"]!],
  ["micro", UNITS["us"]!],
  ["milli", UNITS["ms"]!],
  ["sec", UNITS["s"]!],
  ["min", UNITS["m"]!],
  ["hour", UNITS["h"]!],
  ["hr", UNITS["h"]!],
  ["day", 24n * UNITS["h"]!],
  ["week", 168n * UNITS["h"]!],
  ["wk", 168n * UNITS["h"]!],
];

/** A value of the schema format `duration`, which also knows words: `2 days`. */
export function durationOfFormat(text: string): CelDuration {
  const exact = parseGoDuration(text);
  if (exact !== undefined) return duration(exact);
  let total = 0n;
  let found = false;
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const word = unit!.toLowerCase();
    const scale = UNITS[word] ?? { d: 24n * UNITS["h"]!, w: 168n * UNITS["h"]! }[word];
    const size = scale ?? WORDS.find(([prefix]) => word.startsWith(prefix))?.[1];
    if (size === undefined) continue;
    found = true;
    total += BigInt(count!) * size;
  }
  return found ? duration(total) : fail(`Invalid duration ${text}: unable to parse ${text} as duration`);
}

/** `3600s`, `1.5s`: seconds with as many digits as needed. */
export function formatDuration(value: CelDuration): string {
  // As the reference: by way of a floating point number of seconds.
  const seconds = Number(value.nanos / 1_000_000_000n) + Number(value.nanos % 1_000_000_000n) / 1e9;
  return `${plainNumber(seconds)}s`;
}

/** Without an exponent. */
export function plainNumber(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const [mantissa = "", exponent = "0"] = text.split("e");
  const negative = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const shift = Number(exponent);
  if (shift < 0) return `${negative}0.${"0".repeat(-shift - 1)}${whole}${fraction}`;
  return `${negative}${whole}${fraction.padEnd(shift, "0")}`;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;
const LOOSE = /^(\d{4})-(\d{2})-(\d{2})[Tt\s](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:?\d{2})?$/;

/** A timestamp of RFC 3339, or undefined for text that is none. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  return fromParts(RFC3339.exec(text));
}

/** A value of the schema format `date-time`, which is laxer than RFC 3339. */
export function timestampOfFormat(text: string): CelTimestamp {
  return fromParts(LOOSE.exec(text)) ?? fail(`Invalid date-time formatted string ${text}: unable to parse`);
}

/** A value of the schema format `date`. */
export function timestampOfDate(text: string): CelTimestamp {
  const value = /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : undefined;
  return value ?? fail(`Invalid date formatted string ${text}: unable to parse`);
}

function fromParts(match: RegExpExecArray | null): CelTimestamp | undefined {
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  const fraction = match[7] ?? "";
  const zone = match[8] ?? "Z";
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!);
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return undefined;
  if (hour! > 23 || minute! > 59 || second! > 59) return undefined;
  const offset = offsetOf(zone);
  if (offset === undefined) return undefined;
  const seconds = BigInt(date.getTime() / 1000 + hour! * 3600 + minute! * 60 + second! - offset * 60);
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return timestamp(seconds * 1_000_000_000n + nanos, offset);
}

function offsetOf(zone: string): number | undefined {
  if (zone.toUpperCase() === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 24 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** RFC 3339 in the zone the timestamp was written in, with the digits of the second that it needs. */
export function formatTimestamp(value: CelTimestamp): string {
  const seconds = floorDivide(value.nanos, 1_000_000_000n);
  const nanos = value.nanos - seconds * 1_000_000_000n;
  const local = new Date((Number(seconds) + value.offsetMinutes * 60) * 1000);
  const base = local.toISOString().slice(0, -5);
  const fraction = nanos === 0n ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  if (value.offsetMinutes === 0) return `${base}${fraction}Z`;
  const minutes = Math.abs(value.offsetMinutes);
  const zone = `${String(Math.trunc(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `${base}${fraction}${value.offsetMinutes < 0 ? "-" : "+"}${zone}`;
}

/** The fields of a calendar at a place. */
export interface CalendarFields {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
  /** From 0, Sunday first. */
  readonly weekDay: number;
  /** From 0. */
  readonly yearDay: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
}

/** What calendar and clock say at a time; `zone` is a name such as `Europe/Berlin` or an offset such as `+02:00`. */
export function calendarFields(value: CelTimestamp, zone: string | undefined): CalendarFields {
  const ms = Number(floorDivide(value.nanos, 1_000_000n));
  const offset = zone === undefined ? 0 : zoneOffset(zone, ms);
  const date = new Date(ms + offset * 60_000);
  const yearStart = Date.UTC(2000, 0, 1);
  const first = new Date(yearStart);
  first.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekDay: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - first.getTime()) / 86_400_000),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
    milliseconds: date.getUTCMilliseconds(),
  };
}

/** Minutes east of Greenwich. */
function zoneOffset(zone: string, ms: number): number {
  const match = /^([+-]?)(\d+):(\d+)$/.exec(zone);
  if (match !== null) {
    const minutes = Number(match[2]) * 60 + Number(match[3]);
    return match[1] === "-" ? -minutes : minutes;
  }
  if (zone === "" || zone === "UTC") return 0;
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    const name = format.formatToParts(ms).find((part) => part.type === "timeZoneName")?.value ?? "GMT";
    const parts = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name);
    const minutes = Number(parts?.[2] ?? 0) * 60 + Number(parts?.[3] ?? 0);
    return parts?.[1] === "-" ? -minutes : minutes;
  } catch (error) {
    if (error instanceof RangeError) throw new EvaluationFailure(`unknown time zone ${zone}`);
    throw error;
  }
}
