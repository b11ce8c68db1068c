// When to stop asking somebody who does not answer, and when to try again.
import type { Clock } from "./clock.ts";

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Failures in a row that open it. */
  readonly threshold: number;
  /** How long it stays open at first; doubles with each trial that fails, up to `maxMs`. */
  readonly minMs: number;
  readonly maxMs: number;
  /** From 0 up to 1, for waits that differ: many that failed together shall not come back together. */
  readonly random: () => number;
  /** Called when there is room again. */
  readonly onRoom: () => void;
}

export type CircuitState = "closed" | "open" | "half-open";

/**
 * Closed, it lets everything through. After failures in a row it opens and lets nothing through for a while; then one
 * trial, which closes it or opens it for longer. It can also be told to pause, as a server asks its clients to.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failures = 0;
  #trials = 0;
  #state: CircuitState = "closed";
  #until = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** How many may be on their way at the same time. */
  get room(): number {
    if (this.#options.clock.now() < this.#until || this.#state === "open") return 0;
    return this.#state === "half-open" ? 1 : Number.POSITIVE_INFINITY;
  }

  /** There was an answer. */
  succeeded(): void {
    this.#failures = 0;
    this.#trials = 0;
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#options.onRoom();
  }

  /** There was none. */
  failed(): void {
    this.#failures++;
    // Those that were on their way when it opened say nothing new.
    if (this.#state === "open") return;
    if (this.#state === "closed" && this.#failures < this.#options.threshold) return;
    const { minMs, maxMs, clock, random } = this.#options;
    const waitMs = spread(Math.min(maxMs, minMs * 2 ** Math.min(this.#trials, 20)), random);
    this.#trials++;
    this.#state = "open";
    clock.after(waitMs, () => {
      if (this.#state !== "open") return;
      this.#state = "half-open";
      this.#options.onRoom();
    });
  }

  /** Nothing goes through for `ms`: the server has asked for it. */
  pause(ms: number): void {
    const { clock, random, onRoom } = this.#options;
    const waitMs = ms + ms * random() * 0.2;
    const until = clock.now() + waitMs;
    if (until <= this.#until) return;
    this.#until = until;
    clock.after(waitMs, () => {
      if (clock.now() >= this.#until) onRoom();
    });
  }

  /** Somebody knows that there are answers again. */
  reset(): void {
    this.#until = 0;
    this.#failures = 0;
    this.#trials = 0;
    this.#state = "closed";
    this.#options.onRoom();
  }
}

/** From three quarters of `ms` to five quarters. */
export function spread(ms: number, random: () => number): number {
  return ms * (0.75 + random() * 0.5);
}
