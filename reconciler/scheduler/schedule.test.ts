import { describe, expect, it } from "vitest";
import type { Cluster, Taint } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBindingSpec } from "../../api/work.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import { schedule } from "./schedule.ts";
import { scheduleInGroups } from "./schedule-in-groups.ts";

interface ClusterShape {
  readonly region?: string;
  readonly cpu?: number;
  readonly labels?: Record<string, string>;
  readonly taints?: Taint[];
  readonly apis?: boolean;
}

function cluster(name: string, { region, cpu = 10, labels, taints, apis = true }: ClusterShape = {}): Cluster {
  const served = [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }];
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
    spec: {
      syncMode: "Push",
      ...(region === undefined ? {} : { region }),
      ...(taints === undefined ? {} : { taints }),
    },
    status: {
      apiEnablements: apis ? served : [],
      resourceSummary: { allocatable: { cpu: String(cpu), pods: "110" } },
    },
  };
}

function spec(placement: Placement, change: Partial<ResourceBindingSpec> = {}): ResourceBindingSpec {
  return {
    placement,
    replicas: 6,
    replicaRequirements: { resourceRequest: { cpu: "1" } },
    resource: { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" },
    ...change,
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

function place(placement: Placement, clusters: readonly Cluster[], change: Partial<ResourceBindingSpec> = {}): string {
  const result = schedule({ spec: spec(placement, change), fleet: clusters });
  if (result.error !== undefined) return `${result.error.kind}: ${result.error.message}`;
  return result.clusters.map((target) => `${target.name}:${target.replicas ?? "-"}`).join(" ");
}

describe("schedule", () => {
  it("duplicates by default, into every cluster that fits, roomiest first", () => {
    expect(place({}, [cluster("a", { cpu: 2 }), cluster("b"), cluster("c", { apis: false })])).toBe("b:6 a:6");
  });

  it("says how many clusters each filter refuses", () => {
    const taints: Taint[] = [{ key: "maintenance", value: "true", effect: "NoSchedule" }];
    const clusters = [cluster("a", { taints }), cluster("b", { apis: false }), cluster("c", { apis: false })];

    expect(place({}, clusters)).toBe(
      "NoClusterFit: 0/3 clusters are available: 1 cluster(s) had untolerated taint {maintenance=true:NoSchedule}, 2 cluster(s) did not have the API resource.",
    );
    expect(place({}, [])).toBe("NoClusterFit: 0/0 clusters are available: no cluster exists.");
  });

  it("keeps present targets although they are tainted or lost the API, but not when they are evicted", () => {
    const taints: Taint[] = [{ key: "x", effect: "NoExecute" }];
    const clusters = [cluster("a", { taints, apis: false }), cluster("b")];
    const before = { clusters: [{ name: "a", replicas: 6 }] };

    expect(place({}, clusters, before)).toBe("a:6 b:6");
    const task = { fromCluster: "a", producer: "TaintManager", reason: "TaintUntolerated" };
    expect(place({}, clusters, { ...before, gracefulEvictionTasks: [task] })).toBe("b:6");
  });

  describe("dividing by room", () => {
    const [a, b, c] = [cluster("a", { cpu: 6 }), cluster("b", { cpu: 8 }), cluster("c", { cpu: 10 })];

    it("gives in proportion to room", () => {
      expect(place(DYNAMIC, [a, b, c], { replicas: 12 })).toBe("a:3 b:4 c:5");
    });

    it("adds to what is there, by the room that is left", () => {
      const before = [
        { name: "a", replicas: 2 },
        { name: "b", replicas: 4 },
        { name: "c", replicas: 6 },
      ];
      const equal = ["a", "b", "c"].map((name) => cluster(name));

      expect(place(DYNAMIC, equal, { clusters: before, replicas: 24 })).toBe("a:6 b:8 c:10");
      expect(place(DYNAMIC, equal, { clusters: before, replicas: 6 })).toBe("a:1 b:2 c:3");
      expect(place(DYNAMIC, equal, { clusters: before, replicas: 12 })).toBe("a:2 b:4 c:6");
    });

    it("refuses when there is not enough room", () => {
      expect(place(DYNAMIC, [a], { replicas: 24 })).toBe(
        "Unschedulable: failed to assign replicas: failed to scale up: Clusters available replicas 6 are not enough to schedule.",
      );
    });

    it("aggregates into as few clusters as have room, those in use first", () => {
      expect(place(AGGREGATED, [a, b, c], { replicas: 9 })).toBe("c:9");
      expect(place(AGGREGATED, [a, b, c], { replicas: 9, clusters: [{ name: "a", replicas: 4 }] })).toBe("a:9");
    });

    it("divides anew when a reschedule is asked for", () => {
      const change = { replicas: 9, clusters: [{ name: "a", replicas: 9 }] };
      const fresh = { ...change, rescheduleTriggeredAt: "2026-01-02T00:00:00Z" };
      const status = { lastScheduledTime: "2026-01-01T00:00:00Z" };

      const result = schedule({ spec: spec(AGGREGATED, fresh), status, fleet: [a, b, c] });

      expect(place(AGGREGATED, [a, b, c], change)).toBe("a:9");
      // The room of a is 6 and what it has, 9.
      expect(result.clusters).toEqual([{ name: "a", replicas: 9 }]);
    });
  });

  describe("static weights", () => {
    it("takes the highest weight of the rules that select a cluster, and heeds no room", () => {
      const placement: Placement = {
        replicaScheduling: {
          replicaSchedulingType: "Divided",
          replicaDivisionPreference: "Weighted",
          weightPreference: {
            staticWeightList: [
              { targetCluster: {}, weight: 1 },
              { targetCluster: { clusterNames: ["b"] }, weight: 2 },
            ],
          },
        },
      };

      expect(place(placement, [cluster("a", { cpu: 0 }), cluster("b", { cpu: 0 })])).toBe("a:2 b:4");
    });
  });

  describe("spread constraints", () => {
    const clusters = [
      cluster("eu-1", { region: "eu", cpu: 10 }),
      cluster("eu-2", { region: "eu", cpu: 9 }),
      cluster("us-1", { region: "us", cpu: 5 }),
      cluster("ap-1", { region: "ap", cpu: 1 }),
      cluster("nowhere", { cpu: 100 }),
    ];

    it("takes the best regions, and within them at least one cluster each", () => {
      const placement: Placement = {
        spreadConstraints: [
          { spreadByField: "region", minGroups: 2, maxGroups: 2 },
          { spreadByField: "cluster", minGroups: 2, maxGroups: 2 },
        ],
      };

      expect(place(placement, clusters, { replicas: 2 })).toBe("eu-1:2 us-1:2");
    });

    it("exchanges clusters until there is room", () => {
      const spread: Placement = {
        ...DYNAMIC,
        spreadConstraints: [{ spreadByField: "cluster", minGroups: 1, maxGroups: 1 }],
      };
      const two = [cluster("a", { cpu: 3 }), cluster("b", { cpu: 20 })];

      expect(place(spread, two, { clusters: [{ name: "a", replicas: 1 }], replicas: 10 })).toBe("b:10");
    });

    it("selects nothing without maxGroups", () => {
      expect(place({ ...DYNAMIC, spreadConstraints: [{ spreadByField: "cluster", minGroups: 1 }] }, clusters)).toBe(
        "SchedulerError: failed to select clusters: no enough resource when selecting 0 clusters",
      );
    });
  });

  it("overflows into further tiers only for what the group has no room for", () => {
    const placement: Placement = {
      ...AGGREGATED,
      clusterAffinities: [
        {
          affinityName: "own",
          clusterNames: ["own"],
          overflowAffinities: [{ affinityName: "cloud", clusterNames: ["cloud-1", "cloud-2"] }],
        },
      ],
    };
    const fleet = [cluster("own", { cpu: 4 }), cluster("cloud-1", { cpu: 10 }), cluster("cloud-2", { cpu: 20 })];
    const request = { spec: spec(placement), fleet };

    const { result, affinityName } = scheduleInGroups(request);

    expect(affinityName).toBe("own");
    expect(result.clusters).toEqual([
      { name: "own", replicas: 4 },
      { name: "cloud-2", replicas: 2 },
    ]);
  });

  it("places a workload of several components whole", () => {
    const components = [
      { name: "master", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "2" } } },
      { name: "worker", replicas: 4, replicaRequirements: { resourceRequest: { cpu: "1" } } },
    ];
    const placement: Placement = {
      ...AGGREGATED,
      spreadConstraints: [{ spreadByField: "cluster", minGroups: 1, maxGroups: 1 }],
    };
    const { replicas: _replicas, replicaRequirements: _requirements, ...whole } = spec(placement, { components });
    const fleet = [cluster("a", { cpu: 5 }), cluster("b", { cpu: 6 })];

    const result = schedule({
      spec: whole,
      fleet,
      options: { featureGates: { MultiplePodTemplatesScheduling: true }, compatibility: "1.19" },
    });

    expect(result.clusters).toEqual([
      {
        name: "b",
        components: [
          { name: "master", replicas: 1 },
          { name: "worker", replicas: 4 },
        ],
      },
    ]);
  });

  it("keeps workloads of one group together, and of another apart", () => {
    const fleet = [cluster("a"), cluster("b"), cluster("c")];
    const change = { workloadAffinityGroups: { affinityGroup: "app=shop", antiAffinityGroup: "disk=fast" } };
    const options = {
      featureGates: { WorkloadAffinity: true },
      affinityMembers: [{ clusters: [{ name: "a" }, { name: "b" }] }, { clusters: [] }],
      antiAffinityMembers: [{ clusters: [{ name: "b" }] }],
    };

    const result = schedule({ spec: spec({}, change), fleet, options });

    expect(result.clusters).toEqual([{ name: "a", replicas: 6 }]);
  });

  it("heeds other estimators where they know less room", () => {
    const fleet = [cluster("a"), cluster("b")];
    const answers: Record<string, number> = { a: 2, b: -1 };
    const options = { estimates: [{ replicasOf: (name: string) => answers[name] }] };

    const result = schedule({ spec: spec(AGGREGATED, { replicas: 12 }), fleet, options });

    expect(result.clusters).toEqual([
      { name: "a", replicas: 2 },
      { name: "b", replicas: 10 },
    ]);
  });

  it("says what refuses a cluster, and where to change it", () => {
    const placement: Placement = {
      clusterAffinity: { labelSelector: { matchLabels: { env: "prod" } }, exclude: ["out"] },
      spreadConstraints: [{ spreadByField: "region", minGroups: 1, maxGroups: 1 }],
    };
    const labels = { env: "prod" };
    const fleet = [
      cluster("out", { labels, region: "eu" }),
      cluster("dev", { region: "eu" }),
      cluster("somewhere", { labels }),
      cluster("old", { labels, region: "eu", apis: false }),
      cluster("fine", { labels, region: "eu" }),
    ];

    const { trace } = schedule({ spec: spec(placement), fleet, options: { explain: true } });
    const lines = (trace?.clusters ?? []).flatMap(({ cluster: name, refusals }) =>
      refusals.map(({ detail, path }) => `${name}: ${detail} (${path})`),
    );

    expect(lines).toEqual([
      "dev: its labels do not match (placement.clusterAffinity.labelSelector)",
      "old: no API apps/v1 Deployment (cluster reports 0 API versions; the list is not complete) (Cluster old: status.apiEnablements)",
      "out: is excluded by name (placement.clusterAffinity.exclude)",
      "somewhere: has no region, which spreadConstraints[0] needs (Cluster somewhere: spec.region)",
    ]);
  });

  it("tells which rules gave weights", () => {
    const placement: Placement = {
      replicaScheduling: {
        replicaSchedulingType: "Divided",
        replicaDivisionPreference: "Weighted",
        weightPreference: {
          staticWeightList: [
            { targetCluster: { clusterNames: ["gone"] }, weight: 5 },
            { targetCluster: { clusterNames: ["paris-1"] }, weight: 2 },
            { targetCluster: {}, weight: 1 },
          ],
        },
      },
    };
    const fleet = [cluster("tokyo-1"), cluster("paris-1")];

    const { trace } = schedule({ spec: spec(placement), fleet, options: { explain: true } });

    expect(trace?.weightRules).toEqual([
      { rule: 0, weight: 5, clusters: [] },
      { rule: 1, weight: 2, clusters: ["paris-1"] },
      { rule: 2, weight: 1, clusters: ["tokyo-1"] },
    ]);
  });

  it("explains every cluster and the division", () => {
    const taints: Taint[] = [{ key: "maintenance", value: "true", effect: "NoSchedule" }];
    const clusters = [cluster("a", { cpu: 2 }), cluster("b", { cpu: 4 }), cluster("c", { taints })];

    const { trace } = schedule({ spec: spec(DYNAMIC, { replicas: 3 }), fleet: clusters, options: { explain: true } });

    expect(trace?.clusters).toMatchObject([
      { cluster: "a", verdict: "chosen", estimate: 2, replicas: 1 },
      { cluster: "b", verdict: "chosen", estimate: 4, replicas: 2 },
      {
        cluster: "c",
        verdict: "refused",
        refusals: [{ filter: "TaintToleration", path: "placement.clusterTolerations" }],
      },
    ]);
    expect(trace?.divisions).toMatchObject([
      {
        strategy: "DynamicWeight",
        action: "scale-up",
        target: 3,
        seats: [{ name: "b" }, { name: "a" }, { name: "b" }],
      },
    ]);
  });
});

describe("FleetIndex", () => {
  it("sees what changes for filters and for room", () => {
    const fleet = new FleetIndex([cluster("a"), cluster("b")]);
    const request = { spec: spec(AGGREGATED, { replicas: 10 }), fleet };
    expect(schedule(request).clusters).toEqual([{ name: "a", replicas: 10 }]);

    expect(fleet.set(cluster("b", { cpu: 50 }))).toBe(true);
    expect(schedule(request).clusters).toEqual([{ name: "b", replicas: 10 }]);
    fleet.set(cluster("b", { cpu: 50, taints: [{ key: "x", effect: "NoSchedule" }] }));
    expect(schedule(request).clusters).toEqual([{ name: "a", replicas: 10 }]);
    fleet.delete("a");
    expect(schedule(request).error?.kind).toBe("NoClusterFit");
  });

  it("does not take a mere heartbeat for a change", () => {
    const fleet = new FleetIndex([cluster("a")]);
    const { version } = fleet;
    const same = cluster("a");
    const beat = { type: "Ready", status: "True", reason: "R", message: "", lastTransitionTime: "x" } as const;

    expect(fleet.set({ ...same, status: { ...same.status, conditions: [beat] } })).toBe(false);
    expect(fleet.version).toBe(version);
  });
});
