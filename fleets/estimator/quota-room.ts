// What ResourceQuotas of a namespace leave for more pods. As Karmada's estimators (gate ResourceQuotaEstimate): quotas of
// processor, memory and extended resources, for all pods or by priority class.
import type { Component, ReplicaRequirements } from "../../api/work.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import {
  addQuantities,
  multiplyQuantity,
  type Quantity,
  quantityMilliNumber,
  quantityNumber,
  quantityOf,
  quantitySign,
  subtractQuantities,
  tryParseQuantity,
  ZERO_QUANTITY,
} from "../../kube/quantity.ts";
import { isExtendedResource } from "../../kube/resource-names.ts";
import { checkedRequirement, type LabelOperator, matchesRequirements } from "../../kube/selectors.ts";
import { AppError } from "../../runtime/errors.ts";
import type { QuantityList } from "./amounts.ts";
import { MOST } from "./place-sets.ts";

/** One scope of a quota, as `scopeSelector` spells it. */
interface Scope {
  readonly scopeName: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** What is kept of a ResourceQuota. */
export interface QuotaFacts {
  readonly namespace: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Hard limit less use, by resource as pods name it; may be negative. */
  readonly free: ReadonlyMap<string, Quantity>;
}

/** One kind of pod: what it asks for, its priority class, and how many of them count as one. */
interface PodDemand {
  readonly replicas: number;
  readonly requirements: Omit<ReplicaRequirements, "namespace"> | undefined;
}

export function readQuota(quota: KubeObject): QuotaFacts {
  const status = isObject(quota["status"]) ? quota["status"] : {};
  const hard = (isObject(status["hard"]) ? status["hard"] : {}) as QuantityList;
  const used = (isObject(status["used"]) ? status["used"] : {}) as QuantityList;
  const free = new Map<string, Quantity>();
  // Sorted, so that `requests.cpu` has the last word over `cpu`: they mean the same.
  for (const name of Object.keys(hard).sort()) {
    if (name.startsWith("limits.")) continue;
    const resource = name.startsWith("requests.") ? name.slice("requests.".length) : name;
    const [limit, taken] = [readQuantity(hard[name]), readQuantity(used[name])];
    if (isLimited(resource) && limit !== undefined && taken !== undefined)
      free.set(resource, subtractQuantities(limit, taken));
  }
  const { namespace = "", name = "" } = quota.metadata;
  return { namespace, name, scopes: readScopes(quota["spec"]), free };
}

function isLimited(resource: string): boolean {
  return resource === "cpu" || resource === "memory" || isExtendedResource(resource);
}

function readScopes(spec: unknown): readonly Scope[] {
  if (!isObject(spec)) return [];
  const plain = listOf(spec["scopes"]).map((scope) => ({ scopeName: String(scope), operator: "Exists", values: [] }));
  const selector = isObject(spec["scopeSelector"]) ? spec["scopeSelector"]["matchExpressions"] : undefined;
  const selected = listOf(selector)
    .filter(isObject)
    .map(({ scopeName, operator, values }) => ({
      scopeName: String(scopeName),
      operator: String(operator),
      values: listOf(values).map(String),
    }));
  return [...plain, ...selected];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readQuantity(value: string | number | undefined): Quantity | undefined {
  return value === undefined ? undefined : tryParseQuantity(String(value).trim());
}

/** Replicas that the quotas of their namespace allow, beside `pending`; `MOST` when none limits them. */
export function replicasWithinQuotas(
  quotas: Iterable<QuotaFacts>,
  requirements: Omit<ReplicaRequirements, "namespace"> | undefined,
  pending: readonly Component[],
): number {
  if (requirements === undefined) return MOST;
  const wanted = { replicas: 1, requirements };
  return least(quotas, (quota) => (appliesTo(quota, wanted) ? countWithin(quota, [wanted], demandsOf(pending)) : MOST));
}

/** Whole sets of `components` that the quotas of their namespace allow, beside `pending`. */
export function setsWithinQuotas(
  quotas: Iterable<QuotaFacts>,
  components: readonly Component[],
  pending: readonly Component[],
): number {
  return least(quotas, (quota) => {
    const limited = demandsOf(components).filter((component) => appliesTo(quota, component));
    return limited.length === 0 ? MOST : countWithin(quota, limited, demandsOf(pending));
  });
}

function least(quotas: Iterable<QuotaFacts>, count: (quota: QuotaFacts) => number): number {
  let fits = MOST;
  for (const quota of quotas) fits = Math.min(fits, count(quota));
  return fits;
}

function demandsOf(components: readonly Component[]): readonly PodDemand[] {
  return components.map(({ replicas, replicaRequirements }) => ({ replicas, requirements: replicaRequirements }));
}

/** As Karmada: one scope that holds is enough, and only priority classes are known of a pod that is yet to be. */
function appliesTo(quota: QuotaFacts, { requirements }: PodDemand): boolean {
  if (quota.scopes.length === 0) return true;
  if (requirements === undefined) return false;
  const priorityClass = requirements.priorityClassName ?? "";
  return quota.scopes.some((scope) => scope.scopeName === "PriorityClass" && matchesScope(scope, priorityClass));
}

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

function matchesScope({ operator, values }: Scope, priorityClass: string): boolean {
  const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (known === undefined) return false;
  if (known === "exists") return priorityClass !== "";
  try {
    const requirement = checkedRequirement("PriorityClass", known, values, "key", "values");
    return matchesRequirements([requirement], priorityClass === "" ? {} : { PriorityClass: priorityClass });
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

function countWithin(quota: QuotaFacts, wanted: readonly PodDemand[], pending: readonly PodDemand[]): number {
  const taken = sumOf(pending.filter((demand) => demand.requirements !== undefined && appliesTo(quota, demand)));
  let fits = MOST;
  let isOverdrawn = false;
  const free = new Map<string, Quantity>();
  for (const [resource, amount] of quota.free) {
    const left = subtractQuantities(amount, taken.get(resource) ?? ZERO_QUANTITY);
    if (taken.has(resource) && quantitySign(left) < 0) isOverdrawn = true;
    free.set(resource, left);
  }
  if (isOverdrawn) return 0;
  for (const [resource, amount] of sumOf(wanted)) {
    const left = free.get(resource);
    const asked = unitsOf(resource, amount);
    if (left === undefined || asked <= 0) continue;
    // Differs from Karmada: a quota that is overdrawn leaves room for none, not for a negative number.
    fits = Math.min(fits, Math.max(0, Math.trunc(unitsOf(resource, left) / asked)));
  }
  return fits;
}

function sumOf(demands: readonly PodDemand[]): ReadonlyMap<string, Quantity> {
  const sum = new Map<string, Quantity>();
  for (const { replicas, requirements } of demands) {
    for (const [resource, text] of Object.entries(requirements?.resourceRequest ?? {})) {
      const amount = isLimited(resource) ? readQuantity(text) : undefined;
      if (amount === undefined) continue;
      const whole = quantityOf(unitsOf(resource, amount), "DecimalSI", resource === "cpu" ? -3 : 0);
      sum.set(resource, addQuantities(sum.get(resource) ?? ZERO_QUANTITY, multiplyQuantity(whole, replicas)));
    }
  }
  return sum;
}

/** Thousandths of processors, whole units of all else. */
function unitsOf(resource: string, amount: Quantity): number {
  return resource === "cpu" ? quantityMilliNumber(amount) : quantityNumber(amount);
}
