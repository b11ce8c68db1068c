import { describe, expect, it } from "vitest";
import type { Placement } from "../../api/policy.ts";
import { refOf } from "../../kube/object.ts";
import { binding, claimed, cluster, deployment, policy, world } from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { explain } from "./explain.ts";

const interpreter = createInterpreter({ native: nativeLevel() });
/** Clusters of the builders are ready since then. */
const READY_SINCE = Date.parse("2026-01-01T00:00:00Z");

/** What is said of six replicas on tokyo-1, so long after the clusters of the better group became ready. */
function whyAway(secondsLater: number, flaghoist: Placement["flaghoist"]): readonly string[] {
  const web = deployment({ replicas: 6 });
  const placement: Placement = {
    clusterAffinities: [
      { affinityName: "home", clusterNames: ["paris-1"] },
      { affinityName: "away", clusterNames: ["tokyo-1"] },
    ],
    replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
    ...(flaghoist === undefined ? {} : { flaghoist }),
  };
  const owner = policy({ name: "returning", placement });
  const stored = binding({
    template: web,
    policy: owner,
    clusters: [{ name: "tokyo-1", replicas: 6 }],
    replicas: 6,
    status: { schedulerObservingAffinityName: "away" },
  });
  const allocatable = { pods: "100" };
  const clusters = [cluster({ name: "paris-1", allocatable }), cluster({ name: "tokyo-1", allocatable })];
  const parts = { clusters, templates: [claimed(web, owner)], policies: [owner], bindings: [stored] };
  return explain(world(parts), refOf(web), { interpreter, now: READY_SINCE + secondsLater * 1_000 }).notes;
}

describe("explain: moves that nobody asked for", () => {
  it("says what a workload waits for before it returns", () => {
    expect(whyAway(60, { failBack: { stabilizationSeconds: 300 } })).toEqual([
      "Stays where it is: affinity group home: no cluster has been well for 300s; asked again in 4m (spec.placement.flaghoist).",
    ]);
  });

  it("says that it is about to return", () => {
    expect(whyAway(300, { failBack: { stabilizationSeconds: 300 } })).toEqual([
      "It is about to move: returns: affinity group home has been well for 300s.",
    ]);
  });

  it("says nothing of it for placements as Karmada has them", () => {
    expect(whyAway(300, undefined)).toEqual([]);
  });
});
