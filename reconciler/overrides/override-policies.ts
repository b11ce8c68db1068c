// Where the override policies that may mean an object are found.

import type { ClusterOverridePolicy, OverridePolicy } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { SelectorIndex } from "../policies/selector-index.ts";
import type { AnyOverridePolicy } from "./order.ts";

/** Answers may hold policies that do not select the object, but none of another namespace. */
export interface OverridePolicySource {
  clusterWide(object: KubeObject): readonly ClusterOverridePolicy[];
  ofNamespace(object: KubeObject): readonly OverridePolicy[];
}

/** Few policies, looked through one by one. */
export function listedOverridePolicies(
  clusterWide: readonly ClusterOverridePolicy[],
  namespaced: readonly OverridePolicy[],
): OverridePolicySource {
  return {
    clusterWide: () => clusterWide,
    ofNamespace: ({ metadata: { namespace } }) =>
      namespace === undefined || namespace === ""
        ? []
        : namespaced.filter((policy) => policy.metadata.namespace === namespace),
  };
}

/** Very many policies, found by what their selectors ask for. */
export class OverridePolicyIndex implements OverridePolicySource {
  readonly #policies = new Map<string, AnyOverridePolicy>();
  readonly #clusterWide = new SelectorIndex<ClusterOverridePolicy>("every object");
  readonly #namespaced = new SelectorIndex<OverridePolicy>("every object");

  constructor(policies: Iterable<AnyOverridePolicy> = []) {
    for (const policy of policies) this.set(policy);
  }

  /** Adds the policy or replaces the one of the same kind, namespace and name. */
  set(policy: AnyOverridePolicy): void {
    this.delete(policy);
    this.#policies.set(keyOf(policy), policy);
    if (policy.kind === "OverridePolicy") this.#namespaced.add(policy);
    else this.#clusterWide.add(policy);
  }

  /** Takes out the policy of this kind, namespace and name. */
  delete(policy: AnyOverridePolicy): void {
    const known = this.#policies.get(keyOf(policy));
    if (known === undefined) return;
    this.#policies.delete(keyOf(policy));
    if (known.kind === "OverridePolicy") this.#namespaced.remove(known);
    else this.#clusterWide.remove(known);
  }

  clusterWide(object: KubeObject): readonly ClusterOverridePolicy[] {
    return [...this.#clusterWide.shortlist("", object)];
  }

  ofNamespace(object: KubeObject): readonly OverridePolicy[] {
    const { namespace } = object.metadata;
    return namespace === undefined || namespace === "" ? [] : [...this.#namespaced.shortlist(namespace, object)];
  }
}

function keyOf({ kind, metadata }: AnyOverridePolicy): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
