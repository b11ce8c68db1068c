// Merging an applied configuration into a live value, and taking paths out of one.
import { equalJson } from "../object.ts";
import { EMPTY_SET, type FieldSet, isEmptySet } from "./field-set.ts";
import { elementOfItem, isMap, ownValue, setOwnValue, shapeOf, typeOfKey } from "./list-items.ts";
import { DEDUCED, type FieldType, type ListType } from "./type.ts";

/**
 * `live` with everything that `config` says. Nothing is removed: a null or empty map in `config` leaves the live keys.
 * Answers `live` itself when nothing changes, and shares unchanged parts with both.
 */
export function mergeValues(live: unknown, config: unknown, type: FieldType): unknown {
  if (config === undefined || live === config) return live;
  if (live === undefined) return config;
  const shape = shapeOf(type, config ?? live);
  if (shape === "map" && shapeOf(type, live ?? config) === "map") {
    return isMap(live) && !isEmpty(live) ? mergeMaps(live, config, type) : replace(live, config);
  }
  if (shape === "list" && type.kind === "list") {
    return Array.isArray(live) && live.length > 0 ? mergeLists(live, config, type) : replace(live, config);
  }
  return replace(live, config);
}

function replace(live: unknown, config: unknown): unknown {
  return equalJson(live, config) ? live : config;
}

function isEmpty(value: Record<string, unknown>): boolean {
  for (const _ in value) return false;
  return true;
}

function mergeMaps(live: Record<string, unknown>, config: unknown, type: FieldType): unknown {
  if (!isMap(config)) return live;
  let result: Record<string, unknown> | undefined;
  for (const key in config) {
    const before = ownValue(live, key);
    const after = mergeValues(before, config[key], typeOfKey(type, key) ?? DEDUCED);
    if (after === before) continue;
    result ??= { ...live };
    setOwnValue(result, key, after);
  }
  return result ?? live;
}

interface Entry {
  readonly element: string;
  readonly value: unknown;
}

function entriesOf(items: readonly unknown[], type: ListType): Entry[] {
  const entries: Entry[] = [];
  for (const value of items) {
    const element = elementOfItem(type, value);
    if (element !== undefined) entries.push({ element, value });
  }
  return entries;
}

/**
 * The configuration decides the order of its own items. A live item that it does not name stays before the shared item
 * that it stood before.
 */
function mergeLists(live: readonly unknown[], config: unknown, type: ListType): unknown {
  if (!Array.isArray(config) || config.length === 0) return live;
  const left = entriesOf(live, type);
  const right = entriesOf(config, type);
  const leftByElement = uniqueByElement(left);
  const rightByElement = new Map(right.map((entry) => [entry.element, entry.value]));
  const present = new Set(left.map((entry) => entry.element));
  const shared = right.filter((entry) => present.has(entry.element)).map((entry) => entry.element);
  const merged = new Set<string>();
  const result: unknown[] = [];
  let nextShared = 0;
  let l = 0;
  let r = 0;

  const takeRight = (entry: Entry): void => {
    merged.add(entry.element);
    result.push(mergeValues(leftByElement.get(entry.element), entry.value, type.items));
    r++;
  };

  while (l < left.length || r < right.length) {
    const leftEntry = left[l];
    const rightEntry = right[r];
    if (leftEntry !== undefined && rightEntry !== undefined) {
      if (leftEntry.element === rightEntry.element) {
        takeRight(rightEntry);
        l++;
        nextShared++;
        continue;
      }
      const expected = shared[nextShared];
      if (rightByElement.has(leftEntry.element) && expected !== undefined && expected !== leftEntry.element) {
        // A shared item whose turn comes with the configuration's order.
        l++;
        continue;
      }
    }
    if (leftEntry !== undefined) {
      if (!rightByElement.has(leftEntry.element)) {
        result.push(leftEntry.value);
        l++;
        continue;
      }
      if (merged.has(leftEntry.element)) l++;
    }
    if (rightEntry !== undefined) {
      takeRight(rightEntry);
      if (shared[nextShared] === rightEntry.element) nextShared++;
    }
  }
  return sameItems(live, result) ? live : result;
}

/** Items by element; those that occur twice have no single value to merge into. */
function uniqueByElement(entries: readonly Entry[]): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const { element, value } of entries) values.set(element, values.has(element) ? undefined : value);
  return values;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/**
 * `value` without the paths of `set` and everything below them. A map or list that loses its last part becomes null,
 * as the reference does. Answers `value` itself when nothing is removed.
 */
export function removePaths(value: unknown, set: FieldSet, type: FieldType): unknown {
  if (isEmptySet(set)) return value;
  if (isMap(value)) return shapeOf(type, value) === "map" ? removeFromMap(value, set, type) : null;
  if (Array.isArray(value)) {
    return type.kind === "list" && type.listType !== "atomic" ? removeFromList(value, set, type) : null;
  }
  return value;
}

function removeFromMap(value: Record<string, unknown>, set: FieldSet, type: FieldType): unknown {
  let result: Record<string, unknown> | undefined;
  for (const element in set) {
    if (!element.startsWith("f:")) continue;
    const key = element.slice(2);
    const item = ownValue(value, key);
    if (item === undefined) continue;
    const below = set[element] ?? EMPTY_SET;
    if (isEmptySet(below) || below["."] !== undefined) {
      result ??= { ...value };
      delete result[key];
      continue;
    }
    const next = removePaths(item, below, typeOfKey(type, key) ?? DEDUCED);
    if (next === item) continue;
    result ??= { ...value };
    setOwnValue(result, key, next);
  }
  if (result === undefined) return value;
  return isEmpty(result) ? null : result;
}

function removeFromList(value: readonly unknown[], set: FieldSet, type: ListType): unknown {
  let changed = false;
  const result: unknown[] = [];
  for (const item of value) {
    const element = elementOfItem(type, item);
    const below = element === undefined ? undefined : set[element];
    if (below === undefined) {
      result.push(item);
    } else if (isEmptySet(below) || below["."] !== undefined) {
      changed = true;
    } else {
      const next = removePaths(item, below, type.items);
      if (next !== item) changed = true;
      result.push(next);
    }
  }
  if (!changed) return value;
  return result.length === 0 ? null : result;
}
