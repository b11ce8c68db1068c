import { describe, expect, it } from "vitest";
import type { Placement } from "../policy.ts";
import { validatePlacement } from "./placement.ts";

const DIVIDED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" } as const;
const DUPLICATED = { replicaSchedulingType: "Duplicated" } as const;
const WEIGHTED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } as const;
const BY_CLUSTER = { spreadByField: "cluster", minGroups: 1, maxGroups: 2 } as const;

function refused(placement: Placement): string[] {
  return validatePlacement(placement, "spec.placement").map(({ field, words }) => `${field}: ${words}`);
}

function scored(expression: string): string[] {
  return refused({ replicaScheduling: DIVIDED, flaghoist: { scores: [{ expression }] } });
}

describe("placement.flaghoist", () => {
  it("is accepted where it makes sense", () => {
    const placement: Placement = {
      replicaScheduling: DIVIDED,
      spreadConstraints: [{ spreadByLabel: "example.com/rack", minGroups: 2 }],
      clusterAffinities: [{ affinityName: "near" }, { affinityName: "far" }],
      flaghoist: {
        strictSpread: true,
        minReplicasPerCluster: 2,
        scores: [{ name: "cheap", expression: "cluster.labels['tier'] == 'spot' ? 100 : 10", weight: 3 }],
        rescheduleOn: ["ClusterLabels", "ClusterHealth"],
        failBack: { stabilizationSeconds: 60 },
      },
    };

    expect(refused(placement)).toEqual([]);
  });

  it.each<[string, Placement, string[]]>([
    [
      "strictSpread without constraints",
      { flaghoist: { strictSpread: true } },
      ["spec.placement.spreadConstraints: strictSpread has nothing to spread by without any"],
    ],
    [
      "labels that are none, and twice the same",
      {
        spreadConstraints: [{ spreadByLabel: "a b" }, { spreadByLabel: "rack" }, { spreadByLabel: "rack" }],
        flaghoist: { strictSpread: true },
      },
      [
        expect.stringMatching(/^spec.placement.spreadConstraints\[0\].spreadByLabel: name part must consist of/),
        "spec.placement.spreadConstraints[2].spreadByLabel: a second constraint for label rack",
      ],
    ],
    [
      "a fewest number for full copies",
      { replicaScheduling: DUPLICATED, flaghoist: { minReplicasPerCluster: 2 } },
      [
        "spec.placement.flaghoist.minReplicasPerCluster: only divided replicas have it: needs replicaScheduling.replicaSchedulingType Divided",
      ],
    ],
    [
      "a fewest number of none",
      { replicaScheduling: DIVIDED, flaghoist: { minReplicasPerCluster: 0 } },
      ["spec.placement.flaghoist.minReplicasPerCluster: must be 1 or more"],
    ],
    [
      "movements of full copies",
      { flaghoist: { rescheduleOn: ["ClusterHealth"], failBack: {} } },
      [
        "spec.placement.flaghoist.rescheduleOn: full copies follow every change of clusters already: needs Divided replicas",
        "spec.placement.flaghoist.failBack: full copies return by themselves: needs Divided replicas, or clusterAffinities to return to the first of",
      ],
    ],
    [
      "scores where every cluster is used",
      { flaghoist: { scores: [{ expression: "1" }] } },
      [
        "spec.placement.flaghoist.scores: every cluster that fits is used: needs spreadConstraints, or replicaDivisionPreference Aggregated",
      ],
    ],
    [
      "scores beside static weights",
      { replicaScheduling: WEIGHTED, spreadConstraints: [BY_CLUSTER], flaghoist: { scores: [{ expression: "1" }] } },
      [
        "spec.placement.flaghoist.scores: static weights do not heed spread constraints, so that every cluster that fits is used: needs strictSpread",
      ],
    ],
    [
      "two scores of one name, and a weight out of range",
      {
        replicaScheduling: DIVIDED,
        flaghoist: {
          scores: [
            { name: "a", expression: "1" },
            { name: "a", expression: "2", weight: 101 },
          ],
        },
      },
      [
        "spec.placement.flaghoist.scores[1].weight: must be from 1 to 100",
        "spec.placement.flaghoist.scores[1].name: a second score called a",
      ],
    ],
  ])("refuses %s", (_, placement, refusals) => {
    expect(refused(placement)).toEqual(refusals);
  });
});

describe("a score", () => {
  it.each([
    "cluster.name.startsWith('eu-') ? 100 : 0",
    "cluster.annotations[?'price'].orValue('0') == '1' ? 1.5 : 2.5",
    "cluster.zones.size() * 10 + cluster.taints.filter(t, t.effect == 'PreferNoSchedule').size()",
    "cluster.conditions.exists(c, c.type == 'Ready' && c.status == 'True') ? 50 : 0",
    "100.0 * (1.0 - cluster.allocated['cpu'].asApproximateFloat() / cluster.allocatable['cpu'].asApproximateFloat())",
    "cluster.region == 'eu' && resource.kind == 'Deployment' && resource.namespace == 'shop' ? 3u : 4u",
  ])("may be %s", (expression) => {
    expect(scored(expression)).toEqual([]);
  });

  it.each([
    ["cluster.nam", "line 1, column 8: undefined field 'nam'"],
    ["1 +\n  clustr.name", "line 2, column 3: undeclared reference to 'clustr' (in container '')"],
    ["1 +", expect.stringContaining("line 1, column 4: Syntax error: mismatched input '<EOF>'")],
    ["cluster.name", "is of type string, and must be a number"],
    ["cluster.name == 'a'", "is of type bool, and must be a number"],
    ["cluster.zones + 1", expect.stringContaining("line 1, column 15: found no matching overload for '_+_'")],
  ])("is refused where it is wrong: %s", (expression, words) => {
    const [refusal, ...others] = scored(expression);

    expect(others).toEqual([]);
    expect(refusal?.startsWith("spec.placement.flaghoist.scores[0].expression: ")).toBe(true);
    expect(refusal?.replace("spec.placement.flaghoist.scores[0].expression: ", "")).toEqual(words);
  });
});
