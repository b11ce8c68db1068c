// The size of workloads, whatever their kind: what the subresource `scale` says of them.
import { isObject, type KubeObject, parseApiVersion } from "../../../kube/object.ts";
import { formatLabelSelector, requirementsOf } from "../../../kube/selectors.ts";
import type { ClusterState, Resource } from "../kernel/cluster-state.ts";
import { selectorOf } from "./controller-refs.ts";

/** A workload that can be scaled, and its size. */
export interface Scale {
  readonly object: KubeObject;
  readonly wanted: number;
  readonly actual: number;
  /** As text; empty when the workload has none. */
  readonly selector: string;
}

/** Whose size is asked for. */
export interface ScaleTarget {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
}

/** Why there is no answer. */
export type NoScale =
  | { readonly why: "unknown kind"; readonly group: string }
  | { readonly why: "not scalable" | "absent"; readonly resource: string };

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
  "/Pod": "pods",
  "/Node": "nodes",
};
const DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions";
const WORKLOAD_PATHS: ScalePaths = { wanted: ["spec", "replicas"], actual: ["status", "replicas"] };

interface ScalePaths {
  readonly wanted: readonly string[];
  readonly actual: readonly string[];
  /** Of the selector as text; workloads of the server have it as an object. */
  readonly selector?: readonly string[] | undefined;
}

/** The scale of an object. */
export function scaleOf(target: ScaleTarget, namespace: string, state: ClusterState): Scale | NoScale {
  const { group, version } = parseApiVersion(target.apiVersion ?? "");
  const id = `${group}/${target.kind}`;
  const builtin = SCALABLE[id];
  if (builtin !== undefined) {
    const [name = "", of] = builtin.split("/").reverse();
    return read(state, builtin, of === undefined ? name : `${name}.${of}`, namespace, target.name, WORKLOAD_PATHS);
  }
  const known = NOT_SCALABLE[id];
  if (known !== undefined) return { why: "not scalable", resource: known };
  const custom = customKind(group, version, target.kind, state);
  if (custom === undefined) return { why: "unknown kind", group };
  const resource = `${custom.plural}.${group}`;
  if (custom.paths === undefined) return { why: "not scalable", resource };
  return read(state, `${group}/${custom.plural}`, resource, namespace, target.name, custom.paths);
}

/** Whether there is an answer. */
export function isScale(scale: Scale | NoScale): scale is Scale {
  return "object" in scale;
}

function read(
  state: ClusterState,
  key: Resource,
  resource: string,
  namespace: string,
  name: string,
  paths: ScalePaths,
): Scale | NoScale {
  const object = state.get(key, namespace, name);
  if (object === undefined) return { why: "absent", resource };
  const selector = paths.selector === undefined ? builtinSelector(object) : valueAt(object, paths.selector);
  return {
    object,
    wanted: numberAt(object, paths.wanted),
    actual: numberAt(object, paths.actual),
    selector: typeof selector === "string" ? selector : "",
  };
}

function builtinSelector(object: KubeObject): string {
  const selector = selectorOf(object);
  return selector === undefined ? "" : formatLabelSelector(requirementsOf(selector));
}

function valueAt(object: KubeObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const field of path) value = isObject(value) ? value[field] : undefined;
  return value;
}

function numberAt(object: KubeObject, path: readonly string[]): number {
  const value = valueAt(object, path);
  return typeof value === "number" ? value : 0;
}

interface Definition {
  readonly group: string;
  readonly names: { readonly kind: string; readonly plural: string };
  readonly versions: readonly {
    readonly name: string;
    readonly subresources?: {
      readonly scale?: {
        readonly specReplicasPath: string;
        readonly statusReplicasPath: string;
        readonly labelSelectorPath?: string;
      };
    };
  }[];
}

function customKind(
  group: string,
  version: string,
  kind: string,
  state: ClusterState,
): { readonly plural: string; readonly paths: ScalePaths | undefined } | undefined {
  // The server has checked what it stores.
  const specs = state.list(DEFINITIONS).map((definition) => definition["spec"] as Definition);
  const found = specs.find((spec) => spec.group === group && spec.names.kind === kind);
  if (found === undefined) return undefined;
  const scale = found.versions.find((each) => each.name === version)?.subresources?.scale;
  const paths = scale && {
    wanted: pathOf(scale.specReplicasPath),
    actual: pathOf(scale.statusReplicasPath),
    selector: pathOf(scale.labelSelectorPath ?? ""),
  };
  return { plural: found.names.plural, paths };
}

function pathOf(text: string): string[] {
  return text.split(".").filter((field) => field !== "");
}
