// Values that may be absent: `self.?a.orValue("x")`.
import { OPERATORS } from "../ast.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, param, STRING } from "../types.ts";
import {
  ArrayList,
  CelDuration,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  fail,
  NONE,
  type Value,
} from "../values.ts";

const K = param("K");
const V = param("V");
const OPTIONAL = optionalOf(V);

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelOptional) return !value.isPresent;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelDuration) return value.nanos === 0n;
  // The first second of year one is Go's zero time.
  return value instanceof CelTimestamp && value.nanos === -62135596800n * 1_000_000_000n;
}

function unwrap(list: CelList): CelList {
  const items: Value[] = [];
  for (const item of list) {
    if (!(item instanceof CelOptional)) return fail(`value ${String(item)} is not optional`);
    if (item.isPresent) items.push(item.value);
  }
  return new ArrayList(items);
}

export const OPTIONALS: readonly FunctionDeclaration[] = [
  global("optional.of", "optional_of", [V], OPTIONAL, (value: Value) => new CelOptional(value)),
  global("optional.ofNonZeroValue", "optional_ofNonZeroValue", [V], OPTIONAL, (value: Value) =>
    isZero(value) ? NONE : new CelOptional(value),
  ),
  global("optional.none", "optional_none", [], OPTIONAL, () => NONE),
  member("value", "optional_value", [OPTIONAL], V, (optional: CelOptional) => optional.value),
  member("hasValue", "optional_hasValue", [OPTIONAL], BOOL, (optional: CelOptional) => optional.isPresent),
  member("or", "optional_or_optional", [OPTIONAL, OPTIONAL], OPTIONAL),
  member("orValue", "optional_orValue_value", [OPTIONAL, V], V),
  global(OPERATORS.optSelect, "select_optional_field", [DYN, STRING], OPTIONAL),
  global(OPERATORS.optIndex, "list_optindex_optional_int", [listOf(V), INT], OPTIONAL),
  global(OPERATORS.optIndex, "optional_list_optindex_optional_int", [optionalOf(listOf(V)), INT], OPTIONAL),
  global(OPERATORS.optIndex, "map_optindex_optional_value", [mapOf(K, V), K], OPTIONAL),
  global(OPERATORS.optIndex, "optional_map_optindex_optional_value", [optionalOf(mapOf(K, V)), K], OPTIONAL),
  global(OPERATORS.index, "optional_list_index_int", [optionalOf(listOf(V)), INT], OPTIONAL),
  global(OPERATORS.index, "optional_map_index_value", [optionalOf(mapOf(K, V)), K], OPTIONAL),
  member("last", "list_last", [listOf(V)], OPTIONAL, (list: CelList) =>
    list.size === 0 ? NONE : new CelOptional(list.at(list.size - 1)),
  ),
  member("first", "list_first", [listOf(V)], OPTIONAL, (list: CelList) =>
    list.size === 0 ? NONE : new CelOptional(list.at(0)),
  ),
  global("optional.unwrap", "optional_unwrap", [listOf(OPTIONAL)], listOf(V), unwrap),
  member("unwrapOpt", "optional_unwrapOpt", [listOf(OPTIONAL)], listOf(V), unwrap),
];
