// What an object may say, but surely does not mean: stored as it is, and said to whoever writes it.
import type { KubeObject } from "../../kube/object.ts";
import { parseApiVersion } from "../../kube/object.ts";
import { CONFIG_GROUP, type ResourceInterpreterCustomization } from "../config.ts";
import { GITOPS_GROUP, type GitRepository } from "../gitops.ts";
import { CLUSTER_SCOPED_KINDS } from "../known-kinds.table.ts";
import {
  type ClusterOverridePolicy,
  type ClusterPropagationPolicy,
  type OverridePolicy,
  POLICY_GROUP,
  type PropagationPolicy,
  type ResourceSelector,
} from "../policy.ts";
import type { ValidationOptions } from "./context.ts";
import type { FieldWarning } from "./field-error.ts";
import { customizationWarnings } from "./interpreter.ts";
import { affinityWarnings, labelSelectorWarnings, placementWarnings } from "./placement-warnings.ts";

/** Warnings about an object that fits the schema of its kind and has its defaults. */
export function objectWarnings(
  object: KubeObject,
  { checkScript }: Pick<ValidationOptions, "checkScript"> = {},
): readonly FieldWarning[] {
  // The caller has checked the shape, which the compiler cannot know from the kind.
  const checked: unknown = object;
  switch (`${parseApiVersion(object.apiVersion).group}/${object.kind}`) {
    case `${POLICY_GROUP}/PropagationPolicy`:
    case `${POLICY_GROUP}/ClusterPropagationPolicy`:
      return propagationWarnings(checked as PropagationPolicy | ClusterPropagationPolicy);
    case `${POLICY_GROUP}/OverridePolicy`:
    case `${POLICY_GROUP}/ClusterOverridePolicy`:
      return overrideWarnings(checked as OverridePolicy | ClusterOverridePolicy);
    case `${CONFIG_GROUP}/ResourceInterpreterCustomization`:
      return customizationWarnings(checked as ResourceInterpreterCustomization, checkScript);
    case `${GITOPS_GROUP}/GitRepository`:
      return repositoryWarnings(checked as GitRepository);
    default:
      return [];
  }
}

/** As the text of a `Warning`: `spec.a: has no effect`. */
export function warningText({ field, words }: FieldWarning): string {
  return `${field}: ${words}`;
}

function propagationWarnings(policy: PropagationPolicy | ClusterPropagationPolicy): FieldWarning[] {
  const { spec } = policy;
  const found = spec.resourceSelectors.flatMap((selector, index) => selectorWarnings(policy.kind, selector, index));
  if (spec.association === true && spec.propagateDeps !== true) {
    found.push({ field: "spec.association", words: "has no effect any more; use propagateDeps" });
  }
  return [...found, ...placementWarnings(spec.placement, "spec.placement")];
}

function selectorWarnings(
  policyKind: "PropagationPolicy" | "ClusterPropagationPolicy",
  { kind, name, namespace, labelSelector }: ResourceSelector,
  index: number,
): FieldWarning[] {
  const at = `spec.resourceSelectors[${index}]`;
  const found: FieldWarning[] = [];
  const isClusterScoped = CLUSTER_SCOPED_KINDS.has(kind);
  if (policyKind === "PropagationPolicy" && isClusterScoped) {
    found.push({
      field: `${at}.kind`,
      words: `${kind} has no namespace, so a PropagationPolicy never selects one; use a ClusterPropagationPolicy`,
    });
  }
  if (name && labelSelector) found.push({ field: `${at}.labelSelector`, words: "has no effect beside a name" });
  if (!name) found.push(...labelSelectorWarnings(labelSelector, `${at}.labelSelector`));
  if (policyKind === "ClusterPropagationPolicy" && !name && !namespace && selectsAll(labelSelector)) {
    const words = isClusterScoped
      ? `selects every ${kind}, also those that Kubernetes and this control plane keep for themselves; give a name or labels`
      : `selects every ${kind} of every namespace, also those that other programs keep there; give a namespace, a name or labels`;
    found.push({ field: at, words });
  }
  return found;
}

function selectsAll(selector: ResourceSelector["labelSelector"]): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length === 0;
}

function overrideWarnings({ spec }: OverridePolicy | ClusterOverridePolicy): FieldWarning[] {
  return [
    ...(spec.resourceSelectors ?? []).flatMap(({ name, labelSelector }, index) => {
      const field = `spec.resourceSelectors[${index}].labelSelector`;
      if (name && labelSelector) return [{ field, words: "has no effect beside a name" }];
      return labelSelectorWarnings(labelSelector, field);
    }),
    ...affinityWarnings(spec.targetCluster, "spec.targetCluster"),
    ...(spec.overrideRules ?? []).flatMap(({ targetCluster }, index) =>
      affinityWarnings(targetCluster, `spec.overrideRules[${index}].targetCluster`),
    ),
  ];
}

function repositoryWarnings({ spec }: GitRepository): FieldWarning[] {
  const found: FieldWarning[] = [];
  if (URL.parse(spec.url)?.password) {
    const words = "holds a password that whoever reads this object can see; use secretRef";
    found.push({ field: "spec.url", words });
  }
  if (spec.timeZone && !spec.schedule)
    found.push({ field: "spec.timeZone", words: "has no effect without a schedule" });
  return found;
}
