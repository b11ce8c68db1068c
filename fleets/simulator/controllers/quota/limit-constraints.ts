// The words in which a LimitRange refuses amounts.
import { compareQuantities, formatQuantity, type Quantity, quantityFloat } from "../../../../kube/quantity.ts";
import { type Amounts, readAmounts } from "./amounts.ts";

type Listed = Readonly<Record<string, string>>;

/** An entry of `spec.limits` of a LimitRange. */
export interface LimitItem {
  readonly type: string;
  readonly min?: Listed;
  readonly max?: Listed;
  readonly default?: Listed;
  readonly defaultRequest?: Listed;
  readonly maxLimitRequestRatio?: Listed;
}

/** What breaks an item of a LimitRange, by its smallest, largest and ratio, each by name. */
export function brokenConstraints(item: LimitItem, requests: Amounts, limits: Amounts): string[] {
  const { type, min, max, maxLimitRequestRatio: ratio } = item;
  const problems = [
    ...inOrder(min).map(([name, least]) => belowMinimum(type, name, least, requests.get(name), limits.get(name))),
    ...inOrder(max).map(([name, most]) => aboveMaximum(type, name, most, requests.get(name), limits.get(name))),
    ...inOrder(ratio).map(([name, most]) => aboveRatio(type, name, most, requests.get(name), limits.get(name))),
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** The same for a claim, which has no limits. */
export function brokenClaimConstraints({ type, min, max }: LimitItem, requests: Amounts): string[] {
  const problems = [
    ...inOrder(min).map(([name, least]) => belowMinimum(type, name, least, requests.get(name), undefined)),
    ...inOrder(max).map(([name, most]) => {
      const breaks = (amount: Quantity): boolean => compareQuantities(amount, most) > 0;
      const request = requests.get(name);
      return outOfBounds(`maximum ${name} usage per ${type}`, most, breaks, ["request", request], ["limit", undefined]);
    }),
  ];
  return problems.filter((problem) => problem !== undefined);
}

function inOrder(amounts: Listed | undefined): [string, Quantity][] {
  return [...readAmounts(amounts)].sort(([a], [b]) => (a < b ? -1 : 1));
}

type Amount = readonly [what: "request" | "limit", amount: Quantity | undefined];

function belowMinimum(
  type: string,
  name: string,
  least: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  const breaks = (amount: Quantity): boolean => compareQuantities(amount, least) < 0;
  return outOfBounds(`minimum ${name} usage per ${type}`, least, breaks, ["request", request], ["limit", limit]);
}

function aboveMaximum(
  type: string,
  name: string,
  most: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  const breaks = (amount: Quantity): boolean => compareQuantities(amount, most) > 0;
  return outOfBounds(`maximum ${name} usage per ${type}`, most, breaks, ["limit", limit], ["request", request]);
}

/** What is said of amounts of which the first must be there, and the second may be. */
function outOfBounds(
  what: string,
  bound: Quantity,
  breaks: (amount: Quantity) => boolean,
  needed: Amount,
  other: Amount,
): string | undefined {
  const rule = `${what} is ${formatQuantity(bound)}`;
  if (needed[1] === undefined) return `${rule}.  No ${needed[0]} is specified`;
  for (const [name, amount] of [needed, other])
    if (amount !== undefined && breaks(amount)) return `${rule}, but ${name} is ${formatQuantity(amount)}`;
  return undefined;
}

function aboveRatio(
  type: string,
  name: string,
  most: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${formatQuantity(most)}`;
  const [asked, allowed] = [request, limit].map((each) => (each === undefined ? 0 : quantityFloat(each)));
  if (!asked) return `${rule}, but no request is specified or request is 0`;
  if (!allowed) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = allowed / asked;
  return ratio > quantityFloat(most) ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
