// Propagation policies, so held that those which may mean an object are found without looking at the others.

import type { ClusterPropagationPolicy, PropagationPolicy, ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { labelPair, necessaryLabels } from "./label-match.ts";

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
  /** By what selectors ask for; see `selectorKeys`. */
  readonly #bySelector = new Map<string, Set<Policy>>();
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
    if (policy.spec.schedulePriority != null) this.#prioritized--;
    for (const selectorKey of selectorKeys(policy)) {
      const entries = this.#bySelector.get(selectorKey);
      entries?.delete(policy);
      if (entries?.size === 0) this.#bySelector.delete(selectorKey);
    }
  }

  shortlist(object: KubeObject): PolicyShortlist {
    const { namespace = "", name = "", labels = {} } = object.metadata;
    const details = ["", `name ${name}`];
    for (const key in labels) details.push(`label ${labelPair(key, labels[key] ?? "")}`);
    const find = <P extends Policy>(
      scope: string,
      namespaces: readonly string[],
      isKind: (policy: Policy) => policy is P,
    ): P[] => {
      const found = new Set<P>();
      for (const selected of namespaces)
        for (const detail of details)
          for (const policy of this.#bySelector.get(keyOf(scope, object, selected, detail)) ?? [])
            if (isKind(policy)) found.add(policy);
      return [...found];
    };
    return {
      namespaced: namespace === "" ? [] : find(namespace, [""], isNamespaced),
      cluster: find("", namespace === "" ? [""] : ["", namespace], isClusterScoped),
    };
  }
}

export function isNamespaced(policy: Policy): policy is PropagationPolicy {
  return policy.kind === "PropagationPolicy";
}

function isClusterScoped(policy: Policy): policy is ClusterPropagationPolicy {
  return policy.kind === "ClusterPropagationPolicy";
}

/** One key a selector, or one for each value when it asks for certain values of a label. */
function selectorKeys(policy: Policy): Set<string> {
  const scope = policy.metadata.namespace ?? "";
  const keys = new Set<string>();
  for (const selector of policy.spec.resourceSelectors) {
    // The namespace of a namespaced policy is its scope already.
    const namespace = scope === "" ? (selector.namespace ?? "") : "";
    for (const detail of detailsOf(selector)) keys.add(keyOf(scope, selector, namespace, detail));
  }
  return keys;
}

function detailsOf(selector: ResourceSelector): readonly string[] {
  if (selector.name) return [`name ${selector.name}`];
  const [first] = selector.labelSelector == null ? [] : necessaryLabels(selector.labelSelector);
  return first === undefined ? [""] : first.map((pair) => `label ${pair}`);
}

function keyOf(
  scope: string,
  { apiVersion, kind }: Pick<ResourceSelector, "apiVersion" | "kind">,
  namespace: string,
  detail: string,
): string {
  return `${scope}\n${apiVersion}\n${kind}\n${namespace}\n${detail}`;
}
