// What to do with one template: which policy to apply, whether to release it, or to leave it alone.

import type { KubeObject } from "../../kube/object.ts";
import { type Claim, claimTemplate, type MetadataChange, readClaim, releaseMarks } from "./claim.ts";
import { type Candidate, isDeleting, matchPolicy } from "./match.ts";
import { type Policy, type PolicyIndex, policyName } from "./policy-index.ts";
import { bestSelectorMatch } from "./resource-selector.ts";

export type TemplateDecision =
  /** Write the claim (if it changes anything), then the binding, unless `holdBinding`. */
  | {
      readonly action: "apply";
      readonly policy: Policy;
      readonly claim: MetadataChange | undefined;
      /** The policy is lazy and the template changed by our own hand only: leave the binding as it is. */
      readonly holdBinding: boolean;
      readonly candidates: readonly Candidate[];
    }
  /** The policy is gone: remove the marks from the binding, then from the template, and decide again. */
  | { readonly action: "release"; readonly claim: Claim; readonly change: MetadataChange }
  /** Nothing to do now; `reason` says what will change that. */
  | { readonly action: "stop"; readonly reason: string }
  /** No policy selects the template: remember it until one does. */
  | { readonly action: "wait"; readonly reason: string }
  /** Cannot go on at present: again with back-off, or when the override policies come that `awaits` names. */
  | {
      readonly action: "retry";
      readonly reason: string;
      readonly policy: Policy;
      readonly awaits?: readonly OverrideName[];
    };

/** An OverridePolicy, or a ClusterOverridePolicy when the namespace is empty. */
export interface OverrideName {
  readonly namespace: string;
  readonly name: string;
}

export interface TemplateContext {
  readonly policies: PolicyIndex;
  /** Whether an override policy exists: OverridePolicy in a namespace, ClusterOverridePolicy in namespace "". */
  readonly overrideExists: (namespace: string, name: string) => boolean;
  /** Whether the event that led here was a change by Flaghoist itself, or a change of a lazy policy. */
  readonly changedByUs: boolean;
}

/**
 * Decides from the whole present state. A template stays with the policy that claimed it, also when a better one appears
 * or its own labels no longer match: then edits of it rest until the policy changes.
 */
export function decideTemplate(template: KubeObject, context: TemplateContext): TemplateDecision {
  const claim = readClaim(template.metadata);
  if (claim !== undefined) return decideClaimed(template, claim, context);
  const { policy, candidates } = matchPolicy(template, context.policies);
  if (policy === undefined) return { action: "wait", reason: "no matched propagation policy" };
  return apply(template, policy, candidates, context);
}

function decideClaimed(template: KubeObject, claim: Claim, context: TemplateContext): TemplateDecision {
  const policy = context.policies.get(`${claim.namespace}/${claim.name}`);
  if (policy === undefined) return { action: "release", claim, change: releaseMarks(claim.kind) };
  const name = policyName(policy);
  if (isDeleting(policy)) return { action: "retry", reason: `policy ${name} is being deleted`, policy };
  const implicitPriority = bestSelectorMatch(template, policy.spec.resourceSelectors);
  if (implicitPriority === 0) {
    return { action: "stop", reason: `policy ${name} claimed the object but its resourceSelectors no longer match` };
  }
  const candidate: Candidate = { policy, implicitPriority, verdict: "best", reason: "claimed the object before" };
  return apply(template, policy, [candidate], context);
}

function apply(
  template: KubeObject,
  policy: Policy,
  candidates: readonly Candidate[],
  context: TemplateContext,
): TemplateDecision {
  const missing = missingOverrides(policy, context.overrideExists);
  if (missing.length > 0) return { action: "retry", reason: describeMissing(policy, missing), policy, awaits: missing };
  return {
    action: "apply",
    policy,
    claim: claimTemplate(template.metadata, policy),
    holdBinding: context.changedByUs && policy.spec.activationPreference === "Lazy",
    candidates,
  };
}

/** The override policies that a policy waits for and that do not exist. */
export function missingOverrides(policy: Policy, exists: TemplateContext["overrideExists"]): readonly OverrideName[] {
  const namespace = policy.metadata.namespace ?? "";
  return (policy.spec.dependentOverrides ?? [])
    .filter((name) => !exists(namespace, name))
    .map((name) => ({ namespace, name }));
}

/** What is missing, and what to do about it. */
export function describeMissing(policy: Policy, missing: readonly OverrideName[]): string {
  const names = missing.map(({ namespace, name }) =>
    namespace === "" ? `ClusterOverridePolicy ${name}` : `OverridePolicy ${namespace}/${name}`,
  );
  const those = names.length === 1 ? "it" : "them";
  return `waiting for dependent overrides: there is no ${names.join(", no ")}: create ${those}, or take ${those} out of spec.dependentOverrides of policy ${policyName(policy)}`;
}
