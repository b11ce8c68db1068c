// Which of its times a CronJob has missed, and when it is to be looked at again.
import type { Schedule } from "./schedule.ts";

/** After the time itself, as Kubernetes: clocks differ a little. */
const PADDING_MS = 100;
/** So many missed times are told to the user. */
const MANY = 100;

export interface ScheduleState {
  readonly createdMs: number;
  readonly lastScheduleMs: number | undefined;
  readonly startingDeadlineSeconds: number | undefined;
}

interface Missed {
  /** What the search began with. */
  readonly sinceMs: number;
  /** The last time that has come up since; undefined when none has. */
  readonly latestMs: number | undefined;
  readonly count: number;
}

/** A schedule of which two times are less than a second apart, or which never comes up. */
export const NEVER_DUE = "time difference between two schedules is less than 1 second";

/** Times since the last Job, within the deadline if that is to count; `NEVER_DUE` when the schedule makes no sense. */
export function missedTimes(
  state: ScheduleState,
  schedule: Schedule,
  nowMs: number,
  withDeadline: boolean,
): Missed | typeof NEVER_DUE {
  const { createdMs, lastScheduleMs, startingDeadlineSeconds } = state;
  let sinceMs = lastScheduleMs ?? createdMs;
  if (withDeadline && startingDeadlineSeconds !== undefined)
    sinceMs = Math.max(sinceMs, nowMs - startingDeadlineSeconds * 1000);
  const first = schedule.next(sinceMs);
  if (first === undefined) return NEVER_DUE;
  if (nowMs < first) return { sinceMs, latestMs: undefined, count: 0 };
  const second = schedule.next(first);
  if (second === undefined) return NEVER_DUE;
  // As Kubernetes: one missed time is not called missed, only late.
  if (nowMs < second) return { sinceMs, latestMs: first, count: 0 };
  const between = Math.round((second - first) / 1000);
  if (between < 1) return NEVER_DUE;
  const count = Math.floor(Math.floor((nowMs - first) / 1000) / between) + 1;
  // The interval is only that of the first two times: from one before the estimate on, each is asked.
  let latestMs: number | undefined;
  for (let time = schedule.next(first + (count - 2) * between * 1000); time !== undefined && time <= nowMs; ) {
    latestMs = time;
    time = schedule.next(time);
  }
  return { sinceMs, latestMs, count };
}

export function areMany({ count }: Missed): boolean {
  return count > MANY;
}

/** How long it is until the next time. */
export function untilNextMs(state: ScheduleState, schedule: Schedule, nowMs: number): number {
  const missed = missedTimes(state, schedule, nowMs, false);
  let from = nowMs;
  if (missed !== NEVER_DUE) from = missed.latestMs ?? (missed.count === 0 ? missed.sinceMs : nowMs);
  const next = schedule.next(from) ?? nowMs;
  return Math.max(0, next + PADDING_MS - nowMs);
}
