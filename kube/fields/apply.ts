// Server-side apply.
import { equalJson, gvkOf, isObject, type KubeObject, type ManagedFieldsEntry } from "../object.ts";
import { compareValues, writtenPaths } from "./compare.ts";
import { type ApplyConflict, ApplyConflictError, applyRequestInvalid, typedObjectInvalid } from "./errors.ts";
import {
  equalSets,
  type FieldSet,
  hasPath,
  intersectSets,
  isEmptySet,
  isSubset,
  subtractSets,
  subtractTrees,
  unionSets,
} from "./field-set.ts";
import { decodeManagers, encodeManagers, type ManagerEntry, type Managers, managerIdentity } from "./managers.ts";
import { mergeValues, removePaths } from "./merge.ts";
import { setOfValue, withNamedFields } from "./owned-set.ts";
import {
  ChangeView,
  type OwnershipModel,
  reconcileManagers,
  takeFields,
  withoutManagedFields,
  withoutUnowned,
} from "./ownership.ts";
import { emptyObject, recordUpdate } from "./track.ts";
import { checkTyped, formatProblems } from "./validate.ts";

export interface ApplyRequest extends OwnershipModel {
  /** The stored object; undefined when the apply creates it. Not changed. */
  readonly live: KubeObject | undefined;
  /** The applied configuration as the client sent it: not defaulted, quantities not canonical. Not changed. */
  readonly config: KubeObject;
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  readonly force: boolean;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

export interface ApplyResult {
  /** The merged object with its `managedFields`; not yet defaulted or canonical. Shares parts with live and config. */
  readonly object: KubeObject;
  /** False when neither the object nor any manager's fields change; `object` is then the live object itself. */
  readonly changed: boolean;
}

/**
 * Applies a configuration. Throws `ApplyConflictError`, `typed-object-invalid` when the configuration does not fit the
 * type (500 in the API), or `apply-request-invalid` (400).
 *
 * A result that is `changed` may still equal the live object after defaulting: see `equalIgnoringTimes`.
 */
export function applyServerSide(request: ApplyRequest): ApplyResult {
  if (request.manager !== "kubectl") return applyConfiguration(request);
  const result = applyAsKubectl(request);
  return updateLastApplied(result, request.config);
}

function applyConfiguration(request: ApplyRequest): ApplyResult {
  const { live, config, apiVersion, manager, subresource = "", type, now } = request;
  checkConfiguration(request);
  const before = live === undefined ? emptyObject(request) : withoutManagedFields(live);
  const managers = managersOfLive(request, before);
  const identity = managerIdentity(manager, "Apply", "", subresource);
  const previous = managers.get(identity);

  let set = setOfValue(config, type);
  if (request.resetFields !== undefined) set = subtractTrees(set, request.resetFields);
  const entry: ManagerEntry = { manager, operation: "Apply", apiVersion, subresource, time: now, set };
  managers.set(identity, entry);
  const merged = prune(mergeValues(before, config, type), previous, managers, request);

  const change = new ChangeView(before, merged, request);
  const conflicts = takeFields(managers, identity, change, request.force);
  if (conflicts.length > 0) throw new ApplyConflictError(conflicts);

  const owned = withoutUnowned(set);
  // As the reference: only an apply that changes the object leaves its time.
  const isUnchanged = live !== undefined && equalJson(merged, before);
  if (isEmptySet(owned)) managers.delete(identity);
  else managers.set(identity, { ...entry, set: owned, time: isUnchanged ? previous?.time : now });
  return finish(request, before, merged, managers, identity);
}

function checkConfiguration({ config, apiVersion, type }: ApplyRequest): void {
  if (config.apiVersion !== apiVersion) {
    throw applyRequestInvalid(
      `Incorrect version specified in apply patch. Specified patch version: ${config.apiVersion}, expected: ${apiVersion}`,
    );
  }
  const metadata: unknown = config.metadata;
  if (isObject(metadata) && metadata["managedFields"] != null) {
    throw applyRequestInvalid("metadata.managedFields must be nil");
  }
  const problems = checkTyped(config, type);
  if (problems.length > 0) {
    throw typedObjectInvalid(`failed to create typed patch object (${describe(config)}): ${formatProblems(problems)}`);
  }
}

/** `namespace/name; group/version, Kind=Kind`, as the reference prints it. */
function describe(object: KubeObject): string {
  const metadata: unknown = object.metadata;
  const text = (field: string): string => {
    const value = isObject(metadata) ? metadata[field] : undefined;
    return typeof value === "string" ? value : "";
  };
  const { group, version, kind } = gvkOf(object);
  return `${text("namespace")}/${text("name")}; ${group}/${version}, Kind=${kind}`;
}

const BEFORE_FIRST_APPLY = "before-first-apply";

/** Fields of an object that nobody owned yet belong to whoever wrote it before the first apply. */
function managersOfLive(request: ApplyRequest, before: unknown): Managers {
  const managers = decodeManagers(request.live?.metadata.managedFields);
  if (managers === undefined) throw typedObjectInvalid("failed to decode managed fields");
  reconcileManagers(managers, request);
  if (managers.size === 0 && request.live !== undefined) {
    recordUpdate(managers, emptyObject(request), before, { ...request, manager: BEFORE_FIRST_APPLY });
  }
  return managers;
}

/** Removes what the manager applied before, does not apply now, and nobody else owns. */
function prune(
  merged: unknown,
  previous: ManagerEntry | undefined,
  managers: Managers,
  request: ApplyRequest,
): unknown {
  if (previous === undefined) return merged;
  const current = managers.get(managerIdentity(previous.manager, "Apply", "", previous.subresource));
  // Everything owned before is applied again: nothing can go.
  if (current !== undefined && isSubset(previous.set, current.set)) return merged;
  const typeOfVersion = (apiVersion: string): FieldTypeOrNone => {
    return request.typeAt === undefined ? request.type : request.typeAt(apiVersion);
  };
  const type = typeOfVersion(previous.apiVersion);
  if (type === undefined) return merged;

  const last = withNamedFields(previous.set, type);
  let pruned = removePaths(merged, last, type);
  for (const [apiVersion, owned] of ownedByVersion(managers, previous.apiVersion)) {
    const versionType = typeOfVersion(apiVersion);
    if (versionType === undefined) continue;
    // What disappeared although somebody owns it comes back.
    const whole = withNamedFields(setOfValue(merged, versionType), versionType);
    const left = withNamedFields(setOfValue(pruned, versionType), versionType);
    const kept = unionSets(left, withNamedFields(owned, versionType));
    pruned = removePaths(merged, subtractSets(whole, kept), versionType);
  }
  const whole = withNamedFields(setOfValue(merged, type), type);
  const left = withNamedFields(setOfValue(pruned, type), type);
  // So does what was below a removed item but never belonged to the manager.
  return removePaths(merged, intersectSets(subtractSets(whole, left), last), type);
}

type FieldTypeOrNone = ApplyRequest["type"] | undefined;

/** All owned fields of each version, the given version first. */
function ownedByVersion(managers: Managers, first: string): Map<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion } of managers.values()) if (apiVersion === first) owned.set(first, {});
  for (const { apiVersion, set } of managers.values()) {
    owned.set(apiVersion, unionSets(owned.get(apiVersion) ?? {}, set));
  }
  return owned;
}

function finish(
  request: ApplyRequest,
  before: unknown,
  merged: unknown,
  managers: Managers,
  identity: string,
): ApplyResult {
  const { live } = request;
  const stored = live?.metadata.managedFields;
  if (live !== undefined && merged === before && sameManagers(stored, managers, identity)) {
    return { object: live, changed: false };
  }
  // The merge of two objects is an object.
  const object = { ...(merged as KubeObject) };
  object.metadata = { ...object.metadata };
  const managedFields = encodeManagers(managers);
  if (managedFields !== undefined) object.metadata.managedFields = managedFields;
  return { object, changed: true };
}

function sameManagers(stored: readonly ManagedFieldsEntry[] | undefined, managers: Managers, applier: string): boolean {
  const previous = decodeManagers(stored);
  if (previous === undefined || previous.size !== managers.size) return false;
  for (const [identity, entry] of managers) {
    const other = previous.get(identity);
    if (other === undefined || other.apiVersion !== entry.apiVersion) return false;
    if (identity !== applier && other === entry) continue;
    if (!equalSets(other.set, entry.set)) return false;
  }
  return true;
}

/**
 * Whether two objects are equal but for the times in `managedFields`: such a write changes nothing, and the stored
 * object stays as it is.
 */
export function equalIgnoringTimes(a: KubeObject, b: KubeObject): boolean {
  const left = a.metadata.managedFields;
  const right = b.metadata.managedFields;
  if ((left?.length ?? 0) !== (right?.length ?? 0)) return false;
  for (let index = 0; index < (left?.length ?? 0); index++) {
    const { time: _, ...entry } = left?.[index] ?? {};
    const { time: __, ...other } = right?.[index] ?? {};
    if (!equalJson(entry, other)) return false;
  }
  return equalJson(withoutManagedFields(a), withoutManagedFields(b));
}

// ---- kubectl: from client-side to server-side apply

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Conflicts about fields that kubectl itself applied client-side, and that still have that value, are no conflicts. */
function applyAsKubectl(request: ApplyRequest): ApplyResult {
  try {
    return applyConfiguration(request);
  } catch (error) {
    if (!(error instanceof ApplyConflictError)) throw error;
    const allowed = appliedClientSide(request);
    if (allowed === undefined) throw error;
    const remaining: ApplyConflict[] = error.conflicts.filter(({ path }) => !hasPath(allowed, path));
    if (remaining.length > 0) throw new ApplyConflictError(remaining);
    return applyConfiguration({ ...request, force: true });
  }
}

function appliedClientSide({ live, type, apiVersion }: ApplyRequest): FieldSet | undefined {
  const text = live?.metadata.annotations?.[LAST_APPLIED];
  if (live === undefined || text === undefined || text === "") return undefined;
  let lastApplied: unknown;
  try {
    lastApplied = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(lastApplied) || lastApplied["apiVersion"] !== apiVersion) return undefined;
  if (checkTyped(lastApplied, type).length > 0) return undefined;
  const comparison = compareValues(lastApplied, withoutManagedFields(live), type);
  const differing = unionSets(writtenPaths(comparison), comparison.removed);
  return subtractSets(setOfValue(lastApplied, type), differing);
}

/** Keeps the annotation of client-side apply up to date, without owning it. */
function updateLastApplied(result: ApplyResult, config: KubeObject): ApplyResult {
  const annotations = result.object.metadata.annotations;
  const text = annotations?.[LAST_APPLIED];
  if (text === undefined || text === "") return result;
  const next = `${sortedJson(withoutLastApplied(config))}\n`;
  if (next === text) return result;
  const metadata = { ...result.object.metadata, annotations: { ...annotations, [LAST_APPLIED]: next } };
  return { object: { ...result.object, metadata }, changed: true };
}

function withoutLastApplied(config: KubeObject): KubeObject {
  if (config.metadata.annotations?.[LAST_APPLIED] === undefined) return config;
  const { [LAST_APPLIED]: _, ...annotations } = config.metadata.annotations;
  return { ...config, metadata: { ...config.metadata, annotations } };
}

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON as Go writes it: sorted keys, and the characters of HTML escaped. */
function sortedJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return Number(item);
    if (!isObject(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
  return text.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] ?? character);
}
