// Which override policies concern an object, and which of them has the last word.

import type { ClusterOverridePolicy, OverridePolicy, RuleWithCluster } from "../../api/policy.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { bestSelectorMatch } from "../policies/resource-selector.ts";

export type AnyOverridePolicy = OverridePolicy | ClusterOverridePolicy;

/**
 * The policies that select `object`, in the order they apply: the more specific later, and among equals the later name
 * later, so that it wins. A policy without selectors concerns every object.
 */
export function selectOverridePolicies<P extends AnyOverridePolicy>(
  object: KubeObject,
  policies: readonly P[],
): readonly P[] {
  const selected: { readonly policy: P; readonly priority: number; readonly name: string }[] = [];
  for (const policy of policies) {
    const selectors = policy.spec.resourceSelectors;
    const priority = selectors == null || selectors.length === 0 ? 1 : bestSelectorMatch(object, selectors);
    if (priority > 0) selected.push({ policy, priority, name: policy.metadata.name ?? "" });
  }
  return selected
    .sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ policy }) => policy);
}

/** What selectors see of an object whose metadata overrides may have broken: parts of another type count as absent. */
export function asSelected(object: KubeObject): KubeObject {
  const metadata: unknown = object.metadata;
  if (isObject(metadata) && isTexts([metadata["name"], metadata["namespace"]]) && isTextMap(metadata["labels"]))
    return object;
  const { name, namespace, labels } = isObject(metadata) ? metadata : {};
  return {
    ...object,
    metadata: {
      ...(typeof name === "string" ? { name } : {}),
      ...(typeof namespace === "string" ? { namespace } : {}),
      ...(labels !== undefined && isTextMap(labels) ? { labels } : {}),
    },
  };
}

function isTexts(values: readonly unknown[]): boolean {
  return values.every((value) => value === undefined || typeof value === "string");
}

function isTextMap(value: unknown): value is Record<string, string> | undefined {
  return value === undefined || (isObject(value) && isTexts(Object.values(value)));
}

/** Where in a policy the overriders of the rule with this index stand. */
export function overridersPath({ spec }: AnyOverridePolicy, rule: number): string {
  const hasRules = spec.overrideRules != null && spec.overrideRules.length > 0;
  return hasRules ? `spec.overrideRules[${rule}].overriders` : "spec.overriders";
}

/** The rules of a policy; the superseded form of one rule for the whole policy is read as such a list. */
export function rulesOf(policy: AnyOverridePolicy): readonly RuleWithCluster[] {
  const { overrideRules, overriders, targetCluster } = policy.spec;
  if (overrideRules != null && overrideRules.length > 0) return overrideRules;
  return [legacyRule(policy, { overriders: overriders ?? {}, targetCluster })];
}

// One object per policy, so that what is remembered about a rule is found again.
const LEGACY_RULES = new WeakMap<AnyOverridePolicy, RuleWithCluster>();

function legacyRule(policy: AnyOverridePolicy, rule: RuleWithCluster): RuleWithCluster {
  const known = LEGACY_RULES.get(policy);
  if (known !== undefined) return known;
  LEGACY_RULES.set(policy, rule);
  return rule;
}
