// Who owns the replicas when they are written through a Scale. Managers are tracked on the Scale itself, as on any other
// object, and brought back to the object that it stands for: its replicas field belongs to whom the Scale's belongs.
import { applyServerSide } from "../../../kube/fields/apply.ts";
import { type FieldSet, hasPath, isEmptySet, setOfPaths, subtractSets } from "../../../kube/fields/field-set.ts";
import {
  decodeManagers,
  encodeManagers,
  identityOf,
  type ManagerEntry,
  type Managers,
} from "../../../kube/fields/managers.ts";
import type { OwnershipModel } from "../../../kube/fields/ownership.ts";
import type { FieldPath } from "../../../kube/fields/path.ts";
import { trackUpdate } from "../../../kube/fields/track.ts";
import { equalJson, formatApiVersion, type KubeObject, type ManagedFieldsEntry } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { decodeKind } from "../kinds/builtin-kind.ts";
import { fieldTypeOf } from "../kinds/field-types.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { serverError } from "../registry/status-error.ts";
import { applyRefusal, type OwnershipRequest } from "./field-ownership.ts";

const SCALE = "autoscaling/v1";
const REPLICAS: FieldPath = ["f:spec", "f:replicas"];

function pathOf(kind: KindStrategy): FieldPath | undefined {
  return kind.scale?.specReplicas.split(".").map((key) => `f:${key}`);
}

/** The replicas' path at each served version; undefined values for versions without a Scale. */
function pathsOf({ server, kind }: OwnershipRequest): ReadonlyMap<string, FieldPath | undefined> {
  const versions = server.registry.byStorage(kind.storageKey);
  return new Map(versions.map((each) => [formatApiVersion(each.group, each.version), pathOf(each)]));
}

function model(): OwnershipModel {
  const type = fieldTypeOf("autoscaling/v1.Scale");
  const empty = decodeKind(SCALE, "Scale", {}).object;
  return { type, typeAt: (version) => (version === SCALE ? type : undefined), empty };
}

/** The managers of the object's replicas, as managers of a Scale. */
function entriesOfScale(request: OwnershipRequest, owner: KubeObject): ManagedFieldsEntry[] | undefined {
  const paths = pathsOf(request);
  const found: Managers = new Map();
  for (const [identity, entry] of decodeManagers(owner.metadata.managedFields) ?? []) {
    const path = paths.get(entry.apiVersion);
    if (path === undefined || !hasPath(entry.set, path)) continue;
    found.set(identity, { ...entry, apiVersion: SCALE, set: setOfPaths([REPLICAS]) });
  }
  return encodeManagers(found);
}

/** The managers of the object after those of its Scale have changed to `scale`. */
function entriesOfOwner(
  request: OwnershipRequest,
  owner: KubeObject,
  scale: readonly ManagedFieldsEntry[] | undefined,
): ManagedFieldsEntry[] | undefined {
  const paths = pathsOf(request);
  const own = pathOf(request.kind) ?? REPLICAS;
  const apiVersion = formatApiVersion(request.kind.group, request.kind.version);
  const left: Managers = new Map(decodeManagers(scale) ?? []);
  const result: Managers = new Map();
  for (const [identity, entry] of decodeManagers(owner.metadata.managedFields) ?? []) {
    if (!paths.has(entry.apiVersion)) continue;
    const path = paths.get(entry.apiVersion);
    if (path === undefined || !hasPath(entry.set, path)) {
      result.set(identity, entry);
      continue;
    }
    // As the reference: an updater's identity has its version in it, so only an applier keeps its own entry here.
    if (left.delete(identity)) {
      result.set(identity, entry);
      continue;
    }
    const set: FieldSet = subtractSets(entry.set, setOfPaths([path]));
    if (!isEmptySet(set)) result.set(identity, { ...entry, set });
  }
  for (const entry of left.values()) {
    if (!hasPath(entry.set, REPLICAS)) continue;
    // As the reference: what comes from a Scale has no time.
    const moved: ManagerEntry = { ...entry, apiVersion, time: undefined, set: setOfPaths([own]) };
    result.set(`${identityOf(moved)} of the scale`, moved);
  }
  return encodeManagers(result);
}

function withEntries(scale: KubeObject, entries: ManagedFieldsEntry[] | undefined): KubeObject {
  const { managedFields: _none, ...metadata } = scale.metadata;
  return { ...scale, metadata: entries === undefined ? metadata : { ...metadata, managedFields: entries } };
}

/** The managedFields of `owner` after its Scale `before` was replaced by `after`. */
export function ownershipAfterScale(
  request: OwnershipRequest,
  owner: KubeObject,
  before: KubeObject,
  after: KubeObject,
): ManagedFieldsEntry[] | undefined {
  const { manager, subresource, server } = request;
  const tracked = trackUpdate({
    ...model(),
    old: withEntries(before, entriesOfScale(request, owner)),
    updated: withEntries(after, undefined),
    manager,
    apiVersion: SCALE,
    subresource,
    now: rfc3339(server.clock.now()),
  });
  return entriesOfOwner(request, owner, tracked);
}

/** The managedFields of `owner` after `config` was applied to its Scale. Throws conflicts as a 409. */
export function ownershipAfterScaleApply(
  request: OwnershipRequest,
  owner: KubeObject,
  before: KubeObject,
  config: KubeObject,
  force: boolean,
): ManagedFieldsEntry[] | undefined {
  const { kind, manager, subresource, server } = request;
  const entries = entriesOfScale(request, owner);
  // The reference cannot bring a custom resource's Scale to another version, not even to its own.
  const inconvertible = `proper version: request to convert CR to an invalid group/version: ${SCALE}`;
  if (kind.custom && entries === undefined) {
    const what = `failed to convert live object (/; ${SCALE}, Kind=Scale)`;
    throw serverError(`failed to create manager for existing fields: ${what} to ${inconvertible}`);
  }
  let applied: KubeObject;
  try {
    applied = applyServerSide({
      ...model(),
      live: withEntries(before, entries),
      config,
      manager,
      apiVersion: SCALE,
      subresource,
      force,
      now: rfc3339(server.clock.now()),
    }).object;
  } catch (error) {
    throw error instanceof AppError ? applyRefusal(error) : error;
  }
  if (kind.custom && !equalJson(withEntries(applied, undefined), withEntries(before, undefined))) {
    const { namespace = "", name } = config.metadata;
    throw serverError(`failed to convert new object (${namespace}/${name}; ${SCALE}, Kind=Scale) to ${inconvertible}`);
  }
  return entriesOfOwner(request, owner, applied.metadata.managedFields);
}
