// Values at paths of field ownership, in objects whose lists are told apart by what the paths themselves say.
import type { FieldSet } from "../kube/fields/field-set.ts";
import type { FieldPath } from "../kube/fields/path.ts";
import { equalJson, isObject, setOwn } from "../kube/object.ts";

/** What one element of a path leads to: a field, or an item of a list by its keys, value or place. */
export function valueOfElement(value: unknown, element: string): unknown {
  if (element.startsWith("f:")) {
    const key = element.slice(2);
    return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  const index = indexOfElement(value, element);
  return index < 0 ? undefined : (value as readonly unknown[])[index];
}

/** Undefined when there is nothing at the path. */
export function valueAtFields(value: unknown, path: FieldPath): unknown {
  let node = value;
  for (const element of path) {
    node = valueOfElement(node, element);
    if (node === undefined) return undefined;
  }
  return node;
}

const KEYS = new Map<string, Readonly<Record<string, unknown>>>();
const MOST_KEYS = 5_000;

/** The keys of an element `k:{...}`; none for anything else. */
export function keysOfElement(element: string): Readonly<Record<string, unknown>> {
  const known = KEYS.get(element);
  if (known !== undefined) return known;
  const parsed: unknown = element.startsWith("k:") ? JSON.parse(element.slice(2)) : {};
  const keys = isObject(parsed) ? parsed : {};
  if (KEYS.size >= MOST_KEYS) KEYS.clear();
  KEYS.set(element, keys);
  return keys;
}

/**
 * Where the item of an element stands in a list; -1 when there is none. An item that leaves out a key, which the server
 * then defaults (the protocol of a port), is taken when no other has them all.
 */
export function indexOfElement(list: unknown, element: string): number {
  if (!Array.isArray(list)) return -1;
  const rest = element.slice(2);
  switch (element.charAt(0)) {
    case "k": {
      const keys = Object.entries(keysOfElement(element));
      const whole = list.findIndex(
        (item: unknown) => isObject(item) && keys.every(([key, value]) => equalJson(item[key], value)),
      );
      if (whole >= 0 || keys.length < 2) return whole;
      return list.findIndex(
        (item: unknown) =>
          isObject(item) &&
          keys.some(([key, value]) => equalJson(item[key], value)) &&
          keys.every(([key, value]) => item[key] === undefined || equalJson(item[key], value)),
      );
    }
    case "v": {
      const wanted: unknown = JSON.parse(rest);
      return list.findIndex((item: unknown) => equalJson(item, wanted));
    }
    case "i": {
      const index = Number(rest);
      return index >= 0 && index < list.length ? index : -1;
    }
    default:
      return -1;
  }
}

/**
 * `value` without what the set names, at its deepest paths. The keys of list items stay: an item without them would be
 * another one. Shares with `value` all that does not change, and answers `value` itself when nothing does.
 */
export function withoutFields<T>(value: T, set: FieldSet): T {
  // What is left of a value has its shape.
  return without(value, set) as T;
}

function without(value: unknown, set: FieldSet, keys: Readonly<Record<string, unknown>> = {}): unknown {
  let result = value;
  // From the last place on, so that the places of others stay what they are.
  const elements = Object.keys(set).filter((element) => element !== ".");
  if (Array.isArray(value)) elements.sort((a, b) => placeOf(b) - placeOf(a));
  for (const element of elements) {
    const below = valueOfElement(result, element);
    if (below === undefined) continue;
    const field = element.startsWith("f:") ? element.slice(2) : undefined;
    if (field !== undefined && Object.hasOwn(keys, field)) continue;
    const node = set[element] ?? {};
    const next = isLeaf(node) ? undefined : without(below, node, keysOfElement(element));
    if (next !== below) result = replaced(result, element, next);
  }
  return result;
}

function placeOf(element: string): number {
  return element.startsWith("i:") ? Number(element.slice(2)) : -1;
}

function isLeaf(node: FieldSet): boolean {
  for (const element in node) if (element !== ".") return false;
  return true;
}

/** `value` with another value at the path; maps and list items on the way are made. */
export function withFieldAt<T>(value: T, path: FieldPath, field: unknown): T {
  // What is changed inside a value keeps its shape.
  return set(value, path, field) as T;
}

function set(value: unknown, path: FieldPath, field: unknown): unknown {
  const [element, ...rest] = path;
  if (element === undefined) return field;
  const below = valueOfElement(value, element);
  const start = below ?? (rest.length === 0 ? undefined : startOf(element, rest[0] ?? ""));
  return replaced(value, element, set(start, rest, field));
}

function startOf(element: string, next: string): unknown {
  if (element.startsWith("k:")) return { ...keysOfElement(element) };
  return next.startsWith("f:") ? {} : [];
}

/** `value` with what the element leads to replaced, added, or for undefined taken away. */
function replaced(value: unknown, element: string, next: unknown): unknown {
  if (element.startsWith("f:")) {
    const copy: Record<string, unknown> = isObject(value) ? { ...value } : {};
    if (next === undefined) delete copy[element.slice(2)];
    else setOwn(copy, element.slice(2), next);
    return copy;
  }
  const list: unknown[] = Array.isArray(value) ? [...value] : [];
  const index = indexOfElement(list, element);
  if (next === undefined) {
    if (index >= 0) list.splice(index, 1);
  } else if (index >= 0) list[index] = next;
  else list.push(next);
  return list;
}
