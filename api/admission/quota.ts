// Rules of FederatedResourceQuota beyond its schema.
import { checkQualifiedName } from "../../kube/names.ts";
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityFromJson,
  quantitySign,
  ZERO_QUANTITY,
} from "../../kube/quantity.ts";
import type { FederatedResourceQuota } from "../quota.ts";
import { validateClusterName } from "./cluster.ts";
import { invalid, type Refusal } from "./field-error.ts";

type ResourceList = Readonly<Record<string, string | number>>;

export function validateFederatedResourceQuota({ spec }: FederatedResourceQuota): readonly Refusal[] {
  const refusals = validateLimits(spec.overall, "spec.overall");
  const assigned = new Map<string, Quantity>();
  for (const [index, { clusterName, hard }] of (spec.staticAssignments ?? []).entries()) {
    const at = `spec.staticAssignments[${index}]`;
    refusals.push(...validateClusterName(clusterName, `${at}.clusterName`), ...validateLimits(hard, `${at}.hard`));
    for (const [name, amount] of Object.entries(hard)) {
      assigned.set(name, addQuantities(assigned.get(name) ?? ZERO_QUANTITY, read(amount) ?? ZERO_QUANTITY));
    }
  }
  for (const [name, amount] of Object.entries(spec.overall)) {
    const limit = read(amount);
    const sum = assigned.get(name);
    if (limit !== undefined && sum !== undefined && compareQuantities(sum, limit) > 0) {
      refusals.push(invalid(`spec.overall[${name}]`, amount, "is less than what the clusters are assigned together"));
    }
  }
  return refusals;
}

function validateLimits(limits: ResourceList, at: string): Refusal[] {
  return Object.entries(limits).flatMap(([name, amount]) => {
    const field = `${at}[${name}]`;
    const refusals = checkQualifiedName(name).map((words) => invalid(field, name, words));
    const quantity = read(amount);
    if (quantity === undefined) refusals.push(invalid(field, amount, "is not a quantity"));
    else if (quantitySign(quantity) < 0) refusals.push(invalid(field, amount, "must not be negative"));
    return refusals;
  });
}

function read(amount: string | number): Quantity | undefined {
  try {
    return quantityFromJson(amount);
  } catch {
    return undefined;
  }
}
