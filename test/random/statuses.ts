// Random objects of Kubernetes' kinds as members report them: with statuses as controllers write them, and odd ones.
import type { AggregatedStatusItem } from "../../api/work.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import { randomPodSpec } from "./templates.ts";

type Json = Record<string, unknown>;

const COUNTS = [0, 0, 1, 1, 2, 3, 5] as const;
const TIMES = ["2025-03-04T05:00:00Z", "2025-03-04T04:00:00Z", "2025-03-04T05:30:00Z", "2025-02-01T00:00:00Z"] as const;
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "2001:db8::1", ""] as const;
const HOSTS = ["a.example.net", "b.example.net", ""] as const;

function counters(dice: Dice, ...names: readonly string[]): Json {
  return Object.fromEntries(names.filter(() => dice.chance(0.8)).map((name) => [name, dice.pick(COUNTS)]));
}

function maybe(dice: Dice, probability: number, fields: Json): Json {
  return dice.chance(probability) ? fields : {};
}

function condition(dice: Dice, types: readonly string[]): Json {
  return {
    type: dice.pick(types),
    status: dice.pick(["True", "True", "False", "Unknown"]),
    ...maybe(dice, 0.6, { reason: dice.pick(["Because", "ProgressDeadlineExceeded"]), message: "m" }),
    lastTransitionTime: dice.pick([...TIMES, null]),
  };
}

/** `extra`: a time that the kind's conditions carry as well. */
function conditions(dice: Dice, types: readonly string[], extra?: string): Json {
  return maybe(dice, 0.6, {
    conditions: Array.from({ length: dice.between(1, 3) }, () => ({
      ...condition(dice, types),
      ...(extra === undefined ? {} : { [extra]: dice.pick([...TIMES, null]) }),
    })),
  });
}

function loadBalancer(dice: Dice, hasModes = true): Json {
  const port = (): Json => ({
    port: dice.pick([80, 443]),
    protocol: dice.pick(["TCP", "UDP"]),
    ...maybe(dice, 0.3, { error: dice.pick(["e", ""]) }),
  });
  const entry = (): Json => ({
    ...maybe(dice, 0.6, { ip: dice.pick(ADDRESSES) }),
    ...maybe(dice, 0.4, { hostname: dice.pick(HOSTS) }),
    ...maybe(dice, hasModes ? 0.3 : 0, { ipMode: dice.pick(["VIP", "Proxy"]) }),
    ...maybe(dice, 0.4, { ports: Array.from({ length: dice.between(0, 3) }, port) }),
  });
  return maybe(dice, 0.9, {
    loadBalancer: maybe(dice, 0.8, { ingress: Array.from({ length: dice.between(1, 4) }, entry) }),
  });
}

function containerStatuses(dice: Dice): Json[] {
  return Array.from({ length: dice.between(0, 3) }, (_, i) => ({
    name: `c${i}`,
    image: "nginx:1",
    imageID: "id",
    restartCount: dice.pick(COUNTS),
    ready: dice.chance(0.6),
    lastState: {},
    ...maybe(dice, 0.3, { started: true }),
    ...{
      state: dice.pick<Json>([
        {},
        { running: { startedAt: dice.pick(TIMES) } },
        { running: { startedAt: null } },
        { waiting: { reason: "CrashLoopBackOff", message: "m" } },
        { waiting: {} },
        { terminated: { exitCode: 1, reason: "Error", startedAt: dice.pick(TIMES), finishedAt: dice.pick(TIMES) } },
        { terminated: { exitCode: 0, startedAt: null, finishedAt: null } },
      ]),
    },
  }));
}

interface StatusKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: (dice: Dice) => Json;
  readonly status: (dice: Dice) => Json;
}

const JOB_CONDITIONS = ["Complete", "Failed", "SuccessCriteriaMet", "FailureTarget", "Suspended"];

const KINDS: readonly StatusKind[] = [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    spec: (dice) => maybe(dice, 0.8, { replicas: dice.pick(COUNTS) }),
    status: (dice) => ({
      ...counters(
        dice,
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "terminatingReplicas",
        "collisionCount",
      ),
      ...maybe(dice, 0.8, { observedGeneration: dice.pick([1, 2, 3]) }),
      ...conditions(dice, ["Available", "Progressing", "ReplicaFailure"], "lastUpdateTime"),
    }),
  },
  {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    spec: (dice) => maybe(dice, 0.8, { replicas: dice.pick(COUNTS) }),
    status: (dice) => ({
      ...counters(dice, "replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"),
      ...maybe(dice, 0.8, { observedGeneration: dice.pick([1, 2, 3]) }),
      ...conditions(dice, ["ReplicaFailure"]),
    }),
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    spec: (dice) => maybe(dice, 0.8, { replicas: dice.pick(COUNTS) }),
    status: (dice) => ({
      ...counters(
        dice,
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "collisionCount",
      ),
      ...maybe(dice, 0.8, { observedGeneration: dice.pick([1, 2, 3]) }),
      ...maybe(dice, 0.5, { currentRevision: "db-1", updateRevision: dice.pick(["db-1", "db-2"]) }),
    }),
  },
  {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    status: (dice) => ({
      ...counters(
        dice,
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
      ),
      ...maybe(dice, 0.8, { observedGeneration: dice.pick([1, 2, 3]) }),
      ...conditions(dice, ["Odd"]),
    }),
  },
  {
    apiVersion: "batch/v1",
    kind: "Job",
    spec: (dice) => ({
      ...maybe(dice, 0.6, { parallelism: dice.pick(COUNTS) }),
      ...maybe(dice, 0.5, { completions: dice.pick(COUNTS) }),
      ...maybe(dice, 0.4, { selector: { matchLabels: { "controller-uid": "u" } } }),
      ...maybe(dice, 0.2, { manualSelector: dice.chance(0.5) }),
    }),
    status: (dice) => ({
      ...counters(dice, "active", "succeeded", "failed", "ready", "terminating"),
      ...conditions(dice, JOB_CONDITIONS, "lastProbeTime"),
      ...maybe(dice, 0.6, { startTime: dice.pick(TIMES) }),
      ...maybe(dice, 0.5, { completionTime: dice.pick(TIMES) }),
      ...maybe(dice, 0.2, { completedIndexes: "0,2" }),
    }),
  },
  {
    apiVersion: "batch/v1",
    kind: "CronJob",
    status: (dice) => ({
      ...maybe(dice, 0.6, {
        active: Array.from({ length: dice.between(0, 2) }, (_, i) => ({
          apiVersion: "batch/v1",
          kind: "Job",
          name: `j${i}`,
          ...maybe(dice, 0.3, { uid: "u", resourceVersion: "1" }),
        })),
      }),
      ...maybe(dice, 0.6, { lastScheduleTime: dice.pick(TIMES) }),
      ...maybe(dice, 0.6, { lastSuccessfulTime: dice.pick(TIMES) }),
    }),
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    status: (dice) => ({
      ...maybe(dice, 0.9, { phase: dice.pick(["Pending", "Running", "Succeeded", "Failed", "Unknown", ""]) }),
      ...conditions(dice, ["Ready", "PodScheduled"], "lastProbeTime"),
      ...maybe(dice, 0.6, { containerStatuses: containerStatuses(dice) }),
      ...maybe(dice, 0.3, { initContainerStatuses: containerStatuses(dice) }),
      ...maybe(dice, 0.3, { podIP: "10.1.1.1", startTime: dice.pick(TIMES) }),
    }),
  },
  {
    apiVersion: "v1",
    kind: "Service",
    spec: (dice) => ({
      ...maybe(dice, 0.9, { type: dice.pick(["LoadBalancer", "LoadBalancer", "ClusterIP", "NodePort"]) }),
      ...maybe(dice, 0.5, { clusterIP: dice.pick(["10.0.0.1", "None", ""]), clusterIPs: ["10.0.0.1"] }),
      ...maybe(dice, 0.3, { healthCheckNodePort: 30_000 }),
      ports: [{ port: 80, targetPort: dice.pick([8080, "http"]) }],
    }),
    status: (dice) => ({ ...loadBalancer(dice), ...conditions(dice, ["Odd"]) }),
  },
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress", status: (dice) => loadBalancer(dice, false) },
  {
    apiVersion: "v1",
    kind: "PersistentVolume",
    spec: (dice) => ({
      ...maybe(dice, 0.5, { capacity: { storage: dice.pick(["1Gi", "1e9"]) } }),
      ...maybe(dice, 0.5, { claimRef: dice.pick([{ name: "c" }, {}]) }),
    }),
    status: (dice) => ({
      ...maybe(dice, 0.9, { phase: dice.pick(["Pending", "Available", "Bound", "Released", "Failed", ""]) }),
      ...maybe(dice, 0.2, { reason: "r", lastPhaseTransitionTime: dice.pick(TIMES) }),
    }),
  },
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    spec: (dice) => maybe(dice, 0.5, { volumeName: dice.pick(["pv", ""]) }),
    status: (dice) => ({
      ...maybe(dice, 0.9, { phase: dice.pick(["Pending", "Bound", "Bound", "Lost", ""]) }),
      ...maybe(dice, 0.3, { capacity: { storage: dice.pick(["1Gi", "1e9", 5]) } }),
    }),
  },
  {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    spec: (dice) => maybe(dice, 0.5, { minAvailable: dice.pick([1, "50%"]) }),
    status: (dice) => ({
      ...counters(dice, "currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"),
      ...maybe(dice, 0.4, { disruptedPods: dice.pick([{}, { "web-1": TIMES[0] }, { "web-2": null }]) }),
      ...conditions(dice, ["DisruptionAllowed"]),
    }),
  },
  {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    spec: (dice) => ({
      ...maybe(dice, 0.5, { minReplicas: 1 }),
      maxReplicas: 5,
      scaleTargetRef: { kind: "Deployment", name: "w" },
    }),
    status: (dice) => ({
      ...counters(dice, "currentReplicas", "desiredReplicas"),
      ...maybe(dice, 0.5, { observedGeneration: 2 }),
      ...conditions(dice, ["AbleToScale", "ScalingActive"]),
      ...maybe(dice, 0.4, { currentMetrics: dice.pick([null, [{ type: "Resource" }]]) }),
      ...maybe(dice, 0.3, { lastScaleTime: dice.pick(TIMES) }),
    }),
  },
  {
    apiVersion: "v1",
    kind: "ServiceAccount",
    status: () => ({}),
  },
  { apiVersion: "v1", kind: "Secret", status: () => ({}) },
  { apiVersion: "example.io/v1", kind: "Widget", status: (dice) => ({ state: "ok", ...conditions(dice, ["Ready"]) }) },
];

const ODD: readonly unknown[] = [null, "3", 3, 0, -1, 1.5, true, "", "x", [], {}, [1], { a: 1 }, 3_000_000_000, 1e16];

/** A copy with one value, at a random place, that its author did not mean. */
export function withOddity(dice: Dice, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && dice.chance(0.8)) {
    const at = dice.between(0, value.length - 1);
    return value.with(at, withOddity(dice, value[at]));
  }
  if (isObject(value) && Object.keys(value).length > 0 && dice.chance(0.8)) {
    const key = dice.pick(Object.keys(value));
    return { ...value, [key]: withOddity(dice, value[key]) };
  }
  return structuredClone(dice.pick(ODD));
}

function metadata(dice: Dice): KubeObject["metadata"] {
  const generation = dice.pick([
    "1",
    "2",
    "3",
    "3",
    "-1",
    "+2",
    "0",
    "",
    "x",
    "1.5",
    " 1",
    "9223372036854775808",
    "0x1",
  ]);
  return {
    name: "web",
    namespace: "shop",
    ...maybe(dice, 0.9, { generation: dice.pick([1, 2, 3]) }),
    ...maybe(dice, 0.3, { labels: { app: "web", ...maybe(dice, 0.5, RETAINS) } }),
    ...maybe(dice, 0.85, {
      annotations: dice.chance(0.9) ? { "resourcetemplate.karmada.io/generation": generation } : { other: "x" },
    }),
  };
}

const RETAINS = { "resourcetemplate.karmada.io/retain-replicas": "true" };

function contentOf(dice: Dice, kind: string): Json {
  const names = (): Json[] => dice.some(["a", "b", "web-token-1"], 0.6).map((name) => ({ name }));
  if (kind === "ServiceAccount") {
    return { ...maybe(dice, 0.7, { secrets: names() }), ...maybe(dice, 0.7, { imagePullSecrets: names() }) };
  }
  if (kind === "Secret") {
    return {
      ...maybe(dice, 0.8, { type: dice.pick(["kubernetes.io/service-account-token", "Opaque"]) }),
      ...maybe(dice, 0.8, { data: dice.pick([{}, { token: "dA==" }]) }),
    };
  }
  return {};
}

/** An object of one of the kinds with rules, or of `kind`, as a member has it. */
export function randomObserved(dice: Dice, kind?: string): KubeObject {
  const chosen = KINDS.find((one) => one.kind === kind) ?? dice.pick(KINDS);
  const spec = { ...chosen.spec?.(dice), ...podsOf(dice, chosen.kind) };
  return {
    apiVersion: chosen.apiVersion,
    kind: chosen.kind,
    metadata: metadata(dice),
    ...(Object.keys(spec).length > 0 ? { spec } : {}),
    ...contentOf(dice, chosen.kind),
    ...maybe(dice, 0.9, { status: dice.chance(0.05) ? {} : chosen.status(dice) }),
  };
}

function podsOf(dice: Dice, kind: string): Json {
  if (kind === "Pod") return randomPodSpec(dice);
  if (!dice.chance(0.3)) return {};
  if (kind === "CronJob") return { jobTemplate: { spec: { template: { spec: randomPodSpec(dice) } } } };
  if (!["Deployment", "StatefulSet", "ReplicaSet", "DaemonSet", "Job"].includes(kind)) return {};
  const labels = dice.pick([{}, { app: "web" }, { "controller-uid": "u", "job-name": "web" }]);
  return { template: { metadata: { labels }, spec: randomPodSpec(dice) } };
}

/** A status as it is collected: generations of workloads come along. */
function reported(dice: Dice, kind: StatusKind): Json {
  const isCounted = kind.apiVersion === "apps/v1";
  return { ...kind.status(dice), ...(isCounted ? counters(dice, "generation", "resourceTemplateGeneration") : {}) };
}

/** What members report of an object of `kind`. */
export function randomItems(dice: Dice, kind: string): AggregatedStatusItem[] {
  const chosen = KINDS.find((one) => one.kind === kind) ?? dice.pick(KINDS);
  return Array.from({ length: dice.between(0, dice.chance(0.1) ? 8 : 3) }, (_, i) => ({
    clusterName: `member${i}`,
    ...maybe(dice, 0.9, { status: dice.chance(0.05) ? {} : reported(dice, chosen) }),
    applied: dice.chance(0.9),
    health: dice.pick(["Healthy", "Unhealthy", "Unknown"]),
  }));
}
