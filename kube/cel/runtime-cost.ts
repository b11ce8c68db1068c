// What operations cost while they run. The numbers are the reference's, so that the same expressions reach the limit.
import { codePoints } from "./source.ts";
import { CelList, CelMap, CelOptional, type Value } from "./values.ts";

export const CREATE_LIST_COST = 10;
export const CREATE_MAP_COST = 30;
export const CREATE_STRUCT_COST = 40;
/** For each character that is looked at. */
export const TRAVERSAL_FACTOR = 0.1;
/** For each character of a pattern. */
export const PATTERN_FACTOR = 0.25;

/** Characters, bytes, items or entries; 1 for everything else. */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Uint8Array) return value.length;
  return value instanceof CelOptional && value.isPresent ? sizeOf(value.value) : 1;
}

/** Looking through so many characters. */
export function traversal(size: number, factor = 1): number {
  return Math.ceil(size * factor * TRAVERSAL_FACTOR);
}

/** `==`, `<` and the like: the shorter side decides. */
export function comparisonCost(a: Value, b: Value): number {
  return isScalar(a) || isScalar(b) ? 1 : traversal(Math.min(sizeOf(a), sizeOf(b)));
}

function isScalar(value: Value): boolean {
  return typeof value === "bigint" || typeof value === "number" || typeof value === "boolean" || value === null;
}

/** `+`: texts and bytes are copied. */
export function concatCost(a: Value, b: Value): number {
  const copies =
    (typeof a === "string" && typeof b === "string") || (a instanceof Uint8Array && b instanceof Uint8Array);
  return copies ? traversal(sizeOf(a) + sizeOf(b)) : 1;
}

/** Matching a text against a pattern. */
export function matchCost(textSize: number, patternSize: number): number {
  return traversal(1 + textSize) * Math.ceil(patternSize * PATTERN_FACTOR);
}

/** Every part of a value looked at once. */
export function deepTraversal(value: Value): number {
  if (typeof value === "string" || value instanceof Uint8Array) {
    const bytes = typeof value === "string" ? Buffer.byteLength(value) : value.length;
    return Math.trunc(bytes * TRAVERSAL_FACTOR);
  }
  let cost = 0;
  if (value instanceof CelList) {
    for (let index = 0; index < value.size; index++) cost += deepTraversal(value.at(index));
    return cost;
  }
  if (!(value instanceof CelMap)) return 1;
  for (const key of value.keys()) cost += deepTraversal(key) + deepTraversal(value.find(key)!);
  return cost;
}
