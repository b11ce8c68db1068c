// OpenAPI v3 documents, one per group-version, from the definitions of built-in kinds and the schemas of custom
// resources: enough for kubectl to validate, explain and apply.
import { createHash } from "node:crypto";
import type { Json, JsonObject } from "../../../kube/object.ts";
import { formatApiVersion } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { operationsOf } from "./openapi-operations.ts";
import { definitionName, type SchemaRow, schemaOf, typeNameOf } from "./tables.ts";

export interface OpenApiDocument {
  /** Compact JSON. */
  readonly body: string;
  /** Upper-case SHA-512 of the body. */
  readonly hash: string;
}

/** Where a group-version's document is found: `api/v1`, `apis/apps/v1`. */
export function openApiPath(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
}

/** A kind whose schema is its own, not a table's. Custom resources have one. */
interface SelfDescribed {
  readonly schema: object;
}

function ownSchema(kind: KindStrategy): JsonObject | undefined {
  if (!kind.custom || !("schema" in kind)) return undefined;
  // Custom kinds carry the registered schema, which is JSON.
  return (kind as KindStrategy & SelfDescribed).schema as JsonObject;
}

/** Name of a kind's definition: `io.k8s.api.apps.v1.Deployment`, `io.example.v1.Widget`. */
export function definitionOf(kind: KindStrategy): string {
  const typeName = kind.custom ? undefined : typeNameOf(formatApiVersion(kind.group, kind.version), kind.kind);
  if (typeName !== undefined) return definitionName(typeName);
  return `${kind.group.split(".").reverse().join(".")}.${kind.version}.${kind.kind}`;
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** The complete schema of a custom resource: with the fields that every object has. */
export function customSchema(kind: KindStrategy, reference: (name: string) => JsonObject): JsonObject {
  const own = ownSchema(kind) ?? { "x-kubernetes-preserve-unknown-fields": true };
  const properties = own["properties"] as JsonObject | undefined;
  return {
    ...own,
    type: "object",
    ...(properties === undefined && own["x-kubernetes-preserve-unknown-fields"] !== true ? { properties: {} } : {}),
    properties: {
      ...properties,
      apiVersion: { type: "string", description: "APIVersion defines the versioned schema of this object." },
      kind: { type: "string", description: "Kind is the REST resource this object represents." },
      metadata: reference(`${META}.ObjectMeta`),
    },
    "x-kubernetes-group-version-kind": [{ group: kind.group, version: kind.version, kind: kind.kind }],
  };
}

/** The schema of a custom resource's list. */
export function customListSchema(kind: KindStrategy, reference: (name: string) => JsonObject): JsonObject {
  return {
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: reference(`${META}.ListMeta`),
      items: { type: "array", items: reference(definitionOf(kind)) },
    },
    "x-kubernetes-group-version-kind": [{ group: kind.group, version: kind.version, kind: kind.listKind }],
  };
}

function reference(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * A table schema with its references in the document's form. Properties, and references beside other keywords, refer
 * under allOf.
 */
function rewrite(schema: Json | undefined, found: string[], isProperty = false): Json {
  if (Array.isArray(schema)) return schema.map((item) => rewrite(item, found));
  if (typeof schema !== "object" || schema === null) return schema ?? null;
  const out: JsonObject = {};
  const target = schema["$ref"];
  for (const key in schema) {
    if (key === "properties") out[key] = rewriteProperties(schema[key] as JsonObject, found);
    else if (key !== "$ref") out[key] = rewrite(schema[key], found);
  }
  if (typeof target !== "string") return out;
  found.push(target);
  if (!isProperty && Object.keys(out).length === 0) return reference(target);
  out["allOf"] = [reference(target)];
  return out;
}

function rewriteProperties(properties: JsonObject, found: string[]): JsonObject {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, rewrite(schema, found, true)]));
}

const EXTRA_DEFINITIONS: Readonly<Record<string, SchemaRow>> = {
  [`${META}.Patch`]: { type: "object", description: "Patch is a Kubernetes patch request body." },
  [`${META}.WatchEvent`]: {
    type: "object",
    required: ["type", "object"],
    properties: { type: { type: "string" }, object: { type: "object" } },
  },
};

/** Adds a definition and all that it refers to. */
function addDefinition(name: string, schemas: JsonObject): void {
  if (schemas[name] !== undefined) return;
  const found: string[] = [];
  // Tables are JSON.
  const source = (schemaOf(name) ?? EXTRA_DEFINITIONS[name] ?? { type: "object" }) as JsonObject;
  schemas[name] = rewrite(source, found);
  for (const target of found) addDefinition(target, schemas);
}

function addKind(kind: KindStrategy, schemas: JsonObject, paths: JsonObject): void {
  const definition = definitionOf(kind);
  if (kind.custom) {
    schemas[definition] = customSchema(kind, reference);
    schemas[`${definition}List`] = customListSchema(kind, reference);
  } else {
    addDefinition(definition, schemas);
    if (kind.verbs.includes("list")) addDefinition(`${definition}List`, schemas);
  }
  for (const sub of kind.subresources) {
    const other = sub.responseKind;
    const typeName =
      other === undefined ? undefined : typeNameOf(formatApiVersion(other.group, other.version), other.kind);
    if (typeName !== undefined) addDefinition(definitionName(typeName), schemas);
  }
  Object.assign(paths, operationsOf(kind, definition));
}

/** Builds the document of one group-version from its kinds. Not cheap: keep the result while the kinds are the same. */
export function openApiDocument(kinds: readonly KindStrategy[]): OpenApiDocument {
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const name of ["DeleteOptions", "ObjectMeta", "ListMeta", "Status", "Patch", "WatchEvent"]) {
    addDefinition(`${META}.${name}`, schemas);
  }
  for (const kind of kinds) addKind(kind, schemas, paths);
  const body = JSON.stringify({
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "1.36" },
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        BearerToken: {
          type: "apiKey",
          description: "Bearer Token authentication",
          name: "authorization",
          in: "header",
        },
      },
    },
  });
  return { body, hash: createHash("sha512").update(body).digest("hex").toUpperCase() };
}

interface Built {
  readonly kinds: readonly KindStrategy[];
  readonly document: OpenApiDocument;
}

/** Documents by the first kind they were built from: a group-version is built anew only when its kinds change. */
const built = new WeakMap<KindStrategy, Built>();

function documentOf(kinds: readonly KindStrategy[]): OpenApiDocument {
  const first = kinds[0]!;
  const known = built.get(first);
  if (known?.kinds.length === kinds.length && known.kinds.every((kind, index) => kind === kinds[index])) {
    return known.document;
  }
  const document = openApiDocument(kinds);
  built.set(first, { kinds, document });
  return document;
}

/** The body of `/openapi/v3`: paths with the hashes of their documents. Builds every document that is not built yet. */
export function openApiV3Index(kinds: readonly KindStrategy[], further: Readonly<Record<string, string>> = {}): string {
  const groups = Map.groupBy(kinds, openApiPath);
  const paths: JsonObject = {};
  for (const path of [...new Set([...groups.keys(), ...Object.keys(further)])].sort()) {
    const hash = further[path] ?? documentOf(groups.get(path)!).hash;
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return JSON.stringify({ paths });
}

/** The document of a path such as `apis/apps/v1`; undefined when no kind has it. */
export function openApiV3Document(path: string, kinds: readonly KindStrategy[]): OpenApiDocument | undefined {
  const group = kinds.filter((kind) => openApiPath(kind) === path);
  return group.length === 0 ? undefined : documentOf(group);
}
