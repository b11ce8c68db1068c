// Causes of a 422 in the words of the Kubernetes API.
import { equalJson, type Json } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";

/**
 * A value as messages print it: text quoted, everything else as JSON with letters that HTML gives a meaning escaped;
 * nothing is `null`.
 */
export function printValue(value: unknown): string {
  if (value === undefined) return "null";
  if (typeof value === "bigint") return String(value);
  const text = JSON.stringify(value);
  return typeof value === "string" ? text : text.replace(HTML_LETTERS, escapedLetter);
}

const HTML_LETTERS = /[<>&\u2028\u2029]/g;

function escapedLetter(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export function required(field: string, why = ""): FieldError {
  return { reason: "FieldValueRequired", field, message: why === "" ? "Required value" : `Required value: ${why}` };
}

export function invalidValue(field: string, value: Json | undefined, why: string): FieldError {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${printValue(value)}: ${why}` };
}

export function typeInvalid(field: string, value: Json | undefined, why: string): FieldError {
  return { reason: "FieldValueTypeInvalid", field, message: `Invalid value: ${printValue(value)}: ${why}` };
}

export function notSupported(field: string, value: Json | undefined, supported: readonly string[]): FieldError {
  const list = supported.map((text) => JSON.stringify(text)).join(", ");
  const message = `Unsupported value: ${printValue(value)}: supported values: ${list}`;
  return { reason: "FieldValueNotSupported", field, message };
}

export function duplicateValue(field: string, value: Json | undefined): FieldError {
  return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${printValue(value)}` };
}

export function forbiddenValue(field: string, why: string): FieldError {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${why}` };
}

export function tooLong(field: string, maxBytes: number): FieldError {
  return { reason: "FieldValueTooLong", field, message: `Too long: may not be more than ${maxBytes} bytes` };
}

export function tooMany(field: string, count: number, max: number): FieldError {
  return { reason: "FieldValueTooMany", field, message: `Too many: ${count}: must have at most ${max} items` };
}

export function notFoundValue(field: string, value: Json | undefined): FieldError {
  return { reason: "FieldValueNotFound", field, message: `Not found: ${printValue(value)}` };
}

/** One error per problem of a check of kube/names.ts. */
export function problems(field: string, value: string, found: readonly string[]): FieldError[] {
  return found.map((why) => invalidValue(field, value, why));
}

export function notNegative(field: string, value: Json | undefined): FieldError[] {
  if (typeof value !== "number" || value >= 0) return [];
  return [invalidValue(field, value, "must be greater than or equal to 0")];
}

/** Errors of an optional value that must be one of a few. */
export function oneOf(field: string, value: Json | undefined, supported: readonly string[]): FieldError[] {
  if (value === undefined || value === null || supported.includes(String(value))) return [];
  return [notSupported(field, value, supported)];
}

export function unchanged(field: string, value: Json | undefined, old: Json | undefined): FieldError[] {
  return equalJson(value, old) ? [] : [invalidValue(field, value, "field is immutable")];
}
