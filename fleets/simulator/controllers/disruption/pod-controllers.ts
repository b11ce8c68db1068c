// Who controls Pods, and how many of them it wants.
import type { KubeObject, OwnerReference } from "../../../../kube/object.ts";
import { isObject, parseApiVersion } from "../../../../kube/object.ts";
import type { ClusterState, Resource } from "../../kernel/cluster-state.ts";
import { controllerOf } from "../../kernel/controller.ts";

/** What the controllers of some Pods want. */
export interface PodControllers {
  /** Pods that all controllers want together. */
  readonly scale: number;
  /** Pods that nobody controls. */
  readonly unmanaged: readonly string[];
}

/** Kinds of the server that can be scaled. */
const SCALABLE: Readonly<Record<string, Resource>> = {
  "/ReplicationController": "replicationcontrollers",
  "apps/ReplicaSet": "apps/replicasets",
  "apps/StatefulSet": "apps/statefulsets",
  "apps/Deployment": "apps/deployments",
};
const NOT_SCALABLE: Readonly<Record<string, string>> = {
  "apps/DaemonSet": "daemonsets.apps",
  "batch/Job": "jobs.batch",
  "batch/CronJob": "cronjobs.batch",
  "/Node": "nodes",
};
const DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions";

/** Finds the controllers of the Pods; answers why that is not possible. */
export function podControllersOf(pods: readonly KubeObject[], state: ClusterState): PodControllers | string {
  const scales = new Map<string, number>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged.push(pod.metadata.name ?? "");
      continue;
    }
    if (scales.has(owner.uid)) continue;
    const namespace = pod.metadata.namespace ?? "";
    const found = deploymentOf(owner, namespace, state) ?? scaleOf(owner, namespace, state);
    if (typeof found === "string") return found;
    if (found === undefined) return `found no controllers for pod "${pod.metadata.name}"`;
    scales.set(found.uid, found.scale);
  }
  return { scale: [...scales.values()].reduce((sum, scale) => sum + scale, 0), unmanaged };
}

interface Scale {
  readonly uid: string;
  readonly scale: number;
}

/** The Deployment of a ReplicaSet stands for it. */
function deploymentOf(owner: OwnerReference, namespace: string, state: ClusterState): Scale | undefined {
  if (owner.kind !== "ReplicaSet" || parseApiVersion(owner.apiVersion).group !== "apps") return undefined;
  const set = state.get("apps/replicasets", namespace, owner.name);
  const above = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined;
  if (above === undefined) return undefined;
  const found = scaleOf(above, namespace, state);
  return typeof found === "string" ? undefined : found;
}

function scaleOf(owner: OwnerReference, namespace: string, state: ClusterState): Scale | string | undefined {
  const { group, version } = parseApiVersion(owner.apiVersion);
  const kind = `${group}/${owner.kind}`;
  const builtin = SCALABLE[kind];
  if (builtin !== undefined) return read(state.get(builtin, namespace, owner.name), owner, ["spec", "replicas"]);
  const name = NOT_SCALABLE[kind];
  if (name !== undefined) return `${name} does not implement the scale subresource`;
  const custom = customScale(group, version, owner.kind, state);
  if (custom === undefined) return `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`;
  if (custom.path === undefined) return `${custom.resource} does not implement the scale subresource`;
  return read(state.get(`${group}/${custom.plural}`, namespace, owner.name), owner, custom.path);
}

function read(object: KubeObject | undefined, owner: OwnerReference, path: readonly string[]): Scale | undefined {
  if (object?.metadata.uid !== owner.uid) return undefined;
  let value: unknown = object;
  for (const field of path) value = isObject(value) ? value[field] : undefined;
  // Kinds of the server have a default of one; a custom resource without a number counts as none.
  return { uid: owner.uid, scale: typeof value === "number" ? value : 0 };
}

interface Definition {
  readonly group: string;
  readonly names: { readonly kind: string; readonly plural: string };
  readonly versions: readonly {
    readonly name: string;
    readonly subresources?: { readonly scale?: { readonly specReplicasPath: string } };
  }[];
}

function customScale(group: string, version: string, kind: string, state: ClusterState) {
  // The server has checked what it stores.
  const specs = state.list(DEFINITIONS).map((definition) => definition["spec"] as Definition);
  const found = specs.find((spec) => spec.group === group && spec.names.kind === kind);
  if (found === undefined) return undefined;
  const { plural } = found.names;
  const scale = found.versions.find((each) => each.name === version)?.subresources?.scale;
  const path = scale?.specReplicasPath.split(".").filter((field) => field !== "");
  return { plural, resource: `${plural}.${group}`, path };
}
