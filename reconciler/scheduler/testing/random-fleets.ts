// Random clusters of every shape for the tests: all notations of quantities, every kind of taint, resource models, clusters
// that report nothing, and fleets in which nearly everything ties.

import type { Cluster, ResourceModel, ResourceSummary, Taint } from "../../../api/cluster.ts";
import type { Dice } from "./random-cases.ts";

export const REGIONS = ["us-east", "us-west", "eu-west", "eu-central", "ap-south", "sa-east", "af-south"] as const;
export const PROVIDERS = ["aws", "gcp", "azure", "onprem"] as const;
export const LABELS: Readonly<Record<string, readonly string[]>> = {
  env: ["prod", "staging", "dev"],
  tier: ["gold", "silver", "bronze"],
  arch: ["amd64", "arm64"],
  shard: ["0", "1", "2", "10", "-1", "007"],
};
/** Kinds that fleets serve, most of them everywhere. */
export const SERVED: readonly (readonly [groupVersion: string, kind: string])[] = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["v1", "ConfigMap"],
  ["v1", "Service"],
  ["flink.apache.org/v1beta1", "FlinkDeployment"],
];
export const TAINTS: readonly Taint[] = [
  { key: "maintenance", value: "true", effect: "NoSchedule" },
  { key: "maintenance", effect: "NoSchedule" },
  { key: "gpu-only", value: "yes", effect: "PreferNoSchedule" },
  { key: "cluster.karmada.io/not-ready", effect: "NoSchedule" },
  { key: "cluster.karmada.io/unreachable", effect: "NoExecute", timeAdded: "2025-03-04T04:00:00Z" },
  { key: "dedicated", value: "10", effect: "NoExecute", timeAdded: "2025-03-04T04:00:00Z" },
  { key: "dedicated", value: "team-a", effect: "NoSchedule" },
];

/** How much the clusters of one fleet differ. */
export type Variety = "same" | "few" | "any";

const CPU = ["4", "16", "64.5", "32000m", "1e2", "1E2", "2k", "0", "0.5", "100", "128"] as const;
const MEMORY = ["8Gi", "64Gi", "68719476736", "1e11", "128G", "0.5Ti", "1.5Gi", "262144Mi", "0", "123456789k"] as const;
const PODS = ["5", "20", "110", "330", "1100", "1e3", "1k", "0", "2500m"] as const;
const TAKEN_CPU = ["0", "500m", "1", "3500m", "2.25", "1e1", "700m", "12345m", "1n", "-1"] as const;
const TAKEN_MEMORY = ["0", "1Gi", "512Mi", "3.3Gi", "1e9", "17179869184", "123M"] as const;
const TAKEN_PODS = ["0", "1", "4", "19", "100", "1500m"] as const;

function randomSummary(dice: Dice, variety: Variety): ResourceSummary {
  if (variety === "same") return { allocatable: { cpu: "16", memory: "64Gi", pods: "110" } };
  if (variety === "few") {
    return {
      allocatable: { cpu: String(dice.between(0, 4) * 4), memory: "64Gi", pods: dice.pick(["5", "20", "110"]) },
      allocated: { cpu: `${dice.between(0, 3) * 500}m`, pods: String(dice.between(0, 3)) },
    };
  }
  return {
    ...(dice.chance(0.95)
      ? {
          allocatable: {
            ...(dice.chance(0.97) ? { cpu: dice.pick(CPU) } : {}),
            ...(dice.chance(0.97) ? { memory: dice.pick(MEMORY) } : {}),
            ...(dice.chance(0.97) ? { pods: dice.pick(PODS) } : {}),
            ...(dice.chance(0.4) ? { "ephemeral-storage": dice.pick(MEMORY) } : {}),
            ...(dice.chance(0.3) ? { "nvidia.com/gpu": dice.pick(["0", "2", "8", "1e1"]) } : {}),
          },
        }
      : {}),
    ...(dice.chance(0.8)
      ? {
          allocated: {
            ...(dice.chance(0.9) ? { cpu: dice.pick(TAKEN_CPU) } : {}),
            ...(dice.chance(0.9) ? { memory: dice.pick(TAKEN_MEMORY) } : {}),
            ...(dice.chance(0.9) ? { pods: dice.pick(TAKEN_PODS) } : {}),
            ...(dice.chance(0.2) ? { "nvidia.com/gpu": dice.pick(["0", "1", "3"]) } : {}),
          },
        }
      : {}),
    ...(dice.chance(0.3)
      ? {
          allocating: {
            cpu: dice.pick(TAKEN_CPU),
            memory: dice.pick(TAKEN_MEMORY),
            ...(dice.chance(0.5) ? { pods: dice.pick(TAKEN_PODS) } : {}),
          },
        }
      : {}),
  };
}

const NO_LIMIT = "9223372036854775807";

/** Grades as the webhook leaves them: from 0 upwards without a gap. */
function randomModels(dice: Dice): ResourceModel[] {
  const resources = dice.pick([
    ["cpu", "memory"],
    ["memory", "cpu"],
    ["cpu"],
    ["cpu", "memory", "ephemeral-storage"],
    ["cpu", "memory", "nvidia.com/gpu"],
    ["cpu", "memory", "pods"],
  ]);
  const grades = dice.between(1, 5);
  const bound = (resource: string, grade: number): string => {
    if (grade === 0) return "0";
    if (grade === grades) return NO_LIMIT;
    if (resource === "cpu") return dice.pick([String(2 ** grade), `${2 ** grade}000m`, `${grade * 2}.5`]);
    return resource === "nvidia.com/gpu" || resource === "pods" ? String(grade * 2) : `${4 ** grade}Gi`;
  };
  const bounds = new Map(
    resources.map((name) => [name, Array.from({ length: grades + 1 }, (_, i) => bound(name, i))] as const),
  );
  return Array.from({ length: grades }, (_, grade) => ({
    grade,
    ranges: resources.map((name) => ({
      name,
      min: bounds.get(name)?.[grade] ?? "0",
      max: bounds.get(name)?.[grade + 1] ?? NO_LIMIT,
    })),
  }));
}

export function randomCluster(dice: Dice, name: string, variety: Variety): Cluster {
  const region = dice.chance(0.9) ? dice.pick(REGIONS) : undefined;
  const provider = dice.chance(0.85) ? dice.pick(PROVIDERS) : undefined;
  const zones = dice.chance(0.75)
    ? dice.some(["a", "b", "c"], 0.5).map((zone) => `${region ?? "nowhere"}-${zone}`)
    : [];
  const labels = Object.fromEntries(
    Object.entries(LABELS).flatMap(([key, values]) => (dice.chance(0.75) ? [[key, dice.pick(values)]] : [])),
  );
  const models = variety !== "same" && dice.chance(0.25) ? randomModels(dice) : undefined;
  const modelings = models
    ?.filter(() => dice.chance(0.85))
    .map(({ grade }) => ({ grade, count: dice.pick([0, 1, 2, 3, 7, 40, ...(dice.chance(0.05) ? [-1] : [])]) }));
  if (modelings !== undefined && dice.chance(0.1)) modelings.push({ grade: 9, count: 4 });
  const served = new Map<string, { kind: string; name: string }[]>();
  for (const [groupVersion, kind] of SERVED) {
    if (!dice.chance(0.95)) continue;
    served.set(groupVersion, [...(served.get(groupVersion) ?? []), { kind, name: `${kind.toLowerCase()}s` }]);
  }
  const time = "2025-03-03T19:06:07Z";
  const condition = (type: string, status: "True" | "False" | "Unknown", reason: string) => ({
    type,
    status,
    reason,
    message: "",
    lastTransitionTime: time,
  });
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: {
      name,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(dice.chance(0.02)
        ? { deletionTimestamp: "2025-03-04T00:00:00Z", finalizers: ["karmada.io/cluster-controller"] }
        : {}),
    },
    spec: {
      syncMode: dice.pick(["Push", "Pull"]),
      ...(region === undefined ? {} : { region }),
      ...(provider === undefined ? {} : { provider }),
      ...(zones.length > 0 ? { zones: dice.shuffle(zones) } : {}),
      ...(dice.chance(0.1) ? { zone: "us-east-a" } : {}),
      ...(dice.chance(0.25) ? { taints: dice.some(dice.shuffle(TAINTS), 0.2) } : {}),
      ...(models === undefined ? {} : { resourceModels: models }),
    },
    status: {
      ...(dice.chance(0.98)
        ? { apiEnablements: [...served].map(([groupVersion, resources]) => ({ groupVersion, resources })) }
        : {}),
      conditions: [
        condition("Ready", dice.pick(["True", "True", "True", "False", "Unknown"] as const), "ClusterReady"),
        ...(dice.chance(0.9)
          ? [condition("CompleteAPIEnablements", dice.pick(["True", "False"] as const), "Collected")]
          : []),
      ],
      ...(dice.chance(0.97)
        ? {
            resourceSummary: {
              ...randomSummary(dice, variety),
              ...(modelings === undefined || dice.chance(0.1) ? {} : { allocatableModelings: dice.shuffle(modelings) }),
            },
          }
        : {}),
    },
  };
}

/** `size` clusters whose names do not follow the order of the list. */
export function randomFleet(dice: Dice, size: number, variety: Variety): Cluster[] {
  const style = dice.pick(["member", "c", "eu-", "x.y-"]);
  const width = dice.pick([0, 3]);
  const numbers = dice.shuffle(Array.from({ length: size }, (_, i) => i * dice.pick([1, 1, 7]) + 1));
  const names = [...new Set(numbers.map((number) => `${style}${String(number).padStart(width, "0")}`))];
  return names.map((name) => randomCluster(dice, name, variety));
}
