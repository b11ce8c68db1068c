// Reading fields far down in an object, with errors that name the whole path. Absent and null are the same.

import { isObject } from "../../../../kube/object.ts";
import { interpreterFieldMalformed } from "../../errors.ts";
import type { Fields } from "../../field-access.ts";
import { valueAt } from "./fields.ts";

/** What stands at `path`; undefined when absent or null. Throws `interpreter-field-malformed` when the way is barred. */
export function valueAtPath(parent: unknown, ...path: readonly string[]): unknown {
  if (parent === undefined || parent === null) return undefined;
  if (!isObject(parent)) throw interpreterFieldMalformed(path.join("."), "a field of an object");
  return valueAt(parent, path) ?? undefined;
}

/** The text at `path`, or empty. Throws `interpreter-field-malformed`. */
export function textAtPath(parent: unknown, ...path: readonly string[]): string {
  const value = valueAtPath(parent, ...path);
  if (value === undefined) return "";
  if (typeof value !== "string") throw interpreterFieldMalformed(path.join("."), "a text");
  return value;
}

/** The objects in the list at `path`, null entries left out. Throws `interpreter-field-malformed`. */
export function objectsAtPath(parent: unknown, ...path: readonly string[]): readonly Fields[] {
  const value = valueAtPath(parent, ...path);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw interpreterFieldMalformed(path.join("."), "a list");
  return value
    .filter((item) => item !== null && item !== undefined)
    .map((item: unknown, index) => {
      if (!isObject(item)) throw interpreterFieldMalformed(`${path.join(".")}[${index}]`, "an object");
      return item;
    });
}
