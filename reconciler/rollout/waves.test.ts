import { describe, expect, it } from "vitest";
import type { RolloutWave } from "../../api/rollout.ts";
import { cluster } from "../../test/builders.ts";
import { readRolloutSettings } from "./settings.ts";
import { assignWaves } from "./waves.ts";

const FLEET = ["a", "b", "c", "d", "e", "f"].map((name, i) =>
  cluster({ name, region: i < 2 ? "eu" : "us", labels: { stage: i === 0 ? "test" : "prod" } }),
);

function waves(...list: RolloutWave[]): Record<string, string> {
  const { waves: settings } = readRolloutSettings({ waves: list });
  const names = FLEET.map((each) => each.metadata.name ?? "");
  const assigned = assignWaves(names, (name) => FLEET.find((each) => each.metadata.name === name), settings);
  const found: Record<string, string> = {};
  for (const [name, index] of assigned) {
    const wave = settings[index]?.name ?? "";
    found[wave] = `${found[wave] ?? ""}${name}`;
  }
  return found;
}

describe("waves", () => {
  it("are one without any", () => {
    expect(waves()).toEqual({ all: "abcdef" });
  });

  it("take what they select and no earlier one has; the rest comes last", () => {
    const test = { labelSelector: { matchLabels: { stage: "test" } } };
    const eu = { fieldSelector: { matchExpressions: [{ key: "region", operator: "In", values: ["eu"] }] } };

    expect(waves({ name: "test", clusterAffinity: test }, { clusterAffinity: eu })).toEqual({
      test: "a",
      "2": "b",
      rest: "cdef",
    });
  });

  it("take a part, by name: a number, or a percentage of all clusters", () => {
    expect(waves({ partition: 1 }, { partition: "50%" })).toEqual({ "1": "a", "2": "bcd", rest: "ef" });
    expect(waves({ partition: "1%" })).toEqual({ "1": "a", rest: "bcdef" });
  });

  it("leave no cluster out, whatever they say", () => {
    expect(waves({ clusterAffinity: { clusterNames: ["nobody"] } }, {})).toEqual({ "2": "abcdef" });
  });
});
