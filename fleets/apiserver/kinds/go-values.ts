// Scalars that the reference parses with Go's own routines: times, base64. Errors carry Go's words, since clients show them.

/** A value that does not decode. The message is what follows `cannot be handled as a <Kind>: `. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DecodeError";
  }
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;
const RFC3339_LAYOUT = "2006-01-02T15:04:05Z07:00";
const MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00";

interface Instant {
  /** Whole seconds since 1970 in UTC. */
  readonly seconds: number;
  /** Digits of the fraction as written, possibly empty. */
  readonly fraction: string;
}

function parseRfc3339(text: string): Instant | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const check = new Date(date);
  const sameDay = check.getUTCMonth() === Number(month) - 1 && check.getUTCDate() === Number(day);
  if (!sameDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  if (Number(year) < 100) check.setUTCFullYear(Number(year));
  return { seconds: check.getTime() / 1000 - zoneSeconds(zone ?? "Z"), fraction: fraction ?? "" };
}

function zoneSeconds(zone: string): number {
  if (zone === "Z") return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4, 6)) * 60);
}

function timeError(text: string, layout: string): DecodeError {
  const quoted = JSON.stringify(text);
  return new DecodeError(`parsing time ${quoted} as "${layout}": cannot parse ${quoted} as "2006"`);
}

/** `2024-05-01T10:00:00.5+02:00` as `2024-05-01T08:00:00Z`: UTC, whole seconds. */
export function canonicalTime(text: string): string {
  const instant = parseRfc3339(text);
  if (instant === undefined) throw timeError(text, RFC3339_LAYOUT);
  return formatSeconds(instant.seconds);
}

/** UTC with six digits of fraction. */
export function canonicalMicroTime(text: string): string {
  const instant = parseRfc3339(text);
  if (instant === undefined) throw timeError(text, MICRO_LAYOUT);
  return `${formatSeconds(instant.seconds).slice(0, -1)}.${instant.fraction.padEnd(6, "0").slice(0, 6)}Z`;
}

/** Seconds since 1970 as the server prints times. */
export function formatSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d{3}Z$/, "Z");
}

export function formatMicroseconds(seconds: number, nanoseconds: number): string {
  const micros = String(Math.floor(nanoseconds / 1000)).padStart(6, "0");
  return `${formatSeconds(seconds).slice(0, -1)}.${micros}Z`;
}

/** Milliseconds since 1970, or undefined for a text that is no time. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const instant = parseRfc3339(text);
  return instant === undefined ? undefined : instant.seconds * 1000;
}

/** Standard base64 as the server would print it: line breaks dropped. Throws with the offset of the first bad byte. */
export function canonicalBase64(text: string): string {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return text;
  const stripped = text.replace(/[\r\n]/g, "");
  if (stripped !== text && !/[^A-Za-z0-9+/=]/.test(stripped)) return canonicalBase64(stripped);
  throw new DecodeError(`illegal base64 data at input byte ${base64ErrorOffset(text)}`);
}

function base64ErrorOffset(text: string): number {
  const bad = /[^A-Za-z0-9+/\r\n]/.exec(text);
  if (bad === null) {
    // Too short: Go names the start of the last, incomplete group of four.
    return text.length - (text.length % 4);
  }
  if (bad[0] !== "=") return bad.index;
  const rest = text.slice(bad.index);
  const inGroup = bad.index % 4;
  if (inGroup < 2) return bad.index;
  if (inGroup === 2 && !rest.startsWith("==")) return rest.length < 2 ? text.length : bad.index + 1;
  return bad.index + (inGroup === 2 ? 2 : 1);
}
