// Strategic merge patch: lists merge by key where the type says so, and directives delete, replace and order.
import { AppError } from "../runtime/errors.ts";
import { typeOfKey } from "./fields/list-items.ts";
import { DEDUCED, type FieldType } from "./fields/type.ts";
import { goText, goType } from "./go-text.ts";
import { equalJson, setOwn } from "./object.ts";

type Map = Record<string, unknown>;

const MAP_TYPE = "map[string]interface {}";

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_PREFIX = "$deleteFromPrimitiveList";
const ORDER_PREFIX = "$setElementOrder";

/**
 * The object after a strategic merge patch. Neither argument is changed; the result shares parts with both.
 *
 * Throws with the reference's message: `strategic-patch-malformed` for a directive of the wrong form (400 in the API),
 * `strategic-patch-unprocessable` for lists of lists (422), `strategic-patch-failed` for the rest (500).
 */
export function applyStrategicMerge(live: Map, patch: Map, type: FieldType): Map {
  return mergeMaps(live, patch, type);
}

function failed(message: string): AppError {
  return new AppError("strategic-patch-failed", message, { recovery: "stall" });
}

function malformed(what: "primitive list" | "retainKeys" | "setElementOrder list"): AppError {
  return new AppError("strategic-patch-malformed", `invalid patch format of ${what}`, { recovery: "stall" });
}

function noMergeKey(item: Map, key: string): AppError {
  return failed(`map: ${goText(item)} does not contain declared merge key: ${key}`);
}

function wrongType(expected: string, actual: unknown): AppError {
  const type = actual === null ? "%!s(<nil>)" : goType(actual);
  return failed(`expected a ${expected}, but received a ${type}`);
}

function mergeMaps(live: Map | undefined, patch: Map, type: FieldType): Map {
  if (Object.hasOwn(patch, DIRECTIVE)) return applyDirective(patch);
  const result: Map = { ...live };
  const rest: Map = { ...patch };
  retainKeys(result, rest);
  mergeOrderedLists(result, rest, type);
  for (const patchKey of Object.keys(rest)) {
    const change = rest[patchKey];
    const deletes = patchKey.startsWith(DELETE_PREFIX);
    const key = deletes ? keyAfter(patchKey, DELETE_PREFIX) : patchKey;
    const exists = Object.hasOwn(result, key);
    if (change === null || change === undefined) {
      if (exists) delete result[key];
    } else if (exists && isSameType(result[key], change)) {
      setOwn(result, key, mergeField(result[key], change, typeOfKey(type, key) ?? DEDUCED, deletes));
    } else if (!deletes) {
      const taken = withoutDirectives(withoutNulls(change));
      if (taken === undefined) delete result[key];
      else setOwn(result, key, taken);
    }
  }
  return result;
}

/** A value that stands for nothing live, without what only means something beside it. Undefined: it is all directive. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isMap(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  return mapValues(value, withoutDirectives, undefined);
}

/** Fields that a patch deletes are not in what it brings; items of lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isMap(value) ? mapValues(value, withoutNulls, null) : value;
}

/** The map with every value changed, without those that become `dropped`. */
function mapValues(map: Map, change: (value: unknown) => unknown, dropped: null | undefined): Map {
  const result: Map = {};
  for (const key of Object.keys(map)) {
    const value = change(map[key]);
    if (value !== dropped) setOwn(result, key, value);
  }
  return result;
}

function isSameType(a: unknown, b: unknown): boolean {
  return Array.isArray(a) === Array.isArray(b) && isMap(a) === isMap(b);
}

function mergeField(live: unknown, change: unknown, type: FieldType, deletes: boolean): unknown {
  if (isMap(live) && isMap(change)) {
    const replaces = type.kind === "map" && type.patchStrategies.includes("replace");
    return replaces ? change : mergeMaps(live, change, type);
  }
  if (Array.isArray(live) && Array.isArray(change)) return mergeListField(live, change, type, deletes);
  return change;
}

function mergeListField(
  live: readonly unknown[],
  change: readonly unknown[],
  type: FieldType,
  deletes: boolean,
): readonly unknown[] {
  if (type.kind !== "list" || !type.patchStrategies.includes("merge")) return change;
  return mergeLists(live, change, type.items, type.patchMergeKey, deletes);
}

function applyDirective(patch: Map): Map {
  const { [DIRECTIVE]: directive, ...rest } = patch;
  if (directive === "replace") return rest;
  if (directive === "delete") return {};
  throw failed(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`);
}

/** Removes keys that the patch does not list. Takes the directive out of the patch. */
function retainKeys(live: Map, patch: Map): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return;
  const keys = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(keys)) throw malformed("retainKeys");
  const retained = new Set<unknown>(keys);
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)) continue;
    if (!retained.has(key)) throw malformed("retainKeys");
  }
  for (const key of Object.keys(live)) if (!retained.has(key)) delete live[key];
}

function keyAfter(patchKey: string, prefix: string): string {
  if (patchKey.charAt(prefix.length) !== "/") {
    throw malformed(prefix === DELETE_PREFIX ? "primitive list" : "setElementOrder list");
  }
  return patchKey.slice(prefix.length + 1);
}

// ---- lists with an order

/** Merges the lists that have a `$setElementOrder`, and takes them out of the patch. */
function mergeOrderedLists(result: Map, patch: Map, type: FieldType): void {
  for (const patchKey of Object.keys(patch)) {
    if (!patchKey.startsWith(ORDER_PREFIX)) continue;
    const order = patch[patchKey];
    delete patch[patchKey];
    if (!Array.isArray(order)) throw wrongType("[]interface {}", order);
    const key = keyAfter(patchKey, ORDER_PREFIX);
    const live = listOf(result, key);
    const change = listOf(patch, key);
    const fieldType = typeOfKey(type, key) ?? DEDUCED;
    const mergeKey = fieldType.kind === "list" ? fieldType.patchMergeKey : undefined;
    checkOrder(change ?? [], order, mergeKey);
    if (live === undefined && change === undefined) continue;
    const merged =
      live === undefined || change === undefined
        ? (live ?? (withoutDirectives(change) as unknown[]))
        : mergeListField(live, change, fieldType, false);
    const items = [...(live ?? []), ...(change ?? [])];
    if (items.length === 0) throw failed("no elements in any of the given slices");
    elementsAreMaps(items);
    const [ordered, others] = partition(merged, order, mergeKey);
    setOwn(result, key, interleave(ordered, others, order, live ?? [], mergeKey));
    delete patch[key];
  }
}

function listOf(map: Map, key: string): readonly unknown[] | undefined {
  if (!Object.hasOwn(map, key)) return undefined;
  const value = map[key];
  if (!Array.isArray(value)) throw wrongType("[]interface {}", value);
  return value;
}

/** Items of the patch must be in the order list, in the same relative order. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (change.length === 0 || order.length === 0) return;
  const kept =
    mergeKey === undefined ? change : change.filter((item) => !(isMap(item) && item[DIRECTIVE] === "delete"));
  let position = 0;
  let place = 0;
  while (position < kept.length && place < order.length) {
    const item = kept[position];
    if (isMap(item) && Object.hasOwn(item, DIRECTIVE)) {
      position++;
      continue;
    }
    if (equalJson(identity(item, mergeKey), identity(order[place], mergeKey))) position++;
    place++;
  }
  if (position < kept.length) {
    throw failed(
      `The order in patch list:\n${goText(change)}\n doesn't match ${ORDER_PREFIX} list:\n${goText(order)}\n`,
    );
  }
}

// ---- lists

function mergeLists(
  live: readonly unknown[],
  change: readonly unknown[],
  itemType: FieldType,
  mergeKey: string | undefined,
  deletes: boolean,
): readonly unknown[] {
  if (live.length === 0 && change.length === 0) return live;
  if (!elementsAreMaps([...live, ...change])) {
    if (deletes) return live.filter((item) => !change.some((other) => equalJson(item, other)));
    const merged = [...live];
    for (const item of change) if (!merged.some((other) => equalJson(item, other))) merged.push(item);
    const [ordered, others] = partition(merged, change, undefined);
    return interleave(ordered, others, change, live, undefined);
  }
  if (mergeKey === undefined || mergeKey === "") throw failed("cannot merge lists without merge key for type struct");
  const { base, items } = applyItemDirectives(live, change, mergeKey);
  const merged = [...base];
  for (const item of items) {
    const key = identity(item, mergeKey);
    const index = merged.findIndex((other) => isMap(other) && equalJson(other[mergeKey], key));
    const existing = merged[index];
    if (isMap(existing)) merged[index] = mergeMaps(existing, item, itemType);
    else merged.push(item);
  }
  const [ordered, others] = partition(merged, items, mergeKey);
  return interleave(ordered, others, items, base, mergeKey);
}

/** Carries out `$patch` of list items; the rest of the patch's items are merged. */
function applyItemDirectives(
  live: readonly unknown[],
  change: readonly unknown[],
  mergeKey: string,
): { base: readonly unknown[]; items: readonly Map[] } {
  let base = live;
  let replaces = false;
  const items: Map[] = [];
  for (const item of change) {
    if (!isMap(item)) throw wrongType("map[string]interface {}", item);
    if (!Object.hasOwn(item, DIRECTIVE)) {
      items.push(item);
      continue;
    }
    switch (item[DIRECTIVE]) {
      case "delete": {
        const key = identity(item, mergeKey);
        base = base.filter((other) => !(isMap(other) && equalJson(other[mergeKey], key)));
        break;
      }
      case "replace":
        replaces = true;
        break;
      case "merge":
        throw failed("merging lists cannot yet be specified in the patch");
      default:
        throw failed(`unknown patch type: ${goText(item[DIRECTIVE])} in map: ${goText(item)}`);
    }
  }
  return replaces ? { base: items, items: [] } : { base, items };
}

/** Whether the elements are objects; throws when they are of several types or lists. */
function elementsAreMaps(items: readonly unknown[]): boolean {
  let first: string | undefined;
  for (const item of items) {
    const type = goType(item);
    if (Array.isArray(item)) {
      throw new AppError("strategic-patch-unprocessable", "lists of lists are not supported", { recovery: "stall" });
    }
    first ??= type;
    if (type !== first) throw failed(`list element types are not identical: ${goText(items)}`);
  }
  return first === MAP_TYPE;
}

/** What tells items apart: the merge key's value, or a scalar itself. */
function identity(item: unknown, mergeKey: string | undefined): unknown {
  if (mergeKey === undefined) return item;
  if (!isMap(item)) throw wrongType(MAP_TYPE, item);
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  return item[mergeKey];
}

function indexIn(list: readonly unknown[], item: unknown, mergeKey: string | undefined): number {
  const wanted = identity(item, mergeKey);
  return list.findIndex((other) =>
    mergeKey === undefined ? equalJson(other, wanted) : isMap(other) && equalJson(other[mergeKey], wanted),
  );
}

function partition(
  items: readonly unknown[],
  by: readonly unknown[],
  mergeKey: string | undefined,
): [unknown[], unknown[]] {
  const inside: unknown[] = [];
  const outside: unknown[] = [];
  for (const item of items) (indexIn(by, item, mergeKey) >= 0 ? inside : outside).push(item);
  return [inside, outside];
}

/**
 * Items of the patch in the patch's order, with the server's other items at the place they had among them. An item that
 * is new stands before the server's items that follow.
 */
function interleave(
  patched: readonly unknown[],
  others: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const right = sortedBy(patched, patchOrder, mergeKey);
  const left = sortedBy(others, liveOrder, mergeKey);
  const result: unknown[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    const leftIndex = indexIn(liveOrder, left[l], mergeKey);
    const rightIndex = indexIn(liveOrder, right[r], mergeKey);
    if (leftIndex >= 0 && rightIndex >= 0 && leftIndex < rightIndex) result.push(left[l++]);
    else result.push(right[r++]);
  }
  return [...result, ...left.slice(l), ...right.slice(r)];
}

function sortedBy(items: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): unknown[] {
  // What the order does not name comes last.
  const placed = items.map((item) => {
    const place = indexIn(order, item, mergeKey);
    return { item, place: place < 0 ? order.length : place };
  });
  return placed.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

// ---- values

function isMap(value: unknown): value is Map {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
