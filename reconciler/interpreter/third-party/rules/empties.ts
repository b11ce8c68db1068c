import { isObject } from "../../../../kube/object.ts";

/**
 * A copy without nulls and without the fields and entries that are empty lists or objects. What becomes empty by that
 * stays, as an empty list or object.
 *
 * Karmada's rules for custom resources are scripts in a language whose one kind of table is both list and object, so
 * that an empty one means neither and is left out of what a script makes.
 */
export function withoutEmpties(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isEmpty(item)).map(withoutEmpties);
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) if (!isEmpty(inner)) kept[key] = withoutEmpties(inner);
  return kept;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.every(isAbsent);
  return isObject(value) && Object.values(value).every(isAbsent);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
