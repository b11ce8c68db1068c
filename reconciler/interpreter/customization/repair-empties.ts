// A Lua table without content is neither a list nor an object. What comes back as an empty list is made again what it was
// before the script saw it.
import { isObject, setOwn } from "../../../kube/object.ts";

/** Separates names in a path; no name of a field holds it. */
const SEPARATOR = "\u0000";

interface EmptyFields {
  readonly lists: Set<string>;
  readonly objects: Set<string>;
}

/**
 * `value` with every empty list below it settled by what stood at the same place in one of `references`, the indexes of
 * lists ignored: an empty object becomes one again, an empty list stays, and what was neither goes away. Without
 * references every empty one goes. `value` itself is left, even when it is empty. Parts without empty ones are shared
 * (Karmada: luavm, convertEmptySliceToEmptyStructPartly).
 */
export function repairEmpties(value: unknown, references: readonly unknown[] = []): unknown {
  if (!holdsEmptyList(value)) return value;
  const known: EmptyFields = { lists: new Set(), objects: new Set() };
  for (const reference of references) collectEmpties(reference, "", known);
  return repaired(value, "", known);
}

function holdsEmptyList(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => isEmptyList(item) || holdsEmptyList(item));
  if (!isObject(value)) return false;
  for (const key in value) {
    const field = value[key];
    if (typeof field === "object" && field !== null && (isEmptyList(field) || holdsEmptyList(field))) return true;
  }
  return false;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function collectEmpties(value: unknown, path: string, found: EmptyFields): void {
  if (Array.isArray(value)) {
    for (const item of value) collectField(item, path, found);
    return;
  }
  if (!isObject(value)) return;
  for (const key in value) {
    const field = value[key];
    if (typeof field === "object" && field !== null) collectField(field, `${path}${SEPARATOR}${key}`, found);
  }
}

function collectField(field: unknown, path: string, found: EmptyFields): void {
  if (isEmptyList(field)) found.lists.add(path);
  else if (isObject(field) && isEmptyObject(field)) found.objects.add(path);
  else collectEmpties(field, path, found);
}

function isEmptyObject(value: Readonly<Record<string, unknown>>): boolean {
  for (const _ in value) return false;
  return true;
}

function repaired(value: unknown, path: string, known: EmptyFields): unknown {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const kept = repairedField(item, path, known);
      return kept === undefined ? [] : [kept];
    });
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const kept = repairedField(value[key], `${path}${SEPARATOR}${key}`, known);
    if (kept !== undefined) setOwn(copy, key, kept);
  }
  return copy;
}

/** Undefined: the field goes away. */
function repairedField(field: unknown, path: string, known: EmptyFields): unknown {
  if (!isEmptyList(field)) return typeof field === "object" && field !== null ? repaired(field, path, known) : field;
  if (known.objects.has(path)) return {};
  return known.lists.has(path) ? field : undefined;
}
