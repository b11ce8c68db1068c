// Override policies as they are now, and whose copies a change of one concerns.

import type { ClusterOverridePolicy, OverridePolicy } from "../../../api/policy.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { AnyOverridePolicy } from "../../overrides/order.ts";
import { OverridePolicyIndex } from "../../overrides/override-policies.ts";
import { bestSelectorMatch } from "../../policies/resource-selector.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { bindingName } from "../../works/naming.ts";
import type { ControllerContext } from "../context.ts";
import { allBindings, findBinding } from "../scheduling/binding-key.ts";
import type { TemplateWatch } from "../templates/template-watch.ts";

const POLICY_API = "policy.karmada.io/v1alpha1";

/**
 * Keeps an index of the stored override policies. `onChange` gets the versions of a policy before and after a change of
 * what it says, the index being up to date already.
 */
export function watchOverridePolicies(
  context: ControllerContext,
  onChange: (versions: readonly AnyOverridePolicy[]) => void,
): OverridePolicyIndex {
  const index = new OverridePolicyIndex();
  // Those that are there from the start change nothing.
  let isStarting = true;
  for (const kind of ["OverridePolicy", "ClusterOverridePolicy"]) {
    context.informers.of<OverridePolicy | ClusterOverridePolicy>(POLICY_API, kind).subscribe((change) => {
      if (change.type === "deleted") index.delete(change.object);
      else index.set(change.object);
      const isSame =
        change.type === "updated" && change.previous.metadata.generation === change.object.metadata.generation;
      if (!isSame && !isStarting)
        onChange(change.type === "updated" ? [change.previous, change.object] : [change.object]);
    });
  }
  isStarting = false;
  return index;
}

/** Whether a policy selects an object as it is in the control plane. */
export function selectsTemplate(policy: AnyOverridePolicy, template: KubeObject): boolean {
  const { namespace = "" } = template.metadata;
  if (policy.kind === "OverridePolicy" && policy.metadata.namespace !== namespace) return false;
  const selectors = policy.spec.resourceSelectors ?? [];
  return selectors.length === 0 || bestSelectorMatch(template, selectors) > 0;
}

/** The bindings whose copies one of these policies means. Those that are selected by name are found without a search. */
export function* bindingsOfPolicies(
  context: ControllerContext,
  templates: TemplateWatch,
  policies: readonly AnyOverridePolicy[],
): Generator<AnyBinding> {
  const named = policies.every(({ spec }) => isNamed(spec.resourceSelectors));
  for (const binding of named ? namedBindings(context, policies) : allBindings(context)) {
    if (policies.some((policy) => concerns(policy, binding, templates))) yield binding;
  }
}

function isNamed(selectors: AnyOverridePolicy["spec"]["resourceSelectors"]): boolean {
  return (selectors ?? []).length > 0 && (selectors ?? []).every(({ name, namespace }) => name && namespace);
}

function* namedBindings(context: ControllerContext, policies: readonly AnyOverridePolicy[]): Generator<AnyBinding> {
  const keys = new Set(
    policies.flatMap(({ spec }) =>
      (spec.resourceSelectors ?? []).map(
        ({ kind, namespace, name }) => `ResourceBinding/${namespace ?? ""}/${bindingName(kind, name ?? "")}`,
      ),
    ),
  );
  for (const key of keys) {
    const binding = findBinding(context, key);
    if (binding !== undefined) yield binding;
  }
}

function concerns(policy: AnyOverridePolicy, binding: AnyBinding, templates: TemplateWatch): boolean {
  const { apiVersion, kind, namespace, name } = binding.spec.resource;
  if (policy.kind === "OverridePolicy" && policy.metadata.namespace !== namespace) return false;
  const selectors = policy.spec.resourceSelectors ?? [];
  if (selectors.length === 0) return true;
  // What surely is not selected needs no look at the template.
  if (!selectors.some((selector) => selector.kind === kind && selector.apiVersion === apiVersion)) return false;
  const template = templates.find(apiVersion, kind, namespace, name);
  return template !== undefined && bestSelectorMatch(template, selectors) > 0;
}
