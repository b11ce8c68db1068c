import { describe, expect, it } from "vitest";
import { killServer } from "./apiserver-kills.ts";

/** `CHAOS_KILLS=1000` for long runs; `npm run chaos -- apiserver-kills` shows more. */
const KILLS = Number(process.env["CHAOS_KILLS"] ?? 12);
const SEED = Number(process.env["CHAOS_SEED"] ?? 20_261_128);

describe("a durable server killed amid writes", () => {
  it("has every acknowledged write, none by half, and lets watches go on or list again", {
    timeout: 30_000 + KILLS * 5000,
  }, async () => {
    const report = await killServer({ kills: KILLS, seed: SEED });

    expect(report.violations, `seed ${SEED}`).toEqual([]);
    expect(report.kills).toBeGreaterThanOrEqual(KILLS);
    expect(report.acknowledged).toBeGreaterThan(KILLS);
    expect(report.resumed + report.expired).toBeGreaterThan(0);
  });
});
