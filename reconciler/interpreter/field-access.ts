// Reading fields of objects whose kind is known but whose content was written by anyone. Absent and null are the same;
// a wrong type is an error, as it is for programs that decode objects into the types of their kind.

import { isObject } from "../../kube/object.ts";
import { interpreterFieldMalformed } from "./errors.ts";

export type Fields = Readonly<Record<string, unknown>>;

const NOTHING: Fields = Object.freeze({});

/** The object at `path`, or an empty one. Throws `interpreter-field-malformed` when something else stands there. */
export function fieldsAt(parent: unknown, ...path: readonly string[]): Fields {
  return optionalFieldsAt(parent, ...path) ?? NOTHING;
}

/** The object at `path`; undefined when absent or null. Throws `interpreter-field-malformed`. */
export function optionalFieldsAt(parent: unknown, ...path: readonly string[]): Fields | undefined {
  let current: unknown = parent;
  for (const key of path) {
    if (current === undefined || current === null) return undefined;
    if (!isObject(current)) throw interpreterFieldMalformed(path.join("."), "an object", parent);
    current = current[key];
  }
  if (current === undefined || current === null) return undefined;
  if (!isObject(current)) throw interpreterFieldMalformed(path.join("."), "an object", parent);
  return current;
}

/** The list under `key`, or an empty one. Throws `interpreter-field-malformed`. */
export function listAt(parent: Fields, key: string): readonly unknown[] {
  const value = parent[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw interpreterFieldMalformed(key, "a list", parent);
  return value;
}

/** The objects in the list under `key`. Throws `interpreter-field-malformed`. */
export function objectsAt(parent: Fields, key: string): readonly Fields[] {
  return listAt(parent, key).map((item, index) => {
    if (item === undefined || item === null) return NOTHING;
    if (!isObject(item)) throw interpreterFieldMalformed(`${key}[${index}]`, "an object", parent);
    return item;
  });
}

/** The text under `key`, or empty. Throws `interpreter-field-malformed`. */
export function textAt(parent: Fields, key: string): string {
  const value = parent[key];
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw interpreterFieldMalformed(key, "a text", parent);
  return value;
}

/** The integer under `key`; undefined when absent. Throws `interpreter-field-malformed`. */
export function optionalIntegerAt(parent: Fields, key: string): number | undefined {
  const value = parent[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "number" || !Number.isInteger(value)) throw interpreterFieldMalformed(key, "an integer", parent);
  return value;
}

/** The integer under `key`, or 0. Throws `interpreter-field-malformed`. */
export function integerAt(parent: Fields, key: string): number {
  return optionalIntegerAt(parent, key) ?? 0;
}

/** A copy of `fields` without the keys whose value is undefined. */
export function present(fields: Fields): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key in fields) if (fields[key] !== undefined) copy[key] = fields[key];
  return copy;
}

/** Only those of the numbers that are not 0: how Kubernetes writes counters that may be left out. */
export function nonZero(value: number): number | undefined {
  return value === 0 ? undefined : value;
}
