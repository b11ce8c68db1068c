import type { Clock, Timer } from "../../../runtime/clock.ts";

/** A clock that may be wrong: it tells another time than the true one, and its timers run as they should. */
export class SkewedClock implements Clock {
  readonly #clock: Clock;
  readonly #skews = new Set<{ readonly ms: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds by which it is ahead. */
  get skewMs(): number {
    return [...this.#skews].reduce((sum, { ms }) => sum + ms, 0);
  }

  now(): number {
    return this.#clock.now() + this.skewMs;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#clock.after(ms, fn);
  }

  /** Sets it ahead by `ms`, or back; the returned function takes that away. */
  begin(ms: number): () => void {
    const skew = { ms };
    this.#skews.add(skew);
    return () => void this.#skews.delete(skew);
  }
}
