// A custom resource's structural schema, compiled once into nodes that pruning, defaulting and validation walk.
import { type FormatCheck, formatCheck } from "../../../kube/formats.ts";
import type { Json, JsonObject } from "../../../kube/object.ts";
import { compileRegex, type Regex } from "../../../kube/regex/regex.ts";
import { RegexError } from "../../../kube/regex/syntax.ts";

/** The keywords of a JSON schema as a CustomResourceDefinition has them. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** A CEL rule as written. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export type JsonType = "object" | "array" | "string" | "integer" | "number" | "boolean";

/** A compiled schema. Nested value validations (`anyOf` and the like) are nodes too. */
export interface SchemaNode {
  readonly source: JsonSchema;
  readonly type: JsonType | undefined;
  readonly intOrString: boolean;
  readonly nullable: boolean;
  readonly preserveUnknown: boolean;
  readonly embedded: boolean;
  readonly properties: ReadonlyMap<string, SchemaNode> | undefined;
  /** Properties with a default, for the defaulting pass. */
  readonly defaulted: readonly (readonly [name: string, node: SchemaNode])[];
  /** `true`: any value. */
  readonly additional: SchemaNode | true | undefined;
  readonly items: SchemaNode | undefined;
  readonly required: readonly string[];
  readonly pattern: Regex | undefined;
  readonly format: FormatCheck | undefined;
  readonly allOf: readonly SchemaNode[];
  readonly anyOf: readonly SchemaNode[];
  readonly oneOf: readonly SchemaNode[];
  readonly not: SchemaNode | undefined;
  readonly listType: "atomic" | "set" | "map";
  readonly listKeys: readonly string[];
  /** Whether the node or one below has a default, so that defaulting may pass others by. */
  readonly hasDefaults: boolean;
  /** Whether the node or one below is a list of type set or map. */
  readonly hasListTypes: boolean;
}

const EMBEDDED_PROPERTIES: Readonly<Record<string, JsonSchema>> = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
};

function compilePattern(pattern: string): Regex | undefined {
  const regex = compileRegex(pattern);
  return regex instanceof RegexError ? undefined : regex;
}

function isJsonType(type: string | undefined): type is JsonType {
  return type !== undefined && ["object", "array", "string", "integer", "number", "boolean"].includes(type);
}

/**
 * Compiles a schema. Patterns that do not compile are ignored here: registration refuses them. `root` adds the fields
 * that every object has.
 */
export function compileSchema(schema: JsonSchema, root = false): SchemaNode {
  const embedded = root || schema["x-kubernetes-embedded-resource"] === true;
  const properties = compileProperties(schema, embedded);
  const additional = compileAdditional(schema.additionalProperties);
  const items = schema.items === undefined ? undefined : compileSchema(schema.items);
  const children = [...(properties?.values() ?? []), ...(additional === true || !additional ? [] : [additional])];
  if (items !== undefined) children.push(items);
  const defaulted = [...(properties ?? [])].filter(([, node]) => node.source.default !== undefined);
  const listType = schema["x-kubernetes-list-type"];
  const embeddedOnly = embedded && !root;
  return {
    source: schema,
    type: isJsonType(schema.type) ? schema.type : undefined,
    intOrString: schema["x-kubernetes-int-or-string"] === true,
    nullable: schema.nullable === true,
    preserveUnknown: schema["x-kubernetes-preserve-unknown-fields"] === true,
    embedded,
    properties,
    defaulted,
    additional,
    items,
    required: embeddedOnly ? [...new Set([...(schema.required ?? []), "apiVersion", "kind"])] : (schema.required ?? []),
    pattern: schema.pattern === undefined ? undefined : compilePattern(schema.pattern),
    format: schema.format === undefined ? undefined : formatCheck(schema.format),
    allOf: (schema.allOf ?? []).map((inner) => compileSchema(inner)),
    anyOf: (schema.anyOf ?? []).map((inner) => compileSchema(inner)),
    oneOf: (schema.oneOf ?? []).map((inner) => compileSchema(inner)),
    not: schema.not === undefined ? undefined : compileSchema(schema.not),
    listType: listType === "set" || listType === "map" ? listType : "atomic",
    listKeys: schema["x-kubernetes-list-map-keys"] ?? [],
    hasDefaults: defaulted.length > 0 || children.some((child) => child.hasDefaults),
    hasListTypes: listType === "set" || listType === "map" || children.some((child) => child.hasListTypes),
  };
}

function compileProperties(schema: JsonSchema, embedded: boolean): ReadonlyMap<string, SchemaNode> | undefined {
  const own = schema.properties;
  if (own === undefined && !embedded) return undefined;
  const all = embedded ? { ...EMBEDDED_PROPERTIES, ...own } : own!;
  const out = new Map<string, SchemaNode>();
  for (const name in all) {
    const isMetadata = embedded && name === "metadata";
    out.set(
      name,
      compileSchema(isMetadata ? { ...all[name]!, "x-kubernetes-preserve-unknown-fields": true } : all[name]!),
    );
  }
  return out;
}

function compileAdditional(additional: JsonSchema | boolean | undefined): SchemaNode | true | undefined {
  if (additional === undefined || additional === false) return undefined;
  return additional === true ? true : compileSchema(additional);
}

/** What a schema says about a key of an object: its node, `true` for anything, undefined for an unknown field. */
export function childNode(node: SchemaNode, key: string): SchemaNode | true | undefined {
  return node.properties?.get(key) ?? node.additional;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
