// Kubernetes' quantities: `quantity("1.5Gi").isGreaterThan(quantity("1G"))`.
import { AppError } from "../../../runtime/errors.ts";
import {
  addQuantities,
  compareQuantities,
  equalQuantities,
  parseQuantity,
  type Quantity,
  quantityFloat,
  quantityOf,
  quantitySign,
  quantityValue,
  subtractQuantities,
  tryParseQuantity,
} from "../../quantity.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { BOOL, DOUBLE, INT, STRING, struct } from "../types.ts";
import { CelValue, fail } from "../values.ts";

const QUANTITY = struct("kubernetes.Quantity");

export class CelQuantity extends CelValue {
  readonly typeName = "kubernetes.Quantity";
  readonly value: Quantity;

  constructor(value: Quantity) {
    super();
    this.value = value;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelQuantity && equalQuantities(other.value, this.value);
  }
}

function toQuantity(text: string): CelQuantity {
  try {
    return new CelQuantity(parseQuantity(text));
  } catch (error) {
    if (error instanceof AppError) return fail(error.message);
    throw error;
  }
}

/** The whole number that the quantity is, or undefined for fractions and numbers beyond 64 bits. */
function integerOf({ value }: CelQuantity): bigint | undefined {
  const integer = quantityValue(value);
  if (BigInt.asIntN(64, integer) !== integer) return undefined;
  return compareQuantities(value, quantityOf(integer)) === 0 ? integer : undefined;
}

export const QUANTITIES: readonly FunctionDeclaration[] = [
  global("quantity", "string_to_quantity", [STRING], QUANTITY, toQuantity),
  global("isQuantity", "is_quantity_string", [STRING], BOOL, (text: string) => tryParseQuantity(text) !== undefined),
  global("sign", "quantity_sign", [QUANTITY], INT, ({ value }: CelQuantity) => BigInt(quantitySign(value))),
  member(
    "isGreaterThan",
    "quantity_is_greater_than",
    [QUANTITY, QUANTITY],
    BOOL,
    (a: CelQuantity, b: CelQuantity) => compareQuantities(a.value, b.value) > 0,
  ),
  member(
    "isLessThan",
    "quantity_is_less_than",
    [QUANTITY, QUANTITY],
    BOOL,
    (a: CelQuantity, b: CelQuantity) => compareQuantities(a.value, b.value) < 0,
  ),
  member("compareTo", "quantity_compare_to", [QUANTITY, QUANTITY], INT, (a: CelQuantity, b: CelQuantity) =>
    BigInt(compareQuantities(a.value, b.value)),
  ),
  member("asApproximateFloat", "quantity_get_float", [QUANTITY], DOUBLE, ({ value }: CelQuantity) =>
    quantityFloat(value),
  ),
  member(
    "asInteger",
    "quantity_get_int",
    [QUANTITY],
    INT,
    (quantity: CelQuantity) => integerOf(quantity) ?? fail("cannot convert value to integer"),
  ),
  member(
    "isInteger",
    "quantity_is_integer",
    [QUANTITY],
    BOOL,
    (quantity: CelQuantity) => integerOf(quantity) !== undefined,
  ),
  member(
    "add",
    "quantity_add",
    [QUANTITY, QUANTITY],
    QUANTITY,
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(addQuantities(a.value, b.value)),
  ),
  member(
    "add",
    "quantity_add_int",
    [QUANTITY, INT],
    QUANTITY,
    (a: CelQuantity, b: bigint) => new CelQuantity(addQuantities(a.value, quantityOf(b))),
  ),
  member(
    "sub",
    "quantity_sub",
    [QUANTITY, QUANTITY],
    QUANTITY,
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(subtractQuantities(a.value, b.value)),
  ),
  member(
    "sub",
    "quantity_sub_int",
    [QUANTITY, INT],
    QUANTITY,
    (a: CelQuantity, b: bigint) => new CelQuantity(subtractQuantities(a.value, quantityOf(b))),
  ),
];
