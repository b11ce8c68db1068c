// Objects and acts of scripts, in few words.
import type { KubeObject } from "../../../kube/object.ts";
import type { Act, Script, ScriptRef, Step } from "./script.ts";

export function script(id: string, ...steps: Step[]): Script {
  return { id, steps };
}

/** A script that changes nodes, or something else of the whole cluster. */
export function clusterScript(id: string, ...steps: Step[]): Script {
  return { id, wholeCluster: true, steps };
}

export function step(name: string, ...acts: Act[]): Step {
  return { name, acts };
}

/** A step whose rest lasts at least so long, for what only time brings. */
export function stepFor(restMs: number, name: string, ...acts: Act[]): Step {
  return { name, acts, restMs };
}

export function create(object: KubeObject): Act {
  return { do: "create", object };
}

export function patch(object: ScriptRef, body: unknown): Act {
  return { do: "patch", object, patch: body };
}

export function remove(object: ScriptRef, propagation: "Background" | "Foreground" | "Orphan" = "Background"): Act {
  return { do: "delete", object, propagation };
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
  PodDisruptionBudget: "policy/v1",
  HorizontalPodAutoscaler: "autoscaling/v2",
  PriorityClass: "scheduling.k8s.io/v1",
  StorageClass: "storage.k8s.io/v1",
};

export function ref(kind: string, name: string): ScriptRef {
  return { apiVersion: API_VERSIONS[kind] ?? "v1", kind, name };
}

/** An object of a kind, so far without anything in it. */
function named(kind: string, name: string): KubeObject {
  return { apiVersion: ref(kind, name).apiVersion, kind, metadata: { name } };
}

/** Requests of a container. */
export type Requests = Readonly<Record<string, string>>;

export interface PodOptions {
  readonly image?: string;
  readonly requests?: Requests;
  /** Merged into the Pod's spec. */
  readonly pod?: Readonly<Record<string, unknown>>;
}

export function podSpec({ image = "web:1", requests, pod = {} }: PodOptions): Record<string, unknown> {
  return {
    ...pod,
    containers: [{ name: "main", image, ...(requests === undefined ? {} : { resources: { requests } }) }],
  };
}

export interface WorkloadOptions extends PodOptions {
  readonly replicas?: number;
  /** Merged into the workload's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

function workload(kind: string, name: string, options: WorkloadOptions): KubeObject {
  const { replicas, spec = {} } = options;
  return {
    ...named(kind, name),
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(options) },
      ...spec,
    },
  };
}

export function deployment(name: string, options: WorkloadOptions = {}): KubeObject {
  return workload("Deployment", name, { replicas: 3, ...options });
}

export function replicaSet(name: string, options: WorkloadOptions = {}): KubeObject {
  return workload("ReplicaSet", name, { replicas: 3, ...options });
}

export function statefulSet(name: string, options: WorkloadOptions = {}): KubeObject {
  return workload("StatefulSet", name, { replicas: 3, ...options, spec: { serviceName: name, ...options.spec } });
}

export function daemonSet(name: string, options: WorkloadOptions = {}): KubeObject {
  return workload("DaemonSet", name, options);
}

export function pod(name: string, options: PodOptions = {}): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } }, spec: podSpec(options) };
}

/** A Job whose Pods do not restart their containers. */
export function job(name: string, options: WorkloadOptions = {}): KubeObject {
  return { ...named("Job", name), spec: jobSpec(options) };
}

export function jobSpec({
  spec = {},
  image = "job:1",
  pod: more = {},
  ...options
}: WorkloadOptions): Record<string, unknown> {
  return {
    ...spec,
    template: { spec: podSpec({ image, ...options, pod: { restartPolicy: "Never", ...more } }) },
  };
}

export function cronJob(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  options: WorkloadOptions = {},
): KubeObject {
  return { ...named("CronJob", name), spec: { ...spec, jobTemplate: { spec: jobSpec(options) } } };
}

export function service(name: string, spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  return {
    ...named("Service", name),
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }], ...spec },
  };
}

export function budget(name: string, app: string, spec: Readonly<Record<string, unknown>>): KubeObject {
  return {
    ...named("PodDisruptionBudget", name),
    spec: { selector: { matchLabels: { app } }, ...spec },
  };
}

/** Changes the image of a workload's container. */
export function setImage(kind: string, name: string, image: string): Act {
  const patchOf = { spec: { template: { spec: { containers: [{ name: "main", image }] } } } };
  return { do: "patch", object: ref(kind, name), patch: patchOf, type: "strategic" };
}

export function scale(kind: string, name: string, replicas: number): Act {
  return { do: "patch", object: ref(kind, name), patch: { spec: { replicas } }, subresource: "scale" };
}

/** What `kubectl rollout restart` does. */
export function restart(kind: string, name: string): Act {
  const annotations = { "kubectl.kubernetes.io/restartedAt": "noon" };
  return patch(ref(kind, name), { spec: { template: { metadata: { annotations } } } });
}
