// What scheduling makes of placements, workloads and clusters that admission should have refused, or that say too little.
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement, SpreadConstraint } from "../../api/policy.ts";
import type { ResourceBindingSpec } from "../../api/work.ts";
import { divideByWeight } from "./division/webster.ts";
import { readCapacity } from "./estimates/capacity.ts";
import { estimateReplicas } from "./estimates/estimator.ts";
import { readRequest } from "./estimates/requirements.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import { schedule } from "./schedule.ts";

const ENABLED = [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }];

function cluster(name: string, status: Cluster["status"] = {}): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push" },
    status: { apiEnablements: ENABLED, resourceSummary: { allocatable: { pods: "100", cpu: "100" } }, ...status },
  };
}

const FLEET = ["a", "b", "c"].map((name) => cluster(name));

function place(placement: Placement, replicas = 6, more: Partial<ResourceBindingSpec> = {}, fleet = FLEET) {
  const resource = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
  const result = schedule({ spec: { placement, replicas, resource, ...more }, fleet });
  if (result.error !== undefined) return `${result.error.kind}: ${result.error.message}`;
  return Object.fromEntries(result.clusters.map((target) => [target.name, target.replicas]));
}

function weighted(...weights: number[]): Placement {
  const staticWeightList = weights.map((weight, i) => ({
    targetCluster: { clusterNames: [FLEET[i]?.metadata.name ?? ""] },
    weight,
  }));
  return {
    replicaScheduling: {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: { staticWeightList },
    },
  };
}

const DYNAMIC: Placement = {
  replicaScheduling: {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { dynamicWeight: "AvailableReplicas" },
  },
};
const AGGREGATED: Placement = {
  replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
};

const MOST = Number(2n ** 63n - 1n);

describe("static weights", () => {
  it("of zero and below leave a cluster out", () => {
    expect(place(weighted(0, 1, 2))).toEqual({ b: 2, c: 4 });
    expect(place(weighted(-5, 1, 2))).toEqual({ b: 2, c: 4 });
  });

  it("that are all zero or below count the same, as when no rule matches", () => {
    expect(place(weighted(0, 0, 0))).toEqual({ a: 2, b: 2, c: 2 });
    expect(place(weighted(-1, -2, -3))).toEqual({ a: 2, b: 2, c: 2 });
    expect(place(weighted())).toEqual({ a: 2, b: 2, c: 2 });
  });

  it("as large as 64 bits hold divide as their doubles do, and so do sums beyond 2^53", () => {
    expect(place(weighted(MOST, MOST, MOST), 7)).toEqual({ a: 3, b: 2, c: 2 });
    expect(place(weighted(MOST, 1, 1), 7)).toEqual({ a: 7 });
    expect(place(weighted(MOST, MOST / 2, MOST / 4), 7)).toEqual({ a: 4, b: 2, c: 1 });
    // Differs from Karmada, whose sum of 2^63-1, 2^63-1 and 2 is 0 in 64 bits, so that all would count the same.
    expect(place(weighted(MOST, MOST, 2), 6)).toEqual({ a: 3, b: 3 });
  });

  it("that doubles cannot tell apart are equal, as in Karmada", () => {
    const shares = [
      { name: "a", weight: Number(2n ** 60n) },
      { name: "b", weight: Number(2n ** 60n + 1n) },
    ];

    expect([...divideByWeight(1, shares)]).toEqual([
      ["a", 1],
      ["b", 0],
    ]);
  });

  it("divide the most replicas that there can be at once", () => {
    const replicas = 2 ** 31 - 1;

    expect(place(weighted(1, 1, 1), replicas)).toEqual({ a: 715827883, b: 715827882, c: 715827882 });
    expect(place(weighted(MOST, 1, 0), replicas)).toEqual({ a: replicas });
  });

  it("take no part where others have the word: the division goes on without a rule that matches nothing", () => {
    const placement = weighted(3, 1);
    placement.replicaScheduling?.weightPreference?.staticWeightList?.push({
      targetCluster: { clusterNames: ["gone"] },
      weight: 1000,
    });

    expect(place(placement, 4)).toEqual({ a: 3, b: 1 });
  });
});

describe("spread constraints", () => {
  const by = (constraint: SpreadConstraint, more: Placement = DYNAMIC): Placement => ({
    ...more,
    spreadConstraints: [constraint],
  });

  it("with a minimum above the maximum take as many as the maximum, as Karmada, and are an error when strict", () => {
    const constraint: SpreadConstraint = { spreadByField: "cluster", minGroups: 3, maxGroups: 2 };

    expect(place(by(constraint))).toEqual({ a: 3, b: 3 });
    expect(place({ ...by(constraint), flaghoist: { strictSpread: true } })).toBe(
      "SchedulerError: failed to select clusters: cluster: minGroups 3 is more than maxGroups 2",
    );
  });

  it("that are negative select nothing, as Karmada, and count as absent when strict", () => {
    const constraint: SpreadConstraint = { spreadByField: "cluster", minGroups: -1, maxGroups: -1 };

    expect(place(by(constraint))).toMatch(/^SchedulerError: .*no enough resource when selecting /);
    expect(place({ ...by(constraint), flaghoist: { strictSpread: true } })).toEqual({ a: 2, b: 2, c: 2 });
  });

  it("by a label or nothing at all are an error, and when strict a label counts", () => {
    expect(place(by({ spreadByLabel: "rack", minGroups: 1 }))).toBe(
      "SchedulerError: failed to select clusters: just support cluster and region spread constraint",
    );
    expect(place({ ...by({ spreadByLabel: "rack" }), flaghoist: { strictSpread: true } })).toBe(
      "NoClusterFit: 0/3 clusters are available: 3 cluster(s) did not have label rack property.",
    );
  });

  it("of none select everything, strict or not", () => {
    expect(place({ ...DYNAMIC, spreadConstraints: [], flaghoist: { strictSpread: true } })).toEqual({
      a: 2,
      b: 2,
      c: 2,
    });
  });
});

describe("a cluster affinity", () => {
  it("that is empty selects every cluster", () => {
    expect(place({ clusterAffinity: {} }, 1)).toEqual({ a: 1, b: 1, c: 1 });
    expect(place({ clusterAffinity: { clusterNames: [], labelSelector: {} } }, 1)).toEqual({ a: 1, b: 1, c: 1 });
  });

  it("with a selector that makes no sense selects none", () => {
    const labelSelector = { matchExpressions: [{ key: "stage", operator: "Like", values: ["prod"] }] };

    expect(place({ clusterAffinity: { labelSelector } }, 1)).toBe(
      "NoClusterFit: 0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint.",
    );
  });

  it("of groups that are none, or names that no cluster has, says how many clusters it refuses", () => {
    expect(place({ clusterAffinities: [] }, 1)).toEqual({ a: 1, b: 1, c: 1 });
    expect(place({ clusterAffinity: { clusterNames: ["gone"] } }, 1)).toMatch(/^NoClusterFit: 0\/3 clusters/);
  });
});

describe("a workload", () => {
  it("of 0 replicas goes nowhere when it has requirements, and everywhere when it has none, as in Karmada", () => {
    const replicaRequirements = { resourceRequest: { cpu: "1" } };

    for (const placement of [weighted(1, 1, 1), DYNAMIC, AGGREGATED, {}]) {
      expect(place(placement, 0, { replicaRequirements })).toEqual({});
      expect(place(placement, 0)).toEqual({ a: undefined, b: undefined, c: undefined });
    }
  });

  it("of 0 replicas asks nothing of constraints beyond Karmada either", () => {
    const replicaRequirements = { resourceRequest: { cpu: "1" } };
    const flaghoist = { minReplicasPerCluster: 5 };
    const strict = { strictSpread: true, minReplicasPerCluster: 5 };
    const spreadConstraints = [{ spreadByField: "cluster" as const, minGroups: 2 }];

    expect(place({ ...DYNAMIC, flaghoist }, 0, { replicaRequirements })).toEqual({});
    expect(place({ ...DYNAMIC, spreadConstraints, flaghoist: strict }, 0, { replicaRequirements })).toEqual({});
  });

  it("of a negative number of replicas goes nowhere", () => {
    const replicaRequirements = { resourceRequest: { cpu: "1" } };

    expect(place(weighted(1, 1, 1), -3, { replicaRequirements })).toEqual({});
    expect(place({}, -3, { replicaRequirements })).toEqual({});
  });

  it("that asks for what is no amount is an error that says which", () => {
    expect(place(DYNAMIC, 6, { replicaRequirements: { resourceRequest: { cpu: "a lot" } } })).toMatch(
      /^SchedulerError: cannot read the resources that a replica requests: "a lot": quantities must match /,
    );
  });

  it("without a placement is an error", () => {
    const resource = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };

    expect(schedule({ spec: { replicas: 1, resource }, fleet: FLEET }).error?.message).toBe(
      "the binding has no placement",
    );
  });

  it("with targets that are no longer there, or named twice, is divided over those that are", () => {
    const clusters = [
      { name: "gone", replicas: 4 },
      { name: "a", replicas: 1 },
      { name: "a", replicas: 2 },
    ];

    expect(place(DYNAMIC, 6, { clusters })).toEqual({ a: 4, b: 1, c: 1 });
  });
});

describe("a cluster", () => {
  const bare = (name: string): Cluster => ({
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push" },
  });

  it("without status serves no API, and so takes nothing new", () => {
    expect(place({}, 1, {}, [bare("a"), cluster("b")])).toEqual({ b: 1 });
    expect(place({}, 1, {}, [bare("a")])).toBe(
      "NoClusterFit: 0/1 clusters are available: 1 cluster(s) did not have the API resource.",
    );
  });

  it("without status keeps what it has", () => {
    expect(place({}, 2, { clusters: [{ name: "a", replicas: 2 }] }, [bare("a"), cluster("b")])).toEqual({ a: 2, b: 2 });
    expect(place(DYNAMIC, 2, { clusters: [{ name: "a", replicas: 2 }] }, [bare("a"), cluster("b")])).toEqual({ a: 2 });
  });

  it("without a report of its capacity has room for nothing", () => {
    const silent = { ...cluster("a"), status: { apiEnablements: ENABLED } };

    expect(place(DYNAMIC, 3, {}, [silent, cluster("b")])).toEqual({ b: 3 });
    expect(place(DYNAMIC, 3, {}, [silent])).toBe(
      "Unschedulable: failed to assign replicas: failed to scale up: Clusters available replicas 0 are not enough to schedule.",
    );
    expect(place({ ...DYNAMIC, flaghoist: { minReplicasPerCluster: 2 } }, 3, {}, [silent])).toBe(
      "Unschedulable: failed to select clusters: no cluster has room for 2 replicas: minReplicasPerCluster is 2",
    );
  });

  it("that is overcommitted has room for nothing, not for less", () => {
    const full = cluster("a", {
      apiEnablements: ENABLED,
      resourceSummary: { allocatable: { pods: "10", cpu: "4" }, allocated: { pods: "30", cpu: "9" } },
    });

    expect(place(DYNAMIC, 3, {}, [full, cluster("b")])).toEqual({ b: 3 });
  });

  it("makes no fleet at all where there is none", () => {
    expect(place({}, 1, {}, [])).toBe("NoClusterFit: 0/0 clusters are available: no cluster exists.");
    expect(new FleetIndex([]).records).toEqual([]);
  });
});

describe("quantities of a cluster and of requests", () => {
  const room = (cpu: string | number, request: string, memory: string | number = "1Ti"): number => {
    const resourceSummary = { allocatable: { pods: "1k", cpu, memory } };
    return estimateReplicas(
      readCapacity(cluster("a", { resourceSummary })),
      readRequest({ resourceRequest: { cpu: request } }),
      { resourceModels: true },
    );
  };

  it.each<[string | number, string, number]>([
    ["10", "1", 10],
    [10, "1", 10],
    ["10.5", "500m", 21],
    [10.5, "0.5", 21],
    ["10500m", "5e-1", 21],
    ["1.05e1", "500000u", 21],
    ["0.0105k", "500000000n", 21],
    ["+10", "1", 10],
    ["010", "1.0", 10],
    ["10.", ".5", 20],
    ["10Ki", "1Ki", 10],
    ["1M", "1k", 1000],
    ["10E3", "1e3", 10],
    [" 10 ", "1", 10],
    ["-10", "1", 0],
    ["0", "1", 0],
  ])("are read in every notation: %s cpus for replicas of %s", (cpu, request, replicas) => {
    expect(room(cpu, request)).toBe(replicas);
  });

  it.each(["ten", "", "1 0", "10x", "1e", "0x10", "Infinity", "NaN", "1,000"])(
    "that make no sense are as good as none: %j",
    (cpu) => {
      expect(room(cpu, "1")).toBe(0);
    },
  );

  it("count at most what 64 bits hold", () => {
    expect(room("9E", "1")).toBe(1000);
    expect(room("99999999999999999999E", "1")).toBe(1000);
    expect(room("10", "99999999999999999999E")).toBe(0);
  });
});
