// Ownership after a create, update or patch.

import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { writtenPaths } from "./compare.ts";
import { isEmptySet, subtractTrees, unionSets } from "./field-set.ts";
import { capUpdaters, decodeManagers, encodeManagers, type Managers, managerIdentity } from "./managers.ts";
import {
  ChangeView,
  type OwnershipModel,
  reconcileManagers,
  takeFields,
  withoutManagedFields,
  withoutUnowned,
} from "./ownership.ts";
import { checkTyped } from "./validate.ts";

export interface UpdateRequest extends OwnershipModel {
  /** The stored object; undefined on create. */
  readonly old: KubeObject | undefined;
  /** The object about to be stored, canonical and defaulted, with the `managedFields` that the client sent if any. */
  readonly updated: KubeObject;
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  /** RFC 3339 with seconds. */
  readonly now: string;
  /** The object may have values of other types than its own: it is validated only afterwards. */
  readonly mayMisfit?: boolean;
}

/**
 * The `managedFields` of the object after a write that is no apply. Changed fields go to the writer's Update entry.
 *
 * A client that sends one empty entry or an empty list clears all ownership; other sent entries replace the stored ones
 * before the change is accounted for, unless they are malformed. An object without any owner stays so until an apply.
 */
export function trackUpdate(request: UpdateRequest): ManagedFieldsEntry[] | undefined {
  const { old, updated } = request;
  // As the reference, which gives up on ownership when an object does not fit its type.
  if (request.mayMisfit === true && checkTyped(updated, request.type).length > 0) return undefined;
  const managers = managersBefore(request);
  reconcileManagers(managers, request);
  if (managers.size === 0 && old !== undefined) return undefined;
  const before = old === undefined ? emptyObject(request) : withoutManagedFields(old);
  recordUpdate(managers, before, withoutManagedFields(updated), request);
  capUpdaters(managers);
  return encodeManagers(managers);
}

/** The object that a new one is compared with. */
export function emptyObject(model: OwnershipModel & { readonly updated?: KubeObject }): unknown {
  return model.empty === undefined ? { metadata: {} } : withoutManagedFields(model.empty);
}

/** Accounts for a change by `manager` with an Update entry. Changes `managers`. */
export function recordUpdate(
  managers: Managers,
  before: unknown,
  after: unknown,
  request: OwnershipModel & Pick<UpdateRequest, "manager" | "apiVersion" | "subresource" | "now">,
): void {
  const { manager, apiVersion, subresource = "", now } = request;
  const change = new ChangeView(before, after, request);
  takeFields(managers, "", change, true);
  const own = change.own();
  let taken = writtenPaths(own);
  if (request.resetFields !== undefined) taken = subtractTrees(taken, request.resetFields);
  taken = withoutUnowned(taken);
  if (isEmptySet(taken)) return;
  const identity = managerIdentity(manager, "Update", apiVersion, subresource);
  const previous = managers.get(identity);
  const set = previous === undefined ? taken : unionSets(previous.set, taken);
  managers.set(identity, { manager, operation: "Update", apiVersion, subresource, time: now, set });
}

function managersBefore(request: UpdateRequest): Managers {
  const live = request.old?.metadata.managedFields;
  if ((request.subresource ?? "") === "") {
    const sent = request.updated.metadata.managedFields;
    if (clearsOwnership(sent)) return new Map();
    const decoded = decodeManagers(sent);
    if (decoded !== undefined && decoded.size > 0) return decoded;
  }
  return decodeManagers(live) ?? new Map();
}

function clearsOwnership(sent: readonly ManagedFieldsEntry[] | undefined | null): boolean {
  if (!Array.isArray(sent)) return false;
  const [only] = sent;
  return sent.length === 0 || (sent.length === 1 && (only == null || isBlank(only)));
}

function isBlank(entry: object): boolean {
  return Object.values(entry).every((value) => value === undefined || value === null || value === "");
}
