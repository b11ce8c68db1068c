// How fast evictions follow one another where the guard does not limit what is given up.

/** Karmada's --rate-limiter-base-delay, -max-delay, -qps and -bucket-size, by which its queues limit themselves. */
export interface EvictionLimiter {
  /** Delay after a first failure; doubles up to `maxDelayMs`. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** So many a second, once `burst` went without delay. */
  readonly qps: number;
  readonly burst: number;
}

export const DEFAULT_EVICTION_LIMITER: EvictionLimiter = {
  baseDelayMs: 5,
  maxDelayMs: 1_000_000,
  qps: 10,
  burst: 100,
};

/** As Karmada, for a rate of 0. */
const REST_WITHOUT_RATE_MS = 1_800_000;
/** What the workers' rests are counted as, which no key is called. */
const REST = "";

/**
 * The pace of one queue, whose workers share it. As Karmada: whatever the rate is, rests and second attempts all take from
 * one bucket and are never shorter than the time between two evictions at that rate, so that a rate beyond the bucket's has
 * no effect once that is empty. Times are milliseconds; without a limiter the rate alone counts.
 */
export class EvictionPace {
  readonly #betweenMs: number;
  readonly #limiter: EvictionLimiter | undefined;
  readonly #attempts = new Map<string, number>();
  #tokens: number;
  #countedAt: number | undefined;

  /** `rate`: evictions a second of each worker. */
  constructor(rate: number, limiter?: EvictionLimiter) {
    this.#betweenMs = rate > 0 ? 1_000 / rate : REST_WITHOUT_RATE_MS;
    this.#limiter = limiter;
    this.#tokens = limiter?.burst ?? 0;
  }

  /** How long a worker rests that has carried out something; `rested` when it has. */
  restMs(now: number): number {
    return this.#delayOf(REST, now);
  }

  rested(): void {
    this.#attempts.delete(REST);
  }

  /** When a key comes back that failed. */
  retryAfterMs(key: string, now: number): number {
    return this.#delayOf(key, now);
  }

  /** The key did not fail this time. */
  succeeded(key: string): void {
    this.#attempts.delete(key);
  }

  #delayOf(key: string, now: number): number {
    if (this.#limiter === undefined) return this.#betweenMs;
    const { baseDelayMs, maxDelayMs } = this.#limiter;
    const before = this.#attempts.get(key) ?? 0;
    this.#attempts.set(key, before + 1);
    const doubled = Math.min(maxDelayMs, baseDelayMs * 2 ** before);
    return Math.max(this.#betweenMs, doubled, this.#takeToken(this.#limiter, now));
  }

  #takeToken({ qps, burst }: EvictionLimiter, now: number): number {
    const elapsedMs = Math.max(0, now - (this.#countedAt ?? now));
    this.#countedAt = now;
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs * qps) / 1_000) - 1;
    return this.#tokens < 0 ? (-this.#tokens * 1_000) / qps : 0;
  }
}
