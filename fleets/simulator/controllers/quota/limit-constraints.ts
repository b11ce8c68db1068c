// The words in which a LimitRange refuses amounts.
import { compareQuantities, formatQuantity, type Quantity, quantityFloat } from "../../../../kube/quantity.ts";
import { type Amounts, readAmounts } from "./amounts.ts";

type Listed = Readonly<Record<string, string>>;

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
      const request = requests.get(name);
      const rule = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
      if (request === undefined) return `${rule}.  No request is specified`;
      return compareQuantities(request, most) > 0 ? `${rule}, but request is ${formatQuantity(request)}` : undefined;
    }),
  ];
  return problems.filter((problem) => problem !== undefined);
}

function inOrder(amounts: Listed | undefined): [string, Quantity][] {
  return [...readAmounts(amounts)].sort(([a], [b]) => (a < b ? -1 : 1));
}

function belowMinimum(
  type: string,
  name: string,
  least: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  const rule = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, least) < 0) return `${rule}, but request is ${formatQuantity(request)}`;
  if (limit !== undefined && compareQuantities(limit, least) < 0)
    return `${rule}, but limit is ${formatQuantity(limit)}`;
  return undefined;
}

function aboveMaximum(
  type: string,
  name: string,
  most: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (compareQuantities(limit, most) > 0) return `${rule}, but limit is ${formatQuantity(limit)}`;
  if (request !== undefined && compareQuantities(request, most) > 0)
    return `${rule}, but request is ${formatQuantity(request)}`;
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
