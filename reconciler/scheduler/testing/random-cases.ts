// Random fleets and bindings for the tests, from a seed.

import type { Cluster } from "../../../api/cluster.ts";
import type { ClusterAffinity, Placement, SpreadConstraint } from "../../../api/policy.ts";
import type { ResourceBindingSpec, ResourceBindingStatus } from "../../../api/work.ts";

/** A small generator of numbers (mulberry32): the same seed gives the same cases everywhere. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  /** Some of the list, in its order. */
  some<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.chance(probability));
  }

  shuffle<T>(list: readonly T[]): T[] {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.between(0, i);
      [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
    }
    return copy;
  }
}

const REGIONS = ["us-east", "us-west", "eu-west", "eu-central", "ap-south", ""] as const;
const ENVIRONMENTS = ["prod", "staging", "dev"] as const;

export function randomCluster(dice: Dice, name: string): Cluster {
  const region = dice.pick(REGIONS);
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: {
      name,
      generation: 1,
      labels: { env: dice.pick(ENVIRONMENTS) },
      ...(dice.chance(0.03) ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      syncMode: "Push",
      ...(region === "" ? {} : { region }),
      ...(dice.chance(0.8) ? { provider: dice.pick(["aws", "gcp"]) } : {}),
      ...(dice.chance(0.7) ? { zones: [`${region}-a`] } : {}),
      ...(dice.chance(0.15) ? { taints: [{ key: "maintenance", value: "true", effect: "NoSchedule" as const }] } : {}),
    },
    status: {
      apiEnablements: [
        { groupVersion: "apps/v1", resources: dice.chance(0.93) ? [{ kind: "Deployment", name: "deployments" }] : [] },
      ],
      resourceSummary: {
        // Few different sizes, so that ties are common.
        allocatable: { cpu: String(dice.between(0, 6) * 4), memory: "64Gi", pods: String(dice.pick([5, 20, 110])) },
        allocated: { cpu: `${dice.between(0, 4) * 500}m`, pods: String(dice.between(0, 4)) },
      },
    },
  };
}

export function randomFleet(dice: Dice, size: number): Cluster[] {
  return Array.from({ length: size }, (_, i) => randomCluster(dice, `member${i}`));
}

function randomAffinity(dice: Dice, names: readonly string[]): ClusterAffinity {
  return {
    ...(dice.chance(0.4) ? { labelSelector: { matchLabels: { env: dice.pick(ENVIRONMENTS) } } } : {}),
    ...(dice.chance(0.3) ? { clusterNames: dice.some(names, 0.6) } : {}),
    ...(dice.chance(0.2) ? { exclude: dice.some(names, 0.2) } : {}),
    ...(dice.chance(0.2)
      ? { fieldSelector: { matchExpressions: [{ key: "region", operator: "NotIn", values: [dice.pick(REGIONS)] }] } }
      : {}),
  };
}

function randomSpread(dice: Dice): SpreadConstraint[] {
  const min = dice.between(1, 3);
  const cluster = { spreadByField: "cluster" as const, minGroups: min, maxGroups: min + dice.between(0, 4) };
  const regions = dice.between(1, 3);
  const region = { spreadByField: "region" as const, minGroups: regions, maxGroups: regions + dice.between(0, 2) };
  const provider = { spreadByField: "provider" as const, minGroups: 1, maxGroups: 2 };
  return [...(dice.chance(0.5) ? [region] : []), cluster, ...(dice.chance(0.2) ? [provider] : [])];
}

function randomPlacement(dice: Dice, names: readonly string[]): Placement {
  const kind = dice.pick(["absent", "duplicated", "static", "static-default", "dynamic", "aggregated"] as const);
  const divided = { replicaSchedulingType: "Divided" as const };
  const weighted = { ...divided, replicaDivisionPreference: "Weighted" as const };
  const scheduling = {
    absent: undefined,
    duplicated: { replicaSchedulingType: "Duplicated" as const },
    static: {
      ...weighted,
      weightPreference: {
        staticWeightList: Array.from({ length: dice.between(1, 3) }, () => ({
          targetCluster: randomAffinity(dice, names),
          weight: dice.between(1, 4),
        })),
      },
    },
    "static-default": weighted,
    dynamic: { ...weighted, weightPreference: { dynamicWeight: "AvailableReplicas" as const } },
    aggregated: { ...divided, replicaDivisionPreference: "Aggregated" as const },
  }[kind];
  const mayOverflow = kind === "dynamic" || kind === "aggregated";
  const groups = dice.chance(0.3)
    ? ["a", "b"].map((affinityName) => ({
        affinityName,
        ...randomAffinity(dice, names),
        ...(mayOverflow && dice.chance(0.6)
          ? {
              overflowAffinities: Array.from({ length: dice.between(1, 2) }, (_, i) => ({
                affinityName: `${affinityName}-over${i}`,
                ...randomAffinity(dice, names),
              })),
            }
          : {}),
      }))
    : undefined;
  return {
    ...(groups !== undefined ? { clusterAffinities: groups } : {}),
    ...(groups === undefined && dice.chance(0.6) ? { clusterAffinity: randomAffinity(dice, names) } : {}),
    ...(dice.chance(0.3) ? { clusterTolerations: [{ key: "maintenance", operator: "Exists" }] } : {}),
    ...(dice.chance(0.4) ? { spreadConstraints: randomSpread(dice) } : {}),
    ...(scheduling === undefined ? {} : { replicaScheduling: scheduling }),
  };
}

export interface RandomCase {
  readonly clusters: readonly Cluster[];
  readonly spec: ResourceBindingSpec;
  readonly status: ResourceBindingStatus;
}

/** A workload of one pod template over a fleet of up to `maxClusters`. */
export function randomCase(dice: Dice, maxClusters: number): RandomCase {
  const clusters = randomFleet(dice, dice.between(0, maxClusters));
  const names = clusters.map((cluster) => cluster.metadata.name ?? "");
  const placement = randomPlacement(dice, names);
  const previous = dice.chance(0.5) ? dice.shuffle(dice.some([...names, "gone"], 0.3)) : [];
  return {
    clusters,
    spec: {
      placement,
      replicas: dice.pick([0, 1, 2, 3, 7, 12, 30, 60]),
      ...(dice.chance(0.8) ? { replicaRequirements: { resourceRequest: { cpu: dice.pick(["500m", "1", "2"]) } } } : {}),
      resource: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: "web",
        namespace: "shop",
        ...(dice.chance(0.8) ? { uid: `uid-${dice.between(0, 1000)}` } : {}),
      },
      ...(previous.length > 0 ? { clusters: previous.map((name) => ({ name, replicas: dice.between(0, 9) })) } : {}),
      ...(dice.chance(0.2)
        ? {
            gracefulEvictionTasks: dice
              .some(names, 0.2)
              .map((fromCluster) => ({ fromCluster, producer: "TaintManager", reason: "TaintUntolerated" })),
          }
        : {}),
      ...(dice.chance(0.25) ? { rescheduleTriggeredAt: "2026-01-02T00:00:00Z" } : {}),
    },
    status: {
      ...(dice.chance(0.7) ? { lastScheduledTime: "2026-01-01T00:00:00Z" } : {}),
      ...(placement.clusterAffinities === undefined ? {} : { schedulerObservingAffinityName: dice.pick(["a", "b"]) }),
    },
  };
}
