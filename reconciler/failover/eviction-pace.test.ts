import { describe, expect, it } from "vitest";
import { DEFAULT_EVICTION_LIMITER, EvictionPace } from "./eviction-pace.ts";

/** When `workers` that do nothing but evict begin one eviction after the other, until `untilMs`. */
function startsOf(pace: EvictionPace, workers: number, untilMs: number): number[] {
  const free = Array.from({ length: workers }, () => 0);
  const starts: number[] = [];
  for (;;) {
    const now = Math.min(...free);
    if (now >= untilMs) return starts;
    starts.push(now);
    free[free.indexOf(now)] = now + pace.restMs(now);
    pace.rested();
  }
}

describe("EvictionPace", () => {
  it("evicts by the rate where that is below what the bucket gives", () => {
    const starts = startsOf(new EvictionPace(0.5, DEFAULT_EVICTION_LIMITER), 3, 60_000);

    expect(starts).toHaveLength(90);
    expect(starts.slice(0, 6)).toEqual([0, 0, 0, 2_000, 2_000, 2_000]);
  });

  it("evicts a hundred at a higher rate, and ten a second from then on, whatever the rate is", () => {
    const starts = startsOf(new EvictionPace(100, DEFAULT_EVICTION_LIMITER), 3, 60_000);

    const firstSecond = starts.filter((at) => at < 1_000).length;
    const lastSeconds = starts.filter((at) => at >= 30_000).length;
    expect(firstSecond).toBeGreaterThanOrEqual(100);
    expect(lastSeconds).toBeGreaterThanOrEqual(299);
    expect(lastSeconds).toBeLessThanOrEqual(301);
  });

  it("rests half an hour at a rate of 0", () => {
    expect(new EvictionPace(0, DEFAULT_EVICTION_LIMITER).restMs(0)).toBe(1_800_000);
  });

  it("has what failed wait no shorter than the rate, and twice as long with each failure", () => {
    const pace = new EvictionPace(100, DEFAULT_EVICTION_LIMITER);

    const waits = Array.from({ length: 20 }, (_, index) => pace.retryAfterMs("web", index * 10_000));

    expect(waits.slice(0, 4)).toEqual([10, 10, 20, 40]);
    expect(waits.at(-1)).toBe(1_000_000);
    pace.succeeded("web");
    expect(pace.retryAfterMs("web", 200_000)).toBe(10);
  });

  it("knows nothing but the rate without a limiter", () => {
    const pace = new EvictionPace(Number.POSITIVE_INFINITY);

    expect(Array.from({ length: 500 }, () => pace.restMs(0)).every((ms) => ms === 0)).toBe(true);
  });
});
