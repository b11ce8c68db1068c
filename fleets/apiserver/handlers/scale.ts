// The scale subresource: an autoscaling/v1 Scale that stands for the replicas of an object.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { cloneJson, isObject, type Json, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { formatLabelSelector, type LabelSelector, requirementsOf } from "../../../kube/selectors.ts";
import type { Steps } from "../../../runtime/steps.ts";
import { decodeKind } from "../kinds/builtin-kind.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest, internalError, invalid } from "../registry/status-error.ts";
import { bodyText, mediaTypeOf, parseBody, parseYamlText } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { readWriteOptions, type WriteOptions } from "../request/options.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { AdmissionView } from "./admission.ts";
import { answerValue, servedObject } from "./answers.ts";
import { ownershipRequestOf, writeRequestOf, writeRetried } from "./create-update.ts";
import { patchedJson } from "./patch-types.ts";
import { requireObject } from "./read.ts";
import { settle } from "./revisions.ts";
import { ownershipAfterScale, ownershipAfterScaleApply } from "./scale-ownership.ts";
import { ensureServed, servedForms } from "./served-forms.ts";
import { storeUpdate, type WriteResult } from "./write.ts";

function valueAt(object: unknown, path: string): unknown {
  let value: unknown = object;
  for (const key of path.split(".")) value = isObject(value) ? value[key] : undefined;
  return value;
}

function setAt(object: KubeObject, path: string, value: Json): void {
  const keys = path.split(".");
  const last = keys.pop()!;
  let at: Record<string, unknown> = object;
  for (const key of keys) {
    const child = at[key];
    if (isObject(child)) at = child;
    else {
      const made: Record<string, unknown> = {};
      at[key] = made;
      at = made;
    }
  }
  at[last] = value;
}

function selectorText(object: KubeObject, kind: KindStrategy): string | undefined {
  const path = kind.scale?.labelSelector;
  if (path !== undefined) {
    const text = valueAt(object, path);
    return typeof text === "string" ? text : undefined;
  }
  if (kind.custom) return undefined;
  const selector = valueAt(object, "spec.selector");
  if (!isObject(selector)) return undefined;
  const isObjectForm = "matchLabels" in selector || "matchExpressions" in selector;
  // A decoded workload's selector has one of the two forms.
  const form = (isObjectForm ? selector : { matchLabels: selector }) as LabelSelector;
  return formatLabelSelector(requirementsOf(form));
}

/** The Scale of an object. */
export function scaleOf(object: KubeObject, kind: KindStrategy): JsonObject {
  const paths = kind.scale!;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = valueAt(object, paths.specReplicas);
  const selector = selectorText(object, kind);
  const count = typeof replicas === "number" ? replicas : 0;
  const status = valueAt(object, paths.statusReplicas);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp: creationTimestamp ?? null },
    spec: count === 0 ? {} : { replicas: count },
    status: {
      replicas: typeof status === "number" ? status : 0,
      ...(selector === undefined || selector === "" ? {} : { selector }),
    },
  };
}

/** A custom resource without replicas has a Scale to write, and none to show. */
function shownScale(object: KubeObject, kind: KindStrategy): JsonObject {
  const path = kind.scale!.specReplicas;
  if (kind.custom && valueAt(object, path) === undefined) {
    throw internalError(`the spec replicas field ".${path}" does not exist`);
  }
  return scaleOf(object, kind);
}

export async function getScale(exchange: Exchange): Promise<ApiResponse> {
  await settle(exchange.server.store);
  const [live] = await servedForms(exchange.kind, [requireObject(exchange)]);
  return answerValue(exchange, 200, shownScale(servedObject(live!, exchange.kind), exchange.kind));
}

/** PUT and PATCH of a Scale write the replicas of the object. */
export async function writeScale(exchange: Exchange, verb: "update" | "patch"): Promise<ApiResponse> {
  const { kind, server } = exchange;
  const isApply = mediaTypeOf(exchange.headers["content-type"]) === "application/apply-patch+yaml";
  const options = readWriteOptions(exchange.query, verb === "update" ? "UpdateOptions" : "PatchOptions", isApply);
  const result = await writeRetried(exchange, () => storeScaled(exchange, verb, options, isApply));
  await server.store.settled();
  // What is not stored is the object of a dry run.
  if (!(result.object instanceof StoredObject)) return answerValue(exchange, 200, shownScale(result.object, kind));
  const [form] = await servedForms(kind, [result.object]);
  return answerValue(exchange, 200, shownScale(servedObject(form!, kind), kind));
}

function* storeScaled(
  exchange: Exchange,
  verb: "update" | "patch",
  options: WriteOptions,
  isApply: boolean,
): Steps<WriteResult> {
  const { kind, request } = exchange;
  const live = requireObject(exchange);
  yield* ensureServed(kind, live);
  const old = servedObject(live, kind);
  const before = scaleOf(old, kind);
  const scale = verb === "update" ? parseBody(request, kind.custom, "Scale").json : patchScale(exchange, before);
  const metadata = isObject(scale["metadata"]) ? scale["metadata"] : {};
  const name = metadata["name"];
  if (name !== undefined && name !== live.name) {
    throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${live.name})`);
  }
  const replicas = valueAt(scale, "spec.replicas") ?? 0;
  if (typeof replicas !== "number")
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas is not a number');
  if (replicas < 0) {
    throw invalid({ group: "autoscaling", kind: "Scale" }, live.name, [
      {
        reason: "FieldValueInvalid",
        field: "spec.replicas",
        message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
      },
    ]);
  }
  const ownership = ownershipRequestOf(exchange, options);
  const entries = isApply
    ? ownershipAfterScaleApply(ownership, old, asObject(before), configOf(exchange), options.force)
    : ownershipAfterScale(ownership, old, asObject(before), asObject(scale));
  const updated = cloneJson(old);
  setAt(updated, kind.scale!.specReplicas, replicas);
  const { resourceVersion, uid } = metadata;
  if (typeof resourceVersion === "string" && resourceVersion !== "") updated.metadata.resourceVersion = resourceVersion;
  if (typeof uid === "string" && uid !== "") updated.metadata.uid = uid;
  const write = { ...writeRequestOf(exchange, options), subresource: "scale", view: scaleView(kind) };
  return yield* storeUpdate(write, live, updated, {
    uidConflict: true,
    track: () => entries,
  });
}

/** Admission sees the Scale, and may change its replicas. */
function scaleView(kind: KindStrategy): AdmissionView {
  return {
    kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    // A Scale has kind, apiVersion and metadata.
    show: (object) => scaleOf(object, kind) as unknown as KubeObject,
    takeBack(object, scale) {
      const replicas = valueAt(scale, "spec.replicas") ?? 0;
      if (typeof replicas === "number") setAt(object, kind.scale!.specReplicas, replicas);
      return object;
    },
  };
}

/** A Scale without what a Scale of zero replicas leaves out. */
function asObject(scale: JsonObject): KubeObject {
  return decodeKind("autoscaling/v1", "Scale", cloneJson(scale)).object;
}

/** The applied Scale as it was sent. */
function configOf({ request }: Exchange): KubeObject {
  const sent = request.object ?? parseYamlText(bodyText(request)).value;
  const config = isObject(sent) ? cloneJson(sent) : {};
  if (!isObject(config["metadata"])) config["metadata"] = {};
  // Kind and version are checked by the apply; metadata is there.
  return config as KubeObject;
}

function patchScale(exchange: Exchange, scale: JsonObject): JsonObject {
  const type = mediaTypeOf(exchange.headers["content-type"]);
  const text = exchange.request.object ?? parseYamlText(bodyText(exchange.request)).value;
  return patchedJson(
    type === "application/json-patch+json" ? "json" : "merge",
    cloneJson(scale),
    text as Json,
    exchange.kind,
  );
}
