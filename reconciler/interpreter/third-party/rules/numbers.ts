// Numbers in the statuses of custom resources. Not every definition checks its status, so that a counter may be a text.

import { interpreterFieldMalformed } from "../../errors.ts";
import type { Fields } from "../../field-access.ts";

/** The number that a text writes, decimal or `0x` hexadecimal; undefined for any other text. */
export function numberOfText(text: string): number | undefined {
  const trimmed = text.trim();
  return /^[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)$/.test(trimmed)
    ? signed(trimmed)
    : undefined;
}

// `Number` knows no sign before a hexadecimal number.
function signed(text: string): number {
  return text.startsWith("-") ? -Number(text.slice(1)) : Number(text.replace(/^\+/, ""));
}

/**
 * The number under `key`, written as a number or as a text; undefined when absent. `where` is the path of `parent`, for
 * the message. Throws `interpreter-field-malformed`.
 */
export function optionalNumberAt(parent: Fields, key: string, where: string): number | undefined {
  const value = parent[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  const read = typeof value === "string" ? numberOfText(value) : undefined;
  if (read === undefined) throw interpreterFieldMalformed(`${where}.${key}`, "a number");
  return read;
}

/** The number under `key`, or 0. Throws `interpreter-field-malformed`. */
export function numberAt(parent: Fields, key: string, where = "status"): number {
  return optionalNumberAt(parent, key, where) ?? 0;
}

/** A number written as such or as a text; `otherwise` when nothing is written, or nothing that is a number. */
export function numberOr<T extends number | undefined>(value: unknown, otherwise: T): number | T {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return (typeof value === "string" ? numberOfText(value) : undefined) ?? otherwise;
}
