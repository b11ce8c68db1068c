// What calls of functions cost while they run, by the reference's measures.
import { CelFormat } from "./libraries/named-formats.ts";
import { CREATE_LIST_COST, deepTraversal, matchCost, sizeOf, TRAVERSAL_FACTOR, traversal } from "./runtime-cost.ts";
import { CelList, type Value } from "./values.ts";

type Cost = (args: readonly Value[]) => number;

const size = (args: readonly Value[], index: number): number => sizeOf(args[index]!);
const traverseFirst: Cost = (args) => traversal(size(args, 0));
const traverseTwice: Cost = (args) => traversal(size(args, 0), 2);
const deep: Cost = (args) => deepTraversal(args[0]!);
const match: Cost = (args) => matchCost(size(args, 0), size(args, 1));

/** By the name of the function, whatever the types. */
const BY_NAME: ReadonlyMap<string, Cost> = new Map([
  ["check", () => 350_000],
  ["fieldSelector", (args) => selectorCost(size(args, 1))],
  ["labelSelector", (args) => selectorCost(size(args, 1))],
  ["isSorted", deep],
  ["sum", deep],
  ["max", deep],
  ["min", deep],
  ["indexOf", deep],
  ["lastIndexOf", deep],
  ["url", traverseFirst],
  ["lowerAscii", traverseFirst],
  ["upperAscii", traverseFirst],
  ["substring", traverseFirst],
  ["trim", traverseFirst],
  ["jsonpatch.escapeKey", traverseFirst],
  ["replace", traverseTwice],
  ["split", traverseTwice],
  ["join", joinCost],
  ["find", match],
  ["findAll", match],
  ["cidr", traverseFirst],
  ["isIP", traverseFirst],
  ["isCIDR", traverseFirst],
  ["ip.isCanonical", traverseTwice],
  ["quantity", traverseFirst],
  ["isQuantity", traverseFirst],
  ["semver", traverseFirst],
  ["isSemver", traverseFirst],
  ["validate", validateCost],
]);

/** By the signature. */
const BY_OVERLOAD: ReadonlyMap<string, Cost> = new Map([
  ["string_to_ip", traverseFirst],
  ["cidr_contains_ip_string", (args) => 1 + traversal(size(args, 1))],
  ["cidr_contains_ip_ip", () => 1],
  ["cidr_contains_cidr", () => 3],
  ["cidr_contains_cidr_string", (args) => 3 + traversal(size(args, 1))],
  ["starts_with_string", traverseFirst],
  ["ends_with_string", traverseFirst],
  ["string_to_bytes", traverseFirst],
  ["bytes_to_string", traverseFirst],
  ["strings_quote", traverseFirst],
  ["string_format", traverseFirst],
  ["matches_string", match],
  ["contains_string", (args) => traversal(size(args, 0)) * traversal(size(args, 1))],
  ["list_sets_contains_list", (args) => 1 + size(args, 0) * size(args, 1)],
  ["list_sets_intersects_list", (args) => 1 + size(args, 0) * size(args, 1)],
  ["list_sets_equivalent_list", (args) => 1 + 2 * size(args, 0) * size(args, 1)],
  ["list_slice", (args) => allocation(1, Math.max(0, Number(args[2]) - Number(args[1])))],
  ["list_flatten", (args) => allocation(1, size(args, 0))],
  ["list_flatten_int", (args) => allocation(Number(args[1]), size(args, 0))],
  ["lists_range", (args) => allocation(1, Math.max(0, Number(args[0])))],
  ["list_reverse", (args) => allocation(1, size(args, 0))],
  ["list_distinct", (args) => selfComparison(args[0]!)],
]);

function allocation(factor: number, items: number): number {
  return Math.trunc(items * factor) + 1 + CREATE_LIST_COST;
}

/** Comparing every item of a list with every other. */
function selfComparison(list: Value): number {
  if (!(list instanceof CelList) || list.size === 0) return allocation(2, 0);
  const first = list.at(0);
  const isText = typeof first === "string" || first instanceof Uint8Array;
  return allocation(isText ? 2 + TRAVERSAL_FACTOR : 2, list.size * list.size);
}

/** What comes out is read twice. */
function joinCost(args: readonly Value[]): number {
  const [list, separator] = args;
  if (!(list instanceof CelList)) return 1;
  let length = Math.max(0, list.size - 1) * (typeof separator === "string" ? sizeOf(separator) : 0);
  for (const item of list) length += sizeOf(item);
  return traversal(length, 2);
}

function validateCost(args: readonly Value[]): number {
  const [format] = args;
  return format instanceof CelFormat ? matchCost(size(args, 1), format.patternSize) : 1;
}

/** A selector of labels or fields: reading it, and making its requirements. */
export function selectorCost(length: number): number {
  return CREATE_LIST_COST + traversal(length) + Math.ceil(Math.ceil(length * 0.5) * 50);
}

/** The cost of a call of `name` that turned out to mean the signature `overload`. */
export function callCost(name: string, overload: string, args: readonly Value[]): number {
  const cost = BY_NAME.get(name) ?? BY_OVERLOAD.get(overload);
  if (cost !== undefined) return cost(args);
  if (overload.endsWith("_sort")) return selfComparison(args[0]!);
  return overload.endsWith("_sortByAssociatedKeys") ? selfComparison(args[1]!) : 1;
}
