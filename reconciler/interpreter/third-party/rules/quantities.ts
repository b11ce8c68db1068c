// Quantities of resources in custom resources, where they are as often numbers as texts.

import {
  addQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  tryParseQuantity,
  ZERO_QUANTITY,
} from "../../../../kube/quantity.ts";
import type { MemberStatus } from "../../aggregation.ts";
import { interpreterFieldMalformed } from "../../errors.ts";
import type { Fields } from "../../field-access.ts";
import { numberOr } from "./numbers.ts";

/**
 * The quantity under `key`; undefined when absent. `where` is the path of `parent`, for the message. Throws
 * `interpreter-field-malformed`.
 */
export function optionalQuantityAt(parent: Fields, key: string, where: string): Quantity | undefined {
  const value = parent[key];
  if (value === undefined || value === null) return undefined;
  const isWritten = typeof value === "string" || typeof value === "number" || typeof value === "bigint";
  const quantity = isWritten ? tryParseQuantity(String(value).trim()) : undefined;
  if (quantity === undefined) throw interpreterFieldMalformed(`${where}.${key}`, "a quantity");
  return quantity;
}

/**
 * The value as a floating-point number, computed as Karmada's scripts get it: the last digit is that of a product.
 * Throws `interpreter-field-malformed` when it is negative.
 */
export function approximate(quantity: Quantity, where: string): number {
  const value = Number(quantity.mantissa) * Number(`1e${quantity.scale}`);
  if (value < 0 || value === Number.POSITIVE_INFINITY)
    throw interpreterFieldMalformed(where, "a quantity of at least 0");
  return value;
}

/** The sum of a quantity over all members; an empty text counts as none. Throws `interpreter-field-malformed`. */
export function quantitySumOf(members: readonly MemberStatus[], field: string): string {
  let sum = ZERO_QUANTITY;
  for (const { status } of members) {
    if (status[field] === "") continue;
    const quantity = optionalQuantityAt(status, field, "status");
    // As Karmada, whose scripts pass each sum on as a text: one that powers of 1024 cannot tell goes on as a decimal.
    if (quantity !== undefined) sum = parseQuantity(formatQuantity(addQuantities(sum, quantity)));
  }
  return formatQuantity(sum);
}

/**
 * The sum of a count of devices over all members: a plain number where all members write plain numbers, as they do, and a
 * quantity otherwise. Throws `interpreter-field-malformed`.
 */
export function deviceSumOf(members: readonly MemberStatus[], field: string): string {
  let sum = 0;
  for (const { status } of members) {
    const count = status[field] === "" ? 0 : numberOr(status[field] ?? 0, undefined);
    if (count === undefined) return quantitySumOf(members, field);
    sum += count;
  }
  return String(sum);
}
