// Durations as Go and so Kubernetes write them: `300ms`, `1h30m`.

import { AppError } from "./errors.ts";

const NANOS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5, micro sign
  μs: 1e3, // U+03BC, Greek letter mu
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

// Go keeps durations in a signed 64-bit count of nanoseconds; what it refuses, we refuse.
const MAX_NANOS = 2 ** 63;
const FORM = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/**
 * Milliseconds of a Go duration: a sum of decimal numbers with the units ns, us, ms, s, m and h, or a bare `0`.
 * Throws `duration-invalid` for anything else and for what exceeds Go's range (about 292 years).
 */
export function parseDuration(text: string): number {
  const nanos = nanosOf(text);
  if (nanos === undefined) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new AppError("duration-invalid", `${JSON.stringify(shown)} is not a duration such as 30s, 5m or 1h30m`, {
      recovery: "stall",
    });
  }
  return nanos / 1e6;
}

/** Whether `parseDuration` accepts the text. */
export function isDuration(text: string): boolean {
  return nanosOf(text) !== undefined;
}

function nanosOf(text: string): number | undefined {
  if (text.length > 200 || !FORM.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(count) * (NANOS[unit ?? ""] ?? 0);
  }
  if (total >= MAX_NANOS) return undefined;
  return text.startsWith("-") && total > 0 ? -total : total;
}

/** For people: the largest units first, without zero parts: `1h30m`, `5m`, `1.5s`, `300ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return "0s";
  if (ms < 1) return `${trim(ms * 1e3)}us`;
  if (ms < 1000) return `${trim(ms)}ms`;
  const { hours, minutes, seconds } = split(ms);
  return [hours > 0 ? `${hours}h` : "", minutes > 0 ? `${minutes}m` : "", seconds > 0 ? `${trim(seconds)}s` : ""].join(
    "",
  );
}

/** As Go prints it, which is how Kubernetes objects store it: `1h30m0s`, `5m0s`, `1.5s`, `300ms`. */
export function formatGoDuration(ms: number): string {
  if (ms < 0) return `-${formatGoDuration(-ms)}`;
  if (ms < 1000) return ms >= 1 || ms === 0 ? formatDuration(ms) : formatDuration(ms).replace("us", "µs");
  const { hours, minutes, seconds } = split(ms);
  if (hours > 0) return `${hours}h${minutes}m${trim(seconds)}s`;
  return minutes > 0 ? `${minutes}m${trim(seconds)}s` : `${trim(seconds)}s`;
}

function split(ms: number): { readonly hours: number; readonly minutes: number; readonly seconds: number } {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms - hours * 3_600_000) / 60_000);
  return { hours, minutes, seconds: (ms - hours * 3_600_000 - minutes * 60_000) / 1000 };
}

function trim(value: number): string {
  return String(Number(value.toFixed(6)));
}
