import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { TargetCluster } from "../../../api/work.ts";
import { schedule } from "../schedule.ts";
import { allocateSeatsAbove } from "./webster.ts";

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
} as const;
const AGGREGATED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" } as const;

function weighted(weights: Readonly<Record<string, number>>): NonNullable<Placement["replicaScheduling"]> {
  const staticWeightList = Object.entries(weights).map(([name, weight]) => ({
    targetCluster: { clusterNames: [name] },
    weight,
  }));
  return {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { staticWeightList },
  };
}

function cluster(name: string, pods: number): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push" },
    status: {
      apiEnablements: [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }],
      resourceSummary: { allocatable: { pods: String(pods) } },
    },
  };
}

interface Case {
  readonly rooms: Readonly<Record<string, number>>;
  readonly replicas: number;
  readonly fewest: number;
  readonly scheduling?: NonNullable<Placement["replicaScheduling"]>;
  readonly placed?: Readonly<Record<string, number>>;
  readonly more?: Partial<Placement>;
  readonly fresh?: boolean;
}

function place({ rooms, replicas, fewest, scheduling = DYNAMIC, placed = {}, more, fresh = false }: Case) {
  const clusters: TargetCluster[] = Object.entries(placed).map(([name, own]) => ({ name, replicas: own }));
  const result = schedule({
    spec: {
      placement: { replicaScheduling: scheduling, flaghoist: { minReplicasPerCluster: fewest }, ...more },
      replicas,
      resource: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
      clusters,
      ...(fresh ? { rescheduleTriggeredAt: "2026-01-02T00:00:00Z" } : {}),
    },
    status: { lastScheduledTime: "2026-01-01T00:00:00Z", schedulerObservingAffinityName: "near" },
    fleet: Object.entries(rooms).map(([name, room]) => cluster(name, room)),
  });
  if (result.error !== undefined) return `${result.error.kind}: ${result.error.message}`;
  return Object.fromEntries(result.clusters.map((target) => [target.name, target.replicas]));
}

describe("minReplicasPerCluster", () => {
  it("changes nothing where every cluster has enough anyway", () => {
    expect(place({ rooms: { a: 10, b: 20 }, replicas: 9, fewest: 3 })).toEqual({ a: 3, b: 6 });
  });

  it("raises clusters that would have fewer", () => {
    expect(place({ rooms: { a: 100, b: 10, c: 10 }, replicas: 12, fewest: 3 })).toEqual({ a: 6, b: 3, c: 3 });
  });

  it("uses fewer clusters where there are too few replicas for all, the roomiest", () => {
    expect(place({ rooms: { a: 10, b: 10, c: 11 }, replicas: 7, fewest: 3 })).toEqual({ a: 3, c: 4 });
    expect(place({ rooms: { a: 10, b: 10, c: 11 }, replicas: 3, fewest: 3 })).toEqual({ c: 3 });
  });

  it("passes over clusters that have no room for so many", () => {
    expect(place({ rooms: { a: 2, b: 8, c: 8 }, replicas: 12, fewest: 3 })).toEqual({ b: 6, c: 6 });
  });

  it("keeps static weights among those that have enough", () => {
    const scheduling = weighted({ a: 1, b: 20, c: 9 });

    expect(place({ rooms: { a: 0, b: 0, c: 0 }, replicas: 30, fewest: 3, scheduling })).toEqual({ a: 3, b: 19, c: 8 });
    expect(place({ rooms: { a: 9, b: 9, c: 9 }, replicas: 7, fewest: 3, scheduling })).toEqual({ b: 4, c: 3 });
  });

  it("aggregates on as few clusters as have room", () => {
    const rooms = { a: 10, b: 4, c: 3 };

    expect(place({ rooms, replicas: 11, fewest: 3, scheduling: AGGREGATED })).toEqual({ a: 8, b: 3 });
    expect(place({ rooms, replicas: 10, fewest: 3, scheduling: AGGREGATED })).toEqual({ a: 10 });
  });

  it("adds where replicas are before it opens a cluster, which then gets enough at once", () => {
    const rooms = { a: 10, b: 10 };

    expect(place({ rooms, replicas: 7, fewest: 3, placed: { a: 5 } })).toEqual({ a: 7 });
    expect(place({ rooms, replicas: 9, fewest: 3, placed: { a: 5 } })).toEqual({ a: 6, b: 3 });
  });

  it("takes clusters away when too little is left for all of them", () => {
    expect(place({ rooms: { a: 9, b: 9, c: 9 }, replicas: 7, fewest: 3, placed: { a: 5, b: 4, c: 3 } })).toEqual({
      a: 4,
      b: 3,
    });
  });

  it("raises a cluster that had too few before the policy asked for more", () => {
    expect(place({ rooms: { a: 9, b: 9 }, replicas: 6, fewest: 3, placed: { a: 5, b: 1 } })).toEqual({ a: 3, b: 3 });
    expect(place({ rooms: { a: 9, b: 9 }, replicas: 8, fewest: 3, placed: { a: 5, b: 1 } })).toEqual({ a: 5, b: 3 });
  });

  it("divides anew when a reschedule is asked for", () => {
    expect(place({ rooms: { a: 4, b: 9 }, replicas: 8, fewest: 2, placed: { a: 8 }, fresh: true })).toEqual({
      a: 5,
      b: 3,
    });
  });

  it("overflows with enough at once, and no sooner than it must", () => {
    const near = { affinityName: "near", clusterNames: ["a", "b"] };
    const more = {
      clusterAffinities: [{ ...near, overflowAffinities: [{ affinityName: "far", exclude: ["a", "b"] }] }],
    };
    const rooms = { a: 5, b: 5, c: 9, d: 8 };

    expect(place({ rooms, replicas: 9, fewest: 3, more })).toEqual({ a: 5, b: 4 });
    expect(place({ rooms, replicas: 11, fewest: 3, more })).toEqual({ a: 4, b: 4, c: 3 });
  });

  it("takes no more clusters than a spread constraint lets it", () => {
    const more: Partial<Placement> = { spreadConstraints: [{ spreadByField: "cluster", minGroups: 1, maxGroups: 2 }] };

    expect(place({ rooms: { a: 9, b: 9, c: 9 }, replicas: 9, fewest: 3, more })).toEqual({ a: 5, b: 4 });
  });

  it.each<{ readonly what: string; readonly example: Case; readonly message: string }>([
    {
      what: "too few replicas",
      example: { rooms: { a: 9 }, replicas: 2, fewest: 3 },
      message: "failed to select clusters: 2 replicas are too few: minReplicasPerCluster is 3",
    },
    {
      what: "no cluster that is large enough",
      example: { rooms: { a: 2, b: 2 }, replicas: 4, fewest: 3 },
      message: "failed to select clusters: no cluster has room for 3 replicas: minReplicasPerCluster is 3",
    },
    {
      what: "room that no choice can use",
      example: { rooms: { a: 3, b: 3, c: 3 }, replicas: 7, fewest: 3 },
      message:
        "failed to assign replicas: clusters with at least 3 replicas each have room for at most 6 of 7 replicas: minReplicasPerCluster is 3",
    },
  ])("is refused for $what", ({ example, message }) => {
    expect(place(example)).toBe(`Unschedulable: ${message}`);
  });
});

describe("allocateSeatsAbove", () => {
  it("gives everybody their floor, and divides the rest among the others as if those were not there", () => {
    const seats = (total: number, weights: number[], floors: number[]) => {
      const parties = { weights: Float64Array.from(weights), ranks: weights.map((_, rank) => rank) };
      return [...allocateSeatsAbove(total, parties, Int32Array.from(floors), () => false)];
    };

    expect(seats(10, [1, 1], [0, 0])).toEqual([5, 5]);
    expect(seats(10, [9, 1, 0], [0, 3, 2])).toEqual([5, 3, 2]);
    // What the last one takes brings the middle one below its floor.
    expect(seats(12, [60, 30, 1], [0, 4, 4])).toEqual([4, 4, 4]);
  });
});
