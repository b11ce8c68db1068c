// Durations as tables print them.
import { parseTime } from "./go-values.ts";

/** A span of milliseconds in short form: `45s`, `5m30s`, `3h20m`, `2d5h`, `8d`, `2y45d`. */
export function shortDuration(spanMs: number): string {
  const seconds = Math.trunc(spanMs / 1000);
  // Clocks differ a little between machines.
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return withRest(days, "d", hours % 24, "h");
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (days < 365 * 8) return withRest(years, "y", days % 365, "d");
  return `${years}y`;
}

function withRest(count: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${count}${unit}` : `${count}${unit}${rest}${restUnit}`;
}

/** Time since a timestamp, `<unknown>` without one. */
export function ageOf(timestamp: unknown, nowMs: number): string {
  const time = parseTime(timestamp);
  return time === undefined ? "<unknown>" : shortDuration(nowMs - time);
}
