// Which objects a policy selects, and how specific it is about them.

import type { ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { validSelectorMatches } from "./label-match.ts";

/** How closely a selector names an object: 0 not at all, 1 by kind, 2 by labels, 3 by name. */
export type ImplicitPriority = 0 | 1 | 2 | 3;

/** How specific `selector` is about `object`. A name makes the label selector irrelevant. */
export function selectorMatches(object: KubeObject, selector: ResourceSelector): ImplicitPriority {
  if (selector.apiVersion !== object.apiVersion || selector.kind !== object.kind) return 0;
  if (selector.namespace && selector.namespace !== (object.metadata.namespace ?? "")) return 0;
  if (selector.name) return selector.name === object.metadata.name ? 3 : 0;
  if (selector.labelSelector == null) return 1;
  return validSelectorMatches(selector.labelSelector, object.metadata.labels ?? {}) ? 2 : 0;
}

/** The highest answer of `selectorMatches` over several selectors; 0 when none matches or there is none. */
export function bestSelectorMatch(object: KubeObject, selectors: readonly ResourceSelector[]): ImplicitPriority {
  let best: ImplicitPriority = 0;
  for (const selector of selectors) {
    const match = selectorMatches(object, selector);
    if (match > best) best = match;
    if (best === 3) break;
  }
  return best;
}
