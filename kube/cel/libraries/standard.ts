// The language's own operators and functions.
import { OPERATORS } from "../ast.ts";
import { toBool, toBytes, toDouble, toDuration, toInt, toText, toTimestamp, toUint } from "../conversions.ts";
import { type FunctionDeclaration, global, type Implementation, member } from "../declarations.ts";
import { codePoints } from "../source.ts";
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
import { type CelList, type CelMap, CelTypeValue, typeNameOf, type Value } from "../values.ts";

const A = param("A");
const B = param("B");
const LIST = listOf(A);
const MAP = mapOf(A, B);

/** Operators have no implementation here: the evaluator knows them. */
function operator(name: string, ...overloads: readonly [string, readonly CelType[], CelType][]): FunctionDeclaration[] {
  return overloads.map(([id, args, result]) => global(name, id, args, result));
}

const NUMBERS: readonly (readonly [string, CelType])[] = [
  ["int64", INT],
  ["uint64", UINT],
  ["double", DOUBLE],
];

/** `<` and the like: within a type, and between types of numbers. */
function ordering(name: string, id: string): FunctionDeclaration[] {
  const within: readonly (readonly [string, CelType])[] = [
    ["bool", BOOL],
    ...NUMBERS,
    ["string", STRING],
    ["bytes", BYTES],
    ["timestamp", TIMESTAMP],
    ["duration", DURATION],
  ];
  const mixed = NUMBERS.flatMap(([left, a]) =>
    NUMBERS.filter(([right]) => right !== left).map(([right, b]) =>
      global(name, `${id}_${left}_${right}`, [a, b], BOOL),
    ),
  );
  return [...within.map(([type, each]) => global(name, `${id}_${type}`, [each, each], BOOL)), ...mixed];
}

function arithmetic(name: string, id: string, types: readonly (readonly [string, CelType])[]): FunctionDeclaration[] {
  return types.map(([type, each]) => global(name, `${id}_${type}`, [each, each], each));
}

function operators(): FunctionDeclaration[] {
  return [
    ...operator(OPERATORS["?"], ["conditional", [BOOL, A, A], A]),
    ...operator(OPERATORS["&&"], ["logical_and", [BOOL, BOOL], BOOL]),
    ...operator(OPERATORS["||"], ["logical_or", [BOOL, BOOL], BOOL]),
    ...operator(OPERATORS["!"], ["logical_not", [BOOL], BOOL]),
    ...operator(OPERATORS.notStrictlyFalse, ["not_strictly_false", [BOOL], BOOL]),
    ...operator(OPERATORS["=="], ["equals", [A, A], BOOL]),
    ...operator(OPERATORS["!="], ["not_equals", [A, A], BOOL]),
    ...operator(
      OPERATORS["+"],
      ["add_bytes", [BYTES, BYTES], BYTES],
      ["add_double", [DOUBLE, DOUBLE], DOUBLE],
      ["add_duration_duration", [DURATION, DURATION], DURATION],
      ["add_duration_timestamp", [DURATION, TIMESTAMP], TIMESTAMP],
      ["add_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP],
      ["add_int64", [INT, INT], INT],
      ["add_list", [LIST, LIST], LIST],
      ["add_string", [STRING, STRING], STRING],
      ["add_uint64", [UINT, UINT], UINT],
    ),
    ...operator(
      OPERATORS["-"],
      ["subtract_double", [DOUBLE, DOUBLE], DOUBLE],
      ["subtract_duration_duration", [DURATION, DURATION], DURATION],
      ["subtract_int64", [INT, INT], INT],
      ["subtract_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP],
      ["subtract_timestamp_timestamp", [TIMESTAMP, TIMESTAMP], DURATION],
      ["subtract_uint64", [UINT, UINT], UINT],
    ),
    ...arithmetic(OPERATORS["*"], "multiply", NUMBERS),
    ...arithmetic(OPERATORS["/"], "divide", NUMBERS),
    ...arithmetic(OPERATORS["%"], "modulo", NUMBERS.slice(0, 2)),
    ...operator(OPERATORS.negate, ["negate_double", [DOUBLE], DOUBLE], ["negate_int64", [INT], INT]),
    ...ordering(OPERATORS["<"], "less"),
    ...ordering(OPERATORS["<="], "less_equals"),
    ...ordering(OPERATORS[">"], "greater"),
    ...ordering(OPERATORS[">="], "greater_equals"),
    ...operator(OPERATORS.index, ["index_list", [LIST, INT], A], ["index_map", [MAP, A], B]),
    ...operator(OPERATORS.in, ["in_list", [A, LIST], BOOL], ["in_map", [A, MAP], BOOL]),
  ];
}

const textSize = (text: string): bigint => BigInt(codePoints(text));
const bytesSize = (bytes: Uint8Array): bigint => BigInt(bytes.length);
const collectionSize = (value: CelList | CelMap): bigint => BigInt(value.size);

function sizes(): FunctionDeclaration[] {
  const of: readonly (readonly [string, CelType, Implementation])[] = [
    ["bytes", BYTES, bytesSize],
    ["list", LIST, collectionSize],
    ["map", MAP, collectionSize],
    ["string", STRING, textSize],
  ];
  return of.flatMap(([name, type, call]) => [
    global("size", `size_${name}`, [type], INT, call),
    member("size", `${name}_size`, [type], INT, call),
  ]);
}

function conversion(
  name: string,
  to: CelType,
  call: (value: Value) => Value,
  ...from: readonly (readonly [string, CelType])[]
): FunctionDeclaration[] {
  return from.map(([id, type]) => global(name, id, [type], to, call));
}

function conversions(): FunctionDeclaration[] {
  return [
    global("type", "type", [A], { kind: "type", of: A }, (value: Value) => new CelTypeValue(typeNameOf(value))),
    ...conversion("bool", BOOL, toBool, ["bool_to_bool", BOOL], ["string_to_bool", STRING]),
    ...conversion("bytes", BYTES, toBytes, ["bytes_to_bytes", BYTES], ["string_to_bytes", STRING]),
    ...conversion(
      "double",
      DOUBLE,
      toDouble,
      ["double_to_double", DOUBLE],
      ["int64_to_double", INT],
      ["string_to_double", STRING],
      ["uint64_to_double", UINT],
    ),
    ...conversion(
      "duration",
      DURATION,
      toDuration,
      ["duration_to_duration", DURATION],
      ["int64_to_duration", INT],
      ["string_to_duration", STRING],
    ),
    global("dyn", "to_dyn", [A], DYN, (value: Value) => value),
    ...conversion(
      "int",
      INT,
      toInt,
      ["int64_to_int64", INT],
      ["double_to_int64", DOUBLE],
      ["duration_to_int64", DURATION],
      ["string_to_int64", STRING],
      ["timestamp_to_int64", TIMESTAMP],
      ["uint64_to_int64", UINT],
    ),
    ...conversion(
      "string",
      STRING,
      toText,
      ["string_to_string", STRING],
      ["bool_to_string", BOOL],
      ["bytes_to_string", BYTES],
      ["double_to_string", DOUBLE],
      ["duration_to_string", DURATION],
      ["int64_to_string", INT],
      ["timestamp_to_string", TIMESTAMP],
      ["uint64_to_string", UINT],
    ),
    ...conversion(
      "timestamp",
      TIMESTAMP,
      toTimestamp,
      ["timestamp_to_timestamp", TIMESTAMP],
      ["int64_to_timestamp", INT],
      ["string_to_timestamp", STRING],
    ),
    ...conversion(
      "uint",
      UINT,
      toUint,
      ["uint64_to_uint64", UINT],
      ["double_to_uint64", DOUBLE],
      ["int64_to_uint64", INT],
      ["string_to_uint64", STRING],
    ),
  ];
}

function texts(): FunctionDeclaration[] {
  return [
    member("contains", "contains_string", [STRING, STRING], BOOL, (text: string, part: string) => text.includes(part)),
    member("endsWith", "ends_with_string", [STRING, STRING], BOOL, (text: string, end: string) => text.endsWith(end)),
    member("startsWith", "starts_with_string", [STRING, STRING], BOOL, (text: string, start: string) =>
      text.startsWith(start),
    ),
  ];
}

/** Operators, conversions, sizes and searches in texts. */
export const STANDARD: readonly FunctionDeclaration[] = [...operators(), ...sizes(), ...conversions(), ...texts()];
