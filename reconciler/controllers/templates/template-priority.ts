// Which of many templates is placed first: the priority that its binding is going to have.
import type { KubeObject } from "../../../kube/object.ts";
import { readClaim } from "../../policies/claim.ts";
import { matchPolicy } from "../../policies/match.ts";
import type { Policy, PolicyIndex } from "../../policies/policy-index.ts";
import type { ControllerContext } from "../context.ts";

/**
 * The value of the priority class that the template's policy names; 0 where there is none. Templates are written together
 * with their decision, so that their line is the line for scheduling: an important one must not stand behind thousands.
 */
export function templatePriority(
  template: KubeObject | undefined,
  policies: PolicyIndex,
  classValue: (priorityClassName: string) => number | undefined,
): number {
  if (template === undefined || !policies.hasPriorities) return 0;
  const wanted = policyOf(template, policies)?.spec.schedulePriority;
  return wanted?.priorityClassSource === "KubePriorityClass" ? (classValue(wanted.priorityClassName) ?? 0) : 0;
}

function policyOf(template: KubeObject, policies: PolicyIndex): Policy | undefined {
  const claim = readClaim(template.metadata);
  if (claim !== undefined) return policies.get(`${claim.namespace}/${claim.name}`);
  return matchPolicy(template, policies).policy;
}

/** The value of a PriorityClass of the control plane; undefined when there is none of that name. */
export function priorityClassValue(context: ControllerContext, name: string): number | undefined {
  const value = context.informers.of("scheduling.k8s.io/v1", "PriorityClass").get(undefined, name)?.["value"];
  return typeof value === "number" ? value : undefined;
}
