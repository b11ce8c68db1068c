// Random clusters and Pods that try kube-scheduler's rules on one another.
import type { KubeObject } from "../../../kube/object.ts";
import type { Random } from "../../../runtime/random.ts";

export interface RandomCluster {
  readonly nodes: readonly KubeObject[];
  readonly services: readonly KubeObject[];
  /** In the order in which they are created; some are bound from the beginning. */
  readonly pods: readonly KubeObject[];
}

export const NAMESPACES: Readonly<Record<string, Record<string, string>>> = {
  blue: { team: "blue" },
  green: { team: "green" },
};

/** Priority classes by name; the polite one preempts nobody. */
export const PRIORITIES: Readonly<Record<string, number>> = { low: -10, high: 1000, polite: 500 };

const APPS = ["web", "db", "cache"] as const;
const ZONES = ["a", "b", "c"] as const;
const HOSTNAME = "kubernetes.io/hostname";
const ZONE = "topology.kubernetes.io/zone";

/** `prefix` keeps names of clusters apart. */
export function randomCluster(random: Random, prefix: string): RandomCluster {
  const nodes = Array.from({ length: 2 + random.below(7) }, (_, index) => randomNode(random, `${prefix}-n${index}`));
  const services = random
    .list(2, () => random.pick(APPS))
    .map((app, index) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `${prefix}-s${index}`, namespace: random.pick(Object.keys(NAMESPACES)) },
      spec: { selector: { app }, ports: [{ port: 80 }] },
    }));
  const pods = Array.from({ length: 8 + random.below(16) }, (_, index) =>
    randomPod(random, `${prefix}-p${index}`, nodes),
  );
  return { nodes, services, pods };
}

function randomNode(random: Random, name: string): KubeObject {
  const allocatable = {
    cpu: random.pick(["2", "4", "3500m", "16"]),
    memory: random.pick(["4Gi", "8Gi", "6000Mi", "32Gi"]),
    pods: random.pick(["4", "10", "110"]),
    ...(random.chance(0.3) ? { "ephemeral-storage": "10Gi" } : {}),
    ...(random.chance(0.3) ? { "example.com/gpu": "2" } : {}),
  };
  const taint = (): unknown => ({
    key: random.pick(["dedicated", "maintenance"]),
    value: random.pick(["x", "y"]),
    effect: random.pick(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
  });
  const taints = random.chance(0.25) ? [taint()] : [];
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        [HOSTNAME]: name,
        ...(random.chance(0.8) ? { [ZONE]: random.pick(ZONES) } : {}),
        ...(random.chance(0.5) ? { disk: random.pick(["ssd", "hdd"]) } : {}),
        ...(random.chance(0.3) ? { cores: String(random.below(5)) } : {}),
      },
    },
    spec: { ...(random.chance(0.06) ? { unschedulable: true } : {}), ...(taints.length > 0 ? { taints } : {}) },
    status: { capacity: allocatable, allocatable },
  };
}

function randomPod(random: Random, name: string, nodes: readonly KubeObject[]): KubeObject {
  const labels = {
    app: random.pick(APPS),
    ...(random.chance(0.3) ? { tier: random.pick(["front", "back"]) } : {}),
    "pod-template-hash": random.pick(["1", "2"]),
  };
  const isBound = random.chance(0.2);
  const priority = random.chance(0.2) ? random.pick(Object.keys(PRIORITIES)) : undefined;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: random.pick(Object.keys(NAMESPACES)), labels },
    spec: {
      containers: Array.from({ length: 1 + random.below(2) }, (_, index) => randomContainer(random, `c${index}`)),
      ...(random.chance(0.2) ? { initContainers: [randomContainer(random, "i0", random.chance(0.5))] } : {}),
      ...(isBound ? { nodeName: random.pick(nodes).metadata.name } : {}),
      ...(priority === undefined ? {} : { priorityClassName: priority }),
      ...(random.chance(0.3) ? { tolerations: [randomToleration(random)] } : {}),
      ...(random.chance(0.15) ? { nodeSelector: { disk: random.pick(["ssd", "hdd"]) } } : {}),
      ...(random.chance(0.5) ? { affinity: randomAffinity(random, nodes) } : {}),
      ...(random.chance(0.3) ? { topologySpreadConstraints: randomSpread(random) } : {}),
      terminationGracePeriodSeconds: 1,
    },
  };
}

function randomContainer(random: Random, name: string, isSidecar = false): Record<string, unknown> {
  const requests = {
    ...(random.chance(0.6) ? { cpu: random.pick(["50m", "100m", "250m", "500m", "1500m"]) } : {}),
    ...(random.chance(0.6) ? { memory: random.pick(["64Mi", "300Mi", "2Gi"]) } : {}),
    ...(random.chance(0.05) ? { "ephemeral-storage": "6Gi" } : {}),
  };
  const gpu = random.chance(0.06) ? { "example.com/gpu": "1" } : {};
  return {
    name,
    image: "registry.example.com/none:1",
    resources: { requests: { ...requests, ...gpu }, ...("example.com/gpu" in gpu ? { limits: gpu } : {}) },
    ...(isSidecar ? { restartPolicy: "Always" } : {}),
    ...(name === "c0" && random.chance(0.2)
      ? { ports: [{ containerPort: 80, hostPort: random.pick([8080, 9090]) }] }
      : {}),
  };
}

function randomToleration(random: Random): Record<string, unknown> {
  if (random.chance(0.2)) return { operator: "Exists" };
  const effect = random.chance(0.5) ? { effect: random.pick(["NoSchedule", "PreferNoSchedule", "NoExecute"]) } : {};
  const key = random.pick(["dedicated", "maintenance"]);
  if (random.chance(0.4)) return { key, operator: "Exists", ...effect };
  return { key, operator: "Equal", value: random.pick(["x", "y"]), ...effect };
}

function randomAffinity(random: Random, nodes: readonly KubeObject[]): Record<string, unknown> {
  return {
    ...(random.chance(0.4) ? { nodeAffinity: randomNodeAffinity(random, nodes) } : {}),
    ...(random.chance(0.35) ? { podAffinity: randomPodTerms(random, 0.3) } : {}),
    ...(random.chance(0.45) ? { podAntiAffinity: randomPodTerms(random, 0.5) } : {}),
  };
}

function randomNodeAffinity(random: Random, nodes: readonly KubeObject[]): Record<string, unknown> {
  const term = (): Record<string, unknown> =>
    random.pick([
      { matchExpressions: [{ key: "disk", operator: random.pick(["In", "NotIn"]), values: ["ssd"] }] },
      { matchExpressions: [{ key: ZONE, operator: random.pick(["Exists", "DoesNotExist"]) }] },
      { matchExpressions: [{ key: "cores", operator: random.pick(["Gt", "Lt"]), values: ["2"] }] },
      { matchFields: [{ key: "metadata.name", operator: "In", values: [random.pick(nodes).metadata.name] }] },
    ]);
  return {
    ...(random.chance(0.5)
      ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term(), ...random.list(1, term)] } }
      : {}),
    ...(random.chance(0.6)
      ? {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1 + random.below(100), preference: term() },
            ...random.list(1, () => ({ weight: 1 + random.below(100), preference: term() })),
          ],
        }
      : {}),
  };
}

function randomPodTerms(random: Random, required: number): Record<string, unknown> {
  const term = (): Record<string, unknown> => ({
    topologyKey: random.pick([HOSTNAME, ZONE]),
    labelSelector: random.pick([
      { matchLabels: { app: random.pick(APPS) } },
      { matchExpressions: [{ key: "tier", operator: random.pick(["Exists", "DoesNotExist"]) }] },
      {},
    ]),
    ...(random.chance(0.3)
      ? random.pick([
          { namespaceSelector: {} },
          { namespaces: ["blue"] },
          { namespaceSelector: { matchLabels: { team: "green" } } },
        ])
      : {}),
    ...(random.chance(0.1) ? { matchLabelKeys: ["pod-template-hash"] } : {}),
  });
  return {
    ...(random.chance(required)
      ? { requiredDuringSchedulingIgnoredDuringExecution: [term(), ...random.list(1, term)] }
      : {}),
    ...(random.chance(0.5)
      ? {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 + random.below(100), podAffinityTerm: term() }],
        }
      : {}),
  };
}

function randomSpread(random: Random): Record<string, unknown>[] {
  const keys = random.chance(0.5) ? [HOSTNAME, ZONE] : [random.pick([HOSTNAME, ZONE])];
  return keys.map((topologyKey) => {
    const whenUnsatisfiable = random.pick(["DoNotSchedule", "ScheduleAnyway"]);
    return {
      topologyKey,
      whenUnsatisfiable,
      maxSkew: 1 + random.below(2),
      labelSelector: random.chance(0.9) ? { matchLabels: { app: random.pick(APPS) } } : {},
      ...(whenUnsatisfiable === "DoNotSchedule" && random.chance(0.2) ? { minDomains: 1 + random.below(4) } : {}),
      ...(random.chance(0.2) ? { nodeAffinityPolicy: random.pick(["Honor", "Ignore"]) } : {}),
      ...(random.chance(0.2) ? { nodeTaintsPolicy: random.pick(["Honor", "Ignore"]) } : {}),
    };
  });
}
