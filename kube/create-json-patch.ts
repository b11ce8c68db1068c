// From two versions of a document to the JSON patch (RFC 6902) between them.
import type { JsonPatchOperation } from "./json-patch.ts";
import { equalJson, isObject } from "./object.ts";

/**
 * The operations that make `to` of `from`, in the order of the keys. Lists that differ are replaced whole: positions in a
 * list say nothing about what became of its items.
 */
export function createJsonPatch(from: unknown, to: unknown): JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  compare(from, to, "", operations);
  return operations;
}

function compare(from: unknown, to: unknown, path: string, operations: JsonPatchOperation[]): void {
  if (!isObject(from) || !isObject(to)) {
    if (!equalJson(from, to)) operations.push({ op: "replace", path, value: to });
    return;
  }
  for (const key of Object.keys(from)) {
    if (to[key] === undefined && from[key] !== undefined) operations.push({ op: "remove", path: below(path, key) });
  }
  for (const [key, value] of Object.entries(to)) {
    if (value === undefined) continue;
    if (from[key] === undefined) operations.push({ op: "add", path: below(path, key), value });
    else compare(from[key], value, below(path, key), operations);
  }
}

function below(path: string, key: string): string {
  return `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
