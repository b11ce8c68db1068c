// Objects of every built-in kind that is propagated, with the statuses that controllers of a member write when all is well,
// while it is under way, and when it is stuck.
import type { KubeObject } from "../../../kube/object.ts";
import type { ArgoHealth } from "../../health/argocd.ts";
import type { Kstatus } from "../../health/kstatus.ts";

type Fields = Record<string, unknown>;
type StatusOf = (copy: KubeObject) => Fields;

export interface HealthCase {
  readonly object: KubeObject;
  readonly well: StatusOf;
  /** What is said of the object while one cluster is under way; nothing for kinds without such a state. */
  readonly underway?: { readonly status: StatusOf; readonly argo: ArgoHealth; readonly flux: Kstatus };
  readonly stuck?: { readonly status: StatusOf; readonly argo: ArgoHealth; readonly flux: Kstatus };
  /** Kinds that have no controller of a status. */
  readonly isSilent?: boolean;
}

const TIME = "2026-01-01T00:00:00Z";
const LATER = "2026-01-01T00:01:00Z";

function object(apiVersion: string, kind: string, namespace: string, content: Fields): KubeObject {
  const scope = CLUSTER_SCOPED.has(kind) ? {} : { namespace };
  const name = kind === "CustomResourceDefinition" ? `gadgets.${namespace}.example.org` : `web-${kind.toLowerCase()}`;
  return {
    apiVersion,
    kind,
    metadata: {
      name: CLUSTER_SCOPED.has(kind) && kind !== "CustomResourceDefinition" ? `${name}-${namespace}` : name,
      ...scope,
    },
    ...content,
  };
}

const CLUSTER_SCOPED = new Set(["PersistentVolume", "CustomResourceDefinition", "ClusterRole", "PriorityClass"]);

const POD = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "registry.example/web:1" }] },
};
const SELECTED = { selector: { matchLabels: { app: "web" } }, template: POD };

function condition(type: string, status: string, reason: string): Fields {
  return { type, status, reason, message: `${type} is ${status}`, lastTransitionTime: TIME };
}

function jobCondition(type: string, reason: string): Fields {
  return { ...condition(type, "True", reason), lastProbeTime: TIME };
}

function observed(copy: KubeObject): Fields {
  return { observedGeneration: copy.metadata.generation };
}

const sets = (ready: number): Fields => ({
  replicas: 2,
  fullyLabeledReplicas: 2,
  readyReplicas: ready,
  availableReplicas: ready,
});

function deployment(ready: number, progressing: Fields): StatusOf {
  return (copy) => ({
    ...observed(copy),
    replicas: 2,
    updatedReplicas: 2,
    ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
    conditions: [{ ...progressing, lastUpdateTime: TIME }],
  });
}

function statefulSet(ready: number, isUpdated: boolean): StatusOf {
  return (copy) => ({
    ...observed(copy),
    replicas: 2,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: isUpdated ? 2 : 1,
    updatedReplicas: isUpdated ? 2 : 1,
    currentRevision: isUpdated ? "web-2" : "web-1",
    updateRevision: "web-2",
  });
}

function daemonSet(ready: number): StatusOf {
  return (copy) => ({
    ...observed(copy),
    currentNumberScheduled: 3,
    desiredNumberScheduled: 3,
    numberMisscheduled: 0,
    numberReady: ready,
    updatedNumberScheduled: 3,
    numberAvailable: ready,
    numberUnavailable: 3 - ready,
  });
}

function pod(ready: boolean, state: Fields): StatusOf {
  return () => ({
    phase: "Running",
    conditions: [{ type: "Ready", status: ready ? "True" : "False", lastProbeTime: null, lastTransitionTime: TIME }],
    containerStatuses: [
      { name: "web", image: "i", imageID: "i", lastState: {}, ready, restartCount: ready ? 0 : 3, state },
    ],
  });
}

function budget(allowed: Fields): StatusOf {
  return (copy) => ({
    ...observed(copy),
    currentHealthy: 2,
    desiredHealthy: 1,
    disruptionsAllowed: 1,
    expectedPods: 2,
    conditions: [{ ...allowed, observedGeneration: copy.metadata.generation }],
  });
}

function autoscaler(...conditions: readonly Fields[]): StatusOf {
  return (copy) => ({
    ...observed(copy),
    currentReplicas: 2,
    desiredReplicas: 2,
    currentMetrics: null,
    conditions: [...conditions],
  });
}

const SCALING = [
  condition("AbleToScale", "True", "ReadyForNewScale"),
  condition("ScalingActive", "True", "ValidMetricFound"),
  condition("ScalingLimited", "False", "DesiredWithinRange"),
];
const address = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
const none = (): Fields => ({});

/** One object of each kind, in a namespace of its own. */
export function healthCases(namespace: string): Readonly<Record<string, HealthCase>> {
  const make = (apiVersion: string, kind: string, content: Fields): KubeObject =>
    object(apiVersion, kind, namespace, content);
  const progressing = { argo: "Progressing", flux: "InProgress" } as const;
  const silent = (made: KubeObject): HealthCase => ({ object: made, well: none, isSilent: true });
  return {
    Deployment: {
      object: make("apps/v1", "Deployment", { spec: { replicas: 2, ...SELECTED } }),
      well: deployment(2, condition("Progressing", "True", "NewReplicaSetAvailable")),
      underway: { status: deployment(0, condition("Progressing", "True", "ReplicaSetUpdated")), ...progressing },
      stuck: {
        status: deployment(1, condition("Progressing", "False", "ProgressDeadlineExceeded")),
        argo: "Degraded",
        flux: "Failed",
      },
    },
    StatefulSet: {
      object: make("apps/v1", "StatefulSet", { spec: { replicas: 2, serviceName: "web", ...SELECTED } }),
      well: statefulSet(2, true),
      underway: { status: statefulSet(1, false), ...progressing },
    },
    DaemonSet: {
      object: make("apps/v1", "DaemonSet", { spec: SELECTED }),
      well: daemonSet(3),
      underway: { status: daemonSet(1), ...progressing },
    },
    ReplicaSet: {
      object: make("apps/v1", "ReplicaSet", { spec: { replicas: 2, ...SELECTED } }),
      well: (copy) => ({ ...observed(copy), ...sets(2) }),
      underway: { status: (copy) => ({ ...observed(copy), ...sets(1) }), ...progressing },
      stuck: {
        status: (copy) => ({
          ...observed(copy),
          replicas: 0,
          conditions: [condition("ReplicaFailure", "True", "FailedCreate")],
        }),
        argo: "Degraded",
        flux: "InProgress",
      },
    },
    ReplicationController: {
      object: make("v1", "ReplicationController", { spec: { replicas: 2, selector: { app: "web" }, template: POD } }),
      well: (copy) => ({ ...observed(copy), ...sets(2) }),
    },
    Job: {
      object: make("batch/v1", "Job", { spec: { template: { spec: { ...POD.spec, restartPolicy: "Never" } } } }),
      well: () => ({
        startTime: TIME,
        completionTime: LATER,
        succeeded: 1,
        conditions: [
          jobCondition("SuccessCriteriaMet", "CompletionsReached"),
          jobCondition("Complete", "CompletionsReached"),
        ],
      }),
      underway: { status: () => ({ startTime: TIME, active: 1 }), argo: "Progressing", flux: "Current" },
    },
    CronJob: {
      object: make("batch/v1", "CronJob", {
        spec: {
          schedule: "0 * * * *",
          jobTemplate: { spec: { template: { spec: { ...POD.spec, restartPolicy: "Never" } } } },
        },
      }),
      well: () => ({ lastScheduleTime: TIME, lastSuccessfulTime: LATER }),
      stuck: {
        status: () => ({ lastScheduleTime: LATER, lastSuccessfulTime: TIME }),
        argo: "Degraded",
        flux: "Current",
      },
    },
    Pod: {
      object: make("v1", "Pod", { spec: POD.spec }),
      well: pod(true, { running: { startedAt: TIME } }),
      underway: { status: pod(false, { running: { startedAt: TIME } }), ...progressing },
      stuck: { status: pod(false, { waiting: { reason: "CrashLoopBackOff" } }), argo: "Degraded", flux: "Failed" },
    },
    Service: silent(make("v1", "Service", { spec: { ports: [{ port: 80 }] } })),
    "LoadBalancer Service": {
      object: {
        ...make("v1", "Service", { spec: { type: "LoadBalancer", ports: [{ port: 80 }] } }),
        metadata: { name: "web-lb", namespace },
      },
      well: () => address,
    },
    Ingress: {
      object: make("networking.k8s.io/v1", "Ingress", {
        spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
      }),
      well: () => address,
    },
    PersistentVolumeClaim: {
      object: make("v1", "PersistentVolumeClaim", {
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      }),
      well: () => ({ phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } }),
      underway: { status: () => ({ phase: "Pending" }), ...progressing },
      stuck: { status: () => ({ phase: "Lost" }), argo: "Degraded", flux: "InProgress" },
    },
    PersistentVolume: {
      object: make("v1", "PersistentVolume", {
        spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } },
      }),
      well: () => ({ phase: "Available" }),
    },
    PodDisruptionBudget: {
      object: make("policy/v1", "PodDisruptionBudget", {
        spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
      }),
      well: budget(condition("DisruptionAllowed", "True", "SufficientPods")),
      stuck: {
        status: budget(condition("DisruptionAllowed", "False", "SyncFailed")),
        argo: "Degraded",
        flux: "Current",
      },
    },
    HorizontalPodAutoscaler: {
      object: make("autoscaling/v2", "HorizontalPodAutoscaler", {
        spec: {
          minReplicas: 1,
          maxReplicas: 5,
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web-deployment" },
          metrics: [
            { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
          ],
        },
      }),
      well: autoscaler(...SCALING),
      stuck: {
        status: autoscaler(
          condition("AbleToScale", "True", "SucceededGetScale"),
          condition("ScalingActive", "False", "FailedGetResourceMetric"),
        ),
        argo: "Degraded",
        flux: "Current",
      },
    },
    ConfigMap: silent(make("v1", "ConfigMap", { data: { a: "b" } })),
    Secret: silent(make("v1", "Secret", { stringData: { a: "b" } })),
    ServiceAccount: silent(make("v1", "ServiceAccount", {})),
    Role: silent(make("rbac.authorization.k8s.io/v1", "Role", { rules: [] })),
    RoleBinding: silent(
      make("rbac.authorization.k8s.io/v1", "RoleBinding", {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "web-role" },
        subjects: [{ kind: "ServiceAccount", name: "web-serviceaccount", namespace }],
      }),
    ),
    ClusterRole: silent(make("rbac.authorization.k8s.io/v1", "ClusterRole", { rules: [] })),
    NetworkPolicy: silent(make("networking.k8s.io/v1", "NetworkPolicy", { spec: { podSelector: {} } })),
    CustomResourceDefinition: silent(
      make("apiextensions.k8s.io/v1", "CustomResourceDefinition", {
        spec: {
          group: `${namespace}.example.org`,
          scope: "Namespaced",
          names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
          versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
        },
      }),
    ),
  };
}
