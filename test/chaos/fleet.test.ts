import { describe, expect, it } from "vitest";
import { playSeed } from "./fleet.ts";

/** `CHAOS_SEEDS=500` for long runs; `npm run chaos -- --seeds 500` shows more. */
const SEEDS = Number(process.env["CHAOS_SEEDS"] ?? 50);
const FIRST = Number(process.env["CHAOS_SEED"] ?? 1);

describe("a fleet to which everything happens", () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => FIRST + index))(
    "is as wanted in the end, and nothing of others was touched on the way (seed %i)",
    { timeout: 60_000 },
    async (seed) => {
      const report = await playSeed(seed);

      expect(report.violations, `npm run chaos -- fleet --seeds 1 --seed ${seed} --verbose`).toEqual([]);
    },
  );
});
