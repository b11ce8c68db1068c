// Refuses what would exceed a ResourceQuota.
import type { KubeObject } from "../../../../kube/object.ts";
import { compareQuantities } from "../../../../kube/quantity.ts";
import type { AdmissionPlugin, AdmissionRequest, AdmissionVerdict } from "../../../apiserver/registry/admission.ts";
import { podOf } from "../pod-object.ts";
import { type Amounts, addAmounts, excessAmounts, pickAmounts, readAmounts, showAmounts } from "./amounts.ts";
import { containersOf, hasPodResources } from "./pod-amounts.ts";
import { type NamespaceReader, usedOf } from "./quota-ledger.ts";
import { isInScopes, type ResourceQuota } from "./quota-scopes.ts";
import { computeUsage, concerns, usageOf } from "./quota-usage.ts";

/** Kinds whose use may change while they exist. */
const CHANGING = new Set(["services", "persistentvolumeclaims"]);
/** Nobody stores or counts them. */
const IGNORED = new Set(["events", "events.k8s.io/events", "bindings"]);
/** As Kubernetes: a quota for one of these asks every container to say what it needs of it. */
const REQUIRED = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);

/**
 * The plugin of one cluster. It counts what is there at the time of a write: the status of a quota only says which limits
 * are in force, so that two writes of the same moment do not both get the last place.
 */
export function quotaAdmission(reader: () => NamespaceReader, now: () => number): AdmissionPlugin {
  return {
    handles: (kind, operation) =>
      kind.namespaced &&
      !IGNORED.has(kind.storageKey) &&
      (operation === "CREATE" ||
        (operation === "UPDATE" && (CHANGING.has(kind.storageKey) || kind.storageKey === "pods"))),
    validate: (request) => judge(request, reader(), now()),
  };
}

function judge(request: AdmissionRequest, reader: NamespaceReader, nowMs: number): AdmissionVerdict {
  const { operation, object, oldObject, subresource, namespace = "", target } = request;
  const resource = target.storageKey;
  if (subresource !== undefined && !(resource === "pods" && subresource === "resize")) return [];
  const before = operation === "UPDATE" ? oldObject : undefined;
  if (resource === "pods" && before !== undefined && subresource === undefined && !changesScope(before, object))
    return [];
  for (const listed of reader.list("resourcequotas", namespace)) {
    const message = whyRefused(listed, resource, object, before, reader, nowMs);
    if (message !== undefined) return { code: 403, message };
  }
  return [];
}

function changesScope(before: KubeObject, after: KubeObject): boolean {
  const hasDeadline = (pod: KubeObject): boolean => podOf(pod).spec.activeDeadlineSeconds !== undefined;
  return hasDeadline(before) !== hasDeadline(after);
}

function whyRefused(
  quota: ResourceQuota,
  resource: string,
  object: KubeObject,
  before: KubeObject | undefined,
  reader: NamespaceReader,
  nowMs: number,
): string | undefined {
  const { name = "" } = quota.metadata;
  const hard = readAmounts(quota.status?.hard);
  const names = [...hard.keys()].filter((each) => concerns(each, resource));
  if (names.length === 0 || !isInScopes(quota, resource, object)) return undefined;
  const missing = resource === "pods" ? missingRequests(object, names) : undefined;
  if (missing !== undefined) return `failed quota: ${name}: ${missing}`;
  const used = readAmounts(quota.status?.used);
  if (names.some((each) => !used.has(each)))
    return `status unknown for quota: ${name}, resources: ${names.sort().join(",")}`;
  const wasCharged = before !== undefined && isInScopes(quota, resource, before);
  const charge = (each: KubeObject): Amounts => pickAmounts(usageOf(resource, each, nowMs), names);
  const requested = excessAmounts(charge(object), wasCharged ? charge(before) : new Map());
  if (requested.size === 0) return undefined;
  const present = usedOf(quota, [...requested.keys()], reader, nowMs);
  const total = addAmounts(present, requested);
  const exceeded = [...requested.keys()].filter((each) => {
    const [sum, limit] = [total.get(each), hard.get(each)];
    return sum !== undefined && limit !== undefined && compareQuantities(sum, limit) > 0;
  });
  if (exceeded.length === 0) return undefined;
  const show = (amounts: Amounts): string => showAmounts(pickAmounts(amounts, exceeded));
  return `exceeded quota: ${name}, requested: ${show(requested)}, used: ${show(present)}, limited: ${show(hard)}`;
}

/** Which containers do not say what they need of what a quota limits. */
function missingRequests(object: KubeObject, names: readonly string[]): string | undefined {
  const pod = podOf(object);
  if (hasPodResources(pod)) return undefined;
  const missing = new Map<string, Set<string>>();
  for (const { name = "", resources = {} } of containersOf(pod)) {
    const said = computeUsage(readAmounts(resources.requests), readAmounts(resources.limits));
    for (const each of names) {
      if (!REQUIRED.has(each) || said.has(each)) continue;
      missing.set(each, (missing.get(each) ?? new Set()).add(name));
    }
  }
  if (missing.size === 0) return undefined;
  const parts = [...missing].sort(([a], [b]) => (a < b ? -1 : 1));
  return `must specify ${parts.map(([each, containers]) => `${each} for: ${[...containers].sort().join(",")}`).join("; ")}`;
}
