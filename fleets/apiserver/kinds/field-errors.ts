// Causes of a 422 in the words of the Kubernetes API.
import type { Json } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";

/** A value as messages print it: text quoted, everything else as JSON; nothing is `null`. */
export function printValue(value: unknown): string {
  if (value === undefined) return "null";
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value);
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
