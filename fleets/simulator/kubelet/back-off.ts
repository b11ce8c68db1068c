// How long the kubelet waits before it starts a container, or pulls an image, again. Pure.
import type { BackOff } from "./pod-runtime.ts";

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;
/** A container that ran longer than this since its last start is taken for sound. */
const CRASH_FORGOTTEN_MS = 600_000;

/** Whether a container that ended at `endedAtMs` has to wait. */
export function isCrashBackingOff(backOff: BackOff | undefined, endedAtMs: number, nowMs: number): boolean {
  if (backOff === undefined || endedAtMs - backOff.updatedAtMs > CRASH_FORGOTTEN_MS) return false;
  return nowMs - endedAtMs < backOff.delayMs;
}

/** The back-off after another start: 10 seconds, twice as long each time, 5 minutes at most; anew after 10 minutes. */
export function nextCrashBackOff(backOff: BackOff | undefined, endedAtMs: number, nowMs: number): BackOff {
  return next(backOff, endedAtMs, nowMs, CRASH_FORGOTTEN_MS);
}

/** The back-off after a failed pull, forgotten after twice its longest. */
export function nextPullBackOff(backOff: BackOff | undefined, nowMs: number): BackOff {
  return next(backOff, nowMs, nowMs, 2 * LONGEST_MS);
}

function next(backOff: BackOff | undefined, eventAtMs: number, nowMs: number, forgottenMs: number): BackOff {
  const isForgotten = backOff === undefined || eventAtMs - backOff.updatedAtMs > forgottenMs;
  const delayMs = isForgotten ? FIRST_MS : Math.min(LONGEST_MS, backOff.delayMs * 2);
  return { delayMs, updatedAtMs: nowMs };
}

/** A duration as Go prints it, for the delays that there are: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  if (ms < 1_000) return ms === 0 ? "0s" : `${ms}ms`;
  const seconds = (ms % 60_000) / 1_000;
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 0) return `${seconds}s`;
  return minutes < 60 ? `${minutes}m${seconds}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}s`;
}
