// Rules of FederatedResourceQuota beyond its schema.
import { checkQualifiedName } from "../../kube/names.ts";
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityFromJson,
  quantityMilliValue,
  quantitySign,
  ZERO_QUANTITY,
} from "../../kube/quantity.ts";
import type { FederatedResourceQuota } from "../quota.ts";
import { validateClusterName } from "./cluster.ts";
import { invalid, type Refusal } from "./field-error.ts";

type ResourceList = Readonly<Record<string, string | number>>;

const LONGEST_NAME = 63;

/** Names of quota without a domain. Source: the resource quota names of Kubernetes, as Karmada lifts them. */
const COUNTED = [
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
  "services.loadbalancers",
  "services.nodeports",
];
const MEASURED = ["cpu", "ephemeral-storage", "memory"];
const QUOTA_NAMES = new Set([
  ...COUNTED,
  ...MEASURED,
  ...MEASURED.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "requests.storage",
]);
const WHOLE_NAMES = new Set(COUNTED);
const NATIVE_DOMAIN = "kubernetes.io/";

export function validateFederatedResourceQuota({ metadata, spec }: FederatedResourceQuota): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const { name = "" } = metadata;
  if (name.length > LONGEST_NAME) {
    const words = `has ${name.length} characters; the name of a quota is also a label, with at most ${LONGEST_NAME}`;
    refusals.push(invalid("metadata.name", name, words));
  }
  refusals.push(...validateLimits(spec.overall, "spec.overall"));
  const assigned = new Map<string, Quantity>();
  for (const [index, { clusterName, hard }] of (spec.staticAssignments ?? []).entries()) {
    const at = `spec.staticAssignments[${index}]`;
    refusals.push(...validateClusterName(clusterName, `${at}.clusterName`), ...validateLimits(hard, `${at}.hard`));
    for (const [resource, amount] of Object.entries(hard)) {
      assigned.set(resource, addQuantities(assigned.get(resource) ?? ZERO_QUANTITY, read(amount) ?? ZERO_QUANTITY));
    }
  }
  for (const [resource, amount] of Object.entries(spec.overall)) {
    const limit = read(amount);
    if (limit !== undefined && compareQuantities(assigned.get(resource) ?? ZERO_QUANTITY, limit) > 0) {
      refusals.push(
        invalid(`spec.overall[${resource}]`, amount, "is less than what the clusters are assigned together"),
      );
    }
  }
  for (const [index, { hard }] of (spec.staticAssignments ?? []).entries()) {
    for (const resource of Object.keys(hard)) {
      if (Object.hasOwn(spec.overall, resource)) continue;
      const words = `spec.overall has no limit of ${resource}, so a cluster cannot be assigned a part of it`;
      refusals.push(invalid(`spec.staticAssignments[${index}].hard[${resource}]`, resource, words));
    }
  }
  return refusals;
}

function validateLimits(limits: ResourceList, at: string): Refusal[] {
  return Object.entries(limits).flatMap(([name, amount]) => {
    const field = `${at}[${name}]`;
    const refusals = checkQualifiedName(name).map((words) => invalid(field, name, words));
    if (!name.includes("/") && !QUOTA_NAMES.has(name) && !isHugePages(name)) {
      refusals.push(
        invalid(field, name, "is no resource that a quota counts; others need a domain, as in example.com/gpu"),
      );
    }
    const quantity = read(amount);
    if (quantity === undefined) return [...refusals, invalid(field, amount, "is not a quantity")];
    if (quantitySign(quantity) < 0) refusals.push(invalid(field, amount, "must not be negative"));
    if (isWhole(name) && quantityMilliValue(quantity) % 1000n !== 0n) {
      refusals.push(invalid(field, amount, "must be a whole number"));
    }
    return refusals;
  });
}

function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-") || name.startsWith("requests.hugepages-");
}

/** Whether only whole numbers of it make sense: objects, and resources that programs beside Kubernetes define. */
function isWhole(name: string): boolean {
  if (WHOLE_NAMES.has(name)) return true;
  if (!name.includes("/") || name.includes(NATIVE_DOMAIN) || name.startsWith("requests.")) return false;
  return checkQualifiedName(`requests.${name}`).length === 0;
}

function read(amount: string | number): Quantity | undefined {
  try {
    return quantityFromJson(amount);
  } catch {
    return undefined;
  }
}
