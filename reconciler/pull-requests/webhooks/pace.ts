import type { Clock } from "../../../runtime/clock.ts";

export interface Rate {
  /** So many at once. */
  readonly burst: number;
  /** So many a second after that. */
  readonly perSecond: number;
}

/** Counts what happens, and says when it is too much. */
export class Pace {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #left: number;
  #at: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#left = rate.burst;
    this.#at = clock.now();
  }

  /** Whether one more is within the rate; it counts only then. */
  take(): boolean {
    const now = this.#clock.now();
    // A clock that was set back gives nothing, and takes nothing.
    const passedS = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#left = Math.min(this.#rate.burst, this.#left + passedS * this.#rate.perSecond);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
