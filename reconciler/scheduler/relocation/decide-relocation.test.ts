import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { binding as bindingOf, cluster as clusterOf, deployment, policy } from "../../../test/builders.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import { copiesThatGo, decideRelocation } from "./decide-relocation.ts";
import { rememberHome } from "./home-clusters.ts";

const NOW = Date.parse("2026-02-03T04:05:00Z");
const PLACEMENT: Placement = {
  replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" },
  flaghoist: { failBack: { stabilizationSeconds: 60 } },
};

function binding(targets: Readonly<Record<string, number>>, reporting: readonly string[]): ResourceBinding {
  const status = {
    aggregatedStatus: reporting.map((clusterName) => ({
      clusterName,
      health: "Healthy" as const,
      status: { replicas: 3, readyReplicas: 3 },
    })),
  };
  const clusters = Object.entries(targets).map(([name, replicas]) => ({ name, replicas }));
  return bindingOf({
    template: deployment(),
    policy: policy({ name: "web", placement: PLACEMENT }),
    clusters,
    replicas: 6,
    status,
  });
}

/** At home in a and b, and driven to b alone, with copies reported by `reporting`. */
function driven(reporting: readonly string[]): ResourceBinding {
  const away = binding({ b: 6 }, reporting);
  const annotations = { ...away.metadata.annotations, ...rememberHome(binding({ a: 3, b: 3 }, []), NOW - 7_200_000) };
  return { ...away, metadata: { ...away.metadata, annotations } };
}

const FLEET: readonly Cluster[] = ["a", "b"].map((name) => clusterOf({ name, allocatable: { pods: "100" } }));

describe("decideRelocation", () => {
  it("moves nothing to a cluster whose earlier copy is still reported, and moves once that is gone", () => {
    const decide = (reporting: readonly string[]) =>
      decideRelocation(driven(reporting), new FleetIndex(FLEET), NOW, { healthDampingMs: 0 });

    expect(decide(["a", "b"])).toMatchObject({ verdict: "none", reason: "its earlier copy in a is not gone yet" });
    expect(decide(["b"])).toMatchObject({ verdict: "move", reason: "returns: left cluster a has been well for 60s" });
  });

  it("does not wait for copies in clusters that it does not move to", () => {
    const decision = decideRelocation(driven(["b", "c"]), new FleetIndex(FLEET), NOW, { healthDampingMs: 0 });

    expect(decision.verdict).toBe("move");
  });
});

describe("copiesThatGo", () => {
  it("names the clusters that report a copy and are no targets", () => {
    expect([...copiesThatGo(binding({ b: 6 }, ["a", "b", "c"]))]).toEqual(["a", "c"]);
    expect([...copiesThatGo(binding({ b: 6 }, []))]).toEqual([]);
  });
});
