// Subresources with a meaning of their own: binding and eviction of Pods, finalize of Namespaces.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { cloneJson, isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { Steps } from "../../../runtime/steps.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, conflict, failureStatus, notFound, StatusError } from "../registry/status-error.ts";
import { decodeBody, parseBody } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions, type WriteOptions } from "../request/options.ts";
import type { Verb } from "../request/request-info.ts";
import { admitSubresource } from "./admission.ts";
import { answerValue } from "./answers.ts";
import { requireUnchanged } from "./concurrent-change.ts";
import { answerWrite, ownershipRequestOf, writeRequestOf, writeRetried } from "./create-update.ts";
import { evictPod } from "./eviction.ts";
import { ownershipAfterUpdate } from "./field-ownership.ts";
import { requireObject } from "./read.ts";
import { createToken } from "./token-request.ts";
import { NAMESPACES, storeUpdate, type WriteResult } from "./write.ts";

const CONNECTS = new Set(["attach", "exec", "portforward"]);
/** A Pod that was never bound has said nothing yet. */
const NOTHING_LOGGED: ApiResponse = { status: 204, headers: {}, body: new Uint8Array() };
const SUCCESS = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

export function isSpecialSubresource(kind: KindStrategy, subresource: string): boolean {
  if (kind.storageKey === "pods")
    return subresource !== "status" && subresource !== "resize" && subresource !== "ephemeralcontainers";
  if (kind.storageKey === "serviceaccounts") return subresource === "token";
  if (kind.storageKey === NAMESPACES) return subresource === "finalize";
  return false;
}

export async function handleSpecialSubresource(
  exchange: Exchange,
  verb: Verb,
  subresource: string,
): Promise<ApiResponse> {
  if (subresource === "token") return createToken(exchange);
  if (subresource === "finalize") return finalizeNamespace(exchange);
  if (subresource === "binding" && verb === "create") return bindPod(exchange);
  if (subresource === "eviction" && verb === "create") return evictPod(exchange);
  if (subresource === "log" || CONNECTS.has(subresource)) {
    const node = nodeOf(exchange);
    if (node === "" && subresource === "log") return NOTHING_LOGGED;
    if (node === "") throw badRequest(`pod ${exchange.target.name} does not have a host assigned`);
    // In the words of the reference when it has no such node.
    throw notFound({ group: "", resource: "pods" }, node);
  }
  throw new StatusError(501, failureStatus(501, "NotImplemented", `${subresource} of pods is not served here`));
}

/** The node that a Pod is bound to; empty while there is none. Logs and sessions come from there. */
function nodeOf(exchange: Exchange): string {
  const { object } = requireObject(exchange);
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  return typeof spec["nodeName"] === "string" ? spec["nodeName"] : "";
}

/** Sets the finalizers of a Namespace's spec, and nothing else. */
async function finalizeNamespace(exchange: Exchange): Promise<ApiResponse> {
  const options = readWriteOptions(exchange.query, "UpdateOptions");
  return answerWrite(exchange, 200, await writeRetried(exchange, () => storeFinalized(exchange, options)));
}

function* storeFinalized(exchange: Exchange, options: WriteOptions): Steps<WriteResult> {
  const sent = decodeBody(exchange.request, exchange.kind, options.fieldValidation, exchange.warnings);
  const live = requireObject(exchange);
  const updated = cloneJson(live.object);
  updated["spec"] = { ...(isObject(sent["spec"]) ? sent["spec"] : {}) };
  if (sent.metadata.resourceVersion !== undefined) updated.metadata.resourceVersion = sent.metadata.resourceVersion;
  const ownership = ownershipRequestOf(exchange, options);
  return yield* storeUpdate(writeRequestOf(exchange, options), live, updated, {
    uidConflict: true,
    track: (tracked, old) => ownershipAfterUpdate(ownership, old, tracked),
  });
}

async function bindPod(exchange: Exchange): Promise<ApiResponse> {
  const options = readWriteOptions(exchange.query, "CreateOptions");
  await writeRetried(exchange, () => storeBound(exchange, options));
  await exchange.server.store.settled();
  return answerValue(exchange, 201, SUCCESS);
}

function* storeBound(exchange: Exchange, options: WriteOptions): Steps<void> {
  const { server, kind } = exchange;
  const { json } = parseBody(exchange.request, false, "Binding");
  const live = requireObject(exchange);
  const bindingKind = { group: "", version: "v1", kind: "Binding" };
  const write = writeRequestOf(exchange, options);
  const binding = yield* admitSubresource(write, "CREATE", bindingKind, live.name, json);
  requireUnchanged(server.store, live);
  const target = isObject(binding["target"]) ? binding["target"] : {};
  const pod = cloneJson(live.object);
  // A decoded Pod has a spec.
  const spec = pod["spec"] as { nodeName?: string };
  const name = live.name;
  const resource = { group: "", resource: "pods/binding" };
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(resource, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (spec.nodeName !== undefined && spec.nodeName !== "") {
    throw conflict(resource, name, `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
  }
  const gates = (spec as { schedulingGates?: unknown[] }).schedulingGates ?? [];
  if (gates.length > 0) throw conflict(resource, name, `pod ${name} has non-empty .spec.schedulingGates`);
  spec.nodeName = String(target["name"] ?? "");
  takeOver(pod, binding);
  markScheduled(pod, rfc3339(server.clock.now()));
  const ownership = ownershipRequestOf(exchange, options);
  // Written past the rules of updates, which refuse to change a Pod's node.
  const tracked = ownershipAfterUpdate(ownership, live.object, pod);
  if (tracked !== undefined) pod.metadata.managedFields = tracked;
  if (!options.dryRun) server.store.put({ resource: kind.storageKey, namespace: live.namespace, name }, pod);
}

/** A Pod gets the labels and annotations of what binds it. */
function takeOver(pod: KubeObject, binding: { readonly [field: string]: unknown }): void {
  const { labels, annotations } = isObject(binding["metadata"]) ? (binding["metadata"] as KubeObject["metadata"]) : {};
  if (labels !== undefined) pod.metadata.labels = { ...pod.metadata.labels, ...labels };
  if (annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
}

function markScheduled(pod: KubeObject, now: string): void {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const others = Array.isArray(status["conditions"])
    ? status["conditions"].filter((each) => each?.type !== "PodScheduled")
    : [];
  const condition = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  // No node need be made free any more.
  const { nominatedNodeName: _, ...rest } = status;
  pod["status"] = { ...rest, conditions: [...others, condition] };
}
