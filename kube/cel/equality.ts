// When two values are the same, and which of two is smaller.
import { compareTexts } from "../compare-texts.ts";
import {
  CelDuration,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  CelValue,
  fail,
  noSuchOverload,
  type Value,
} from "./values.ts";

/** Numbers of different types are equal when they are the same number; other types never are. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a === "object" || typeof b === "object") return equalObjects(a, b);
  return isNumber(a) && isNumber(b) && sameNumber(a, b);
}

/** Exact between bigint and number; NaN equals nothing. */
function sameNumber(a: bigint | number, b: bigint | number): boolean {
  return a <= b && a >= b;
}

function equalObjects(a: Value, b: Value): boolean {
  if (a === null || b === null) return false;
  if (a instanceof CelUint) return b instanceof CelUint ? a.value === b.value : isNumber(b) && sameNumber(a.value, b);
  if (b instanceof CelUint) return isNumber(a) && sameNumber(a, b.value);
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b);
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof CelOptional) {
    if (!(b instanceof CelOptional) || a.isPresent !== b.isPresent) return false;
    return !a.isPresent || equal(a.value, b.value);
  }
  return a instanceof CelValue && b instanceof CelValue && a.equals(b);
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false;
  if (a.isSet) return [...b].every((item) => contains(a, item));
  for (let index = 0; index < a.size; index++) if (!equal(a.at(index), b.at(index))) return false;
  return true;
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const other = b.find(key);
    const value = a.find(key);
    if (other === undefined || value === undefined || !equal(value, other)) return false;
  }
  return true;
}

/** Whether a list has an item equal to the value. */
export function contains(list: CelList, value: Value): boolean {
  for (let index = 0; index < list.size; index++) if (equal(list.at(index), value)) return true;
  return false;
}

/** -1, 0 or 1. Fails for values without an order, and for those of types that have none between them. */
export function compare(a: Value, b: Value): number {
  if (typeof a === "bigint" && typeof b === "bigint") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return compare(a.nanos, b.nanos);
  if (a instanceof CelDuration && b instanceof CelDuration) return compare(a.nanos, b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const left = a instanceof CelUint ? a.value : a;
  const right = b instanceof CelUint ? b.value : b;
  if (!isNumber(left) || !isNumber(right)) return noSuchOverload();
  if (Number.isNaN(left) || Number.isNaN(right)) return fail("NaN values cannot be ordered");
  return left < right ? -1 : left > right ? 1 : 0;
}
