// When a policy takes objects from another one.

import { type Claim, claimNames } from "./claim.ts";
import { priorityOf } from "./match.ts";
import { isNamespaced, type Policy } from "./policy-index.ts";

export type Preemption =
  | { readonly verdict: "take"; readonly reason: string }
  | { readonly verdict: "leave"; readonly reason: string }
  /** The policy in possession cannot be found, so that nobody can say who has precedence. */
  | { readonly verdict: "error"; readonly reason: string };

export interface PreemptionRequest {
  /** The policy that wants the object. */
  readonly policy: Policy;
  /** What the object is marked with. */
  readonly claim: Claim | undefined;
  /** The policy the claim names, if it exists. */
  readonly owner: Policy | undefined;
  /** Gate PropagationPolicyPreemption. */
  readonly enabled: boolean;
}

/**
 * Decides whether `policy` takes an object it names in a selector. Only explicit priorities count; how closely the
 * selectors match plays no part.
 */
export function decidePreemption({ policy, claim, owner, enabled }: PreemptionRequest): Preemption {
  if (!enabled) return { verdict: "leave", reason: "gate PropagationPolicyPreemption is off" };
  if (policy.spec.preemption !== "Always") return { verdict: "leave", reason: "spec.preemption is not Always" };
  if (claim === undefined) return { verdict: "leave", reason: "no policy has claimed the object" };
  if (claimNames(claim, policy)) return { verdict: "leave", reason: "the object is its own already" };
  if (isNamespaced(policy) && claim.kind === "ClusterPropagationPolicy") {
    return { verdict: "take", reason: "a namespaced policy precedes every cluster-scoped one" };
  }
  if (!isNamespaced(policy) && claim.kind === "PropagationPolicy") {
    return { verdict: "leave", reason: "a cluster-scoped policy never takes from a namespaced one" };
  }
  const name = claim.namespace === "" ? claim.name : `${claim.namespace}/${claim.name}`;
  if (owner === undefined) return { verdict: "error", reason: `policy ${name}, which has the object, does not exist` };
  const own = priorityOf(policy);
  const other = priorityOf(owner);
  return own > other
    ? { verdict: "take", reason: `priority ${own} > ${other} of ${name}` }
    : { verdict: "leave", reason: `priority ${own} is not above ${other} of ${name}` };
}

/** Policies to look at again when `lowered` went down from priority `before`: those now above it, highest first. */
export function contendersAfterLowering(lowered: Policy, before: number, all: Iterable<Policy>): Policy[] {
  const now = priorityOf(lowered);
  return [...all]
    .filter(
      (policy) =>
        policy.kind === lowered.kind &&
        policy.metadata.namespace === lowered.metadata.namespace &&
        policy.metadata.name !== lowered.metadata.name &&
        policy.spec.preemption === "Always" &&
        policy.spec.priority !== undefined &&
        policy.spec.priority > now &&
        policy.spec.priority < before,
    )
    .sort((a, b) => priorityOf(b) - priorityOf(a));
}
