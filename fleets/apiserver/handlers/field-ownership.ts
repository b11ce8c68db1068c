// Who owns which field: the seam between the verbs and the rules of managedFields.
import { applyServerSide } from "../../../kube/fields/apply.ts";
import { ApplyConflictError } from "../../../kube/fields/errors.ts";
import { type FieldSet, setOfPaths } from "../../../kube/fields/field-set.ts";
import type { OwnershipModel } from "../../../kube/fields/ownership.ts";
import { trackUpdate } from "../../../kube/fields/track.ts";
import type { FieldType } from "../../../kube/fields/type.ts";
import { formatApiVersion, type KubeObject, type ManagedFieldsEntry, parseApiVersion } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, serverError, statusError } from "../registry/status-error.ts";
import type { ServerContext } from "../server-context.ts";

/** One write, as ownership sees it. */
export interface OwnershipRequest {
  readonly server: ServerContext;
  readonly kind: KindStrategy;
  readonly manager: string;
  /** Empty for the main resource. */
  readonly subresource: string;
}

const STATUS: FieldSet = setOfPaths([["f:status"]]);
const ALL_BUT_STATUS: FieldSet = setOfPaths([["f:spec"], ["f:metadata"]]);

/** What a write of the status ignores, and nobody comes to own by it. */
function ignoredByStatus({ statusKeeps }: KindStrategy): FieldSet {
  if (statusKeeps === undefined) return ALL_BUT_STATUS;
  return setOfPaths([["f:spec"], ...statusKeeps.map((field) => ["f:metadata", `f:${field}`])]);
}

const empties = new WeakMap<KindStrategy, KubeObject>();

/** A built-in object as it is before anybody sets a field; custom resources start with nothing. */
function emptyObject(kind: KindStrategy): KubeObject | undefined {
  if (kind.custom) return undefined;
  let empty = empties.get(kind);
  if (empty === undefined) {
    empty = kind.decode({ apiVersion: formatApiVersion(kind.group, kind.version), kind: kind.kind }, []).object;
    empties.set(kind, empty);
  }
  return empty;
}

function modelOf({ server, kind, subresource }: OwnershipRequest): OwnershipModel {
  const resetFields =
    subresource === "status" ? ignoredByStatus(kind) : subresource === "" && kind.hasStatus ? STATUS : undefined;
  function typeAt(apiVersion: string): FieldType | undefined {
    const { group, version } = parseApiVersion(apiVersion);
    if (group === kind.group && version === kind.version) return kind.fieldType();
    return server.registry
      .byStorage(kind.storageKey)
      .find((each) => each.group === group && each.version === version)
      ?.fieldType();
  }
  return { type: kind.fieldType(), typeAt, resetFields, empty: emptyObject(kind) };
}

/** The managedFields of an object after an update, patch or create by `manager`. */
export function ownershipAfterUpdate(
  request: OwnershipRequest,
  old: KubeObject | undefined,
  updated: KubeObject,
): ManagedFieldsEntry[] | undefined {
  const { kind, server, manager, subresource } = request;
  return trackUpdate({
    ...modelOf(request),
    old,
    updated,
    manager,
    apiVersion: formatApiVersion(kind.group, kind.version),
    subresource,
    now: rfc3339(server.clock.now()),
    mayMisfit: kind.custom,
  });
}

/** The object after `config` is applied to `live`, with its managedFields. Throws the conflicts as a 409. */
export function applyConfiguration(
  request: OwnershipRequest,
  live: KubeObject | undefined,
  config: KubeObject,
  force: boolean,
): { readonly object: KubeObject; readonly changed: boolean } {
  const { kind, server, manager, subresource } = request;
  try {
    return applyServerSide({
      ...modelOf(request),
      live,
      config,
      manager,
      apiVersion: formatApiVersion(kind.group, kind.version),
      subresource,
      force,
      now: rfc3339(server.clock.now()),
    });
  } catch (error) {
    throw applyRefusal(error);
  }
}

/** What an apply throws, as the answer to the client. */
export function applyRefusal(error: unknown): unknown {
  if (error instanceof ApplyConflictError) {
    const causes = error.conflicts.map(({ message, field }) => ({ reason: "FieldManagerConflict", message, field }));
    return statusError(409, "Conflict", error.message, { causes });
  }
  if (!(error instanceof AppError)) return error;
  // As the reference: a configuration that does not fit the schema is a plain 500.
  if (error.code === "typed-object-invalid") return serverError(error.message);
  return error.code === "apply-request-invalid" ? badRequest(error.message) : error;
}
