// What is odd about a policy, in words for the person who wrote it: `kubectl describe` shows it as events of the policy.

import type { FeatureGates } from "../../api/feature-gates.ts";
import type { ResourceSelector } from "../../api/policy.ts";
import { describeRef, type KubeObject, refOf } from "../../kube/object.ts";
import { describeMissing, missingOverrides, type TemplateContext } from "./decide-template.ts";
import { whyInvalidSelector } from "./label-match.ts";
import { isNamespaced, type Policy } from "./policy-index.ts";

export interface Advice {
  readonly type: "Normal" | "Warning";
  /** The event's reason. */
  readonly reason: string;
  /** What, at which field, and what to do. */
  readonly message: string;
}

/** What the control plane knows of the objects that a policy is about. */
export interface PolicySurroundings {
  readonly gates: FeatureGates;
  readonly overrideExists: TemplateContext["overrideExists"];
  readonly priorityClassExists: (name: string) => boolean;
  /** Why no object of a kind is a template: it is not served, or never propagated. */
  readonly whyNoKind: (apiVersion: string, kind: string) => string | undefined;
  /** Of the objects that a selector selects: those never propagated, and whether there is any other. */
  readonly selected: (selector: ResourceSelector) => SelectedObjects;
  /** Why such an object is not propagated. */
  readonly whyKept: (object: KubeObject) => string;
}

export interface SelectedObjects {
  readonly kept: readonly KubeObject[];
  readonly hasTemplates: boolean;
}

/** Everything odd about a policy, in the order of its fields. */
export function adviseOnPolicy(policy: Policy, around: PolicySurroundings): readonly Advice[] {
  const { spec } = policy;
  const advice: Advice[] = [];
  const warn = (reason: string, message: string): number => advice.push({ type: "Warning", reason, message });
  if (spec.preemption === "Always" && !around.gates.PropagationPolicyPreemption)
    warn(
      "PreemptionDisabled",
      "spec.preemption: Always has no effect here: start the control plane with --feature-gates=PropagationPolicyPreemption=true, or write Never",
    );
  const missing = missingOverrides(policy, around.overrideExists);
  if (missing.length > 0) warn("DependentOverridesMissing", describeMissing(policy, missing));
  const className = spec.schedulePriority?.priorityClassName;
  if (className !== undefined && around.gates.PriorityBasedScheduling && !around.priorityClassExists(className))
    warn(
      "PriorityClassMissing",
      `spec.schedulePriority.priorityClassName: there is no PriorityClass ${className} in the control plane: create it, or name another one; until then no binding is made or changed`,
    );
  if (className !== undefined && !around.gates.PriorityBasedScheduling)
    warn(
      "PriorityDisabled",
      "spec.schedulePriority has no effect here: the control plane runs with the gate PriorityBasedScheduling off",
    );
  spec.resourceSelectors.forEach((selector, index) => {
    const told = adviseOnSelector(policy, selector, around);
    if (told !== undefined) advice.push({ ...told, message: `spec.resourceSelectors[${index}]${told.message}` });
  });
  return advice;
}

function adviseOnSelector(policy: Policy, selector: ResourceSelector, around: PolicySurroundings): Advice | undefined {
  const { apiVersion, kind, name, labelSelector } = selector;
  const noKind = around.whyNoKind(apiVersion, kind);
  if (noKind !== undefined) return { type: "Warning", reason: "SelectsNothing", message: `: ${noKind}` };
  const invalid = name || labelSelector == null ? undefined : whyInvalidSelector(labelSelector);
  if (invalid !== undefined) {
    const message = `.labelSelector is not valid, so it selects nothing: ${invalid}`;
    return { type: "Warning", reason: "SelectsNothing", message };
  }
  const { kept, hasTemplates } = around.selected(selector);
  const [first] = kept;
  if (first !== undefined) {
    const rest = kept.length === 1 ? "is" : `and ${kept.length - 1} more are`;
    const message = ` also selects what stays in the control plane: ${describeRef(refOf(first))} (${around.whyKept(first)}) ${rest} not propagated; ${narrower(policy)}`;
    return { type: "Warning", reason: "SelectsReserved", message };
  }
  if (hasTemplates) return undefined;
  const where = isNamespaced(policy) ? ` in namespace ${policy.metadata.namespace}` : "";
  const message = name
    ? `: there is no ${kind} ${name}${where} at present; when it comes, it is taken`
    : `: there is no ${kind}${where} that it selects and no other policy has; one that comes is taken`;
  return { type: "Normal", reason: "SelectsNothing", message };
}

function narrower(policy: Policy): string {
  return isNamespaced(policy)
    ? "write the policy in a namespace of your own"
    : "name a namespace, a name or labels to say which ones are meant";
}
