// Propagation policies, so held that those which may mean an object are found without looking at the others.

import type { ClusterPropagationPolicy, PropagationPolicy } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { SelectorIndex } from "./selector-index.ts";

export type Policy = PropagationPolicy | ClusterPropagationPolicy;

/** The policies that have a selector for an object's kind and for its namespace, name or one of its labels. */
export interface PolicyShortlist {
  readonly namespaced: readonly PropagationPolicy[];
  readonly cluster: readonly ClusterPropagationPolicy[];
}

/** A policy's key in the index: `namespace/name`, or `/name` for cluster-scoped ones. */
export function policyKey(policy: Policy): string {
  return `${policy.metadata.namespace ?? ""}/${policy.metadata.name ?? ""}`;
}

/** How messages name a policy: `shop/web`, or the bare name of a cluster-scoped one. */
export function policyName(policy: Policy): string {
  return policyKey(policy).replace(/^\//, "");
}

export class PolicyIndex {
  readonly #policies = new Map<string, Policy>();
  readonly #bySelector = new SelectorIndex<Policy>("no object");
  #prioritized = 0;

  constructor(policies: Iterable<Policy> = []) {
    for (const policy of policies) this.set(policy);
  }

  get(key: string): Policy | undefined {
    return this.#policies.get(key);
  }

  /** Whether any policy gives its objects a priority. */
  get hasPriorities(): boolean {
    return this.#prioritized > 0;
  }

  /** Every policy, in the order they came. */
  all(): Iterable<Policy> {
    return this.#policies.values();
  }

  /** Adds the policy or replaces the one of the same kind, namespace and name. */
  set(policy: Policy): void {
    this.delete(policyKey(policy));
    this.#policies.set(policyKey(policy), policy);
    if (policy.spec.schedulePriority != null) this.#prioritized++;
    this.#bySelector.add(policy);
  }

  delete(key: string): void {
    const policy = this.#policies.get(key);
    if (policy === undefined) return;
    this.#policies.delete(key);
    if (policy.spec.schedulePriority != null) this.#prioritized--;
    this.#bySelector.remove(policy);
  }

  shortlist(object: KubeObject): PolicyShortlist {
    const { namespace = "" } = object.metadata;
    return {
      namespaced: namespace === "" ? [] : [...this.#bySelector.shortlist(namespace, object)].filter(isNamespaced),
      cluster: [...this.#bySelector.shortlist("", object)].filter(isClusterScoped),
    };
  }
}

export function isNamespaced(policy: Policy): policy is PropagationPolicy {
  return policy.kind === "PropagationPolicy";
}

function isClusterScoped(policy: Policy): policy is ClusterPropagationPolicy {
  return policy.kind === "ClusterPropagationPolicy";
}
