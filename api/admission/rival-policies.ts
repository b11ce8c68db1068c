// Policies of one priority that name the same object: which of them gets it hangs on their names.
import type { ClusterPropagationPolicy, PropagationPolicy, ResourceSelector } from "../policy.ts";
import type { FieldWarning } from "./field-error.ts";

type Policy = PropagationPolicy | ClusterPropagationPolicy;

/** Finds the policies of a kind that have a selector with this apiVersion, kind and name. */
export type FindNaming = (policy: Policy, selector: ResourceSelector) => Iterable<Policy>;

/**
 * A warning for each selector of `policy` whose object a policy of the same kind, reach and priority names too. Of such
 * policies the alphabetically first takes the object (Karmada, getHighestPriorityPropagationPolicy).
 */
export function rivalWarnings(policy: Policy, findNaming: FindNaming): FieldWarning[] {
  return policy.spec.resourceSelectors.flatMap((selector, index) => {
    if (!selector.name) return [];
    const rivals = [...findNaming(policy, selector)].filter((other) => isRival(policy, selector, other)).map(nameOf);
    if (rivals.length === 0) return [];
    const first = [...rivals, nameOf(policy)].sort()[0] ?? "";
    const priority = policy.spec.priority ?? 0;
    const words = `${policy.kind} ${rivals.sort().join(", ")} also names ${selector.kind} ${selector.name} at priority ${priority}; an object without a policy goes to ${first}, the first by name: give them different priorities`;
    return [{ field: `spec.resourceSelectors[${index}]`, words }];
  });
}

function isRival(policy: Policy, selector: ResourceSelector, other: Policy): boolean {
  if (other.kind !== policy.kind || other.metadata.deletionTimestamp !== undefined) return false;
  if ((other.metadata.namespace ?? "") !== (policy.metadata.namespace ?? "") || nameOf(other) === nameOf(policy))
    return false;
  if ((other.spec.priority ?? 0) !== (policy.spec.priority ?? 0)) return false;
  return other.spec.resourceSelectors.some(
    ({ apiVersion, kind, name, namespace }) =>
      apiVersion === selector.apiVersion &&
      kind === selector.kind &&
      name === selector.name &&
      (!namespace || !selector.namespace || namespace === selector.namespace),
  );
}

function nameOf(policy: Policy): string {
  return policy.metadata.name ?? "";
}
