// create and update.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { runSteps, type Steps } from "../../../runtime/steps.ts";
import { badRequest, conflict, NAMESPACE_MISMATCH, notFound } from "../registry/status-error.ts";
import { decodeBody } from "../request/body.ts";
import { type Exchange, fieldManagerOf } from "../request/exchange.ts";
import { readWriteOptions, type WriteOptions } from "../request/options.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { WriteRequest } from "./admission.ts";
import { answerObject, servedObject } from "./answers.ts";
import { orRetryIfPresent, retried } from "./concurrent-change.ts";
import { type OwnershipRequest, ownershipAfterUpdate } from "./field-ownership.ts";
import { settle } from "./revisions.ts";
import { ensureServed, servedForms } from "./served-forms.ts";
import { replaceStatus } from "./status.ts";
import { requireNamespace, storeNew, storeUpdate, type WriteResult } from "./write.ts";

export function writeRequestOf(
  exchange: Exchange,
  options: { readonly dryRun: boolean; readonly raw?: JsonObject | undefined },
): WriteRequest {
  const { server, kind, user, target } = exchange;
  return {
    server,
    kind,
    user,
    namespace: kind.namespaced ? (target.namespace ?? "") : "",
    subresource: target.subresource ?? "",
    dryRun: options.dryRun,
    options: options.raw,
    warnings: exchange.warnings,
    annotations: exchange.annotations,
    trace: exchange.trace,
    signal: exchange.request.signal,
  };
}

/** Does a read-modify-write of the object of the path; `attempt` reads the object itself. */
export async function writeRetried<T>(exchange: Exchange, attempt: () => Steps<T>): Promise<T> {
  const { kind, target, warnings } = exchange;
  return runSteps(retried({ kind, name: target.name ?? "", warnings }, attempt));
}

export function ownershipRequestOf(exchange: Exchange, options: WriteOptions): OwnershipRequest {
  const { server, kind, target, headers } = exchange;
  const manager = fieldManagerOf(options.fieldManager, headers);
  return { server, kind, manager, subresource: target.subresource ?? "" };
}

/** Answers once the write is durable. */
export async function answerWrite(exchange: Exchange, status: number, result: WriteResult): Promise<ApiResponse> {
  await exchange.server.store.settled();
  return answerStored(exchange, status, result.object);
}

/** Answers an object, in the version of the exchange's kind. */
export async function answerStored(
  exchange: Exchange,
  status: number,
  object: StoredObject | KubeObject,
): Promise<ApiResponse> {
  const { kind } = exchange;
  if (!(object instanceof StoredObject) || kind.converter === undefined) return answerObject(exchange, status, object);
  const [form] = await servedForms(kind, [object]);
  return answerObject(exchange, status, form!);
}

/** The namespace of a body must be the one of the path; an absent one is filled in. */
export function agreeOnNamespace(exchange: Exchange, object: KubeObject): void {
  const { kind, target } = exchange;
  const { metadata } = object;
  if (!kind.namespaced) {
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace === undefined || metadata.namespace === "") metadata.namespace = target.namespace ?? "";
  else if (metadata.namespace !== target.namespace) {
    throw badRequest(NAMESPACE_MISMATCH);
  }
}

/** The name of a body must be the one of the path. */
export function agreeOnName(exchange: Exchange, object: KubeObject): void {
  const wanted = exchange.target.name ?? "";
  const { name } = object.metadata;
  if (name === undefined || name === "") {
    throw badRequest(`the name of the object (${wanted} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== wanted) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${wanted})`);
  }
}

export async function createObject(exchange: Exchange): Promise<ApiResponse> {
  const { kind, query, request, warnings } = exchange;
  const options = readWriteOptions(query, "CreateOptions");
  const object = decodeBody(request, kind, options.fieldValidation, warnings);
  agreeOnNamespace(exchange, object);
  return answerWrite(exchange, 201, await runSteps(createDecoded(exchange, object, options)));
}

/** Creates from a decoded body. */
export function* createDecoded(exchange: Exchange, object: KubeObject, options: WriteOptions): Steps<WriteResult> {
  const { kind } = exchange;
  const write = writeRequestOf(exchange, options);
  requireNamespace(write, object.metadata.name ?? "");
  kind.applyDefaults(object, undefined);
  const ownership = ownershipRequestOf(exchange, options);
  return yield* storeNew(write, object, (tracked) => ownershipAfterUpdate(ownership, undefined, tracked));
}

export async function updateObject(exchange: Exchange): Promise<ApiResponse> {
  const options = readWriteOptions(exchange.query, "UpdateOptions");
  const { status, result } = await writeRetried(exchange, () => storeReplaced(exchange, options));
  return answerWrite(exchange, status, result);
}

function* storeReplaced(exchange: Exchange, options: WriteOptions): Steps<{ status: number; result: WriteResult }> {
  const { kind, request, warnings, server, target } = exchange;
  const object = decodeBody(request, kind, options.fieldValidation, warnings);
  agreeOnNamespace(exchange, object);
  agreeOnName(exchange, object);
  const resource = { group: kind.group, resource: kind.plural };
  const name = target.name ?? "";
  const live = server.store.get({ resource: kind.storageKey, namespace: object.metadata.namespace ?? "", name });
  if (live === undefined) {
    if (!kind.createOnUpdate || target.subresource !== undefined) throw notFound(resource, name);
    const { uid, resourceVersion } = object.metadata;
    if (uid !== undefined && uid !== "") {
      const why = `StorageError: invalid object, Code: 4, UID in precondition: ${uid}, UID in object meta: `;
      throw conflict(resource, name, why);
    }
    if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== "0")
      throw notFound(resource, name);
    return { status: 201, result: yield* orRetryIfPresent(createDecoded(exchange, object, options)) };
  }
  const write = writeRequestOf(exchange, options);
  const ownership = ownershipRequestOf(exchange, options);
  yield* ensureServed(kind, live);
  const old = servedObject(live, kind);
  const updated = target.subresource === "status" ? replaceStatus(object, old, kind) : object;
  kind.applyDefaults(updated, old);
  const result = yield* storeUpdate(write, live, updated, {
    uidConflict: true,
    track: (tracked, old) => ownershipAfterUpdate(ownership, old, tracked),
  });
  return { status: 200, result };
}

/** Waits for earlier writes, so that a read-modify-write starts from released state. */
export function settleWrites(exchange: Exchange): Promise<void> {
  return settle(exchange.server.store);
}
