// What is used of a quota, by what is in the cluster now.
import type { KubeObject } from "../../../../kube/object.ts";
import { type Quantity, ZERO_QUANTITY } from "../../../../kube/quantity.ts";
import type { ServerState } from "../../../apiserver/server.ts";
import { type Amounts, addAmounts, pickAmounts } from "./amounts.ts";
import { isInScopes, type ResourceQuota } from "./quota-scopes.ts";
import { concerns, usageOf } from "./quota-usage.ts";

/** Reads the objects of a resource, by its storage key, in one namespace. */
export interface NamespaceReader {
  resources(): readonly string[];
  list(resource: string, namespace: string): readonly KubeObject[];
}

/** Reads a server's store. */
export function quotaReader(state: ServerState): NamespaceReader {
  return {
    resources: () => state.resources(),
    list: (resource, namespace) => state.list(resource, namespace).map((stored) => stored.object),
  };
}

/** The use of those limits of a quota that somebody counts. */
export function usedOf(
  quota: ResourceQuota,
  names: readonly string[],
  reader: NamespaceReader,
  nowMs: number,
): Amounts {
  const namespace = quota.metadata.namespace ?? "";
  let used: Map<string, Quantity> = new Map(names.filter(isCounted(reader)).map((name) => [name, ZERO_QUANTITY]));
  for (const resource of resourcesOf(reader)) {
    const own = names.filter((name) => concerns(name, resource));
    if (own.length === 0) continue;
    for (const object of reader.list(resource, namespace))
      if (isInScopes(quota, resource, object))
        used = addAmounts(used, pickAmounts(usageOf(resource, object, nowMs), own));
  }
  return used;
}

/** Limits that are known whether or not there are objects: `count/` of a resource that nobody has stored yet is 0 too. */
function isCounted(reader: NamespaceReader): (name: string) => boolean {
  const resources = resourcesOf(reader);
  return (name) => name.startsWith("count/") || resources.some((resource) => concerns(name, resource));
}

const ALWAYS = [
  "pods",
  "services",
  "persistentvolumeclaims",
  "configmaps",
  "resourcequotas",
  "replicationcontrollers",
  "secrets",
];

function resourcesOf(reader: NamespaceReader): readonly string[] {
  return [...new Set([...ALWAYS, ...reader.resources()])];
}
