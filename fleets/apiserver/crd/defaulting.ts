// Nulls and defaults of custom resources. Both work in place.
import { cloneJson, type Json, type JsonObject } from "../../../kube/object.ts";
import { childNode, isJsonObject, type SchemaNode } from "./schema.ts";

/**
 * Drops nulls at fields that are not nullable, so that defaults may take their place. `untyped` leaves those that
 * validation refuses.
 */
export function dropNulls(value: Json, node: SchemaNode, which: "all" | "untyped" = "all"): void {
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (const item of value) dropNulls(item, node.items, which);
  } else if (isJsonObject(value)) {
    dropObjectNulls(value, node, which);
  }
}

function dropObjectNulls(value: JsonObject, node: SchemaNode, which: "all" | "untyped"): void {
  for (const key in value) {
    const child = childNode(node, key);
    if (child === undefined || child === true) continue;
    const item = value[key];
    if (item === null) {
      if (!child.nullable && (which === "all" || (child.type === undefined && !child.intOrString))) delete value[key];
    } else if (typeof item === "object") {
      dropNulls(item, child, which);
    }
  }
}

/** Adds the defaults of missing fields. Serves writes and, for objects stored under an older schema, reads. */
export function applySchemaDefaults(value: Json, node: SchemaNode): void {
  if (!node.hasDefaults) return;
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (const item of value) applySchemaDefaults(item, node.items);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [name, child] of node.defaulted) {
    const present = value[name];
    if (present === undefined || (present === null && !child.nullable)) value[name] = cloneJson(child.source.default!);
  }
  for (const key in value) {
    const item = value[key];
    if (typeof item !== "object" || item === null) continue;
    const child = childNode(node, key);
    if (child !== undefined && child !== true) applySchemaDefaults(item, child);
  }
}
