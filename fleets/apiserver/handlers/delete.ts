// delete and deletecollection.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { cloneJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { runSteps, type Steps } from "../../../runtime/steps.ts";
import { Turn } from "../../../runtime/turn.ts";
import { decodeKind } from "../kinds/builtin-kind.ts";
import { decodeProtobuf, isProtobuf } from "../kinds/protobuf.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, forbidden } from "../registry/status-error.ts";
import { bodyText, mediaTypeOf, parseBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { checkPreconditions, type DeleteOptions, readDeleteOptions, readListOptions } from "../request/options.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { admit, mutate, type WriteRequest } from "./admission.ts";
import { answerValue, servedObject } from "./answers.ts";
import { requireUnchanged, retried } from "./concurrent-change.ts";
import { answerStored, writeRequestOf, writeRetried } from "./create-update.ts";
import { DEFINITIONS, markDefinitionDeleted } from "./definition-deletion.ts";
import { answerList } from "./list-answers.ts";
import { currentObjects, requireObject } from "./read.ts";
import { settle } from "./revisions.ts";
import { readSelection } from "./selection.ts";
import { ensureServed, servedForms } from "./served-forms.ts";
import { isFinished, NAMESPACES } from "./write.ts";

const KEPT_NAMESPACES = new Set(["default", "kube-system", "kube-public"]);
const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";
const DEFAULT_GRACE_S = 30;

/** Kinds whose delete answers with the object, as the reference does, and not with a Status. */
const ANSWERS_OBJECT = new Set([
  "pods",
  "services",
  "serviceaccounts",
  "persistentvolumes",
  "persistentvolumeclaims",
  "podtemplates",
  "resourcequotas",
  "storage.k8s.io/storageclasses",
  "storage.k8s.io/csinodes",
  "storage.k8s.io/csidrivers",
  "storage.k8s.io/volumeattachments",
]);
const ORPHANS_BY_DEFAULT = new Set(["replicationcontrollers", "batch/jobs"]);
const JOB_WARNING =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/** What became of a deleted object. `gone` is false while finalizers or a grace period hold it. */
export interface Deletion {
  readonly gone: boolean;
  /** The last or the present state. */
  readonly object: StoredObject | KubeObject;
}

function kindId(kind: KindStrategy): string {
  return kind.group === "" ? kind.plural : `${kind.group}/${kind.plural}`;
}

function readOptions(exchange: Exchange): DeleteOptions {
  const { request, query, kind } = exchange;
  const { body } = request;
  const isEmpty = request.object === undefined && (body === undefined || body.length === 0);
  return readDeleteOptions(query, isEmpty ? undefined : readOptionsBody(exchange, kind.custom));
}

function readProtobuf(bytes: Uint8Array): JsonObject {
  try {
    return decodeProtobuf(bytes);
  } catch (error) {
    throw badRequest(messageOf(error));
  }
}

function readOptionsBody({ request }: Exchange, custom: boolean): JsonObject {
  let json: JsonObject;
  if (request.body instanceof Uint8Array && isProtobuf(request.body)) json = readProtobuf(request.body);
  else {
    try {
      const type = mediaTypeOf(request.headers?.["content-type"]);
      const isOptionsType = type === "" || type === "application/json" || type === "application/yaml";
      const readable = isOptionsType ? request : { ...request, headers: {}, body: bodyText(request) };
      json = parseBody(readable, custom, "DeleteOptions").json;
    } catch (error) {
      throw badRequest(
        messageOf(error)
          .replace(/^the object provided is unrecognized \(must be of type DeleteOptions\): /, "")
          .replace(/ \([^()]*\)$/, ""),
      );
    }
  }
  const found = json["kind"];
  if (found !== undefined && found !== "" && found !== "DeleteOptions") {
    throw badRequest(
      `no kind ${JSON.stringify(found)} is registered for version ${JSON.stringify(json["apiVersion"] ?? "")} in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  checkOptionTypes(json);
  return json;
}

/** Refuses values of the wrong type, in the words of decoding without the head that other kinds have. */
function checkOptionTypes(json: JsonObject): void {
  try {
    decodeKind("v1", "DeleteOptions", cloneJson(json));
  } catch (error) {
    throw badRequest(
      messageOf(error).replace(/^DeleteOptions in version "v1" cannot be handled as a DeleteOptions: /, ""),
    );
  }
}

export async function deleteObject(exchange: Exchange): Promise<ApiResponse> {
  const { kind, server, warnings } = exchange;
  const options = readOptions(exchange);
  requireObject(exchange);
  if (kindId(kind) === "batch/jobs" && options.propagation === undefined) warnings.push(JOB_WARNING);
  const { live, deletion } = await writeRetried(exchange, function* () {
    const found = requireObject(exchange);
    return { live: found, deletion: yield* deleteStored(writeRequestOf(exchange, options), found, options) };
  });
  await server.store.settled();
  if (!deletion.gone || ANSWERS_OBJECT.has(kindId(kind)) || kind.storageKey === NAMESPACES) {
    // As the reference: only who asked in the old way to delete the dependents is told that it is not done yet.
    const isAccepted = !deletion.gone && options.raw?.["orphanDependents"] === false;
    return answerStored(exchange, isAccepted ? 202 : 200, deletion.object);
  }
  return answerValue(exchange, 200, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: live.name,
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.plural,
      uid: live.uid,
    },
  });
}

/** Starts or finishes the deletion of a present object, if admission lets it. */
export function* deleteStored(request: WriteRequest, live: StoredObject, options: DeleteOptions): Steps<Deletion> {
  const { kind, server } = request;
  checkDeletable(request, live, options);
  yield* ensureServed(kind, live);
  const old = servedObject(live, kind);
  yield* mutate(request, "DELETE", old, old);
  yield* admit(request, "DELETE", old, old);
  requireUnchanged(server.store, live);
  return deleteAdmitted(request, live, options);
}

/** Refuses what may not be deleted, whoever asks. */
export function checkDeletable({ kind }: WriteRequest, live: StoredObject, options: DeleteOptions): void {
  const target = { group: kind.group, resource: kind.kind, name: live.name };
  checkPreconditions(options, { uid: live.uid, resourceVersion: String(live.revision) }, target);
  if (kind.storageKey === NAMESPACES && KEPT_NAMESPACES.has(live.name)) {
    throw forbidden({ group: "", resource: kind.plural }, live.name, "this namespace may not be deleted");
  }
}

/** As `deleteStored`, without asking admission. */
export function deleteAdmitted(request: WriteRequest, live: StoredObject, options: DeleteOptions): Deletion {
  const { kind, server, dryRun } = request;
  // Only its metadata changes, which is the same in all versions of a custom resource: it stays as it is stored.
  const old = kind.custom ? live.object : servedObject(live, kind);
  const updated = markDeleted(request, live, old, options);
  if (isFinished(updated)) {
    // As the reference: Pods go gracefully, if only for no time; watchers see both steps.
    const isStep = kind.storageKey === "pods" && old.metadata.deletionTimestamp === undefined && !dryRun;
    const last = isStep ? server.store.put(live, updated) : live;
    if (!dryRun) server.store.remove(last);
    return { gone: true, object: ANSWERS_OBJECT.has(kindId(kind)) && !isStep ? updated : last };
  }
  if (updated === old) return { gone: false, object: live };
  return { gone: false, object: dryRun ? updated : server.store.put(live, updated) };
}

/** The object with deletion time, grace period and finalizers as `options` ask; the same object when nothing changes. */
function markDeleted(request: WriteRequest, live: StoredObject, old: KubeObject, options: DeleteOptions): KubeObject {
  const { kind, server } = request;
  const isNamespace = kind.storageKey === NAMESPACES;
  const isDefinition = kind.storageKey === DEFINITIONS;
  const grace = kind.storageKey === "pods" ? podGrace(old, options) : 0;
  const before = old.metadata;
  const finalizers = finalizersFor(before.finalizers ?? [], kind, options);
  const started = before.deletionTimestamp !== undefined;
  const shortens = started && grace < (before.deletionGracePeriodSeconds ?? 0);
  const sameFinalizers = finalizers.join() === (before.finalizers ?? []).join();
  if (started && !shortens && sameFinalizers) return isFinished(old) ? cloneJson(old) : old;

  const updated = cloneJson(old);
  const meta = updated.metadata;
  if (finalizers.length > 0) meta.finalizers = finalizers;
  else delete meta.finalizers;
  if (!started || shortens) {
    meta.deletionTimestamp = rfc3339(server.clock.now() + grace * 1000);
    if (!isNamespace && !isDefinition) meta.deletionGracePeriodSeconds = grace;
    if (!started && kind.hasGeneration) meta.generation = (meta.generation ?? 0) + 1;
  }
  if (isNamespace) updated["status"] = { ...(updated["status"] as object | undefined), phase: "Terminating" };
  if (isDefinition && !started) markDefinitionDeleted(updated, rfc3339(server.clock.now()));
  meta.resourceVersion = String(live.revision);
  return updated;
}

function podGrace(pod: KubeObject, options: DeleteOptions): number {
  // Both are objects of a decoded Pod.
  const spec = pod["spec"] as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
  const status = pod["status"] as { phase?: string } | undefined;
  const isRunning = spec?.nodeName !== undefined && spec.nodeName !== "";
  if (!isRunning || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
  const asked = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;
  return asked < 0 ? 1 : asked;
}

/** Finalizers that make the garbage collector orphan dependents, or delete them first. */
function finalizersFor(present: readonly string[], kind: KindStrategy, options: DeleteOptions): string[] {
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  switch (options.propagation) {
    case "Background":
      return others;
    case "Foreground":
      return [...others, FOREGROUND];
    case "Orphan":
      return [...others, ORPHAN];
    case undefined: {
      const kept = present.filter((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND);
      if (kept.length === 0 && ORPHANS_BY_DEFAULT.has(kindId(kind))) return [...others, ORPHAN];
      return kept.length === 0 ? others : [...present];
    }
  }
}

export async function deleteCollection(exchange: Exchange): Promise<ApiResponse> {
  const { server, query, kind } = exchange;
  const listOptions = readListOptions(query);
  const options = readOptions(exchange);
  const selection = readSelection(listOptions, kind, undefined);
  await settle(server.store);
  const { matches } = selection;
  const present = currentObjects(exchange, selection);
  const found = matches === undefined ? [...present] : present.filter(matches);
  const resourceVersion = String(server.store.revision);
  const write = { ...writeRequestOf(exchange, options), isCollection: true };
  const turn = new Turn();
  for (const each of found) {
    const { namespace, name } = each;
    const attempt = function* () {
      // What went while others were asked is gone as wanted.
      const present = server.store.get(each);
      if (present?.uid === each.uid) yield* deleteStored({ ...write, namespace }, present, options);
    };
    const deleted = runSteps(retried({ kind, name, warnings: exchange.warnings }, attempt));
    // Deletions that need nobody's consent follow each other at once, but leave others their turn.
    if (deleted instanceof Promise) await deleted;
    if (turn.isOver) await turn.next();
  }
  await server.store.settled();
  return answerList(exchange, await servedForms(kind, found), { resourceVersion });
}
