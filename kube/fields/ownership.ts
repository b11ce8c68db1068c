// What both kinds of writes share: how a change of the object moves fields between managers.
import type { KubeObject } from "../object.ts";
import { type Comparison, compareValues, isUnchanged, withoutFields, writtenPaths } from "./compare.ts";
import { type ApplyConflict, applyConflict } from "./errors.ts";
import {
  EMPTY_SET,
  type FieldSet,
  intersectSets,
  isEmptySet,
  listPaths,
  setOfPaths,
  subtractSets,
} from "./field-set.ts";
import type { Managers } from "./managers.ts";
import { reconcileSet } from "./owned-set.ts";
import type { FieldType } from "./type.ts";

/** What the owner of a kind says about field ownership. */
export interface OwnershipModel {
  readonly type: FieldType;
  /**
   * The type at another version of the kind; undefined when that version no longer exists, which drops its entries.
   * Without this every version has `type`.
   */
  readonly typeAt?: ((apiVersion: string) => FieldType | undefined) | undefined;
  /** Fields that this endpoint ignores, such as `status` in writes of the main resource. Never owned through it. */
  readonly resetFields?: FieldSet | undefined;
  /**
   * The object as it is before anything is set, in canonical form. Parts that are always there, such as `spec` of a
   * built-in kind, are not owned by the creator. Default: apiVersion and kind only.
   */
  readonly empty?: KubeObject | undefined;
}

/** Paths that never belong to anybody. */
const UNOWNED = setOfPaths([
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
]);

export function withoutUnowned(set: FieldSet): FieldSet {
  return subtractSets(set, UNOWNED);
}

/** The object without `managedFields`, so that ownership is not tracked of itself. Shares everything else. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Brings entries up to date with the present schemas of their versions. Changes `managers`. */
export function reconcileManagers(managers: Managers, model: OwnershipModel): void {
  for (const [identity, entry] of managers) {
    const type = model.typeAt === undefined ? model.type : model.typeAt(entry.apiVersion);
    if (type === undefined) continue;
    const set = reconcileSet(entry.set, type);
    if (set !== entry.set) managers.set(identity, { ...entry, set });
  }
}

/** Compares the object before and after a write once for each type that managers need. */
export class ChangeView {
  readonly #before: unknown;
  readonly #after: unknown;
  readonly #model: OwnershipModel;
  readonly #byType = new Map<FieldType, Comparison>();

  constructor(before: unknown, after: unknown, model: OwnershipModel) {
    this.#before = before;
    this.#after = after;
    this.#model = model;
  }

  /** The whole change, with fields that the endpoint ignores. */
  own(): Comparison {
    return compareValues(this.#before, this.#after, this.#model.type);
  }

  /** The change as a manager at this version sees it; undefined when the version no longer exists. */
  at(apiVersion: string): Comparison | undefined {
    const { typeAt, type, resetFields } = this.#model;
    const managerType = typeAt === undefined ? type : typeAt(apiVersion);
    if (managerType === undefined) return undefined;
    const known = this.#byType.get(managerType);
    if (known !== undefined) return known;
    let change = compareValues(this.#before, this.#after, managerType);
    if (resetFields !== undefined && !isUnchanged(change)) change = withoutFields(change, resetFields);
    this.#byType.set(managerType, change);
    return change;
  }
}

/**
 * Takes written and removed fields from every manager but `writer`, and drops managers that own nothing. Changes
 * `managers`. Without force a written field of another manager is a conflict, and the managers are left as they are.
 */
export function takeFields(managers: Managers, writer: string, change: ChangeView, force: boolean): ApplyConflict[] {
  const conflicts: ApplyConflict[] = [];
  const next: Managers = new Map();
  for (const [identity, entry] of managers) {
    if (identity === writer) {
      next.set(identity, entry);
      continue;
    }
    const seen = change.at(entry.apiVersion);
    if (seen === undefined) continue;
    let set = entry.set;
    if (!isUnchanged(seen)) {
      const written = writtenPaths(seen);
      const lost = isEmptySet(written) ? EMPTY_SET : intersectSets(set, written);
      if (!isEmptySet(lost)) {
        if (!force) for (const path of listPaths(lost)) conflicts.push(applyConflict(entry, path));
        set = subtractSets(set, lost);
      }
      set = subtractSets(set, seen.removed);
    }
    if (!isEmptySet(set)) next.set(identity, set === entry.set ? entry : { ...entry, set });
  }
  if (conflicts.length > 0) return conflicts;
  managers.clear();
  for (const [identity, entry] of next) if (!isEmptySet(entry.set)) managers.set(identity, entry);
  return conflicts;
}
