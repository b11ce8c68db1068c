import { describe, expect, it } from "vitest";
import { rolloutSchema } from "../rollout.ts";
import { validateRollout } from "./rollout.ts";

function words(rollout: Parameters<typeof validateRollout>[0]): string[] {
  return validateRollout(rollout, "rollout").map((refusal) => `${refusal.field}: ${refusal.words}`);
}

describe("placement.flaghoist.rollout", () => {
  it("is accepted where it makes sense", () => {
    const rollout = rolloutSchema.parse({
      waves: [
        { name: "canary", clusterAffinity: { clusterNames: ["a"] } },
        { partition: "25%", maxConcurrency: 2 },
      ],
      maxConcurrency: "10%",
      maxFailures: 0,
      minSuccessTime: "5m",
      progressDeadline: "None",
      onFailure: "Stop",
    });

    expect(words(rollout)).toEqual([]);
  });

  it.each([
    [{ maxConcurrency: 0 }, "rollout.maxConcurrency: must be 1 or more"],
    [{ maxConcurrency: "0%" }, "rollout.maxConcurrency: must be 1% or more"],
    [{ maxFailures: -1 }, "rollout.maxFailures: must be 0 or more"],
    [{ waves: [{ partition: 0 }] }, "rollout.waves[0].partition: must be 1 or more"],
    [{ waves: [{ name: "a" }, { name: "a" }] }, "rollout.waves[1].name: a second wave called a"],
  ])("refuses %j", (rollout, refusal) => {
    expect(words(rollout)).toEqual([refusal]);
  });

  it.each([{ progressDeadline: "soon" }, { minSuccessTime: "None" }, { maxFailures: "101%" }, { onFailure: "Panic" }])(
    "has no such value as in %j",
    (rollout) => {
      expect(rolloutSchema.safeParse(rollout).success).toBe(false);
    },
  );
});
