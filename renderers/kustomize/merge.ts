// Strategic merge as kustomize does it, which is not quite as the API server does.

import { renderError } from "../errors.ts";
import type { MergeField, MergeSchema } from "./merge-schema.ts";
import {
  cloneNode,
  isMapNode,
  isNullNode,
  kindOf,
  type Node,
  type NodeList,
  type NodeMap,
  Scalar,
  textOf,
} from "./node.ts";

type Directive = "delete" | "replace" | "merge";

/**
 * Merges `patch` into `target` and answers the result, which may share nodes with both; `undefined` when the patch
 * deletes it. Throws `render-node-kind` when a map meets a list, `render-patch-strategy` for an unknown `$patch`.
 */
export function mergeMaps(target: NodeMap, patch: NodeMap, schema: MergeSchema | undefined): NodeMap | undefined {
  dropEmptyNulls(target, schema);
  return mergeMap(target, patch, schema, "");
}

function mergeMap(
  target: NodeMap | undefined,
  patch: NodeMap,
  schema: MergeSchema | undefined,
  path: string,
): NodeMap | undefined {
  const directive = directiveOf(patch, path);
  if (directive === "delete") return undefined;
  const result: NodeMap = directive === "replace" || target === undefined ? new Map() : target;
  for (const [key, value] of patch) {
    if (key === "$patch") continue;
    const merged = mergeNode(result.get(key), value, schema?.field(key), path === "" ? key : `${path}.${key}`);
    if (merged === undefined) result.delete(key);
    else result.set(key, merged);
  }
  return result;
}

function mergeNode(
  target: Node | undefined,
  patch: Node,
  field: MergeField | undefined,
  path: string,
): Node | undefined {
  if (isNullNode(patch)) return undefined;
  const present = target === undefined || isNullNode(target) ? undefined : target;
  if (present !== undefined && kindOf(present) !== kindOf(patch)) {
    const what = `the patch has a ${kindOf(patch)} at ${path}, where the object has a ${kindOf(present)}`;
    throw renderError("render-node-kind", what, { path });
  }
  if (patch instanceof Scalar) return patch;
  if (isMapNode(patch)) return mergeMap(present as NodeMap | undefined, patch, field?.schema, path);
  if (field === undefined || !field.merges) return cloneNode(patch);
  return mergeList((present as NodeList | undefined) ?? [], patch, field, path);
}

function mergeList(target: NodeList, patch: NodeList, field: MergeField, path: string): Node | undefined {
  const { directive, items } = listDirective(patch, path);
  if (directive === "delete") return undefined;
  const base = directive === "replace" ? [] : target;
  if (field.keys.length === 0) return mergeScalars(base, items);
  const keys = usedKeys(field.keys, [...items, ...base]);
  const byKey = new Map<string, number>();
  for (const [index, item] of base.entries()) {
    const key = elementKey(item, keys);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, index);
  }
  const taken = new Set<number>();
  const merged: NodeList = [];
  const placed = new Map<string, number>();
  for (const item of items) {
    const key = elementKey(item, keys);
    if (key === undefined || !isMapNode(item)) {
      merged.push(cloneNode(item));
      continue;
    }
    const earlier = placed.get(key);
    const index = byKey.get(key);
    const present = earlier !== undefined ? merged[earlier] : index === undefined ? undefined : base[index];
    if (index !== undefined) taken.add(index);
    if (present !== undefined && directiveOf(item, path) === "replace") {
      // As kustomize: the element moves to the front but keeps its content.
      if (earlier === undefined) placed.set(key, merged.push(present) - 1);
      continue;
    }
    const element = mergeMap(isMapNode(present) ? present : undefined, item, field.itemSchema, `${path}[${key}]`);
    if (element === undefined || element.size === 0) continue;
    if (earlier !== undefined) merged[earlier] = element;
    else placed.set(key, merged.push(element) - 1);
  }
  // As kustomize: what the patch names comes first, the rest keeps its order.
  for (const [index, item] of base.entries()) if (!taken.has(index)) merged.push(item);
  return merged;
}

function mergeScalars(target: NodeList, patch: NodeList): NodeList {
  const seen = new Set<string>();
  const result: NodeList = [];
  for (const item of [...patch, ...target]) {
    const text = textOf(item);
    if (text !== undefined) {
      if (seen.has(text)) continue;
      seen.add(text);
    }
    result.push(item);
  }
  return result;
}

// With several keys, those that no element sets anywhere take no part.
function usedKeys(keys: readonly string[], items: readonly Node[]): readonly string[] {
  if (keys.length === 1) return keys;
  const used = keys.filter((key) => items.some((item) => isMapNode(item) && (textOf(item.get(key)) ?? "") !== ""));
  return used.length === 0 ? keys : used;
}

function elementKey(item: Node, keys: readonly string[]): string | undefined {
  if (!isMapNode(item)) return undefined;
  const values = keys.map((key) => textOf(item.get(key)) ?? "");
  return values.every((value) => value === "") ? undefined : values.join("\u0000");
}

function directiveOf(patch: NodeMap, path: string): Directive | undefined {
  const value = patch.get("$patch");
  if (value === undefined) return undefined;
  const text = textOf(value);
  if (text === "delete" || text === "replace" || text === "merge") return text;
  const what = `$patch must be delete, replace or merge, not ${text ?? "null"}`;
  throw renderError("render-patch-strategy", what, { path: path === "" ? "$patch" : `${path}.$patch` });
}

// An element that holds nothing but $patch speaks for the whole list.
function listDirective(patch: NodeList, path: string): { directive: Directive | undefined; items: NodeList } {
  let directive: Directive | undefined;
  const items: NodeList = [];
  for (const item of patch) {
    if (isMapNode(item) && item.size === 1 && item.has("$patch")) directive = directiveOf(item, path);
    else items.push(item);
  }
  return { directive, items };
}

// As kustomize: a key without any value in the object does not survive a merge, a written null does.
function dropEmptyNulls(map: NodeMap, schema: MergeSchema | undefined): void {
  for (const [key, value] of map) {
    if (value instanceof Scalar) {
      if (value.tag === "!!null" && value.text === "") map.delete(key);
    } else if (isMapNode(value)) {
      dropEmptyNulls(value, schema?.field(key)?.schema);
    } else {
      const field = schema?.field(key);
      if (field?.merges) for (const item of value) if (isMapNode(item)) dropEmptyNulls(item, field.itemSchema);
    }
  }
}
