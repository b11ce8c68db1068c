// What one pod needs from the cluster it runs in: nodes it can run on, and resources.

import type { Toleration } from "../../api/cluster.ts";
import type { NodeClaim, NodeSelector, ReplicaRequirements } from "../../api/work.ts";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Quantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  tryParseQuantity,
  ZERO_QUANTITY,
} from "../../kube/quantity.ts";
import { interpreterFieldMalformed } from "./errors.ts";
import { type Fields, fieldsAt, listAt, objectsAt, optionalFieldsAt } from "./field-access.ts";

type Resources = Map<string, Quantity>;

/** The requirements of a pod with this spec; undefined when it can run anywhere and asks for nothing. */
export function podRequirements(podSpec: Fields): ReplicaRequirements | undefined {
  const nodeClaim = nodeClaimOf(podSpec);
  const resourceRequest = resourceRequestOf(podSpec);
  if (nodeClaim === undefined && resourceRequest === undefined) return undefined;
  return {
    ...(nodeClaim === undefined ? {} : { nodeClaim }),
    ...(resourceRequest === undefined ? {} : { resourceRequest }),
  };
}

function nodeClaimOf(podSpec: Fields): NodeClaim | undefined {
  const nodeSelector = optionalFieldsAt(podSpec, "nodeSelector");
  const tolerations = listAt(podSpec, "tolerations");
  const hardNodeAffinity = optionalFieldsAt(
    podSpec,
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
  );
  if (nodeSelector === undefined && hardNodeAffinity === undefined && tolerations.length === 0) return undefined;
  return {
    // The server has checked these parts of a stored workload against the types of its kind.
    ...(hardNodeAffinity === undefined ? {} : { hardNodeAffinity: hardNodeAffinity as unknown as NodeSelector }),
    ...(nodeSelector === undefined || Object.keys(nodeSelector).length === 0
      ? {}
      : { nodeSelector: nodeSelector as Record<string, string> }),
    ...(tolerations.length === 0 ? {} : { tolerations: tolerations as Toleration[] }),
  };
}

/**
 * Containers run together, so that their requests add up. Each init container runs alone before them, so that only the
 * largest counts; as Karmada, sidecars among the init containers are no exception.
 */
function resourceRequestOf(podSpec: Fields): Record<string, string> | undefined {
  const total: Resources = new Map();
  for (const container of objectsAt(podSpec, "containers")) addAll(total, requestsOf(container));
  for (const container of objectsAt(podSpec, "initContainers")) {
    for (const [name, quantity] of requestsOf(container)) {
      const current = total.get(name);
      if (current === undefined || compareQuantities(quantity, current) > 0) total.set(name, quantity);
    }
  }
  addAll(total, counted(fieldsAt(podSpec, "overhead")));

  const request: Record<string, string> = {};
  for (const [name, quantity] of total)
    if (compareQuantities(quantity, ZERO_QUANTITY) > 0) request[name] = formatQuantity(quantity);
  return Object.keys(request).length === 0 ? undefined : request;
}

/** Requests of a container; what it does not request is taken from its limits, as the API server does. */
function requestsOf(container: Fields): Resources {
  const resources = fieldsAt(container, "resources");
  return counted({ ...fieldsAt(resources, "limits"), ...fieldsAt(resources, "requests") });
}

function addAll(total: Resources, more: Resources): void {
  for (const [name, quantity] of more) {
    const current = total.get(name);
    total.set(name, current === undefined ? quantity : addQuantities(current, quantity));
  }
}

function counted(list: Fields): Resources {
  const resources: Resources = new Map();
  for (const [name, value] of Object.entries(list)) {
    if (value === undefined || value === null) continue;
    if (typeof value !== "string" && typeof value !== "number") throw interpreterFieldMalformed(name, "a quantity");
    const quantity = tryParseQuantity(String(value).trim());
    if (quantity === undefined) throw interpreterFieldMalformed(name, "a quantity");
    const counting = normalized(name, quantity);
    if (counting !== undefined) resources.set(name, counting);
  }
  return resources;
}

/** The quantity in the unit its resource is counted in; undefined for resources that schedulers do not count. */
function normalized(name: string, quantity: Quantity): Quantity | undefined {
  switch (name) {
    case "cpu":
      return quantityOf(quantityMilliValue(quantity), "DecimalSI", -3);
    case "memory":
    case "ephemeral-storage":
      return quantityOf(quantityValue(quantity), "BinarySI");
    case "pods":
      return quantityOf(quantityValue(quantity));
    default:
      if (!isScalarResource(name)) return undefined;
      return quantityOf(quantityValue(quantity), name.startsWith("hugepages-") ? "BinarySI" : "DecimalSI");
  }
}

function isScalarResource(name: string): boolean {
  return (
    name.startsWith("hugepages-") ||
    name.startsWith("attachable-volumes-") ||
    name.includes("kubernetes.io/") ||
    isExtendedResource(name)
  );
}

// A resource that somebody outside Kubernetes named, with a domain before the slash.
function isExtendedResource(name: string): boolean {
  return (
    !name.startsWith("requests.") &&
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)
  );
}
