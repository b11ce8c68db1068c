// OpenAPI documents that a kustomization names: merge keys of its own kinds, and which of them are cluster-scoped.

import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { renderError } from "../../errors.ts";
import {
  kindKey,
  type MergeSchema,
  mergesElements,
  type Resolve,
  remembered,
  type SchemaLayer,
} from "./merge-schema.ts";

export interface OpenApiDocument {
  readonly layer: SchemaLayer;
  /** By `apiVersion kind`; false for cluster-scoped kinds. Only kinds with a path that can be read. */
  readonly namespaced: ReadonlyMap<string, boolean>;
}

const REFERENCE = "#/definitions/";

/** Reads a document of OpenAPI 2 in JSON or YAML. Throws `render-openapi`. */
export function readOpenApi(text: string, file: string): OpenApiDocument {
  const document = parse(text, file);
  if (!isObject(document)) throw renderError("render-openapi", "an OpenAPI document must be a map", { file });
  const definitions = mapAt(document, "definitions", file);
  const kinds = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (!isObject(definition)) {
      throw renderError("render-openapi", "a definition must be a map", { file, path: `definitions.${name}` });
    }
    const gvks = definition["x-kubernetes-group-version-kind"];
    for (const gvk of Array.isArray(gvks) ? gvks : []) {
      if (isObject(gvk)) kinds.set(keyOf(gvk, file, `definitions.${name}`), name);
    }
  }
  return {
    layer: {
      kinds,
      define: (name, resolve) => {
        const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
        return isObject(definition) ? schemaOf(definition, resolve) : undefined;
      },
    },
    namespaced: readScopes(mapAt(document, "paths", file), file),
  };
}

function parse(text: string, file: string): unknown {
  try {
    // As kustomize: what starts with a brace has to be JSON.
    return text.startsWith("{") ? JSON.parse(text) : parseYaml(text, { file, duplicateKeys: "last-wins" });
  } catch (error) {
    if (!(error instanceof AppError) && !(error instanceof SyntaxError)) throw error;
    throw renderError("render-openapi", `the OpenAPI document cannot be read: ${messageOf(error)}`, {
      file,
      cause: error,
    });
  }
}

function mapAt(document: Record<string, unknown>, key: string, file: string): Record<string, unknown> {
  const found = document[key];
  if (found === undefined || found === null) return {};
  if (isObject(found)) return found;
  throw renderError("render-openapi", `${key} of an OpenAPI document must be a map`, { file, path: key });
}

/** A kind with a path that can be read is cluster-scoped unless one of its paths has a namespace in it. */
function readScopes(paths: Record<string, unknown>, file: string): Map<string, boolean> {
  const scopes = new Map<string, boolean>();
  for (const [path, item] of Object.entries(paths)) {
    const get = isObject(item) ? item["get"] : undefined;
    const gvk = isObject(get) ? get["x-kubernetes-group-version-kind"] : undefined;
    if (!isObject(gvk)) continue;
    const key = keyOf(gvk, file, `paths.${path}.get`);
    if (path.includes("namespaces/{namespace}")) scopes.set(key, true);
    else if (!scopes.has(key)) scopes.set(key, false);
  }
  return scopes;
}

function keyOf(gvk: Record<string, unknown>, file: string, path: string): string {
  const { group, version, kind } = gvk;
  if (typeof version !== "string" || typeof kind !== "string") {
    throw renderError("render-openapi", "x-kubernetes-group-version-kind needs a version and a kind", { file, path });
  }
  return kindKey(typeof group === "string" && group !== "" ? `${group}/${version}` : version, kind);
}

function schemaOf(node: Record<string, unknown>, resolve: Resolve): MergeSchema | undefined {
  const reference = node["$ref"];
  // What stands beside a reference does not count.
  if (typeof reference === "string" && reference !== "") return resolve(nameOf(reference));
  const { properties, additionalProperties, items, type } = node;
  const strategy = node["x-kubernetes-patch-strategy"];
  const listKeys = node["x-kubernetes-list-map-keys"];
  const mergeKey = node["x-kubernetes-patch-merge-key"];
  const isList = type === "array" || (Array.isArray(type) && type.length === 1 && type[0] === "array");
  return {
    merges: mergesElements(typeof strategy === "string" ? strategy : undefined),
    keys: Array.isArray(listKeys) ? listKeys.map(String) : typeof mergeKey === "string" ? [mergeKey] : [],
    field: remembered((name) => {
      const own = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
      const field = own ?? additionalProperties;
      return isObject(field) ? schemaOf(field, resolve) : undefined;
    }),
    element: () => (isList && isObject(items) ? schemaOf(items, resolve) : undefined),
  };
}

function nameOf(reference: string): string {
  const name = reference.startsWith(REFERENCE) ? reference.slice(REFERENCE.length) : reference;
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}
