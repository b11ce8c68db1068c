// The part of an object that two clusters must have in common.
import { isObject, type KubeObject } from "../../../kube/object.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Fields of a spec that controllers write, or that decide what they do. */
const SPEC: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["replicas", "paused"],
  ReplicaSet: ["replicas"],
  ReplicationController: ["replicas"],
  StatefulSet: ["replicas"],
  Job: ["parallelism", "completions", "suspend"],
  CronJob: ["suspend"],
  PersistentVolumeClaim: ["volumeName"],
  PersistentVolume: ["claimRef", "persistentVolumeReclaimPolicy"],
  Node: ["unschedulable", "taints"],
};
/** Top-level fields beside metadata, spec and status. */
const BESIDE: readonly string[] = ["endpoints", "ports", "addressType", "subsets", "revision"];
/** Written by clients, or the same as what is kept anyway. */
const ANNOTATIONS_LEFT_OUT: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "kwok.x-k8s.io/node",
  "node.alpha.kubernetes.io/ttl",
  "endpoints.kubernetes.io/last-change-trigger-time",
]);
/** Conditions of Pods that the control plane writes; the others are the kubelet's, and there is none here. */
const POD_CONDITIONS: ReadonlySet<string> = new Set(["PodScheduled", "DisruptionTarget"]);

/** Cuts an object down to metadata that controllers read, what they write of the spec, and the status. */
export function faceOf(object: KubeObject): Fields {
  const { labels, annotations = {}, finalizers, ownerReferences, deletionTimestamp } = object.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !ANNOTATIONS_LEFT_OUT.has(key));
  const spec = fieldsOf(object["spec"]);
  const status = statusOf(object);
  return {
    ...(labels === undefined || object.kind === "Node" ? {} : { labels }),
    ...(kept.length === 0 || object.kind === "Node" ? {} : { annotations: Object.fromEntries(kept) }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(ownerReferences === undefined ? {} : { owners: ownerReferences.map(({ kind, name }) => `${kind} ${name}`) }),
    ...(deletionTimestamp === undefined ? {} : { deleting: true }),
    ...pick(spec, SPEC[object.kind] ?? [], "spec"),
    ...Object.fromEntries(BESIDE.filter((key) => object[key] !== undefined).map((key) => [key, beside(object[key])])),
    ...(status === undefined ? {} : { status }),
  };
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function pick(from: Fields, keys: readonly string[], name: string): Fields {
  const kept = keys.filter((key) => from[key] !== undefined && from[key] !== null && !isEmpty(from[key]));
  return kept.length === 0 ? {} : { [name]: Object.fromEntries(kept.map((key) => [key, beside(from[key])])) };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** References keep their kind and name. */
function beside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(beside);
  if (!isObject(value)) return value;
  const { resourceVersion: _, uid: __, nodeName: ___, timeAdded: ____, ...rest } = value;
  return Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, beside(each)]));
}

function statusOf(object: KubeObject): Fields | undefined {
  const status = object["status"];
  if (!isObject(status)) return undefined;
  if (object.kind === "Pod") return podStatus(object, status);
  if (object.kind === "Node") {
    const conditions = conditionsOf(status).filter(({ type }) => type === "Ready");
    return { conditions: conditions.map(({ type, status: holds }) => ({ type, status: holds })) };
  }
  const conditions = status["conditions"];
  if (!Array.isArray(conditions)) return status;
  return { ...status, conditions: conditions.map(withoutProbes) };
}

function podStatus(pod: KubeObject, status: Fields): Fields {
  const node = fieldsOf(pod["spec"])["nodeName"];
  const conditions = conditionsOf(status);
  const ready = conditions.find(({ type }) => type === "Ready")?.["status"] === "True";
  const kept = conditions
    .filter(({ type }) => POD_CONDITIONS.has(String(type)))
    .map(({ type, status: holds, reason = "", message = "" }) => ({ type, status: holds, reason, message }));
  const { phase, reason, message, nominatedNodeName } = status;
  return {
    phase,
    ready,
    ...(node === undefined ? {} : { node }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    // A bound Pod's condition is written by the API server.
    conditions: kept,
  };
}

/** Conditions of a status; none where there are none. */
export function conditionsOf(status: unknown): readonly Fields[] {
  const conditions = isObject(status) ? status["conditions"] : undefined;
  return Array.isArray(conditions) ? conditions.filter(isObject) : [];
}

function withoutProbes(condition: unknown): unknown {
  if (!isObject(condition)) return condition;
  const { lastProbeTime: _, lastHeartbeatTime: __, ...rest } = condition;
  return rest;
}
