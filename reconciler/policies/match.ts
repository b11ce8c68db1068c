// Which policy an object belongs to, and why not to the others.

import type { ClusterPropagationPolicy, PropagationPolicy } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type Policy, PolicyIndex, policyKey, policyName } from "./policy-index.ts";
import { bestSelectorMatch, type ImplicitPriority } from "./resource-selector.ts";

/**
 * What became of a policy that selects the object. `best`: first of its scope. Otherwise what the best of its scope has
 * over it: a higher priority, a closer selector, an earlier name; or that it is being deleted.
 */
export type Verdict = "best" | "lower-priority" | "less-specific" | "later-name" | "deleting";

export interface Candidate<P extends Policy = Policy> {
  readonly policy: P;
  /** How closely the policy names the object: 1 by kind, 2 by labels, 3 by name. */
  readonly implicitPriority: ImplicitPriority;
  readonly verdict: Verdict;
  /** The verdict for people. */
  readonly reason: string;
}

export interface PolicyRanking {
  /** Policies of the object's namespace that select it, best first. */
  readonly namespaced: readonly Candidate<PropagationPolicy>[];
  /** Cluster-scoped policies that select it, best first. */
  readonly cluster: readonly Candidate<ClusterPropagationPolicy>[];
}

export interface PolicyMatch {
  /** The policy the object goes by; undefined when none selects it. */
  readonly policy: Policy | undefined;
  /** Every policy that selects the object, in the order of precedence. */
  readonly candidates: readonly Candidate[];
}

/** The policies that select the object, ranked within namespace and cluster scope. */
export function rankPolicies(object: KubeObject, policies: PolicyIndex): PolicyRanking {
  const { namespaced, cluster } = policies.shortlist(object);
  return { namespaced: rank(object, namespaced), cluster: rank(object, cluster) };
}

/** The policy for an object that no policy has claimed. Any policy of its namespace precedes every cluster-scoped one. */
export function matchPolicy(object: KubeObject, policies: PolicyIndex | Iterable<Policy>): PolicyMatch {
  const index = policies instanceof PolicyIndex ? policies : new PolicyIndex(policies);
  const { namespaced, cluster } = rankPolicies(object, index);
  const candidates: readonly Candidate[] = [...namespaced, ...cluster];
  return { policy: candidates.find((candidate) => candidate.verdict === "best")?.policy, candidates };
}

function rank<P extends Policy>(object: KubeObject, policies: readonly P[]): Candidate<P>[] {
  const entries = policies
    .map((policy) => ({ policy, implicitPriority: bestSelectorMatch(object, policy.spec.resourceSelectors) }))
    .filter((entry) => entry.implicitPriority > 0)
    .sort(
      (a, b) =>
        Number(isDeleting(a.policy)) - Number(isDeleting(b.policy)) ||
        priorityOf(b.policy) - priorityOf(a.policy) ||
        b.implicitPriority - a.implicitPriority ||
        compareNames(a.policy, b.policy),
    );
  const [best] = entries;
  return entries.map((entry) => ({ ...entry, ...judge(entry, best) }));
}

/**
 * That only its name puts `chosen` before other policies of its scope, and what to do about it; undefined when something
 * else decided. Says it of a choice among `candidates`, which hold the ranking of one object.
 */
export function describeTie(chosen: Policy, candidates: readonly Candidate[]): string | undefined {
  const tied = candidates.filter(({ policy, verdict }) => verdict === "later-name" && policy.kind === chosen.kind);
  const best = candidates.find(({ policy }) => policyKey(policy) === policyKey(chosen));
  if (tied.length === 0 || best?.verdict !== "best") return undefined;
  const names = tied.slice(0, NAMED).map(({ policy }) => policyName(policy));
  const others = tied.length > NAMED ? `${names.join(", ")} and ${tied.length - NAMED} more` : names.join(", ");
  return `policy ${policyName(chosen)} applies only for being first by name: ${others} ${tied.length === 1 ? "has" : "have"} the same priority ${priorityOf(chosen)} and also ${tied.length === 1 ? "selects" : "select"} the object ${HOW[best.implicitPriority]}; give the one that shall apply a higher spec.priority`;
}

const NAMED = 3;

interface Entry {
  readonly policy: Policy;
  readonly implicitPriority: ImplicitPriority;
}

function judge(entry: Entry, best: Entry | undefined): { verdict: Verdict; reason: string } {
  if (isDeleting(entry.policy)) return { verdict: "deleting", reason: "is being deleted" };
  if (best === undefined || entry === best) {
    return { verdict: "best", reason: `selects the object ${HOW[entry.implicitPriority]}` };
  }
  const name = policyName(best.policy);
  const own = priorityOf(entry.policy);
  const other = priorityOf(best.policy);
  if (own < other) return { verdict: "lower-priority", reason: `priority ${own} < ${other} of ${name}` };
  if (entry.implicitPriority < best.implicitPriority) {
    return {
      verdict: "less-specific",
      reason: `selects the object ${HOW[entry.implicitPriority]}, ${name} ${HOW[best.implicitPriority]}`,
    };
  }
  return { verdict: "later-name", reason: `otherwise equal, ${name} comes first by name` };
}

const HOW: Readonly<Record<ImplicitPriority, string>> = {
  0: "not at all",
  1: "by kind",
  2: "by labels",
  3: "by name",
};

export function priorityOf(policy: Policy): number {
  return policy.spec.priority ?? 0;
}

export function isDeleting(policy: Policy): boolean {
  return policy.metadata.deletionTimestamp != null;
}

function compareNames(a: Policy, b: Policy): number {
  const left = a.metadata.name ?? "";
  const right = b.metadata.name ?? "";
  return left < right ? -1 : left > right ? 1 : 0;
}
