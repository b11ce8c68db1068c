// Random bindings over random fleets for the tests, harder than those of `random-cases.ts`: whatever the kinds allow.

import type { Cluster } from "../../../api/cluster.ts";
import type { ResourceBindingSpec, ResourceBindingStatus } from "../../../api/work.ts";
import type { SchedulerGates } from "../options.ts";
import type { Dice } from "./random-cases.ts";
import { randomFleet, SERVED } from "./random-fleets.ts";
import { type Focus, randomPlacement } from "./random-placements.ts";

export interface HardCase {
  readonly clusters: readonly Cluster[];
  readonly spec: ResourceBindingSpec;
  readonly status: ResourceBindingStatus;
  readonly enableEmptyWorkloadPropagation: boolean;
  readonly featureGates?: Partial<SchedulerGates>;
}

interface RandomComponent {
  readonly name: string;
  readonly replicas: number;
  readonly replicaRequirements?: { readonly resourceRequest: Record<string, string> };
}

const CPU = [
  "100m",
  "250m",
  "500m",
  "0.5",
  "1",
  "2",
  "5e-1",
  "1e0",
  "0",
  "333m",
  "1u",
  "3",
  ".25",
  "2.",
  "+1",
] as const;
const MEMORY = [
  "128Mi",
  "1Gi",
  "1e9",
  "512M",
  "0",
  "0.5Gi",
  "1500m",
  "1Ki",
  "1.1Gi",
  "2E6",
  "0.0001Ti",
  "1e8",
] as const;

export function randomRequest(dice: Dice): Record<string, string> {
  return {
    ...(dice.chance(0.85) ? { cpu: dice.pick(CPU) } : {}),
    ...(dice.chance(0.6) ? { memory: dice.pick(MEMORY) } : {}),
    ...(dice.chance(0.08) ? { "nvidia.com/gpu": dice.pick(["1", "2", "0"]) } : {}),
    ...(dice.chance(0.05) ? { "ephemeral-storage": dice.pick(MEMORY) } : {}),
    ...(dice.chance(0.03) ? { "example.com/none": "1" } : {}),
  };
}

/** Fits components of bindings as well as those that are assumed to be on their way. */
export function randomComponents(dice: Dice): RandomComponent[] {
  return ["jobmanager", "taskmanager", "sidecar"].slice(0, dice.between(1, 3)).map((name) => ({
    name,
    replicas: dice.pick([0, 1, 1, 2, 3, 8]),
    ...(dice.chance(0.9) ? { replicaRequirements: { resourceRequest: randomRequest(dice) } } : {}),
  }));
}

/** Large and small fleets, small ones most of the time; `maxClusters` is rarely reached. */
function randomSize(dice: Dice, maxClusters: number): number {
  const most = dice.pick([3, 8, 12, 16, 30, 60, maxClusters]);
  return dice.between(dice.chance(0.05) ? 0 : 1, Math.min(most, maxClusters));
}

function inRegion(cluster: Cluster, number: number): Cluster {
  return { ...cluster, spec: { ...cluster.spec, region: `region-${number}` } };
}

export function randomHardFleet(dice: Dice, maxClusters: number, focus: Focus = "anything"): Cluster[] {
  if (focus === "ties")
    return randomFleet(dice, dice.between(13, Math.min(80, maxClusters)), dice.pick(["same", "few"]));
  if (focus === "regions") {
    const fleet = randomFleet(
      dice,
      dice.between(4, dice.pick([20, 60, maxClusters])),
      dice.pick(["same", "few", "any"]),
    );
    const regions = dice.between(2, 14);
    // Sometimes more regions than there are names for, of uneven size.
    return dice.chance(0.5)
      ? fleet
      : fleet.map((cluster) => inRegion(cluster, dice.between(1, dice.between(1, regions))));
  }
  return randomFleet(dice, randomSize(dice, maxClusters), dice.pick(["same", "few", "few", "any", "any"]));
}

export function randomBinding(
  dice: Dice,
  clusters: readonly Cluster[],
  focus: Focus = "anything",
): Omit<HardCase, "clusters"> {
  const names = clusters.map((cluster) => cluster.metadata.name ?? "");
  const placement = randomPlacement(dice, names, focus);
  const groups = placement.clusterAffinities?.map((term) => term.affinityName) ?? [];
  const most = dice.pick([0.1, 0.3, 0.8]);
  const previous = dice.chance(0.5) ? dice.some(dice.shuffle([...names, "gone-1", "gone-2"]), most) : [];
  const [apiVersion, kind] = dice.pick([...SERVED, SERVED[0] ?? ["apps/v1", "Deployment"]] as const);
  const multi = dice.chance(focus === "anything" ? 0.12 : 0.03);
  const withRequirements = dice.chance(0.75);
  const even = dice.between(0, 9);
  const replicas = multi
    ? 0
    : dice.pick([0, 1, 2, 3, 7, 12, 30, 61, 166, 500, ...(dice.chance(0.2) ? [5000, 100_000] : [])]);
  const spec: ResourceBindingSpec = {
    conflictResolution: "Abort",
    schedulerName: "default-scheduler",
    placement,
    ...(replicas === 0 ? {} : { replicas }),
    ...(multi ? { components: randomComponents(dice) } : {}),
    ...(withRequirements && !multi ? { replicaRequirements: { resourceRequest: randomRequest(dice) } } : {}),
    resource: {
      apiVersion,
      kind,
      name: "web",
      namespace: "shop",
      ...(dice.chance(0.85)
        ? { uid: `1f8f96f7-ed7f-4b15-a090-${String(dice.between(0, 1e9)).padStart(12, "0")}` }
        : {}),
    },
    ...(previous.length > 0
      ? {
          clusters: previous.map((name) => {
            const held = dice.chance(0.3) ? even : dice.between(0, Math.max(2, Math.ceil(replicas / 3)));
            return held === 0 ? { name } : { name, replicas: held };
          }),
        }
      : {}),
    ...(dice.chance(0.2)
      ? {
          gracefulEvictionTasks: dice.some([...names, "gone-1"], 0.2).map((fromCluster) => ({
            fromCluster,
            producer: "TaintManager",
            reason: "TaintUntolerated",
            creationTimestamp: "2025-03-04T05:03:07Z",
          })),
        }
      : {}),
    ...(dice.chance(0.25)
      ? { rescheduleTriggeredAt: dice.pick(["2025-03-04T05:00:00Z", "2025-03-04T04:06:07Z", "2025-01-01T00:00:00Z"]) }
      : {}),
  };
  const gates: Partial<Record<keyof SchedulerGates, boolean>> = {
    ...(dice.chance(multi ? 0.7 : 0.05) ? { MultiplePodTemplatesScheduling: true } : {}),
    ...(dice.chance(0.1) ? { CustomizedClusterResourceModeling: false } : {}),
  };
  return {
    spec,
    status: {
      ...(dice.chance(0.7) ? { lastScheduledTime: "2025-03-04T04:06:07Z" } : {}),
      ...(groups.length === 0 || dice.chance(0.1)
        ? {}
        : { schedulerObservingAffinityName: dice.chance(0.05) ? "group-gone" : dice.pick(groups) }),
    },
    enableEmptyWorkloadPropagation: dice.chance(0.1),
    ...(Object.keys(gates).length > 0 ? { featureGates: gates } : {}),
  };
}

export function randomHardCase(dice: Dice, maxClusters: number): HardCase {
  const clusters = randomHardFleet(dice, maxClusters);
  return { clusters, ...randomBinding(dice, clusters) };
}
