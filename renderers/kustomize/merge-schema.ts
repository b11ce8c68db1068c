// Which lists of a kind merge element by element, and by which keys.

import { isObject } from "../../kube/object.ts";
import type { Gvk } from "./identity.ts";
import table from "./merge-keys.table.json" with { type: "json" };

interface TableField {
  readonly ref?: string;
  readonly items?: string;
  readonly strategy?: string;
  readonly keys?: readonly string[];
}

/** What the schema says of one field. */
export interface MergeField {
  /** True when elements merge; otherwise the list is replaced whole. */
  readonly merges: boolean;
  /** Empty for lists of scalars. */
  readonly keys: readonly string[];
  readonly schema: MergeSchema | undefined;
  readonly itemSchema: MergeSchema | undefined;
}

/** Schema of one map. */
export interface MergeSchema {
  field(name: string): MergeField | undefined;
}

/** Finds the schema of a kind; `undefined` for unknown kinds, whose lists are all replaced. */
export type MergeSchemas = (gvk: Gvk) => MergeSchema | undefined;

const definitions: Readonly<Record<string, Readonly<Record<string, TableField>>>> = table.definitions;
const kinds: Readonly<Record<string, string>> = table.kinds;
const builtIn = new Map<string, MergeSchema>();

/** The schemas of the kinds of Kubernetes. */
export function builtInSchemas(gvk: Gvk): MergeSchema | undefined {
  return fromTable(kinds[keyOf(gvk)]);
}

function fromTable(name: string | undefined): MergeSchema | undefined {
  if (name === undefined) return undefined;
  const fields = definitions[name];
  if (fields === undefined) return undefined;
  let schema = builtIn.get(name);
  if (schema === undefined) {
    schema = {
      field: (key) => {
        const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
        return (
          field && {
            merges: field.strategy?.split(",").includes("merge") ?? false,
            keys: field.keys ?? [],
            schema: fromTable(field.ref),
            itemSchema: fromTable(field.items),
          }
        );
      },
    };
    builtIn.set(name, schema);
  }
  return schema;
}

/** Schemas of an OpenAPI document, which then stand in place of the built-in ones. */
export function openApiSchemas(document: unknown): MergeSchemas {
  const all = isObject(document) && isObject(document["definitions"]) ? document["definitions"] : {};
  const byKind = new Map<string, unknown>();
  for (const definition of Object.values(all)) {
    if (!isObject(definition)) continue;
    const gvks = definition["x-kubernetes-group-version-kind"];
    if (!Array.isArray(gvks)) continue;
    for (const gvk of gvks) {
      if (isObject(gvk))
        byKind.set(
          keyOf({ group: text(gvk, "group"), version: text(gvk, "version"), kind: text(gvk, "kind") }),
          definition,
        );
    }
  }
  return (gvk) => openApiSchema(byKind.get(keyOf(gvk)), all, 0);
}

function openApiSchema(node: unknown, all: Record<string, unknown>, hops: number): MergeSchema | undefined {
  if (!isObject(node) || hops > 50) return undefined;
  const reference = node["$ref"];
  if (typeof reference === "string") {
    return openApiSchema(all[reference.replace("#/definitions/", "")], all, hops + 1);
  }
  const properties = node["properties"];
  if (!isObject(properties)) return undefined;
  return {
    field: (key) => {
      const field = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (!isObject(field)) return undefined;
      const listKeys = field["x-kubernetes-list-map-keys"];
      const mergeKey = field["x-kubernetes-patch-merge-key"];
      const keys = Array.isArray(listKeys) ? listKeys.map(String) : typeof mergeKey === "string" ? [mergeKey] : [];
      return {
        merges: text(field, "x-kubernetes-patch-strategy").split(",").includes("merge"),
        keys,
        schema: openApiSchema(field, all, 0),
        itemSchema: openApiSchema(field["items"], all, 0),
      };
    },
  };
}

function keyOf(gvk: Gvk): string {
  return gvk.group === "" ? `${gvk.version} ${gvk.kind}` : `${gvk.group}/${gvk.version} ${gvk.kind}`;
}

function text(object: Record<string, unknown>, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}
