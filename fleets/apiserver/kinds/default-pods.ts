// Defaults of Pods that look at more than one field.
import type { Json, JsonObject } from "../../../kube/object.ts";

/** Always for an image without tag or with `latest`, else IfNotPresent. */
export function fillContainerImage(container: JsonObject): void {
  const policy = container["imagePullPolicy"];
  if (typeof policy === "string" && policy !== "") return;
  container["imagePullPolicy"] = pullsLatest(String(container["image"] ?? "")) ? "Always" : "IfNotPresent";
}

function pullsLatest(image: string): boolean {
  if (image === "" || image.includes("@")) return false;
  const name = image.slice(image.lastIndexOf("/") + 1);
  const colon = name.indexOf(":");
  return colon < 0 || name.slice(colon + 1) === "latest";
}

/** `serviceAccount` is the old name of `serviceAccountName`; the server keeps both alike. */
export function fillServiceAccountAlias(spec: JsonObject): void {
  const name = spec["serviceAccountName"] ?? spec["serviceAccount"];
  if (typeof name !== "string" || name === "") return;
  spec["serviceAccountName"] = name;
  spec["serviceAccount"] = name;
}

function containersOf(spec: JsonObject): JsonObject[] {
  const lists: Json[] = [spec["initContainers"] ?? [], spec["containers"] ?? []];
  // Decoded container lists hold objects only.
  return lists.flatMap((list) => (Array.isArray(list) ? (list as JsonObject[]) : []));
}

/** In the host's network a container port is the host's port. Pods only: templates are left as written. */
export function fillHostPorts(pod: JsonObject): void {
  const spec = pod["spec"] as JsonObject;
  spec["enableServiceLinks"] ??= true;
  if (spec["hostNetwork"] !== true) return;
  for (const container of containersOf(spec)) {
    for (const port of (container["ports"] ?? []) as JsonObject[]) port["hostPort"] ??= port["containerPort"];
  }
}

/** Requests that are not given are the limits. Pods only. */
export function fillPodRequests(pod: JsonObject): void {
  const spec = pod["spec"] as JsonObject;
  for (const owner of [spec, ...containersOf(spec)]) {
    const resources = owner["resources"] as JsonObject | undefined;
    const limits = resources?.["limits"];
    if (resources === undefined || limits === undefined) continue;
    resources["requests"] = { ...(limits as JsonObject), ...(resources["requests"] as JsonObject | undefined) };
  }
}

const NOT_READY = "node.kubernetes.io/not-ready";
const UNREACHABLE = "node.kubernetes.io/unreachable";

/** What the reference's admission adds to a new Pod: default tolerations and priority. */
export function admitPod(pod: JsonObject): void {
  const spec = pod["spec"] as JsonObject;
  const tolerations = [...((spec["tolerations"] ?? []) as JsonObject[])];
  for (const key of [NOT_READY, UNREACHABLE]) {
    if (tolerations.some((toleration) => tolerates(toleration, key))) continue;
    tolerations.push({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
  }
  spec["tolerations"] = tolerations;
  const wellKnown = WELL_KNOWN_PRIORITIES[String(spec["priorityClassName"] ?? "")];
  spec["priority"] ??= wellKnown ?? 0;
  spec["preemptionPolicy"] ??= "PreemptLowerPriority";
}

const WELL_KNOWN_PRIORITIES: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

function tolerates(toleration: JsonObject, key: string): boolean {
  const sameKey = toleration["key"] === key || (toleration["key"] ?? "") === "";
  const effect = toleration["effect"] ?? "";
  return sameKey && (effect === "" || effect === "NoExecute");
}

/** The condition of a new Pod that is not to be scheduled yet; undefined for any other. */
export function gatedCondition(pod: JsonObject): JsonObject | undefined {
  const { schedulingGates = [] } = pod["spec"] as { schedulingGates?: unknown[] };
  if (schedulingGates.length === 0) return undefined;
  return {
    type: "PodScheduled",
    status: "False",
    reason: "SchedulingGated",
    message: "Scheduling is blocked due to non-empty scheduling gates",
    lastProbeTime: null,
    lastTransitionTime: (pod["metadata"] as { creationTimestamp?: string }).creationTimestamp ?? null,
  };
}

/** The quality of service class of a Pod's resources. */
export function qosClass(pod: JsonObject): "Guaranteed" | "Burstable" | "BestEffort" {
  const spec = pod["spec"] as JsonObject;
  let anything = false;
  let guaranteed = true;
  for (const container of containersOf(spec)) {
    const resources = (container["resources"] ?? {}) as JsonObject;
    const limits = (resources["limits"] ?? {}) as JsonObject;
    const requests = (resources["requests"] ?? {}) as JsonObject;
    for (const name of ["cpu", "memory"]) {
      const limit = limits[name];
      const request = requests[name];
      if (isPositive(limit) || isPositive(request)) anything = true;
      if (!isPositive(limit) || (request ?? limit) !== limit) guaranteed = false;
    }
  }
  if (!anything) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

function isPositive(quantity: Json | undefined): boolean {
  return quantity !== undefined && quantity !== "0";
}
