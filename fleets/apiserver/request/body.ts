// From the body of a request to JSON.

import type { ApiRequest } from "../../../kube/client/transport.ts";
import type { JsonObject } from "../../../kube/object.ts";
import { cloneJson, isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { decodeProtobuf } from "../kinds/protobuf.ts";
import type { DecodeResult, KindStrategy } from "../registry/kind.ts";
import { badRequest, requestTooLarge, unsupportedMediaType } from "../registry/status-error.ts";
import { type ParsedJson, parseJson } from "./json-parser.ts";
import type { FieldValidation } from "./options.ts";

export const MAX_BODY_BYTES = 3_145_728;
const SUMMARY_BYTES = 30;
const JSON_TYPE = "application/json";
const YAML_TYPE = "application/yaml";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

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
    try {
      return { json: decodeProtobuf(bodyBytes(request)), duplicates: [] };
    } catch (error) {
      throw unrecognized(kindName, messageOf(error), bodyBytes(request));
    }
  }
  if (type !== JSON_TYPE && type !== YAML_TYPE) {
    throw unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
  }
  const text = bodyText(request);
  const parsed = type === YAML_TYPE ? parseYamlBody(text, kindName) : parseJsonBody(text, custom, kindName);
  if (!isObject(parsed.value)) {
    const found = Array.isArray(parsed.value) ? "array" : parsed.value === null ? "null" : typeof parsed.value;
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw unrecognized(kindName, why, Buffer.from(text));
  }
  // An object parsed from JSON or YAML holds JSON only.
  return { json: parsed.value as JsonObject, duplicates: parsed.duplicates };
}

function parseJsonBody(text: string, custom: boolean, kindName: string): ParsedJson {
  try {
    return parseJson(text, !custom);
  } catch (error) {
    throw unrecognized(kindName, `couldn't get version/kind; json parse error: ${messageOf(error)}`, Buffer.from(text));
  }
}

/** Reads YAML whose last of several equal keys wins; the first such key is reported as the reference does. */
export function parseYamlText(text: string): ParsedJson {
  try {
    // JSON data by the parser's own contract.
    return { value: parseYaml(text) as ParsedJson["value"], duplicates: [] };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "yaml-duplicate-key") throw error;
    const { line } = error.details;
    const key = /"([^"]*)"/.exec(error.message)?.[1] ?? "";
    const value = parseYaml(text, { duplicateKeys: "last-wins" }) as ParsedJson["value"];
    return {
      value,
      duplicates: [`yaml: unmarshal errors:\n  line ${String(line)}: key ${JSON.stringify(key)} already set in map`],
    };
  }
}

function parseYamlBody(text: string, kindName: string): ParsedJson {
  try {
    return parseYamlText(text);
  } catch (error) {
    throw unrecognized(kindName, `yaml: ${messageOf(error)}`, Buffer.from(text));
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
  if (json["apiVersion"] !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(json["apiVersion"])}) does not match the expected API version (${apiVersion})`,
    );
  }
  const version = String(json["apiVersion"]).split("/").pop();
  throw badRequest(
    `${String(json["kind"])} in version "${version}" cannot be handled as a ${kind.kind}: converting (${version}.${String(json["kind"])}) to (${internalGroup(kind)}.${kind.kind}): unknown conversion`,
  );
}

/** The name of the group's internal package. */
function internalGroup(kind: KindStrategy): string {
  return kind.group === "" ? "core" : kind.group.split(".")[0]!;
}

function summaryOf(json: JsonObject): string {
  const text = JSON.stringify(json);
  return text.length > SUMMARY_BYTES ? `${text.slice(0, SUMMARY_BYTES)} ...` : text;
}
