// Policies by what their selectors ask for, so that those which may mean an object are found without looking at the others.

import type { ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { labelPair, necessaryLabels } from "./label-match.ts";

/** A policy that selects objects. */
export interface SelectingPolicy {
  readonly metadata: { readonly namespace?: string | undefined };
  readonly spec: { readonly resourceSelectors?: readonly ResourceSelector[] | null | undefined };
}

export class SelectorIndex<P extends SelectingPolicy> {
  readonly #bySelector = new Map<string, Set<P>>();
  readonly #keys: (policy: P) => Set<string>;

  /** `withoutSelectors`: what a policy that has none means. */
  constructor(withoutSelectors: "every object" | "no object") {
    this.#keys = (policy) =>
      (policy.spec.resourceSelectors ?? []).length > 0
        ? selectorKeys(policy)
        : new Set(withoutSelectors === "no object" ? [] : [everythingKey(policy.metadata.namespace ?? "")]);
  }

  add(policy: P): void {
    for (const key of this.#keys(policy)) {
      const entries = this.#bySelector.get(key);
      if (entries === undefined) this.#bySelector.set(key, new Set([policy]));
      else entries.add(policy);
    }
  }

  /** Takes out the very policy that was added. */
  remove(policy: P): void {
    for (const key of this.#keys(policy)) {
      const entries = this.#bySelector.get(key);
      entries?.delete(policy);
      if (entries?.size === 0) this.#bySelector.delete(key);
    }
  }

  /**
   * The policies of a scope (a namespace, or empty for cluster-wide ones) that have a selector for the object's kind and
   * for its namespace, name or one of its labels, or no selector at all. Whether they select it is still to be asked.
   */
  shortlist(scope: string, object: KubeObject): Set<P> {
    const { namespace = "", name = "", labels = {} } = object.metadata;
    const details = ["", `name ${name}`];
    for (const key in labels) details.push(`label ${labelPair(key, labels[key] ?? "")}`);
    const found = new Set<P>(this.#bySelector.get(everythingKey(scope)));
    // The namespace of a namespaced policy is its scope already.
    for (const selected of scope !== "" || namespace === "" ? [""] : ["", namespace]) {
      for (const detail of details)
        for (const policy of this.#bySelector.get(keyOf(scope, object, selected, detail)) ?? []) found.add(policy);
    }
    return found;
  }
}

/** One key a selector, or one for each value when it asks for certain values of a label. */
function selectorKeys({ metadata, spec }: SelectingPolicy): Set<string> {
  const scope = metadata.namespace ?? "";
  const keys = new Set<string>();
  for (const selector of spec.resourceSelectors ?? []) {
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

function everythingKey(scope: string): string {
  return `${scope}\n`;
}

function keyOf(
  scope: string,
  { apiVersion, kind }: Pick<ResourceSelector, "apiVersion" | "kind">,
  namespace: string,
  detail: string,
): string {
  return `${scope}\n${apiVersion}\n${kind}\n${namespace}\n${detail}`;
}
