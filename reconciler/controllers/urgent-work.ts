// Work that others wait for: what has been lost is placed anew before anything is done about what follows from it.
import type { Clock } from "../../runtime/clock.ts";
import { yieldToLoop } from "../../runtime/parallel.ts";

/** However much is urgent, the rest goes on after so long. */
const LONGEST_WAIT_MS = 2_000;

/** Loops that are not urgent ask it before each step, and wait as long as there is something urgent to do. */
export class UrgentWork {
  readonly #clock: Clock;
  readonly #depths: (() => number)[] = [];
  #waiting: Promise<void> | undefined;
  /** When the present wait ends in any case; kept until nothing is urgent, so that waits do not follow one another. */
  #untilMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts what `depth` tells among what is urgent. */
  watch(depth: () => number): void {
    this.#depths.push(depth);
  }

  get isPresent(): boolean {
    return this.#depths.some((depth) => depth() > 0);
  }

  /** Resolves when nothing is urgent, or it has been for too long. */
  async passed(): Promise<void> {
    if (!this.isPresent) {
      this.#untilMs = undefined;
      return;
    }
    this.#untilMs ??= this.#clock.now() + LONGEST_WAIT_MS;
    if (this.#clock.now() >= this.#untilMs) return;
    this.#waiting ??= this.#wait(this.#untilMs);
    await this.#waiting;
  }

  async #wait(untilMs: number): Promise<void> {
    while (this.isPresent && this.#clock.now() < untilMs) await yieldToLoop();
    this.#waiting = undefined;
  }
}
