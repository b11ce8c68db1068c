// Overrides that never apply: what policies say in vain in a given world.

import { legacyProblems } from "../../api/admission/override.ts";
import type { ResourceSelector } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { selectorMatches } from "../policies/resource-selector.ts";
import { type Effects, effectsOf, type OverrideWorld } from "./lint-effects.ts";
import { itemFindings } from "./lint-items.ts";
import { type AnyOverridePolicy, rulesOf } from "./order.ts";
import { describePolicy, type PolicyRef } from "./override-result.ts";
import { policyWarnings } from "./policy-warnings.ts";

export interface OverrideFinding {
  readonly policy: PolicyRef;
  /** Stable name of the sort: `selects-nothing`, `no-cluster`, `not-there`, `no-effect`, `fails`, `shadowed`, `superseded`, … */
  readonly code: string;
  /** Where the policy says it. */
  readonly field: string;
  readonly words: string;
}

/** Findings by policy, in the order of its fields. What might have an effect, or lacks its objects only for now, is left out. */
export function lintOverrides(world: OverrideWorld): readonly OverrideFinding[] {
  const effects = effectsOf(world);
  return [...world.policies]
    .sort((a, b) => (describePolicy(refOf(a)) < describePolicy(refOf(b)) ? -1 : 1))
    .flatMap((policy) => lintPolicy(policy, world, effects));
}

export function refOf({ kind, metadata }: AnyOverridePolicy): PolicyRef {
  const { namespace, name = "" } = metadata;
  return kind === "OverridePolicy" && namespace !== undefined ? { kind, namespace, name } : { kind, name };
}

function lintPolicy(policy: AnyOverridePolicy, world: OverrideWorld, effects: Effects): OverrideFinding[] {
  const ref = refOf(policy);
  const found = (code: string, field: string, words: string): OverrideFinding => ({ policy: ref, code, field, words });
  const own = [
    ...supersededFindings(policy, found),
    ...policyWarnings(policy).map(({ code, field, words }) => found(code, field, words)),
  ];
  const selected = effects.selectedBy(policy);
  const selectors = policy.spec.resourceSelectors ?? [];
  const vain = selectors.flatMap((selector, index) =>
    selected.some(({ object }) => selectorMatches(object, selector) > 0)
      ? []
      : [found("selects-nothing", `spec.resourceSelectors[${index}]`, `selects nothing: ${missing(selector, policy)}`)],
  );
  // Without objects nothing can be said of the rules.
  if (selected.length === 0) return [...own, ...vain];
  const rules = rulesOf(policy).flatMap((rule, index) => {
    const field = policy.spec.overrideRules?.length
      ? `spec.overrideRules[${index}].targetCluster`
      : "spec.targetCluster";
    const { targetCluster } = rule;
    if (targetCluster == null) return [];
    const meant = world.clusters.filter((cluster) => clusterMatches(cluster, targetCluster));
    if (meant.length === 0) return [found("no-cluster", field, "means no cluster of the fleet")];
    const placed = selected.filter(({ clusters }) => clusters.length > 0);
    if (placed.length === 0 || effects.reached(ref, index).length > 0) return [];
    const names = namesText(meant.map(({ metadata }) => metadata.name ?? ""));
    const what =
      placed.length === 1 ? objectText(placed[0]?.object) : `none of the ${placed.length} objects it selects`;
    const words = placed.length === 1 ? `${what} is not in ${names}` : `${what} is in ${names}`;
    return [found("not-there", field, `has no effect: ${words}`)];
  });
  return [
    ...own,
    ...vain,
    ...rules,
    ...itemFindings(policy, ref, effects).map(({ code, field, words }) => found(code, field, words)),
  ];
}

function supersededFindings(
  policy: AnyOverridePolicy,
  found: (code: string, field: string, words: string) => OverrideFinding,
): OverrideFinding[] {
  const { overriders, overrideRules } = policy.spec;
  if (overriders === undefined || (overrideRules?.length ?? 0) > 0) return [];
  return [
    found(
      "superseded",
      "spec.overriders",
      "is superseded: write it as a rule of spec.overrideRules, where it is checked",
    ),
    ...legacyProblems(policy.spec).map(({ field, words }) => found("invalid", field, words)),
  ];
}

function missing(
  { apiVersion, kind, namespace, name, labelSelector }: ResourceSelector,
  policy: AnyOverridePolicy,
): string {
  const within = policy.metadata.namespace ?? namespace;
  const place = within === undefined || within === "" ? "" : ` in namespace ${within}`;
  if (name) return `there is no ${apiVersion} ${kind} ${name}${place}`;
  return `there is no ${apiVersion} ${kind}${place}${labelSelector == null ? "" : " with such labels"}`;
}

function objectText(object: KubeObject | undefined): string {
  const { namespace, name } = object?.metadata ?? {};
  return `${object?.kind ?? ""} ${namespace === undefined ? "" : `${namespace}/`}${name ?? ""}`;
}

function namesText(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} or ${names.length - 3} more`;
}
