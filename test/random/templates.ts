// Random objects of built-in kinds with everything that bindings are made of: pods' needs, replicas, labels.
import type { KubeObject } from "../../kube/object.ts";
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import { randomLabels } from "./matching.ts";

type Json = Record<string, unknown>;

const CPU = ["100m", "0.5", "1", "1500m", "1e1", "2", "0", 1, 0.25, "1u"] as const;
const MEMORY = ["128Mi", "1Gi", "1e9", "0.5Gi", "512M", "0", "1500m", 1048576] as const;

function randomResources(dice: Dice): Json {
  const list = (): Json => ({
    ...(dice.chance(0.8) ? { cpu: dice.pick(CPU) } : {}),
    ...(dice.chance(0.7) ? { memory: dice.pick(MEMORY) } : {}),
    ...(dice.chance(0.1) ? { "nvidia.com/gpu": dice.pick(["1", "2"]) } : {}),
    ...(dice.chance(0.1) ? { "ephemeral-storage": dice.pick(MEMORY) } : {}),
    ...(dice.chance(0.05) ? { "hugepages-2Mi": "4Mi" } : {}),
  });
  return { ...(dice.chance(0.8) ? { requests: list() } : {}), ...(dice.chance(0.5) ? { limits: list() } : {}) };
}

function randomContainer(dice: Dice, name: string): Json {
  return { name, image: "nginx:1", ...(dice.chance(0.8) ? { resources: randomResources(dice) } : {}) };
}

function randomAffinity(dice: Dice): Json {
  const requirement = (): Json => ({
    key: "zone",
    operator: dice.pick(["In", "NotIn", "Exists", "Gt"]),
    values: dice.some(["a", "b", "1"], 0.5),
  });
  const term = (): Json => ({
    ...(dice.chance(0.8) ? { matchExpressions: [requirement()] } : {}),
    ...(dice.chance(0.2) ? { matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] } : {}),
  });
  return {
    ...(dice.chance(0.8)
      ? {
          nodeAffinity: {
            ...(dice.chance(0.7)
              ? {
                  requiredDuringSchedulingIgnoredDuringExecution: {
                    nodeSelectorTerms: Array.from({ length: dice.between(1, 2) }, term),
                  },
                }
              : {}),
            ...(dice.chance(0.4)
              ? { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: term() }] }
              : {}),
          },
        }
      : {}),
    ...(dice.chance(0.2)
      ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone" }] } }
      : {}),
  };
}

export function randomPodSpec(dice: Dice): Json {
  return {
    containers: Array.from({ length: dice.between(1, 3) }, (_, i) => randomContainer(dice, `c${i}`)),
    ...(dice.chance(0.4)
      ? {
          initContainers: Array.from({ length: dice.between(1, 3) }, (_, i) => ({
            ...randomContainer(dice, `i${i}`),
            ...(dice.chance(0.3) ? { restartPolicy: "Always" } : {}),
          })),
        }
      : {}),
    ...(dice.chance(0.1) ? { resources: randomResources(dice) } : {}),
    ...(dice.chance(0.15) ? { overhead: { cpu: "10m", memory: "1Mi" } } : {}),
    ...(dice.chance(0.3) ? { nodeSelector: dice.chance(0.2) ? {} : { disk: "ssd" } } : {}),
    ...(dice.chance(0.3) ? { affinity: randomAffinity(dice) } : {}),
    ...(dice.chance(0.3)
      ? {
          tolerations: [
            { key: "gpu", operator: dice.pick(["Exists", "Equal"]), effect: "NoSchedule" },
            { key: "slow", value: "x", effect: "NoExecute", tolerationSeconds: dice.pick([0, 300]) },
          ].slice(0, dice.between(0, 2)),
        }
      : {}),
    ...(dice.chance(0.15) ? { priorityClassName: "high" } : {}),
  };
}

function replicas(dice: Dice): Json {
  return dice.chance(0.85) ? { replicas: dice.pick([0, 1, 2, 5, 100]) } : {};
}

/** The parts of an object that its kind decides. */
const KINDS: readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly clusterScoped?: boolean;
  readonly body: (dice: Dice) => Json;
}[] = [
  ...["Deployment", "StatefulSet", "ReplicaSet"].map((kind) => ({
    apiVersion: "apps/v1",
    kind,
    body: (dice: Dice) => ({ spec: { ...replicas(dice), template: { spec: randomPodSpec(dice) } } }),
  })),
  { apiVersion: "apps/v1", kind: "DaemonSet", body: (dice) => ({ spec: { template: { spec: randomPodSpec(dice) } } }) },
  {
    apiVersion: "batch/v1",
    kind: "Job",
    body: (dice) => ({
      spec: {
        ...(dice.chance(0.7) ? { parallelism: dice.pick([0, 1, 3, 10]) } : {}),
        ...(dice.chance(0.6) ? { completions: dice.pick([0, 1, 2, 5]) } : {}),
        template: { spec: randomPodSpec(dice) },
      },
    }),
  },
  {
    apiVersion: "batch/v1",
    kind: "CronJob",
    body: (dice) => ({ spec: { jobTemplate: { spec: { template: { spec: randomPodSpec(dice) } } } } }),
  },
  { apiVersion: "v1", kind: "Pod", body: (dice) => ({ spec: randomPodSpec(dice) }) },
  { apiVersion: "v1", kind: "ConfigMap", body: () => ({ data: { a: "b" } }) },
  { apiVersion: "v1", kind: "Service", body: () => ({ spec: { ports: [{ port: 80 }] } }) },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", clusterScoped: true, body: () => ({ rules: [] }) },
  { apiVersion: "example.io/v1", kind: "Widget", body: () => ({ spec: { replicas: 3 } }) },
  { apiVersion: "example.io/v1", kind: "Planet", clusterScoped: true, body: () => ({ spec: {} }) },
];

/** An object as it is read back from a server. */
export function randomTemplate(dice: Dice): KubeObject {
  const { apiVersion, kind, clusterScoped, body } = dice.pick(KINDS);
  const labels = randomLabels(dice);
  return {
    apiVersion,
    kind,
    metadata: {
      name: dice.pick(["web", "system:web", "a.b", "WEB"]),
      ...(clusterScoped === true ? {} : { namespace: "shop" }),
      ...(dice.chance(0.95) ? { uid: "7d1089eb-3227-40ac-8faa-1994ed2ad91f" } : {}),
      ...(dice.chance(0.95) ? { resourceVersion: String(dice.between(1, 99_999)) } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    ...body(dice),
  };
}
