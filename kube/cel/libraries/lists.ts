// Functions of lists: sums, orders, positions, sets.
import { add } from "../arithmetic.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { compare, contains, equal } from "../equality.ts";
import { MAP_INSERT, SORT_BY_KEYS } from "../macros.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  param,
  STRING,
  TIMESTAMP,
  UINT,
} from "../types.ts";
import {
  ArrayList,
  CelDuration,
  CelList,
  type CelMap,
  CelUint,
  fail,
  GrowingMap,
  typeNameOf,
  type Value,
} from "../values.ts";

const A = param("A");
const T = param("T");

const SUMMABLE: readonly (readonly [string, CelType, Value])[] = [
  ["int", INT, 0n],
  ["uint", UINT, new CelUint(0n)],
  ["double", DOUBLE, 0],
  ["duration", DURATION, new CelDuration(0n)],
];
const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ["int", INT],
  ["uint", UINT],
  ["double", DOUBLE],
  ["bool", BOOL],
  ["duration", DURATION],
  ["timestamp", TIMESTAMP],
  ["string", STRING],
  ["bytes", BYTES],
];
/** The names that the sorting functions know types by. */
const SORTABLE = COMPARABLE.map(([name, type]) => {
  const full =
    name === "duration" || name === "timestamp"
      ? `google.protobuf.${name === "duration" ? "Duration" : "Timestamp"}`
      : name;
  return [full, type] as const;
});

function isSorted(list: CelList): boolean {
  for (let index = 1; index < list.size; index++) if (compare(list.at(index - 1), list.at(index)) > 0) return false;
  return true;
}

function sum(list: CelList, zero: Value): Value {
  let total = zero;
  for (const item of list) total = add(total, item);
  return total;
}

function extreme(name: string, sign: 1 | -1): (list: CelList) => Value {
  return (list) => {
    if (list.size === 0) return fail(`${name} called on empty list`);
    let best = list.at(0);
    for (let index = 1; index < list.size; index++) {
      if (compare(list.at(index), best) * sign > 0) best = list.at(index);
    }
    return best;
  };
}

function indexOf(list: CelList, item: Value): bigint {
  for (let index = 0; index < list.size; index++) if (equal(list.at(index), item)) return BigInt(index);
  return -1n;
}

function lastIndexOf(list: CelList, item: Value): bigint {
  for (let index = list.size - 1; index >= 0; index--) if (equal(list.at(index), item)) return BigInt(index);
  return -1n;
}

function slice(list: CelList, start: bigint, end: bigint): CelList {
  const refuse = (why: string): never => fail(`cannot slice(${start}, ${end}), ${why}`);
  if (start < 0n || end < 0n) return refuse("negative indexes not supported");
  if (start > end) return refuse("start index must be less than or equal to end index");
  if (BigInt(list.size) < end) return refuse(`list is length ${list.size}`);
  const items: Value[] = [];
  for (let index = Number(start); index < Number(end); index++) items.push(list.at(index));
  return new ArrayList(items);
}

function flatten(list: CelList, depth = 1n): CelList {
  if (depth < 0n) return fail("level must be non-negative");
  const items: Value[] = [];
  const collect = (from: CelList, left: bigint): void => {
    for (const item of from) {
      if (item instanceof CelList && left > 0n) collect(item, left - 1n);
      else items.push(item);
    }
  };
  collect(list, depth);
  return new ArrayList(items);
}

function sortBy(list: CelList, keys: CelList): CelList {
  if (list.size !== keys.size) {
    const sizes = `but got ${list.size} and ${keys.size} elements respectively`;
    return fail(`@sortByAssociatedKeys() expected a list of the same size as the associated keys list, ${sizes}`);
  }
  if (list.size === 0) return list;
  const type = typeNameOf(keys.at(0));
  const pairs = Array.from({ length: list.size }, (_, index) => ({ key: keys.at(index), value: list.at(index) }));
  if (pairs.some(({ key }) => typeNameOf(key) !== type)) return fail("list elements must have the same type");
  pairs.sort((a, b) => compare(a.key, b.key));
  return new ArrayList(pairs.map(({ value }) => value));
}

const LONGEST_RANGE = 1_000_000n;

function range(count: bigint): CelList {
  // Beyond this the cost limit has been reached anyway.
  if (count > LONGEST_RANGE) return fail(`lists.range(${count}) is too long`);
  return new ArrayList(Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index)));
}

function distinct(list: CelList): CelList {
  const seen = new Set<Value>();
  const items: Value[] = [];
  for (const item of list) {
    const simple = typeof item === "string" || typeof item === "boolean";
    if (simple ? seen.has(item) : contains(new ArrayList(items), item)) continue;
    if (simple) seen.add(item);
    items.push(item);
  }
  return new ArrayList(items);
}

function containsAll(list: CelList, part: CelList): boolean {
  for (const item of part) if (!contains(list, item)) return false;
  return true;
}

function intersects(a: CelList, b: CelList): boolean {
  for (const item of a) if (contains(b, item)) return true;
  return false;
}

function insert(map: CelMap, key: Value, value: Value): CelMap {
  return GrowingMap.from(map).with(key, value) ?? fail(`insert failed: key ${String(key)} already exists`);
}

function insertAll(map: CelMap, added: CelMap): CelMap {
  let out = map;
  for (const key of added.keys()) out = insert(out, key, added.find(key)!);
  return out;
}

/** Kubernetes' functions of lists. */
const KUBERNETES_LISTS: readonly FunctionDeclaration[] = [
  ...COMPARABLE.map(([name, type]) =>
    member("isSorted", `list_${name}_is_sorted_bool`, [listOf(type)], BOOL, isSorted),
  ),
  ...SUMMABLE.map(([name, type, zero]) =>
    member("sum", `list_${name}_sum_${name}`, [listOf(type)], type, (list: CelList) => sum(list, zero)),
  ),
  ...COMPARABLE.map(([name, type]) =>
    member("max", `list_${name}_max_${name}`, [listOf(type)], type, extreme("max", 1)),
  ),
  ...COMPARABLE.map(([name, type]) =>
    member("min", `list_${name}_min_${name}`, [listOf(type)], type, extreme("min", -1)),
  ),
  member("indexOf", "list_a_index_of_int", [listOf(A), A], INT, indexOf),
  member("lastIndexOf", "list_a_last_index_of_int", [listOf(A), A], INT, lastIndexOf),
];

/** The language's extension of lists, at the version that Kubernetes has. */
const EXTENDED_LISTS: readonly FunctionDeclaration[] = [
  member("slice", "list_slice", [listOf(T), INT, INT], listOf(T), slice),
  member("flatten", "list_flatten", [listOf(listOf(T))], listOf(T), flatten),
  member("flatten", "list_flatten_int", [listOf(DYN), INT], listOf(DYN), flatten),
  ...SORTABLE.map(([name, type]) =>
    member("sort", `list_${name}_sort`, [listOf(type)], listOf(type), (list: CelList) => sortBy(list, list)),
  ),
  ...SORTABLE.map(([name, type]) =>
    member(SORT_BY_KEYS, `list_${name}_sortByAssociatedKeys`, [listOf(T), listOf(type)], listOf(T), sortBy),
  ),
  global("lists.range", "lists_range", [INT], listOf(INT), range),
  member("reverse", "list_reverse", [listOf(T)], listOf(T), (list: CelList) => new ArrayList([...list].reverse())),
  member("distinct", "list_distinct", [listOf(T)], listOf(T), distinct),
];

const SETS: readonly FunctionDeclaration[] = [
  global("sets.contains", "list_sets_contains_list", [listOf(T), listOf(T)], BOOL, containsAll),
  global(
    "sets.equivalent",
    "list_sets_equivalent_list",
    [listOf(T), listOf(T)],
    BOOL,
    (a: CelList, b: CelList) => containsAll(a, b) && containsAll(b, a),
  ),
  global("sets.intersects", "list_sets_intersects_list", [listOf(T), listOf(T)], BOOL, intersects),
];

const K = param("K");
const V = param("V");

/** What the macros for loops with two variables build maps with. */
const MAPS: readonly FunctionDeclaration[] = [
  global(MAP_INSERT, "@mapInsert_map_key_value", [mapOf(K, V), K, V], mapOf(K, V), insert),
  global(MAP_INSERT, "@mapInsert_map_map", [mapOf(K, V), mapOf(K, V)], mapOf(K, V), insertAll),
];

export const LISTS: readonly FunctionDeclaration[] = [...KUBERNETES_LISTS, ...EXTENDED_LISTS, ...SETS, ...MAPS];
