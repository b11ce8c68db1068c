// Reading fields of objects that may have any of them, or none.
import { isObject, type KubeObject } from "../../kube/object.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** The object at a path; an empty one where something else, or nothing, stands. */
export function fields(parent: Fields, ...path: readonly string[]): Fields {
  let at: unknown = parent;
  for (const key of path) at = isObject(at) ? at[key] : undefined;
  return isObject(at) ? at : {};
}

/** The objects of a list; none where there is no list. */
export function list(parent: Fields, key: string): readonly Fields[] {
  const value = parent[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function count(parent: Fields, key: string, otherwise = 0): number {
  const value = parent[key];
  return typeof value === "number" ? value : otherwise;
}

export function conditions(object: KubeObject): readonly Fields[] {
  return list(fields(object, "status"), "conditions");
}

/** True when the object has a condition of that type and status. */
export function holds(object: KubeObject, type: string, status: string): boolean {
  return conditions(object).some((one) => one["type"] === type && one["status"] === status);
}
