// What a new, changed or deleted policy means for templates.

import type { KubeObject } from "../../kube/object.ts";
import { claimNames, readClaim } from "./claim.ts";
import { overridesExist, type TemplateContext } from "./decide-template.ts";
import type { Policy } from "./policy-index.ts";
import { bestSelectorMatch } from "./resource-selector.ts";

export interface PolicyConsequences<T extends KubeObject> {
  /** Marked with the policy, but its selectors no longer mean them: take the marks off. What is deployed stays. */
  readonly release: readonly T[];
  /** To reconcile, so that their bindings follow the policy. */
  readonly refresh: readonly T[];
  /** Templates no policy had selected, and this one does. */
  readonly adopt: readonly T[];
  /** Why waiting templates cannot be adopted yet. */
  readonly blocked?: string;
}

/** What follows from a policy that is new or has changed. `bound` are templates marked with it, `waiting` those without any. */
export function consequencesOfPolicy<T extends KubeObject>(
  policy: Policy,
  bound: readonly T[],
  waiting: readonly T[],
  overrideExists: TemplateContext["overrideExists"],
): PolicyConsequences<T> {
  const selects = (template: T): boolean => bestSelectorMatch(template, policy.spec.resourceSelectors) > 0;
  const mine = bound.filter((template) => claimNames(readClaim(template.metadata), policy));
  const matching = waiting.filter((template) => isInReach(template, policy) && selects(template));
  const ready = overridesExist(policy, overrideExists);
  return {
    release: mine.filter((template) => !selects(template)),
    refresh: mine.filter(selects),
    adopt: ready ? matching : [],
    ...(ready || matching.length === 0 ? {} : { blocked: "waiting for dependent overrides" }),
  };
}

function isInReach(template: KubeObject, policy: Policy): boolean {
  const { namespace } = policy.metadata;
  return namespace === undefined || namespace === "" || namespace === template.metadata.namespace;
}
