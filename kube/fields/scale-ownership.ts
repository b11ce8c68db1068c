// Ownership seen through the scale subresource: the replicas path of the object is `spec.replicas` of its Scale.
import type { ManagedFieldsEntry } from "../object.ts";
import { hasPath, isEmptySet, setOfPaths, subtractSets } from "./field-set.ts";
import { decodeManagers, encodeManagers, identityOf, type ManagerEntry, type Managers } from "./managers.ts";
import type { FieldPath } from "./path.ts";

const SCALE_VERSION = "autoscaling/v1";
const SCALE_REPLICAS: FieldPath = ["f:spec", "f:replicas"];

/** The replicas path of the kind at a version; null for a version without scale, undefined for an unknown version. */
export type ReplicasPathAt = (apiVersion: string) => FieldPath | null | undefined;

/** The `managedFields` of the Scale of an object: the managers that own its replicas. */
export function scaleManagedFields(
  parent: readonly ManagedFieldsEntry[] | undefined,
  pathAt: ReplicasPathAt,
): ManagedFieldsEntry[] | undefined {
  const scale: Managers = new Map();
  for (const [identity, entry] of decodeManagers(parent) ?? []) {
    const path = pathAt(entry.apiVersion);
    if (path == null || !hasPath(entry.set, path)) continue;
    scale.set(identity, { ...entry, apiVersion: SCALE_VERSION, set: setOfPaths([SCALE_REPLICAS]) });
  }
  return encodeManagers(scale);
}

/**
 * The `managedFields` of an object after a write of its Scale. A manager that no longer owns the replicas there loses
 * them here; the writer gets an entry of the subresource, which as in the reference has no time of its own.
 */
export function parentManagedFields(
  parent: readonly ManagedFieldsEntry[] | undefined,
  scale: readonly ManagedFieldsEntry[] | undefined,
  apiVersion: string,
  pathAt: ReplicasPathAt,
): ManagedFieldsEntry[] | undefined {
  const before = decodeManagers(parent) ?? new Map<string, ManagerEntry>();
  // Update entries of a Scale carry the Scale's version, those of the object its own.
  const remaining = new Map<string, ManagerEntry>();
  for (const entry of decodeManagers(scale)?.values() ?? []) remaining.set(looseIdentity(entry), entry);
  const after: Managers = new Map();
  for (const [identity, entry] of before) {
    const path = pathAt(entry.apiVersion);
    if (path === undefined) continue;
    if (path === null || !hasPath(entry.set, path)) {
      after.set(identity, entry);
    } else if (remaining.delete(looseIdentity(entry))) {
      after.set(identity, entry);
    } else {
      const set = subtractSets(entry.set, setOfPaths([path]));
      if (!isEmptySet(set)) after.set(identity, { ...entry, set });
    }
  }
  const path = pathAt(apiVersion);
  for (const entry of remaining.values()) {
    if (path == null || !hasPath(entry.set, SCALE_REPLICAS)) continue;
    const moved = { ...entry, apiVersion, set: setOfPaths([path]) };
    const identity = identityOf(moved);
    after.set(identity, { ...moved, time: before.get(identity)?.time });
  }
  return encodeManagers(after);
}

function looseIdentity(entry: ManagerEntry): string {
  return JSON.stringify([entry.manager, entry.operation, entry.subresource]);
}
