// The steps that every write shares: admission, metadata, validation, the store.
import type { UserInfo } from "../../../kube/client/transport.ts";
import { cloneJson, equalJson, type KubeObject, type ManagedFieldsEntry } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { Steps } from "../../../runtime/steps.ts";
import type { Identities } from "../registry/identities.ts";
import type { FieldError, KindStrategy } from "../registry/kind.ts";
import { validateMetadata, validateMetadataUpdate } from "../registry/object-meta.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  NAMESPACE_MISMATCH,
  notFound,
  OBJECT_MODIFIED,
  StatusError,
  serverError,
} from "../registry/status-error.ts";
import type { ObjectKey, StoredObject } from "../storage/stored-object.ts";
import { admit, isAdmitted, mutate, type WriteRequest } from "./admission.ts";
import { servedObject } from "./answers.ts";
import { requireUnchanged } from "./concurrent-change.ts";
import { ensureServed, isInStorageVersion, storageForm } from "./served-forms.ts";
import { replaceStatus } from "./status.ts";

/** What a write left: a stored object, or for a dry run what would have been stored. */
export interface WriteResult {
  readonly object: StoredObject | KubeObject;
  /** False when the write changed nothing. */
  readonly changed: boolean;
}

const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";
const LONGEST_PREFIX = 58;
const NAME_ATTEMPTS = 8;
export const NAMESPACES = "namespaces";

/** The user as which the server's own controllers write. */
export const SYSTEM_USER: UserInfo = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

/** Refuses to create in a namespace that is missing or going away. */
export function requireNamespace(request: WriteRequest, name: string): void {
  const { server, kind, namespace } = request;
  if (!kind.namespaced) return;
  const stored = server.store.get({ resource: NAMESPACES, namespace: "", name: namespace });
  if (stored === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  if (stored.object.metadata.deletionTimestamp === undefined) return;
  throw forbidden(
    { group: kind.group, resource: kind.plural },
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      },
    ],
  );
}

/**
 * Stores a new object. `object` is decoded and defaulted, and taken over; `track` answers its managedFields before
 * anything is added by the server.
 */
export function* storeNew(
  request: WriteRequest,
  object: KubeObject,
  track: (object: KubeObject) => ManagedFieldsEntry[] | undefined,
): Steps<WriteResult> {
  const { kind, server, namespace } = request;
  setManagedFields(object, track(object));
  let admitted = yield* mutate(request, "CREATE", object, undefined);
  requireSameNamespace(request, admitted);
  prepareNewMetadata(request, admitted);
  kind.prepareForCreate(admitted, request.user);
  const meta = admitted.metadata;
  const generates = (meta.name ?? "") === "" && (meta.generateName ?? "") !== "";
  for (let attempt = 1; ; attempt++) {
    if (generates)
      meta.name = `${(meta.generateName ?? "").slice(0, LONGEST_PREFIX)}${randomSuffix(server.identities)}`;
    const name = meta.name ?? "";
    if (attempt === 1) {
      const open = unallocated(request, "CREATE", admitted);
      allocate(request, admitted, undefined);
      const errors = [...validateMetadata(admitted, kind), ...kind.validateCreate(admitted)];
      if (errors.length > 0) throw invalid(kind, name, errors);
      yield* admit(request, "CREATE", admitted, undefined);
      admitted = allocateAgain(request, admitted, undefined, open);
      warn(request, admitted, undefined);
    }
    const key: ObjectKey = { resource: kind.storageKey, namespace, name };
    const form = request.dryRun ? admitted : yield* storageForm(kind, admitted);
    // It may have gone while others were asked.
    requireNamespace(request, name);
    const present = server.store.get(key);
    if (present === undefined) {
      return { object: request.dryRun ? admitted : server.store.put(key, form), changed: true };
    }
    if (!generates || attempt === NAME_ATTEMPTS) {
      const terminating = present.object.metadata.deletionTimestamp !== undefined;
      throw alreadyExists({ group: kind.group, resource: kind.plural }, name, terminating);
    }
  }
}

function warn(request: WriteRequest, object: KubeObject, old: KubeObject | undefined): void {
  if (request.warnings !== undefined) addWarnings(request, request.kind.warnings?.(object, old) ?? []);
}

function addWarnings({ warnings }: WriteRequest, texts: readonly string[]): void {
  for (const text of texts) if (warnings?.includes(text) === false) warnings.push(text);
}

/** Gives out what no two objects may share, such as addresses of Services. */
function allocate(request: WriteRequest, object: KubeObject, old: KubeObject | undefined): void {
  const { kind, server } = request;
  kind.allocate?.(object, old, () => server.store.list(kind.storageKey).map((stored) => servedObject(stored, kind)));
}

/** The object before allocation, where somebody may take what it is given while admission is awaited. */
function unallocated(
  request: WriteRequest,
  operation: "CREATE" | "UPDATE",
  object: KubeObject,
): KubeObject | undefined {
  return request.kind.allocate !== undefined && isAdmitted(request, operation) ? cloneJson(object) : undefined;
}

/** The object with what is free by now: nearly always the same. */
function allocateAgain(
  request: WriteRequest,
  admitted: KubeObject,
  old: KubeObject | undefined,
  open: KubeObject | undefined,
): KubeObject {
  if (open === undefined) return admitted;
  open.metadata = admitted.metadata;
  allocate(request, open, old);
  return open;
}

function randomSuffix(identities: Identities): string {
  let text = "";
  for (let i = 0; i < 5; i++) text += SUFFIX_LETTERS[identities.below(SUFFIX_LETTERS.length)];
  return text;
}

export function setManagedFields(object: KubeObject, entries: ManagedFieldsEntry[] | undefined): void {
  if (entries === undefined || entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}

/** Handlers saw to it that the namespace is that of the request; admission may have changed it. */
function requireSameNamespace({ kind, namespace }: WriteRequest, { metadata }: KubeObject): void {
  const given = metadata.namespace ?? "";
  if (!kind.namespaced || given === "" || given === namespace) return;
  throw badRequest(NAMESPACE_MISMATCH);
}

function prepareNewMetadata(request: WriteRequest, object: KubeObject): void {
  const meta = object.metadata;
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== "") {
    throw serverError("resourceVersion should not be set on objects to be created");
  }
  delete meta.resourceVersion;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete (meta as { selfLink?: string }).selfLink;
  meta.uid = request.server.identities.uid();
  meta.creationTimestamp = rfc3339(request.server.clock.now());
  if (request.kind.namespaced) meta.namespace = request.namespace;
  else delete meta.namespace;
  if (request.kind.hasGeneration) meta.generation = 1;
}

/** How one update differs from another. */
export interface UpdateRules {
  /** A `metadata.uid` that is not the live one is a 409 (PUT) rather than a 422 (PATCH). */
  readonly uidConflict: boolean;
  /** Answers the managedFields of the object, before the server's own changes. */
  readonly track: (object: KubeObject, old: KubeObject) => ManagedFieldsEntry[] | undefined;
}

/**
 * Replaces `live` by `updated`, which is decoded and defaulted, and taken over. An object whose last finalizer went
 * while it was being deleted is removed.
 */
export function* storeUpdate(
  request: WriteRequest,
  live: StoredObject,
  updated: KubeObject,
  rules: UpdateRules,
): Steps<WriteResult> {
  const { kind, server } = request;
  yield* ensureServed(kind, live);
  const old = servedObject(live, kind);
  checkRevision(request, old, updated, rules.uidConflict);
  setManagedFields(updated, rules.track(updated, old));
  const mutated = yield* mutate(request, "UPDATE", updated, old);
  // Admission may not write through the status what the client may not.
  let admitted = request.subresource === "status" && mutated !== updated ? replaceStatus(mutated, old, kind) : mutated;
  if (mutated !== updated) {
    requireSameNamespace(request, admitted);
    checkRevision(request, old, admitted, rules.uidConflict);
  }
  prepareMetadata(admitted, old);
  admitted.metadata.resourceVersion = String(live.revision);
  let open: KubeObject | undefined;
  if (request.subresource === "") {
    kind.prepareForUpdate(admitted, old);
    open = unallocated(request, "UPDATE", admitted);
    allocate(request, admitted, old);
  }
  if (kind.hasGeneration && changesGeneration(admitted, old, kind)) {
    admitted.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  const errors = validateUpdate(admitted, old, kind);
  addWarnings(request, kind.toleratedProblems?.(admitted) ?? []);
  if (errors.length > 0) throw invalid(kind, admitted.metadata.name ?? "", errors);
  yield* admit(request, "UPDATE", admitted, old);
  requireUnchanged(server.store, live);
  admitted = allocateAgain(request, admitted, old, open);
  warn(request, admitted, old);

  if (isFinished(admitted)) {
    if (!request.dryRun) server.store.remove(live);
    return { object: admitted, changed: true };
  }
  if (equalJson(admitted, old) && isInStorageVersion(kind, live)) return { object: live, changed: false };
  if (request.dryRun) return { object: admitted, changed: true };
  const form = yield* storageForm(kind, admitted);
  requireUnchanged(server.store, live);
  return { object: server.store.put(live, form), changed: true };
}

function validateUpdate(updated: KubeObject, old: KubeObject, kind: KindStrategy): FieldError[] {
  const errors = validateMetadataUpdate(updated, old, kind);
  return [...errors, ...kind.validateUpdate(updated, old)];
}

/** True when nothing holds back the removal of an object that is being deleted. */
export function isFinished(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers?.length ?? 0) > 0) return false;
  if (object.kind === "Namespace" && object.apiVersion === "v1") {
    // Namespaces have finalizers of their own in the spec.
    const spec = object["spec"] as { finalizers?: readonly string[] } | undefined;
    return (spec?.finalizers?.length ?? 0) === 0;
  }
  return (deletionGracePeriodSeconds ?? 0) === 0;
}

function checkRevision(request: WriteRequest, old: KubeObject, updated: KubeObject, uidConflict: boolean): void {
  const { kind } = request;
  const resource = { group: kind.group, resource: kind.plural };
  const { resourceVersion, uid } = updated.metadata;
  const name = old.metadata.name ?? "";
  if (uidConflict && uid !== undefined && uid !== "" && uid !== old.metadata.uid) {
    const group = kind.group === "" ? "" : `${kind.group}/`;
    const path = [`/registry/${group}${kind.plural}`, ...(kind.namespaced ? [request.namespace] : []), name].join("/");
    throw conflict(
      resource,
      name,
      `StorageError: invalid object, Code: 4, Key: ${path}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (resourceVersion === undefined || resourceVersion === "" || resourceVersion === "0") {
    if (kind.unconditionalUpdate) return;
    throw invalid({ group: kind.group, kind: kind.plural }, name, [
      {
        reason: "FieldValueInvalid",
        field: "metadata.resourceVersion",
        message: "Invalid value: 0: must be specified for an update",
      },
    ]);
  }
  if (!/^[0-9]+$/.test(resourceVersion)) {
    throw serverError(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
  }
  if (resourceVersion !== old.metadata.resourceVersion) throw conflict(resource, name, OBJECT_MODIFIED);
}

/** What an update keeps of the live metadata, whatever the client sent. */
function prepareMetadata(updated: KubeObject, old: KubeObject): void {
  const meta = updated.metadata;
  const before = old.metadata;
  if (meta.uid === undefined || meta.uid === "") copyField(meta, before, "uid");
  copyField(meta, before, "creationTimestamp");
  copyField(meta, before, "generation");
  copyField(meta, before, "namespace");
  if (meta.deletionTimestamp === undefined || meta.deletionTimestamp === null)
    copyField(meta, before, "deletionTimestamp");
  if (meta.deletionGracePeriodSeconds === undefined || meta.deletionGracePeriodSeconds === null) {
    copyField(meta, before, "deletionGracePeriodSeconds");
  }
  delete (meta as { selfLink?: string }).selfLink;
}

function copyField(target: object, source: object, field: string): void {
  // Both are metadata; the field is one of its names.
  const to = target as Record<string, unknown>;
  const value = (source as Record<string, unknown>)[field];
  if (value === undefined) delete to[field];
  else to[field] = value;
}

/** Status never counts, and metadata never; custom resources without status subresource count their status. */
function changesGeneration(updated: KubeObject, old: KubeObject, kind: KindStrategy): boolean {
  for (const key of new Set([...Object.keys(updated), ...Object.keys(old)])) {
    if (key === "metadata" || key === "apiVersion" || key === "kind") continue;
    if (key === "status" && (kind.hasStatus || !kind.custom)) continue;
    if (!equalJson(updated[key], old[key])) return true;
  }
  return false;
}

/** True for a 404 about an object, as opposed to a path. */
export function isNotFoundStatus(error: unknown): boolean {
  return error instanceof StatusError && error.code === 404;
}
