// From the body of a request to JSON.

import type { ApiRequest } from "../../../kube/client/transport.ts";
import { cloneJson, isObject, type Json, type JsonObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { decodeProtobuf, unknownKind } from "../kinds/protobuf.ts";
import { ProtobufError } from "../kinds/protobuf-wire.ts";
import { typeNameOf } from "../kinds/tables.ts";
import type { DecodeResult, KindStrategy } from "../registry/kind.ts";
import { badRequest, requestTooLarge, unsupportedMediaType } from "../registry/status-error.ts";
import { MAX_DEPTH, type ParsedJson, parseJson } from "./json-parser.ts";
import type { FieldValidation } from "./options.ts";

export const MAX_BODY_BYTES = 3_145_728;
const SUMMARY_BYTES = 30;
const JSON_TYPE = "application/json";
const YAML_TYPE = "application/yaml";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

/** The Go type that every body is read into first, as messages of the reference name it. */
export const TYPE_META = `struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;

export interface ParsedBody {
  readonly json: JsonObject;
  readonly duplicates: readonly string[];
}

/** The part of a Content-Type before its parameters. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? "").split(";")[0]!.trim().toLowerCase();
}

export function bodyText(request: ApiRequest): string {
  const { body } = request;
  if (body === undefined) return "";
  const size = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (size > MAX_BODY_BYTES) throw requestTooLarge(MAX_BODY_BYTES);
  return typeof body === "string" ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

function bodyBytes(request: ApiRequest): Buffer {
  const { body } = request;
  if (body === undefined) return Buffer.alloc(0);
  const bytes =
    typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.byteLength > MAX_BODY_BYTES) throw requestTooLarge(MAX_BODY_BYTES);
  return bytes;
}

/** Reads a body as an object. `kindName` is what refusals say was expected. */
export function parseBody(request: ApiRequest, custom: boolean, kindName: string): ParsedBody {
  if (request.object !== undefined) return { json: cloneJson(request.object) as JsonObject, duplicates: [] };
  const type = mediaTypeOf(request.headers?.["content-type"]) || JSON_TYPE;
  if (type === PROTOBUF_TYPE && !custom) {
    return { json: parseProtobufBody(bodyBytes(request), kindName), duplicates: [] };
  }
  if (type !== JSON_TYPE && type !== YAML_TYPE) {
    throw unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
  }
  const bytes = bodyBytes(request);
  const parsed = type === YAML_TYPE ? parseYamlBody(bytes, kindName) : parseJsonBody(bytes, custom, kindName);
  const why = checkTypeMeta(parsed.value);
  if (why !== undefined) throw unrecognized(kindName, why, bytes);
  // An object parsed from JSON or YAML holds JSON only. A null body is an empty object, as in Go.
  return { json: (parsed.value ?? {}) as JsonObject, duplicates: parsed.duplicates };
}

/** Why a value has no apiVersion and kind that can be read; undefined when it may have. */
function checkTypeMeta(value: Json): string | undefined {
  const cannot = "couldn't get version/kind; json parse error: json: cannot unmarshal";
  if (value === null) return undefined;
  if (!isObject(value)) {
    return `${cannot} ${jsonType(value)} into Go value of type ${TYPE_META}`;
  }
  for (const field of ["apiVersion", "kind"] as const) {
    const given = Object.hasOwn(value, field) ? (value[field] as Json) : null;
    if (given !== null && typeof given !== "string")
      return `${cannot} ${jsonType(given)} into Go struct field .${field} of type string`;
  }
  const { apiVersion } = value;
  if (typeof apiVersion === "string" && apiVersion.split("/").length > 2)
    return `unexpected GroupVersion string: ${apiVersion}`;
  return undefined;
}

/** The type of JSON data as Go names it in messages. */
export function jsonType(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  return typeof value === "bigint" ? "number" : typeof value;
}

function parseProtobufBody(bytes: Buffer, kindName: string): JsonObject {
  try {
    return decodeProtobuf(bytes);
  } catch (error) {
    if (error instanceof ProtobufError && error.of !== undefined) throw undecodable(error.of, kindName, error.message);
    throw unrecognized(kindName, messageOf(error), bytes);
  }
}

/** 400 for a body whose kind is known and whose content is not what that kind has. */
export function undecodable(
  of: { readonly apiVersion: string; readonly kind: string },
  kindName: string,
  why: string,
): Error {
  const version = of.apiVersion.split("/").pop();
  return badRequest(`${of.kind} in version "${version}" cannot be handled as a ${kindName}: ${why}`);
}

function parseJsonBody(bytes: Buffer, custom: boolean, kindName: string): ParsedJson {
  try {
    return parseJson(bytes.toString(), !custom);
  } catch (error) {
    throw unrecognized(kindName, `couldn't get version/kind; json parse error: ${messageOf(error)}`, bytes);
  }
}

/** Reads YAML whose last of several equal keys wins; the first such key is reported as the reference does. */
export function parseYamlText(text: string): ParsedJson {
  try {
    // JSON data by the parser's own contract.
    return { value: parseYaml(text, { maxDepth: MAX_DEPTH }) as ParsedJson["value"], duplicates: [] };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "yaml-duplicate-key") throw error;
    const { line } = error.details;
    const key = /"([^"]*)"/.exec(error.message)?.[1] ?? "";
    const value = parseYaml(text, { duplicateKeys: "last-wins", maxDepth: MAX_DEPTH }) as ParsedJson["value"];
    return {
      value,
      duplicates: [`yaml: unmarshal errors:\n  line ${String(line)}: key ${JSON.stringify(key)} already set in map`],
    };
  }
}

/** Why a text is no YAML: in the reference's words where they are known. */
export function yamlWords(error: unknown): string {
  const known = error instanceof AppError ? error.details["goMessage"] : undefined;
  return typeof known === "string" ? known : messageOf(error);
}

function parseYamlBody(bytes: Buffer, kindName: string): ParsedJson {
  try {
    return parseYamlText(bytes.toString());
  } catch (error) {
    throw unrecognized(kindName, `yaml: ${yamlWords(error)}`, bytes);
  }
}

function unrecognized(kindName: string, why: string, body: Buffer): Error {
  const cut = body.subarray(0, SUMMARY_BYTES);
  const text = body[0] === 0x7b ? cut.toString() : cut.toString("hex");
  const summary = body.length === 0 ? "<empty>" : body.length > SUMMARY_BYTES ? `${text} ...` : text;
  return badRequest(`the object provided is unrecognized (must be of type ${kindName}): ${why} (${summary})`);
}

/**
 * Reads a body as an object of `kind`. Unknown and duplicate fields end the request or become warnings, as
 * `validation` says.
 */
export function decodeBody(
  request: ApiRequest,
  kind: KindStrategy,
  validation: FieldValidation,
  warnings: string[],
): DecodeResult["object"] {
  const { json, duplicates } = parseBody(request, kind.custom, kind.kind);
  return decodeObject(json, duplicates, kind, validation, warnings);
}

/** As `decodeBody`, from JSON that is already there. Takes `json` over. */
export function decodeObject(
  json: JsonObject,
  duplicates: readonly string[],
  kind: KindStrategy,
  validation: FieldValidation,
  warnings: string[],
): DecodeResult["object"] {
  checkKind(json, kind);
  const { object, strictErrors } = kind.decode(json, duplicates);
  if (strictErrors.length === 0 || validation === "Ignore") return object;
  if (validation === "Strict") {
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${strictErrors.join(", ")}`,
    );
  }
  for (const text of strictErrors) if (!warnings.includes(text)) warnings.push(text);
  return object;
}

function checkKind(json: JsonObject, kind: KindStrategy): void {
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  if (kind.custom) {
    const missing =
      typeof json["kind"] !== "string" || json["kind"] === ""
        ? "Kind"
        : typeof json["apiVersion"] !== "string" || json["apiVersion"] === ""
          ? "apiVersion"
          : undefined;
    if (missing !== undefined) {
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind.kind}): Object '${missing}' is missing in '${JSON.stringify(json)}' (${summaryOf(json)})`,
      );
    }
  }
  json["apiVersion"] = json["apiVersion"] === undefined || json["apiVersion"] === "" ? apiVersion : json["apiVersion"];
  json["kind"] = json["kind"] === undefined || json["kind"] === "" ? kind.kind : json["kind"];
  if (json["apiVersion"] === apiVersion && json["kind"] === kind.kind) return;
  const given = String(json["apiVersion"]);
  const name = String(json["kind"]);
  const version = given.slice(given.indexOf("/") + 1);
  const refused = `${name} in version "${version}" cannot be handled as a ${kind.kind}`;
  if (!kind.custom && !isRegistered(given, name)) {
    throw undecodable({ apiVersion: given, kind: name }, kind.kind, unknownKind(given, name));
  }
  if (given !== apiVersion && (kind.custom || name === kind.kind)) {
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersion})`);
  }
  throw badRequest(
    `${refused}: converting (${version}.${name}) to (${internalGroup(kind)}.${kind.kind}): unknown conversion`,
  );
}

/** Kinds of the machinery, which every version has. */
const EVERYWHERE =
  /^(WatchEvent|List|Status|API(Versions|Group|GroupList|ResourceList)|(Create|Update|Patch|Delete|Get|List)Options)$/;

/** Whether a kind is known to the reference, by itself or as the list of another. */
function isRegistered(apiVersion: string, kind: string): boolean {
  if (typeNameOf(apiVersion, kind) !== undefined || EVERYWHERE.test(kind)) return true;
  return kind.endsWith("List") && typeNameOf(apiVersion, kind.slice(0, -"List".length)) !== undefined;
}

/** The name of the group's internal package. */
function internalGroup(kind: KindStrategy): string {
  return kind.group === "" ? "core" : kind.group.split(".")[0]!;
}

function summaryOf(json: JsonObject): string {
  const text = JSON.stringify(json);
  return text.length > SUMMARY_BYTES ? `${text.slice(0, SUMMARY_BYTES)} ...` : text;
}
