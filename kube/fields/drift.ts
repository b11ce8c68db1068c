// What differs between what we applied and what is there, and who changed it.
import type { Json, KubeObject, ManagedFieldsEntry } from "../object.ts";
import { isObject } from "../object.ts";
import { equalQuantities, tryParseQuantity } from "../quantity.ts";
import { compareValues } from "./compare.ts";
import {
  descend,
  type FieldSet,
  hasPath,
  isEmptySet,
  listPaths,
  subtractSets,
  subtractTrees,
  unionSets,
} from "./field-set.ts";
import { elementOfItem, ownValue, typeOfKey } from "./list-items.ts";
import { decodeManagers, type ManagerEntry, type ManagerOperation } from "./managers.ts";
import { mergeValues } from "./merge.ts";
import { setOfValue } from "./owned-set.ts";
import { withoutManagedFields, withoutUnowned } from "./ownership.ts";
import { type FieldPath, formatPath } from "./path.ts";
import { DEDUCED, type FieldType } from "./type.ts";

/** Somebody who owns a field. */
export interface FieldOwner {
  readonly manager: string;
  readonly operation: ManagerOperation;
  /** Empty for the main resource. */
  readonly subresource: string;
  readonly apiVersion: string;
  /** When the manager last wrote anything; undefined when the server did not say. */
  readonly time: string | undefined;
}

/** A field that is not as applied. */
export interface FieldDrift {
  readonly path: FieldPath;
  /** The path as messages print it: `.spec.replicas`. */
  readonly field: string;
  readonly change: "changed" | "missing" | "extra";
  /** Undefined when extra. */
  readonly desired: Json | undefined;
  /** Undefined when missing. */
  readonly actual: Json | undefined;
  /** Who owns the field in the live object, latest first; empty when nobody is recorded or it is missing. */
  readonly owners: readonly FieldOwner[];
}

/** The owners of one field, latest first. A field inside an atomic list or map belongs to the owners of the whole. */
export function ownersOf(entries: readonly ManagedFieldsEntry[] | undefined, path: FieldPath): FieldOwner[] {
  return ownersIn([...(decodeManagers(entries)?.values() ?? [])], path);
}

function ownersIn(managers: readonly ManagerEntry[], path: FieldPath): FieldOwner[] {
  const owners = managers.filter(({ set }) => ownsPath(set, path)).map(ownerOf);
  return owners.sort((a, b) => compareText(b.time ?? "", a.time ?? "") || compareText(a.manager, b.manager));
}

/** Whether the set has the path, or has as a whole a value that the path leads into. */
function ownsPath(set: FieldSet, path: FieldPath): boolean {
  for (let length = path.length; length > 0; length--) {
    const prefix = path.slice(0, length);
    const node = descend(set, prefix);
    if (node === undefined) continue;
    return length === path.length ? hasPath(set, prefix) || !isEmptySet(node) : isEmptySet(node);
  }
  return false;
}

function ownerOf({ manager, operation, subresource, apiVersion, time }: ManagerEntry): FieldOwner {
  return { manager, operation, subresource, apiVersion, time };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Every owned field of an object with its owners, or those at and below a path. */
export function fieldOwners(
  object: KubeObject,
  below: FieldPath = [],
): { readonly path: FieldPath; readonly field: string; readonly owners: readonly FieldOwner[] }[] {
  const managers = [...(decodeManagers(object.metadata.managedFields)?.values() ?? [])];
  let all: FieldSet = {};
  for (const { set } of managers) all = unionSets(all, set);
  const within = listPaths(all).filter((path) => below.every((element, index) => path[index] === element));
  return within.map((path) => ({
    path,
    field: formatPath(path),
    owners: managers
      .filter(({ set }) => hasPath(set, path))
      .map(ownerOf)
      .sort((a, b) => compareText(a.manager, b.manager)),
  }));
}

export interface DriftOptions {
  /** The manager under which `desired` is applied: fields that it still owns and no longer wants are extra. */
  readonly manager?: string | undefined;
  /** Fields that may differ, such as replicas owned by an autoscaler, at and below these paths. */
  readonly ignored?: FieldSet | undefined;
  /** Whether two different values mean the same. Default: quantities such as `1` and `1000m`. */
  readonly isSame?: ((desired: unknown, actual: unknown, path: FieldPath) => boolean) | undefined;
}

/**
 * The fields of an applied configuration that the live object does not have with that value, leaf by leaf. What the
 * configuration does not mention is no drift, such as defaults and fields of others. Nor are a null, an empty map or an
 * empty list that the server left out.
 */
export function diffOwned(
  desired: KubeObject,
  live: KubeObject,
  type: FieldType,
  options: DriftOptions = {},
): FieldDrift[] {
  const managers = [...(decodeManagers(live.metadata.managedFields)?.values() ?? [])];
  const actual = withoutManagedFields(live);
  const merged = mergeValues(actual, withoutManagedFields(desired), type);
  const comparison = compareValues(actual, merged, type);
  let missing = withoutUnowned(leavesOf(comparison.added));
  let changed = withoutUnowned(comparison.modified);
  let extra = extraFields(desired, managers, type, options.manager);
  if (options.ignored !== undefined) {
    missing = subtractTrees(missing, options.ignored);
    changed = subtractTrees(changed, options.ignored);
    extra = subtractTrees(extra, options.ignored);
  }
  const isSame =
    options.isSame ??
    ((wanted, found, path): boolean => isSameQuantity(wanted, found, typeAtPath(desired, path, type)));
  const drift: FieldDrift[] = [];
  const report = (path: FieldPath, change: FieldDrift["change"]): void => {
    // Objects hold JSON, and so does every part of them.
    const wanted = change === "extra" ? undefined : (valueAtPath(desired, path, type) as Json | undefined);
    const found = change === "missing" ? undefined : (valueAtPath(actual, path, type) as Json | undefined);
    if (change === "extra" && found === undefined) return;
    if (change === "missing" && isNothing(wanted)) return;
    if (change === "changed" && isSame(wanted, found, path)) return;
    const owners = change === "missing" ? [] : ownersIn(managers, path);
    drift.push({ path, field: formatPath(path), change, desired: wanted, actual: found, owners });
  };
  for (const path of listPaths(changed)) report(path, "changed");
  for (const path of listPaths(missing)) report(path, "missing");
  for (const path of listPaths(extra)) report(path, "extra");
  return drift.sort((a, b) => compareText(a.field, b.field));
}

/** Only the deepest paths: a new map or list item is said by its parts, and by itself when it has none. */
function leavesOf(set: FieldSet): FieldSet {
  const leaves: Record<string, FieldSet> = {};
  for (const element in set) {
    if (element === ".") continue;
    leaves[element] = leavesOf(set[element] ?? {});
  }
  return leaves;
}

function extraFields(
  desired: KubeObject,
  managers: readonly ManagerEntry[],
  type: FieldType,
  manager: string | undefined,
): FieldSet {
  if (manager === undefined) return {};
  const own = managers.find(
    (entry) => entry.manager === manager && entry.operation === "Apply" && entry.subresource === "",
  );
  if (own === undefined) return {};
  let left = subtractSets(own.set, setOfValue(desired, type));
  // What others own as well, an apply would leave.
  for (const entry of managers) if (entry !== own) left = subtractSets(left, entry.set);
  return leavesOf(left);
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Quantities are stored in canonical form: other text of the same value is no change. */
function isSameQuantity(desired: unknown, actual: unknown, type: FieldType | undefined): boolean {
  if (type?.kind !== "scalar" || (type.scalar !== "any" && type.scalar !== "quantity")) return false;
  if (typeof actual !== "string" || (typeof desired !== "string" && typeof desired !== "number")) return false;
  const wanted = tryParseQuantity(String(desired).trim());
  const found = tryParseQuantity(actual);
  return wanted !== undefined && found !== undefined && equalQuantities(wanted, found);
}

/** The value at a path; undefined when there is none. */
export function valueAtPath(value: unknown, path: FieldPath, type: FieldType): unknown {
  return resolve(value, path, type)?.value;
}

function typeAtPath(value: unknown, path: FieldPath, type: FieldType): FieldType | undefined {
  return resolve(value, path, type)?.type;
}

function resolve(value: unknown, path: FieldPath, type: FieldType): { value: unknown; type: FieldType } | undefined {
  let current = value;
  let currentType: FieldType = type;
  for (const element of path) {
    if (element.startsWith("f:")) {
      if (!isObject(current)) return undefined;
      const key = element.slice(2);
      current = ownValue(current, key);
      currentType = typeOfKey(currentType, key) ?? DEDUCED;
    } else {
      if (!Array.isArray(current) || currentType.kind !== "list") return undefined;
      const list = currentType;
      current = current.find((item) => elementOfItem(list, item) === element);
      currentType = list.items;
    }
    if (current === undefined) return undefined;
  }
  return { value: current, type: currentType };
}
