// What holds an object back, or will: suspension, another scheduler, a lazy policy, changes that rest.
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { readClaim } from "../policies/claim.ts";
import { type Policy, policyName } from "../policies/policy-index.ts";
import { bestSelectorMatch } from "../policies/resource-selector.ts";
import { DEFAULT_SCHEDULER_NAME } from "../scheduler/occasion.ts";
import type { AnyBinding } from "../works/binding.ts";

export interface NotesRequest {
  readonly template: KubeObject;
  /** The policy that has the object. */
  readonly policy: Policy | undefined;
  readonly stored: AnyBinding | undefined;
  /** The binding as the policy and the object would have it. */
  readonly desired: AnyBinding | undefined;
}

/** Each as a sentence with the field that says so. */
export function explainNotes({ template, policy, stored, desired }: NotesRequest): string[] {
  const notes: string[] = [];
  const { suspension, schedulerName } = stored?.spec ?? {};
  if (suspension?.scheduling === true) {
    notes.push(
      "Scheduling is suspended (spec.suspension.scheduling of the binding): what is placed stays, and nothing is placed anew.",
    );
  }
  const name = policy === undefined ? "the binding" : `policy ${policyName(policy)}`;
  if (suspension?.dispatching === true)
    notes.push(`Nothing is sent to any cluster while spec.suspension.dispatching of ${name} is true.`);
  const held = suspension?.dispatchingOnClusters?.clusterNames ?? [];
  if (held.length > 0)
    notes.push(`Nothing is sent to ${held.join(", ")} (spec.suspension.dispatchingOnClusters of ${name}).`);
  const scheduler = (desired ?? stored)?.spec.schedulerName;
  if (scheduler && scheduler !== DEFAULT_SCHEDULER_NAME) {
    notes.push(
      `Another scheduler chooses its clusters: ${scheduler} (spec.schedulerName of ${name}${schedulerName === scheduler ? "" : ", not yet on the binding"}).`,
    );
  }
  if (policy === undefined) return notes;
  if (policy.spec.activationPreference === "Lazy" && stored !== undefined && isBehind(stored, policy)) {
    notes.push(
      `Policy ${policyName(policy)} has changed, and is lazy (spec.activationPreference): the change waits for a change of ${template.metadata.name ?? "the object"} itself.`,
    );
  }
  const claimed = readClaim(template.metadata) !== undefined;
  if (claimed && bestSelectorMatch(template, policy.spec.resourceSelectors) === 0) {
    notes.push(
      `Policy ${policyName(policy)} claimed it, but its spec.resourceSelectors no longer match: changes of ${template.metadata.name ?? "the object"} rest until the policy changes or lets go.`,
    );
  }
  return notes;
}

/** Whether the policy says of the placement what the binding does not. */
function isBehind(stored: AnyBinding, policy: Policy): boolean {
  return !equalJson(stored.spec.placement ?? {}, policy.spec.placement ?? {});
}
