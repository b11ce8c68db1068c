import type { Clock, Timer } from "../../runtime/clock.ts";

/** Deadlines that no test waits for. */
export const NEVER_MS = 1e9;

/** A clock on which every wait is over at once, and time has passed by it. What waits for `NEVER_MS` waits for ever. */
export class HastyClock implements Clock {
  #now: number;
  /** What was waited for, in milliseconds. */
  readonly waits: number[] = [];

  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): Timer {
    if (ms >= NEVER_MS) return { cancel: () => undefined };
    const immediate = setImmediate(() => {
      this.#now += ms;
      this.waits.push(ms);
      fn();
    });
    return { cancel: () => clearImmediate(immediate) };
  }
}
