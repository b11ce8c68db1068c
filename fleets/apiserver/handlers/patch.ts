// patch in its four types.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { sortKeys, stringifyJson } from "../../../kube/json.ts";
import {
  cloneJson,
  formatApiVersion,
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  parseApiVersion,
} from "../../../kube/object.ts";
import type { Steps } from "../../../runtime/steps.ts";
import { coerceMetadata } from "../crd/prune.ts";
import type { FieldError, KindStrategy } from "../registry/kind.ts";
import {
  badRequest,
  conflict,
  invalid,
  notFound,
  patchUndecodable,
  StatusError,
  serverError,
  statusError,
  unsupportedMediaType,
} from "../registry/status-error.ts";
import { bodyText, decodeObject, jsonType, mediaTypeOf, parseYamlText, yamlWords } from "../request/body.ts";
import type { Exchange } from "../request/exchange.ts";
import { JsonSyntaxError, parseJson } from "../request/json-parser.ts";
import { readWriteOptions, type WriteOptions } from "../request/options.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { isAdmitted } from "./admission.ts";
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
    throw kind.custom
      ? unsupportedMediaType(accepted)
      : statusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  }
  const options = readWriteOptions(query, "PatchOptions", type === "apply");
  if (type === "apply") {
    const applied = await writeRetried(exchange, () => storeApplied(exchange, options));
    return answerWrite(exchange, applied.status, applied.result);
  }
  requireObject(exchange);
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
  const json = patchedJson(type, old as unknown as JsonObject, patch, kind, options.fieldValidation);
  // An empty list would not survive decoding, and says that all ownership is to be forgotten.
  const given = isObject(json["metadata"]) ? json["metadata"]["managedFields"] : undefined;
  // That of a custom resource does not survive at all.
  const clears = !kind.custom && Array.isArray(given) && given.length === 0;
  const object = decodePatched(json, patch, type, kind, options, warnings);
  if (clears) object.metadata.managedFields = [];
  agreeOnNamespace(exchange, object);
  agreeOnName(exchange, object);
  const updated = target.subresource === "status" ? replaceStatus(object, old, kind) : object;
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
  const mistyped = ["apiVersion", "kind"].find((key) => {
    const value = json[key];
    return value !== undefined && value !== null && typeof value !== "string";
  });
  if (mistyped !== undefined) {
    const why = `json: cannot unmarshal ${jsonType(json[mistyped] ?? null)} into Go struct field .${mistyped} of type string`;
    throw patchUndecodable(textOf(json, type), `couldn't get version/kind; json parse error: ${why}`);
  }
  const { metadata } = json;
  if (kind.custom && metadata !== undefined && metadata !== null && !isObject(metadata)) {
    const why = `json: cannot unmarshal ${jsonType(metadata)} into Go value of type v1.ObjectMeta`;
    throw patchUndecodable(textOf(json, type), why);
  }
  if (kind.custom && (json["kind"] === undefined || json["kind"] === null))
    throw patchUndecodable(textOf(json, type), `Object 'Kind' is missing in '${JSON.stringify(inOrder(json, type))}'`);
  if (kind.custom) requireSameKind(json, kind);
  try {
    const found: string[] = [];
    const object = decodeQuietly(json, kind, options, found);
    if (object !== undefined && found.length === 0) return object;
    return decodeObject(inOrder(json, type), [], kind, options.fieldValidation, warnings);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400) throw error;
    const why = reasonOf(error, kind);
    throw type === "strategic"
      ? patchUndecodable(goText(patch), asMapConversion(why))
      : patchUndecodable(textOf(json, type), why);
  }
}

/** The object as messages show it: fields by name, and letters that HTML gives a meaning escaped. */
function textOf(json: JsonObject, type: PatchType): string {
  const fields = Object.entries(inOrder(json, type)).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = stringifyJson(Object.fromEntries(fields));
  return text.replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
}

/** As the reference, which merges maps and writes them with sorted keys: problems are found in that order. */
function inOrder(json: JsonObject, type: PatchType): JsonObject {
  // Sorting leaves an object an object.
  return type === "merge" ? (sortKeys(json) as JsonObject) : json;
}

/** The decoded object, or undefined where it is refused: the order of its keys says with which words. */
function decodeQuietly(
  json: JsonObject,
  kind: KindStrategy,
  options: WriteOptions,
  found: string[],
): KubeObject | undefined {
  try {
    return decodeObject({ ...json }, [], kind, options.fieldValidation, found);
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

const GO_KINDS: Readonly<Record<string, string>> = { array: "slice", object: "map", number: "int64" };

/** A strategic merge is converted from maps, not decoded from JSON, and fails in other words. */
function asMapConversion(why: string): string {
  const whole =
    /^json: cannot unmarshal (\w+) into Go struct field \S+ of type v1\.[A-Z]\w*(?:Spec|Status|Meta|Selector)$/.exec(
      why,
    );
  if (whole !== null) return `cannot restore struct from: ${GO_KINDS[whole[1]!] ?? whole[1]}`;
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
  const name = target.name ?? "";
  const namespace = kind.namespaced ? (target.namespace ?? "") : "";
  const live = server.store.get({ resource: kind.storageKey, namespace, name });
  if (live === undefined && target.subresource !== undefined) {
    throw notFound({ group: kind.group, resource: kind.plural }, name);
  }
  if (live !== undefined) yield* ensureServed(kind, live);
  const old = live === undefined ? undefined : servedObject(live, kind);
  const ownership = ownershipRequestOf(exchange, options);
  const { object: merged, changed } = applyConfiguration(ownership, old, config, options.force);
  // Compared, not filled in: the configuration is applied as it was sent.
  agreeOnNamespace(exchange, { ...config, metadata: { ...config.metadata } });
  agreeOnName(exchange, config);
  if (live === undefined) requireNoUid(exchange, config);
  // The most frequent apply of all: nothing new. Admission sees it nevertheless, and may refuse what it let pass before.
  if (live !== undefined && !changed && !isAdmitted(exchange, "UPDATE"))
    return { status: 200, result: { object: live, changed } };
  const managedFields = merged.metadata.managedFields ?? [];
  const isSent = merged === config || request.object === merged;
  // The merge may share parts with the live object and the body.
  const json = (isSent ? merged : cloneJson(merged)) as unknown as JsonObject;
  const decoded = kind.custom
    ? mergedCustom(cloneJson(json))
    : decodeMerged(cloneJson(json), kind, config, exchange.warnings);
  agreeOnNamespace(exchange, decoded);
  const write = writeRequestOf(exchange, options);
  if (live === undefined || old === undefined) {
    requireNamespace(write, name);
    kind.applyDefaults(decoded, undefined);
    delete decoded.metadata.resourceVersion;
    return { status: 201, result: yield* orRetryIfPresent(storeNew(write, decoded, () => managedFields)) };
  }
  const updated = target.subresource === "status" ? replaceStatus(decoded, old, kind) : decoded;
  kind.applyDefaults(updated, old);
  const result = yield* storeUpdate(write, live, updated, { uidConflict: false, track: () => managedFields });
  return { status: 200, result };
}

/**
 * As the reference: of a merged custom resource only the metadata is decoded again, so a null that the merge left in the
 * rest fails validation.
 */
function mergedCustom(json: JsonObject): KubeObject {
  const given = json["metadata"];
  if (isObject(given)) json["metadata"] = coerceMetadata(given, "metadata").metadata;
  return json as unknown as KubeObject;
}

/** Refuses to create what the client took for an object that exists. */
function requireNoUid({ kind, target }: Exchange, config: KubeObject): void {
  const { uid = "" } = config.metadata;
  if (uid === "") return;
  const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  throw conflict({ group: kind.group, resource: kind.plural }, target.name ?? "", why);
}

/** A merged object of a built-in kind, decoded from JSON as if it had been sent. */
function decodeMerged(json: JsonObject, kind: KindStrategy, config: KubeObject, warnings: string[]): KubeObject {
  try {
    return decodeObject(json, [], kind, "Ignore", warnings);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400) throw error;
    const type = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
    const { namespace = "", name = "" } = config.metadata;
    const what = `failed to convert new object (${namespace}/${name}; ${type}) to proper version`;
    const why = `unable to convert unstructured object to ${type}: error decoding from json: ${reasonOf(error, kind)}`;
    throw serverError(`${what}: ${why}`);
  }
}

/** Why a body could not be decoded, without the words around it. */
function reasonOf(error: StatusError, kind: KindStrategy): string {
  const marker = ` cannot be handled as a ${kind.kind}: `;
  const at = error.message.indexOf(marker);
  return at < 0 ? error.message : error.message.slice(at + marker.length);
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
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${yamlWords(error)}`);
  }
}
