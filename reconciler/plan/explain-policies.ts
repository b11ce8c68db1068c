// Why an object goes by one policy and not by another, or by none.
import type { ResourceSelector } from "../../api/policy.ts";
import { type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { matchesRequirements, requirementsOf } from "../../kube/selectors.ts";
import { type Claim, readClaim } from "../policies/claim.ts";
import { isDeleting, matchPolicy, priorityOf } from "../policies/match.ts";
import { isNamespaced, type Policy, policyKey } from "../policies/policy-index.ts";
import { decidePreemption } from "../policies/preemption.ts";
import { bestSelectorMatch, type ImplicitPriority } from "../policies/resource-selector.ts";
import type { World } from "./world.ts";

export interface PolicyName {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface OtherPolicy {
  readonly policy: PolicyName;
  /** Why the object does not go by it. */
  readonly reason: string;
}

export interface NearPolicy {
  readonly policy: PolicyName;
  /** The field to change: `spec.resourceSelectors[0].labelSelector`. */
  readonly field: string;
  /** What keeps the policy from selecting the object. */
  readonly miss: string;
}

export function nameOfPolicy({ kind, metadata }: Policy): PolicyName {
  return {
    kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name ?? "",
  };
}

/** Why the object goes by `policy`: what is said of the winner. */
export function whyChosen(template: KubeObject, policy: Policy, world: World): string {
  const candidate = matchPolicy(template, world.policies).candidates.find(
    (other) => policyKey(other.policy) === policyKey(policy),
  );
  return candidate === undefined
    ? "claimed the object before, although it no longer selects it"
    : `selects the object ${HOW[candidate.implicitPriority]}`;
}

const HOW = { 0: "not at all", 1: "by kind", 2: "by labels", 3: "by name" } as const;

/** Every other policy that selects the object, with the reason why it does not get it. */
export function otherPolicies(template: KubeObject, chosen: Policy, world: World): readonly OtherPolicy[] {
  const { candidates } = matchPolicy(template, world.policies);
  const claim = readClaim(template.metadata);
  const best = candidates.find((candidate) => candidate.verdict === "best");
  return candidates
    .filter((candidate) => policyKey(candidate.policy) !== policyKey(chosen))
    .map((candidate) => {
      const { policy } = candidate;
      const winsNow = best !== undefined && policyKey(best.policy) === policyKey(policy);
      if (isDeleting(policy)) return { policy: nameOfPolicy(policy), reason: candidate.reason };
      if (winsNow && claim !== undefined)
        return {
          policy: nameOfPolicy(policy),
          reason: whyNotTaken({ template, policy, chosen, implicitPriority: candidate.implicitPriority, claim }),
        };
      if (isNamespaced(chosen) && !isNamespaced(policy))
        return { policy: nameOfPolicy(policy), reason: "policies of the object's own namespace come first" };
      return { policy: nameOfPolicy(policy), reason: candidate.reason };
    });
}

interface Contest {
  readonly template: KubeObject;
  readonly policy: Policy;
  /** How closely `policy` selects the template. */
  readonly implicitPriority: ImplicitPriority;
  /** The policy that has it. */
  readonly chosen: Policy;
  readonly claim: Claim;
}

/** Why a policy that an unclaimed object would go by does not get one that `chosen` has, and how it would. */
function whyNotTaken(contest: Contest): string {
  const { policy, chosen, claim } = contest;
  const before = `would be preferred (${preference(contest)}), but the object was claimed before`;
  const { verdict, reason } = decidePreemption({ policy: withPreemption(policy), claim, owner: chosen, enabled: true });
  if (verdict !== "take") return `${before}, and could not be taken over: ${reason}`;
  const gate = "with the gate PropagationPolicyPreemption on";
  return policy.spec.preemption === "Always"
    ? `${before}; ${gate}, its spec.preemption: Always takes over what its selectors name`
    : `${before}; spec.preemption: Always takes it over ${gate}`;
}

function withPreemption(policy: Policy): Policy {
  return { ...policy, spec: { ...policy.spec, preemption: "Always" } } as Policy;
}

function preference({ template, policy, chosen, implicitPriority }: Contest): string {
  if (isNamespaced(policy) && !isNamespaced(chosen)) return "it is of the object's namespace";
  if (priorityOf(policy) !== priorityOf(chosen)) return `priority ${priorityOf(policy)} > ${priorityOf(chosen)}`;
  const isCloser = implicitPriority > bestSelectorMatch(template, chosen.spec.resourceSelectors);
  return isCloser ? "it is closer" : "it comes first by name";
}

const MOST_NEAR = 3;

/** Policies that come closest to selecting the object, and what they miss it by. */
export function nearPolicies(template: KubeObject, world: World): readonly NearPolicy[] {
  const near: (NearPolicy & { readonly distance: number })[] = [];
  for (const policy of world.policies) {
    const misses = policy.spec.resourceSelectors.map((selector, index) => ({
      field: `spec.resourceSelectors[${index}]`,
      ...missOf(template, selector),
    }));
    const own = policy.metadata.namespace;
    const elsewhere = own !== undefined && own !== (template.metadata.namespace ?? "");
    const [closest] = misses.sort((a, b) => a.distance - b.distance);
    if (closest === undefined || closest.distance >= FAR || (closest.distance === 0 && !elsewhere)) continue;
    const miss =
      elsewhere && closest.distance === 0
        ? { field: "metadata.namespace", miss: `is in namespace ${own}, and selects objects of that namespace alone` }
        : { field: `${closest.field}${closest.part}`, miss: closest.miss };
    if (elsewhere && closest.distance > 0) continue;
    near.push({ policy: nameOfPolicy(policy), ...miss, distance: closest.distance + (elsewhere ? 2 : 0) });
  }
  return near
    .sort((a, b) => a.distance - b.distance || (a.policy.name < b.policy.name ? -1 : 1))
    .slice(0, MOST_NEAR)
    .map(({ policy, field, miss }) => ({ policy, field, miss }));
}

const FAR = 10;

/** How far a selector is from the object: 0 selects it, `FAR` is about something else. */
function missOf(
  template: KubeObject,
  selector: ResourceSelector,
): { readonly distance: number; readonly part: string; readonly miss: string } {
  const { name = "", namespace = "", labels = {} } = template.metadata;
  if (selector.kind !== template.kind) return { distance: FAR, part: ".kind", miss: `is about ${selector.kind}` };
  if (selector.apiVersion !== template.apiVersion) {
    const sameGroup = parseApiVersion(selector.apiVersion).group === parseApiVersion(template.apiVersion).group;
    const miss = `names ${selector.apiVersion}; the object is of ${template.apiVersion}`;
    return { distance: sameGroup ? 1 : 3, part: ".apiVersion", miss };
  }
  if (selector.namespace && selector.namespace !== namespace)
    return { distance: 2, part: ".namespace", miss: `names namespace ${selector.namespace}` };
  if (selector.name) {
    if (selector.name === name) return { distance: 0, part: "", miss: "" };
    return { distance: 3, part: ".name", miss: `names ${selector.name}; the object is called ${name}` };
  }
  if (selector.labelSelector == null) return { distance: 0, part: "", miss: "" };
  try {
    const unmet = requirementsOf(selector.labelSelector).find(
      (requirement) => !matchesRequirements([requirement], labels),
    );
    if (unmet === undefined) return { distance: 0, part: "", miss: "" };
    const has = labels[unmet.key];
    const wants =
      `${unmet.key} ${unmet.operator === "=" || unmet.operator === "in" ? "" : `${unmet.operator} `}${unmet.values.join(" or ")}`.trim();
    const found = has === undefined ? "the object has no such label" : `the object has ${unmet.key}=${has}`;
    return { distance: 1, part: ".labelSelector", miss: `wants label ${wants}; ${found}` };
  } catch {
    return { distance: 2, part: ".labelSelector", miss: "is not a valid selector, so it selects nothing" };
  }
}
