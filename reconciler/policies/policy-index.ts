// Propagation policies, so held that those which may mean an object are found without looking at the others.

import type { ClusterPropagationPolicy, PropagationPolicy, ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";

export type Policy = PropagationPolicy | ClusterPropagationPolicy;

/** The policies that have a selector for an object's kind and, if the selector has a name, for its name. */
export interface PolicyShortlist {
  readonly namespaced: readonly PropagationPolicy[];
  readonly cluster: readonly ClusterPropagationPolicy[];
}

/** A policy's key in the index: `namespace/name`, or `/name` for cluster-scoped ones. */
export function policyKey(policy: Policy): string {
  return `${policy.metadata.namespace ?? ""}/${policy.metadata.name ?? ""}`;
}

export class PolicyIndex {
  readonly #policies = new Map<string, Policy>();
  /** By scope, kind and name; an empty name stands for selectors without one. */
  readonly #bySelector = new Map<string, Set<Policy>>();

  constructor(policies: Iterable<Policy> = []) {
    for (const policy of policies) this.set(policy);
  }

  get(key: string): Policy | undefined {
    return this.#policies.get(key);
  }

  /** Every policy, in the order they came. */
  all(): Iterable<Policy> {
    return this.#policies.values();
  }

  /** Adds the policy or replaces the one of the same kind, namespace and name. */
  set(policy: Policy): void {
    this.delete(policyKey(policy));
    this.#policies.set(policyKey(policy), policy);
    for (const key of selectorKeys(policy)) {
      const entries = this.#bySelector.get(key);
      if (entries === undefined) this.#bySelector.set(key, new Set([policy]));
      else entries.add(policy);
    }
  }

  delete(key: string): void {
    const policy = this.#policies.get(key);
    if (policy === undefined) return;
    this.#policies.delete(key);
    for (const selectorKey of selectorKeys(policy)) {
      const entries = this.#bySelector.get(selectorKey);
      entries?.delete(policy);
      if (entries?.size === 0) this.#bySelector.delete(selectorKey);
    }
  }

  shortlist(object: KubeObject): PolicyShortlist {
    const namespace = object.metadata.namespace ?? "";
    const named = { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name ?? "" };
    const find = <P extends Policy>(scope: string, isKind: (policy: Policy) => policy is P): P[] => {
      const exact = this.#bySelector.get(keyOf(scope, named)) ?? [];
      const general = this.#bySelector.get(keyOf(scope, { ...named, name: "" })) ?? [];
      return [...new Set([...exact, ...general])].filter(isKind);
    };
    return {
      namespaced: namespace === "" ? [] : find(namespace, isNamespaced),
      cluster: find("", isClusterScoped),
    };
  }
}

export function isNamespaced(policy: Policy): policy is PropagationPolicy {
  return policy.kind === "PropagationPolicy";
}

function isClusterScoped(policy: Policy): policy is ClusterPropagationPolicy {
  return policy.kind === "ClusterPropagationPolicy";
}

function selectorKeys(policy: Policy): Set<string> {
  const scope = policy.metadata.namespace ?? "";
  return new Set(policy.spec.resourceSelectors.map((selector) => keyOf(scope, selector)));
}

function keyOf(scope: string, selector: Pick<ResourceSelector, "apiVersion" | "kind" | "name">): string {
  return `${scope}\n${selector.apiVersion}\n${selector.kind}\n${selector.name ?? ""}`;
}
