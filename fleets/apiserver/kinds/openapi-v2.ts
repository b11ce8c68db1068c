// The OpenAPI v2 document: as protobuf, a recorded base for the built-in kinds with one more message per custom
// resource appended (protobuf messages merge by concatenation), and as JSON.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Json, JsonObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { customListSchema, customSchema, definitionOf } from "./openapi.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { allSchemas } from "./tables.ts";

function reference(name: string): JsonObject {
  return { $ref: `#/definitions/${name}` };
}

/** Keywords of v3 that v2 has no words for. */
const V3_ONLY: ReadonlySet<string> = new Set(["oneOf", "anyOf", "allOf", "not", "nullable", "$schema", "id"]);
/** Keywords whose value maps names to schemas. */
const SCHEMA_MAPS: ReadonlySet<string> = new Set(["properties"]);

/**
 * A schema in the words of v2. As in the reference, a nullable value has no type there, and what follows from a type
 * that is left out is left out too.
 */
export function toV2Schema(schema: JsonObject): JsonObject {
  const out: JsonObject = {};
  const untyped = schema["nullable"] === true || schema["x-kubernetes-int-or-string"] === true;
  for (const key in schema) {
    const value = schema[key];
    if (V3_ONLY.has(key)) continue;
    if (untyped && ["type", "items", "properties", "additionalProperties"].includes(key)) continue;
    if (SCHEMA_MAPS.has(key)) out[key] = mapSchemas(value as JsonObject);
    else if (key === "items" || (key === "additionalProperties" && typeof value === "object")) {
      out[key] = toV2Schema(value as JsonObject);
    } else out[key] = value;
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === true && out["type"] === "array") delete out["items"];
  return out;
}

function mapSchemas(schemas: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, inner]) => [name, toV2Schema(inner as JsonObject)]));
}

function customDefinitions(kind: KindStrategy): readonly (readonly [name: string, schema: JsonObject])[] {
  const name = definitionOf(kind);
  return [
    [name, toV2Schema(customSchema(kind, reference))],
    [`${name}List`, toV2Schema(customListSchema(kind, reference))],
  ];
}

// Field numbers of openapi.v2: Document.definitions, Definitions and Properties (repeated NamedSchema), Schema.
const DOCUMENT_DEFINITIONS = 9;

function encodeDefinition(name: string, schema: JsonObject): Uint8Array {
  return new ProtobufWriter()
    .message(DOCUMENT_DEFINITIONS, (definitions) => encodeNamedSchema(definitions, name, schema))
    .finish();
}

function encodeNamedSchema(out: ProtobufWriter, name: string, schema: JsonObject): void {
  out.message(1, (named) => {
    named.text(1, name);
    named.message(2, (body) => encodeSchema(body, schema));
  });
}

const TEXT_FIELDS: readonly (readonly [number, string])[] = [
  [1, "$ref"],
  [2, "format"],
  [3, "title"],
  [4, "description"],
  [13, "pattern"],
];
const DOUBLE_FIELDS: readonly (readonly [number, string])[] = [
  [6, "multipleOf"],
  [7, "maximum"],
  [9, "minimum"],
];
const INTEGER_FIELDS: readonly (readonly [number, string])[] = [
  [11, "maxLength"],
  [12, "minLength"],
  [14, "maxItems"],
  [15, "minItems"],
  [17, "maxProperties"],
  [18, "minProperties"],
];
const BOOLEAN_FIELDS: readonly (readonly [number, string])[] = [
  [8, "exclusiveMaximum"],
  [10, "exclusiveMinimum"],
  [16, "uniqueItems"],
];

function encodeSchema(out: ProtobufWriter, schema: JsonObject): void {
  for (const [number, key] of TEXT_FIELDS) if (typeof schema[key] === "string") out.text(number, schema[key]);
  for (const [number, key] of DOUBLE_FIELDS) if (schema[key] !== undefined) out.double(number, Number(schema[key]));
  for (const [number, key] of INTEGER_FIELDS) if (schema[key] !== undefined) out.integer(number, Number(schema[key]));
  for (const [number, key] of BOOLEAN_FIELDS) if (schema[key] === true) out.integer(number, 1);
  if (schema["default"] !== undefined) encodeAny(out, 5, schema["default"]);
  for (const name of (schema["required"] ?? []) as string[]) out.text(19, name);
  for (const option of (schema["enum"] ?? []) as Json[]) encodeAny(out, 20, option);
  const additional = schema["additionalProperties"];
  if (typeof additional === "boolean") out.message(21, (item) => item.integer(2, additional ? 1 : 0));
  else if (additional !== undefined) {
    out.message(21, (item) => item.message(1, (body) => encodeSchema(body, additional as JsonObject)));
  }
  const type = schema["type"];
  if (typeof type === "string") out.message(22, (item) => item.text(1, type));
  const items = schema["items"];
  if (items !== undefined) {
    out.message(23, (item) => item.message(1, (body) => encodeSchema(body, items as JsonObject)));
  }
  const properties = schema["properties"] as JsonObject | undefined;
  if (properties !== undefined) {
    out.message(25, (body) => {
      for (const name in properties) encodeNamedSchema(body, name, properties[name] as JsonObject);
    });
  }
  for (const key in schema) {
    if (!key.startsWith("x-")) continue;
    out.message(31, (named) => {
      named.text(1, key);
      encodeAny(named, 2, schema[key] ?? null);
    });
  }
}

/** An arbitrary value travels as YAML text, of which JSON is a part. */
function encodeAny(out: ProtobufWriter, number: number, value: Json): void {
  out.message(number, (any) => any.text(2, `${JSON.stringify(value)}\n`));
}

let base: Uint8Array | undefined;
const encoded = new WeakMap<KindStrategy, Uint8Array>();

function encodedKind(kind: KindStrategy): Uint8Array {
  let bytes = encoded.get(kind);
  if (bytes === undefined) {
    bytes = Buffer.concat(customDefinitions(kind).map(([name, schema]) => encodeDefinition(name, schema)));
    encoded.set(kind, bytes);
  }
  return bytes;
}

/** Definitions from elsewhere, in the words of v2. */
export type FurtherDefinitions = readonly (readonly [name: string, schema: JsonObject])[];

/** The protobuf form of `/openapi/v2`. Each custom kind is encoded once. `further` adds names that are not there yet. */
export function openApiV2Protobuf(kinds: readonly KindStrategy[], further: FurtherDefinitions = []): Uint8Array {
  base ??= readFileSync(new URL("./tables/openapi-v2-base.table.pb", import.meta.url));
  const custom = kinds.filter((kind) => kind.custom);
  const known = new Set(further.length === 0 ? [] : Object.keys(definitionsOf(kinds)));
  const added: Uint8Array[] = [];
  for (const [name, schema] of further) {
    if (known.has(name)) continue;
    known.add(name);
    added.push(encodeDefinition(name, schema));
  }
  return Buffer.concat([base, ...custom.map(encodedKind), ...added]);
}

function withReferences(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== "object" || value === null) return value ?? null;
  const out: JsonObject = {};
  for (const key in value) {
    const inner = value[key];
    out[key] = key === "$ref" && typeof inner === "string" ? `#/definitions/${inner}` : withReferences(inner);
  }
  return out;
}

let builtinDefinitions: JsonObject | undefined;

function definitionsOf(kinds: readonly KindStrategy[]): JsonObject {
  // Table schemas are JSON objects.
  builtinDefinitions ??= withReferences(allSchemas() as JsonObject) as JsonObject;
  const definitions: JsonObject = { ...builtinDefinitions };
  for (const kind of kinds) {
    if (!kind.custom) continue;
    for (const [name, schema] of customDefinitions(kind)) definitions[name] = schema;
  }
  return definitions;
}

/** The JSON form of `/openapi/v2`: definitions only. `further` adds names that are not there yet. */
export function openApiV2Json(kinds: readonly KindStrategy[], further: FurtherDefinitions = []): string {
  const definitions = definitionsOf(kinds);
  for (const [name, schema] of further) definitions[name] ??= schema;
  return JSON.stringify({
    swagger: "2.0",
    info: { title: "Kubernetes", version: "v1.36.3" },
    paths: {},
    definitions,
  });
}

/** The hash that answers of `/openapi/v2` carry as ETag: upper-case SHA-512. */
export function openApiHash(body: string | Uint8Array): string {
  return createHash("sha512").update(body).digest("hex").toUpperCase();
}
