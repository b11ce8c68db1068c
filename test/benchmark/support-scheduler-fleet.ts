// The fleets and bindings Karmada's scheduler was measured with, made by the rule they were made by.
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBindingSpec } from "../../api/work.ts";

const REGIONS = [
  "us-east",
  "us-west",
  "eu-west",
  "eu-central",
  "ap-south",
  "ap-northeast",
  "sa-east",
  "af-south",
] as const;
const PROVIDERS = ["aws", "gcp", "azure", "onprem"] as const;
const ZONES = ["a", "b", "c"] as const;

const PROD = { labelSelector: { matchLabels: { env: "prod" } } } as const;

/** The placements, by the names of the recorded figures. */
export const BENCHMARK_PLACEMENTS = {
  duplicated: { clusterAffinity: PROD, replicaScheduling: { replicaSchedulingType: "Duplicated" } },
  "static-weight": {
    clusterAffinity: PROD,
    replicaScheduling: {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: {
        staticWeightList: Array.from({ length: 10 }, (_, shard) => ({
          targetCluster: { labelSelector: { matchLabels: { shard: String(shard) } } },
          weight: shard + 1,
        })),
      },
    },
  },
  "dynamic-weight": {
    clusterAffinity: PROD,
    replicaScheduling: {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: { dynamicWeight: "AvailableReplicas" },
    },
  },
  "aggregated-region": {
    clusterAffinity: PROD,
    replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
    spreadConstraints: [
      { spreadByField: "region", minGroups: 2, maxGroups: 3 },
      { spreadByField: "cluster", minGroups: 2, maxGroups: 8 },
    ],
  },
} satisfies Readonly<Record<string, Placement>>;
export type BenchmarkPlacement = keyof typeof BENCHMARK_PLACEMENTS;

/** Cluster number `i`; always the same. */
export function benchmarkCluster(i: number): Cluster {
  const region = REGIONS[i % 8] ?? "us-east";
  const cpu = 64 + ((37 * i) % 448);
  const memory = 256 + ((53 * i) % 1792);
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: {
      name: `member-${String(i).padStart(5, "0")}`,
      labels: { env: i % 2 === 0 ? "prod" : "staging", shard: String(i % 10) },
    },
    spec: {
      syncMode: "Push",
      provider: PROVIDERS[i % 4] ?? "aws",
      region,
      zones: [`${region}-${ZONES[i % 3]}`],
      ...(i % 20 === 19 ? { taints: [{ key: "maintenance", value: "true", effect: "NoSchedule" as const }] } : {}),
    },
    status: {
      apiEnablements: [
        {
          groupVersion: "v1",
          resources: [
            { kind: "ConfigMap", name: "configmaps" },
            { kind: "Service", name: "services" },
          ],
        },
        {
          groupVersion: "apps/v1",
          resources: [
            { kind: "Deployment", name: "deployments" },
            { kind: "StatefulSet", name: "statefulsets" },
          ],
        },
      ],
      resourceSummary: {
        allocatable: { cpu: String(cpu), memory: `${memory}Gi`, pods: "1100" },
        allocated: {
          cpu: String(Math.floor(cpu / 4)),
          memory: `${Math.floor(memory / 4)}Gi`,
          pods: "100",
        },
      },
    },
  };
}

export function benchmarkFleet(size: number): Cluster[] {
  return Array.from({ length: size }, (_, i) => benchmarkCluster(i));
}

/** Binding number `j`, at its first scheduling. */
export function benchmarkSpec(j: number, placement: Placement): ResourceBindingSpec {
  return {
    conflictResolution: "Abort",
    placement,
    replicaRequirements: { resourceRequest: { cpu: "500m", memory: "1Gi" } },
    replicas: 10 + (j % 90),
    resource: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: `web-${j}`,
      namespace: "shop",
      uid: `00000000-0000-4000-8000-${String(j).padStart(12, "0")}`,
    },
    schedulerName: "default-scheduler",
  };
}
