// Table rows of the core group's kinds other than workloads.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { ageOf, shortDuration } from "./age.ts";
import { accessModesText, listOf, NONE, numberOf, part, textOf, UNSET } from "./cell-values.ts";
import { parseTime } from "./go-values.ts";

type Cells = (object: KubeObject, nowMs: number) => readonly unknown[];

function age(object: KubeObject, nowMs: number): string {
  return ageOf(object.metadata.creationTimestamp, nowMs);
}

function entries(object: KubeObject, field: string): number {
  return Object.keys(part(object, field)).length;
}

function configMapCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, entries(object, "data") + entries(object, "binaryData"), age(object, nowMs)];
}

function secretCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, textOf(object["type"]), entries(object, "data"), age(object, nowMs)];
}

function namespaceCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, textOf(part(object, "status")["phase"]), age(object, nowMs)];
}

const ROLE_PREFIX = "node-role.kubernetes.io/";

function nodeRoles(node: KubeObject): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key !== ROLE_PREFIX) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return roles.size === 0 ? NONE : [...roles].sort().join(",");
}

function nodeStatus(node: KubeObject): string {
  const ready = listOf(part(node, "status")["conditions"]).find((condition) => condition["type"] === "Ready");
  const words = [ready === undefined ? "Unknown" : ready["status"] === "True" ? "Ready" : "NotReady"];
  if (part(node, "spec")["unschedulable"] === true) words.push("SchedulingDisabled");
  return words.join(",");
}

function nodeAddress(node: KubeObject, type: string): string {
  const address = listOf(part(node, "status")["addresses"]).find((entry) => entry["type"] === type);
  return textOf(address?.["address"], NONE);
}

function nodeCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const info = part(part(object, "status"), "nodeInfo");
  const architecture = textOf(info["architecture"]);
  const kernel = textOf(info["kernelVersion"], "<unknown>");
  return [
    object.metadata.name,
    nodeStatus(object),
    nodeRoles(object),
    age(object, nowMs),
    textOf(info["kubeletVersion"]),
    nodeAddress(object, "InternalIP"),
    nodeAddress(object, "ExternalIP"),
    textOf(info["osImage"], "<unknown>"),
    architecture === "" ? kernel : `${kernel} (${architecture})`,
    textOf(info["containerRuntimeVersion"], "<unknown>"),
  ];
}

const BETA_CLASS = "volume.beta.kubernetes.io/storage-class";

function storageClassOf(object: KubeObject): string {
  return object.metadata.annotations?.[BETA_CLASS] ?? textOf(part(object, "spec")["storageClassName"]);
}

function volumeCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const claim = part(spec, "claimRef");
  const phase = object.metadata.deletionTimestamp === undefined ? textOf(status["phase"]) : "Terminating";
  return [
    object.metadata.name,
    textOf(part(spec, "capacity")["storage"]),
    accessModesText(spec["accessModes"]),
    textOf(spec["persistentVolumeReclaimPolicy"]),
    phase,
    spec["claimRef"] === undefined ? "" : `${textOf(claim["namespace"])}/${textOf(claim["name"])}`,
    storageClassOf(object),
    textOf(spec["volumeAttributesClassName"], UNSET),
    textOf(status["reason"]),
    age(object, nowMs),
    textOf(spec["volumeMode"], UNSET),
  ];
}

function claimCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const bound = textOf(spec["volumeName"]) !== "";
  const phase = object.metadata.deletionTimestamp === undefined ? textOf(status["phase"]) : "Terminating";
  return [
    object.metadata.name,
    phase,
    textOf(spec["volumeName"]),
    bound ? textOf(part(status, "capacity")["storage"], "0") : "",
    bound ? accessModesText(status["accessModes"]) : "",
    storageClassOf(object),
    textOf(spec["volumeAttributesClassName"], UNSET),
    age(object, nowMs),
    textOf(spec["volumeMode"], UNSET),
  ];
}

function serviceAccountCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, age(object, nowMs)];
}

function quotaCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const status = part(object, "status");
  const used = part(status, "used");
  const requests: string[] = [];
  const limits: string[] = [];
  for (const [name, hard] of Object.entries(part(status, "hard")).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = `${name}: ${textOf(used[name], "0")}/${hard}`;
    (name.startsWith("limits.") ? limits : requests).push(text);
  }
  return [object.metadata.name, requests.join(", "), limits.join(", "), age(object, nowMs)];
}

function sourceText(event: KubeObject): string {
  const source = part(event, event.apiVersion === "v1" ? "source" : "deprecatedSource");
  const reporting = event["reportingComponent"] ?? event["reportingController"];
  const component = textOf(source["component"], textOf(reporting));
  const host = textOf(source["host"], textOf(event["reportingInstance"]));
  return host === "" ? component : `${component}, ${host}`;
}

function sinceText(time: unknown, nowMs: number): string {
  const parsed = parseTime(time);
  return parsed === undefined ? "<unknown>" : shortDuration(nowMs - parsed);
}

function eventCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const isCore = object.apiVersion === "v1";
  const first = object[isCore ? "firstTimestamp" : "deprecatedFirstTimestamp"] ?? object["eventTime"];
  const series = object["series"] as JsonObject | undefined;
  const last = object[isCore ? "lastTimestamp" : "deprecatedLastTimestamp"];
  const involved = part(object, isCore ? "involvedObject" : "regarding");
  const firstSeen = sinceText(first, nowMs);
  const lastSeen = sinceText(series?.["lastObservedTime"] ?? last, nowMs);
  const count = numberOf(series?.["count"], numberOf(object[isCore ? "count" : "deprecatedCount"]));
  const kind = textOf(involved["kind"]).toLowerCase();
  const target = textOf(involved["name"]) === "" ? kind : `${kind}/${textOf(involved["name"])}`;
  return [
    lastSeen === "<unknown>" ? firstSeen : lastSeen,
    textOf(object["type"]),
    textOf(object["reason"]),
    target,
    textOf(involved["fieldPath"]),
    sourceText(object),
    textOf(object[isCore ? "message" : "note"]).trim(),
    firstSeen,
    count === 0 ? 1 : count,
    object.metadata.name,
  ];
}

/** Rows by the key of the kind's rules. */
export const CORE_CELLS: Readonly<Record<string, Cells>> = {
  "/v1/ConfigMap": configMapCells,
  "/v1/Secret": secretCells,
  "/v1/Namespace": namespaceCells,
  "/v1/Node": nodeCells,
  "/v1/PersistentVolume": volumeCells,
  "/v1/PersistentVolumeClaim": claimCells,
  "/v1/ServiceAccount": serviceAccountCells,
  "/v1/ResourceQuota": quotaCells,
  "/v1/Event": eventCells,
  "events.k8s.io/v1/Event": eventCells,
};
