// patch in its four types.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { stringifyJson } from "../../../kube/json.ts";
import {
  cloneJson,
  formatApiVersion,
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  parseApiVersion,
} from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Steps } from "../../../runtime/steps.ts";
import type { FieldError, KindStrategy } from "../registry/kind.ts";
import {
  badRequest,
  conflict,
  invalid,
  notFound,
  patchUndecodable,
  StatusError,
  statusError,
  unsupportedMediaType,
} from "../registry/status-error.ts";
import { bodyText, decodeObject, jsonType, mediaTypeOf, parseYamlText } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { JsonSyntaxError, parseJson } from "../request/json-parser.ts";
import { readWriteOptions, type WriteOptions } from "../request/options.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { servedObject } from "./answers.ts";
import { orRetryIfPresent } from "./concurrent-change.ts";
import {
  agreeOnName,
  agreeOnNamespace,
  answerWrite,
  ownershipRequestOf,
  writeRequestOf,
  writeRetried,
} from "./create-update.ts";
import { applyConfiguration, ownershipAfterUpdate } from "./field-ownership.ts";
import { goText } from "./go-text.ts";
import { type PatchType, patchedJson } from "./patch-types.ts";
import { requireObject } from "./read.ts";
import { ensureServed } from "./served-forms.ts";
import { replaceStatus } from "./status.ts";
import { requireNamespace, storeNew, storeUpdate, type WriteResult } from "./write.ts";

const APPLY = "application/apply-patch+yaml";
const TYPES: Readonly<Record<string, PatchType | "apply">> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  [APPLY]: "apply",
};

export async function patchObject(exchange: Exchange): Promise<ApiResponse> {
  const { headers, kind, query } = exchange;
  const type = TYPES[mediaTypeOf(headers["content-type"])];
  const refusesStrategic = kind.custom && kind.strategicMerge !== true;
  if (type === undefined || (type === "strategic" && refusesStrategic)) {
    const accepted = Object.keys(TYPES).filter((name) => !refusesStrategic || TYPES[name] !== "strategic");
    const isKnown = type !== undefined || mediaTypeOf(headers["content-type"]) === "application/apply-patch+cbor";
    throw isKnown || kind.custom
      ? unsupportedMediaType(accepted)
      : statusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  }
  const options = readWriteOptions(query, "PatchOptions", type === "apply");
  if (type === "apply") {
    const applied = await writeRetried(exchange, () => storeApplied(exchange, options));
    return answerWrite(exchange, applied.status, applied.result);
  }
  // The patch is not changed by applying it.
  const patch = (exchange.request.object ?? readPatch(bodyText(exchange.request))) as Json;
  const result = await writeRetried(exchange, () =>
    storePatched(exchange, requireObject(exchange), patch, type, options),
  );
  return answerWrite(exchange, 200, result);
}

function readPatch(text: string): Json {
  try {
    return parseJson(text, false).value;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw badRequest(`error decoding patch: ${error.message}`);
  }
}

function* storePatched(
  exchange: Exchange,
  live: StoredObject,
  patch: Json,
  type: PatchType,
  options: WriteOptions,
): Steps<WriteResult> {
  const { kind, target, warnings } = exchange;
  yield* ensureServed(kind, live);
  const old = servedObject(live, kind);
  const json = patchedJson(type, old as unknown as JsonObject, patch, kind);
  // An empty list would not survive decoding, and says that all ownership is to be forgotten.
  const given = isObject(json["metadata"]) ? json["metadata"]["managedFields"] : undefined;
  const clears = Array.isArray(given) && given.length === 0;
  const object = decodePatched(json, patch, type, kind, options, warnings);
  if (clears) object.metadata.managedFields = [];
  agreeOnNamespace(exchange, object);
  agreeOnName(exchange, object);
  const updated = target.subresource === "status" ? replaceStatus(object, old) : object;
  kind.applyDefaults(updated, old);
  const ownership = ownershipRequestOf(exchange, options);
  return yield* storeUpdate(writeRequestOf(exchange, options), live, updated, {
    uidConflict: false,
    track: (tracked, before) => ownershipAfterUpdate(ownership, before, tracked),
  });
}

/** Decodes the result of a patch; what cannot be decoded is the patch's fault, and a 422. */
function decodePatched(
  json: JsonObject,
  patch: Json,
  type: PatchType,
  kind: KindStrategy,
  options: WriteOptions,
  warnings: string[],
): KubeObject {
  if (json["kind"] === undefined)
    throw patchUndecodable(sortedText(json), `Object 'Kind' is missing in '${JSON.stringify(json)}'`);
  if (kind.custom) requireSameKind(json, kind);
  try {
    return decodeObject(json, [], kind, options.fieldValidation, warnings);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400) throw error;
    const prefix = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: `;
    const why = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
    throw type === "strategic"
      ? patchUndecodable(goText(patch), asMapConversion(why))
      : patchUndecodable(sortedText(json), why);
  }
}

/** The object as messages show it: fields by name, and letters that HTML gives a meaning escaped. */
function sortedText(json: JsonObject): string {
  const fields = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = stringifyJson(Object.fromEntries(fields));
  return text.replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
}

/** A strategic merge is converted from maps, not decoded from JSON, and fails in other words. */
function asMapConversion(why: string): string {
  const match = /^json: cannot unmarshal (\w+) into Go struct field \S+ of type (.+)$/.exec(why);
  if (match === null) return why;
  const [, found, type] = match;
  return type!.startsWith("[]")
    ? `cannot restore slice from ${found === "object" ? "map" : found}`
    : `unrecognized type: ${type}`;
}

function requireSameKind(json: JsonObject, kind: KindStrategy): void {
  const expected = formatApiVersion(kind.group, kind.version);
  const apiVersion = String(json["apiVersion"] ?? "");
  const found = { group: parseApiVersion(apiVersion).group, kind: String(json["kind"] ?? "") };
  const name = isObject(json["metadata"]) ? String(json["metadata"]["name"] ?? "") : "";
  const errors: FieldError[] = [];
  if (apiVersion !== expected) errors.push(mustBe("apiVersion", apiVersion, expected));
  if (found.kind !== kind.kind) errors.push(mustBe("kind", found.kind, kind.kind));
  if (errors.length > 0) throw invalid(found, name, errors);
}

function mustBe(field: string, value: string, expected: string): FieldError {
  return {
    reason: "FieldValueInvalid",
    field,
    message: `Invalid value: ${JSON.stringify(value)}: must be ${expected}`,
  };
}

function* storeApplied(exchange: Exchange, options: WriteOptions): Steps<{ status: number; result: WriteResult }> {
  const { kind, server, target, request } = exchange;
  const config = readConfiguration(exchange, options);
  // Compared, not filled in: the configuration is applied as it was sent.
  agreeOnNamespace(exchange, { ...config, metadata: { ...config.metadata } });
  agreeOnName(exchange, config);
  const name = target.name ?? "";
  const namespace = kind.namespaced ? (target.namespace ?? "") : "";
  const live = server.store.get({ resource: kind.storageKey, namespace, name });
  if (live === undefined) requireNothingOfAbsent(exchange, config);
  else yield* ensureServed(kind, live);
  const old = live === undefined ? undefined : servedObject(live, kind);
  const ownership = ownershipRequestOf(exchange, options);
  const { object: merged, changed } = applyConfiguration(ownership, old, config, options.force);
  // The most frequent apply of all: nothing new.
  if (live !== undefined && !changed) return { status: 200, result: { object: live, changed } };
  const managedFields = merged.metadata.managedFields ?? [];
  const isSent = merged === config || request.object === merged;
  // The merge may share parts with the live object and the body.
  const json = (isSent ? merged : cloneJson(merged)) as unknown as JsonObject;
  // As the reference: the merged custom resource is not decoded again, so a null that the merge left fails validation.
  const decoded = kind.custom
    ? (cloneJson(json) as unknown as KubeObject)
    : decodeObject(cloneJson(json), [], kind, "Ignore", exchange.warnings);
  agreeOnNamespace(exchange, decoded);
  const write = writeRequestOf(exchange, options);
  if (live === undefined || old === undefined) {
    requireNamespace(write, name);
    kind.applyDefaults(decoded, undefined);
    delete decoded.metadata.resourceVersion;
    return { status: 201, result: yield* orRetryIfPresent(storeNew(write, decoded, () => managedFields)) };
  }
  const updated = target.subresource === "status" ? replaceStatus(decoded, old) : decoded;
  kind.applyDefaults(updated, old);
  const result = yield* storeUpdate(write, live, updated, { uidConflict: false, track: () => managedFields });
  return { status: 200, result };
}

/** Refuses to create through a subresource, or what the client took for an object that exists. */
function requireNothingOfAbsent(exchange: Exchange, config: KubeObject): void {
  const { kind, target } = exchange;
  const resource = { group: kind.group, resource: kind.plural };
  const name = target.name ?? "";
  const { uid = "" } = config.metadata;
  if (uid !== "") {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource, name, why);
  }
  if (target.subresource !== undefined) throw notFound(resource, name);
}

/** The applied configuration as sent: values are compared as they are written, so nothing is made canonical here. */
function readConfiguration(exchange: Exchange, options: WriteOptions): KubeObject {
  const { request, kind } = exchange;
  const value =
    request.object === undefined ? parseConfiguration(bodyText(request), options) : cloneJson(request.object);
  if (!isObject(value)) {
    if (value === null) throw badRequest("invalid object type: /, Kind=");
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonType(value as Json)} into Go value of type map[string]interface {}`,
    );
  }
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  if (value["apiVersion"] !== apiVersion || value["kind"] !== kind.kind) {
    const given = String(value["apiVersion"] ?? "");
    throw badRequest(
      `invalid object type: ${given.includes("/") ? given : `/${given}`}, Kind=${String(value["kind"] ?? "")}`,
    );
  }
  if (value["metadata"] === undefined || value["metadata"] === null) value["metadata"] = {};
  // Kind, apiVersion and metadata are there; the rest is JSON data.
  const config = value as KubeObject;
  if (config.metadata.managedFields !== undefined && config.metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  return config;
}

function parseConfiguration(text: string, options: WriteOptions): unknown {
  try {
    const { value, duplicates } = text.trimStart().startsWith("{") ? parseJson(text, false) : parseYamlText(text);
    if (duplicates.length > 0 && options.fieldValidation === "Strict") {
      throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${duplicates.join(", ")}`);
    }
    return value;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${messageOf(error)}`);
  }
}
