// Amounts of resources by name, as quotas count them.
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
  quantitySign,
  subtractQuantities,
  ZERO_QUANTITY,
} from "../../../../kube/quantity.ts";

/** Amounts of resources, by name. */
export type Amounts = ReadonlyMap<string, Quantity>;

/** One object. */
export const ONE: Quantity = quantityOf(1);

/** Reads amounts such as `{cpu: "500m"}`. */
export function readAmounts(amounts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(amounts ?? {}).map(([name, amount]) => [name, parseQuantity(amount)]));
}

/** Writes amounts in the order of their names. */
export function writeAmounts(amounts: Amounts): Record<string, string> {
  return Object.fromEntries([...amounts].sort(byName).map(([name, amount]) => [name, formatQuantity(amount)]));
}

/** As Events and refusals show them: `cpu=1,pods=2`. */
export function showAmounts(amounts: Amounts): string {
  return [...amounts]
    .sort(byName)
    .map(([name, amount]) => `${name}=${formatQuantity(amount)}`)
    .join(",");
}

function byName([a]: readonly [string, Quantity], [b]: readonly [string, Quantity]): number {
  return a < b ? -1 : 1;
}

/** The sums, by name; a name that one side lacks counts as nothing there. The caller owns it. */
export function addAmounts(a: Amounts, b: Amounts): Map<string, Quantity> {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const known = sum.get(name);
    // Nothing has no unit of its own.
    sum.set(name, known === undefined || quantitySign(known) === 0 ? amount : addQuantities(known, amount));
  }
  return sum;
}

/** The larger of both, by name. The caller owns it. */
export function largerAmounts(a: Amounts, b: Amounts): Map<string, Quantity> {
  const larger = new Map(a);
  for (const [name, amount] of b) {
    const known = larger.get(name);
    if (known === undefined || compareQuantities(amount, known) > 0) larger.set(name, amount);
  }
  return larger;
}

/** What of `a` is more than in `b`. */
export function excessAmounts(a: Amounts, b: Amounts): Map<string, Quantity> {
  const excess = new Map<string, Quantity>();
  for (const [name, amount] of a) {
    const left = subtractQuantities(amount, b.get(name) ?? ZERO_QUANTITY);
    if (quantitySign(left) > 0) excess.set(name, left);
  }
  return excess;
}

/** The amounts of some of the names. */
export function pickAmounts(amounts: Amounts, names: Iterable<string>): Map<string, Quantity> {
  const picked = new Map<string, Quantity>();
  for (const name of names) {
    const amount = amounts.get(name);
    if (amount !== undefined) picked.set(name, amount);
  }
  return picked;
}
