// Reaching into values: fields, keys, positions.
import { contains } from "./equality.ts";
import { CelList, CelMap, CelOptional, CelUint, fail, NONE, noSuchOverload, type Value } from "./values.ts";

/** `a in b`. */
export function isIn(value: Value, within: Value): boolean {
  if (within instanceof CelList) return contains(within, value);
  return within instanceof CelMap ? within.find(value) !== undefined : noSuchOverload();
}

/** `has(value.field)`. */
export function isPresent(value: Value, field: string): boolean {
  if (value instanceof CelOptional) return value.isPresent && isPresent(value.value, field);
  // As the reference: of values without fields none is there.
  return value instanceof CelMap && value.find(field) !== undefined;
}

/** `value.field`. */
export function fieldOf(value: Value, field: string): Value {
  if (value instanceof CelMap) return value.find(field) ?? noSuchKey(field);
  if (value instanceof CelOptional) return value.isPresent ? optionalItem(value.value, field) : NONE;
  return fail(value === null || typeof value !== "object" ? `no such key: ${field}` : "no such overload");
}

function noSuchKey(key: Value): never {
  return fail(`no such key: ${printKey(key)}`);
}

function printKey(key: Value): string {
  return key instanceof CelUint ? String(key.value) : String(key);
}

/** A position in a list, whatever type of number names it. */
function indexOf(key: Value): number | undefined {
  if (key instanceof CelUint) return Number(key.value);
  if (typeof key === "bigint") return Number(key);
  return typeof key === "number" && Number.isInteger(key) ? key : undefined;
}

/** `value[key]`. */
export function itemOf(value: Value, key: Value): Value {
  if (value instanceof CelList) {
    const index = indexOf(key);
    if (index === undefined) return fail(`unsupported index type '${typeof key}' in list`);
    return index >= 0 && index < value.size ? value.at(index) : fail(`index out of bounds: ${printKey(key)}`);
  }
  return value instanceof CelMap ? (value.find(key) ?? noSuchKey(key)) : noSuchKey(key);
}

/** `value[?key]` and `value.?key`. */
export function optionalItem(value: Value, key: Value): CelOptional {
  if (value instanceof CelOptional) return value.isPresent ? optionalItem(value.value, key) : NONE;
  if (value instanceof CelMap) {
    const found = value.find(key);
    return found === undefined ? NONE : new CelOptional(found);
  }
  if (!(value instanceof CelList)) return NONE;
  const index = indexOf(key);
  return index !== undefined && index >= 0 && index < value.size ? new CelOptional(value.at(index)) : NONE;
}
