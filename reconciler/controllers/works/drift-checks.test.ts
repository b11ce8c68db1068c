import { describe, expect, it } from "vitest";
import { nextTurn } from "./drift-checks.ts";

const HOUR = 3_600_000;

describe("nextTurn", () => {
  it("spreads the copies of a cluster over the interval", () => {
    expect(nextTurn(HOUR, 60, 0.5)).toEqual({ waitMs: 60_000, count: 1 });
  });

  it("comes up to half earlier or later by chance", () => {
    expect([0, 0.999_999].map((chance) => nextTurn(HOUR, 60, chance).waitMs)).toEqual([30_000, 90_000]);
  });

  it("takes several at once rather than turns that never end", () => {
    const { waitMs, count } = nextTurn(HOUR, 100_000, 0.5);

    expect(count).toBe(7);
    expect(waitMs).toBeGreaterThanOrEqual(250);
    expect((waitMs * 100_000) / count).toBeLessThanOrEqual(HOUR + 100_000);
  });

  it("waits the whole interval where there is nothing to look at", () => {
    expect(nextTurn(HOUR, 0, 0.5)).toEqual({ waitMs: HOUR, count: 1 });
  });
});
