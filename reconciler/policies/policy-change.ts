// What a new or changed policy means for the templates that are marked with it.

import type { KubeObject } from "../../kube/object.ts";
import { claimNames, readClaim } from "./claim.ts";
import type { Policy } from "./policy-index.ts";
import { bestSelectorMatch } from "./resource-selector.ts";

/**
 * `release`: marked with the policy, but its selectors no longer mean it: take the marks off, and leave what is deployed.
 * `refresh`: reconcile, so that its binding follows the policy. `none`: it is not the policy's.
 */
export type Consequence = "release" | "refresh" | "none";

export function consequenceOfPolicy(policy: Policy, template: KubeObject): Consequence {
  if (!claimNames(readClaim(template.metadata), policy)) return "none";
  return bestSelectorMatch(template, policy.spec.resourceSelectors) > 0 ? "refresh" : "release";
}
