// Reads plain values by type, with the readings of Go's JSON decoder behind a YAML 1.1 reader.

import { nearest } from "../../../api/nearest.ts";
import { renderError } from "../../errors.ts";
import { type FieldPath, formatFieldPath } from "./field-positions.ts";

export type FieldType =
  | "string"
  /** Text that no mode makes of a number. As kustomize: the fields of structures inside structures. */
  | "exact-string"
  | "boolean"
  | "integer"
  | "any"
  | { readonly list: FieldType }
  | { readonly map: FieldType }
  | { readonly fields: Readonly<Record<string, FieldType>> };

/**
 * How strictly fields are read: `strict` refuses unknown fields, `exact` turns numbers and booleans into text where
 * text is wanted, `lenient` does so and passes over unknown fields.
 *
 * As kustomize: the kustomization itself is strict, `configurations` are exact, everything else is lenient.
 */
export type DecodeMode = "strict" | "exact" | "lenient";

/**
 * Reads a value by its type. Names of fields match in any case, and null counts as absent.
 *
 * Throws `render-unknown-field` or `render-invalid-kustomization` for the first fault in the order of the keys, with
 * the steps to it as the error's `field`; the caller knows file and line.
 */
export function decodeField(value: unknown, type: FieldType, mode: DecodeMode = "strict"): unknown {
  return decode(value, type, undefined, [], mode);
}

function decode(value: unknown, type: FieldType, before: unknown, path: FieldPath, mode: DecodeMode): unknown {
  if (value === null || value === undefined) return nullOf(type, before);
  if (typeof type === "string") return decodeScalar(value, type, path, mode);
  if ("list" in type) {
    if (!Array.isArray(value)) throw wrongType(value, "a list", path);
    const present: readonly unknown[] = Array.isArray(before) ? before : [];
    return value.map(
      (item, index) => decode(item, type.list, present[index], [...path, index], mode) ?? zeroOf(type.list),
    );
  }
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType(value, "a map", path);
  // As kustomize: a field that is given twice, in different case, is filled in twice.
  const result: Record<string, unknown> = "map" in type ? Object.create(null) : {};
  Object.assign(result, before);
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => compareBytes(a, b))) {
    const name = "map" in type ? key : findField(type.fields, key);
    if (name === undefined) {
      if (mode === "lenient") continue;
      throw unknownField(key, Object.keys((type as { fields: object }).fields), path);
    }
    const own = "map" in type ? type.map : type.fields[name]!;
    const decoded = decode(item, own, "map" in type ? undefined : result[name], [...path, key], mode);
    if (decoded !== undefined) result[name] = decoded;
    else if ("map" in type) result[name] = zeroOf(type.map);
    else delete result[name];
  }
  return result;
}

// Lists, maps and structures become absent, scalars keep what they are.
function nullOf(type: FieldType, before: unknown): unknown {
  return typeof type === "string" && type !== "any" ? before : undefined;
}

function decodeScalar(
  value: unknown,
  type: "string" | "exact-string" | "boolean" | "integer" | "any",
  path: FieldPath,
  mode: DecodeMode,
): unknown {
  if (type === "any") return value;
  if (type === "exact-string") return decodeScalar(value, "string", path, "strict");
  if (type === "integer") {
    if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 63) return value + 0;
    if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
    throw wrongType(value, "an integer", path);
  }
  if (typeof value === type) return value;
  if (type === "string" && mode !== "strict" && isNumberOrBoolean(value)) return textOfScalar(value);
  throw wrongType(value, type === "string" ? "text" : "true or false", path);
}

function isNumberOrBoolean(value: unknown): value is number | bigint | boolean {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
}

// As kustomize: a fraction is written with the digits of a 32-bit number.
function textOfScalar(value: number | bigint | boolean): string {
  if (typeof value !== "number" || (Number.isInteger(value) && Math.abs(value) < 2 ** 64)) return String(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return exponentOf(Number(text));
  }
  return String(value);
}

// Go writes exponents below 1e-4 and from 1e+06 on, with two digits.
function exponentOf(value: number): string {
  const size = Math.abs(value);
  const text = size < 1e-4 || size >= 1e6 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function zeroOf(type: FieldType): unknown {
  if (type === "string" || type === "exact-string") return "";
  if (type === "boolean") return false;
  if (type === "integer") return 0;
  if (type === "any") return null;
  return "list" in type ? [] : {};
}

function findField(fields: Readonly<Record<string, FieldType>>, key: string): string | undefined {
  if (Object.hasOwn(fields, key)) return key;
  const folded = foldCase(key);
  return Object.keys(fields).find((name) => foldCase(name) === folded);
}

// As kustomize: the long s and the Kelvin sign are letters of another case as well.
function foldCase(name: string): string {
  return name.replaceAll("\u017f", "s").replaceAll("\u212a", "k").toLowerCase();
}

function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function unknownField(key: string, known: readonly string[], above: FieldPath): Error {
  const field = [...above, key];
  const meant = nearest(key, known);
  const all = known.length > 12 ? "" : `; known are ${known.toSorted().join(", ")}`;
  const hint = meant === undefined ? all : `; did you mean ${meant}?`;
  return renderError("render-unknown-field", `the field ${formatFieldPath(field)} is not known${hint}`, { field });
}

function wrongType(value: unknown, wanted: string, field: FieldPath): Error {
  const hint = wanted === "text" && isNumberOrBoolean(value) ? "; put it in quotes" : "";
  const name = field.length === 0 ? "the file" : `the field ${formatFieldPath(field)}`;
  const what = `${name} must be ${wanted}, not ${typeNameOf(value)}${hint}`;
  return renderError("render-invalid-kustomization", what, { field });
}

// The value itself may be a secret.
function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return "a map";
    case "boolean":
      return "a boolean (as YAML reads y, n, yes, no, on and off too)";
    case "string":
      return "text";
    default:
      return Number.isInteger(value) || typeof value === "bigint" ? "a number" : "a fraction";
  }
}
