// Whether a write is one of those that a webhook or an admission policy asks for.
import type { GroupVersionKind, KubeObject } from "../../../kube/object.ts";
import { type LabelSelector, type Labels, matchesLabelSelector } from "../../../kube/selectors.ts";
import type { Registry } from "../registry/registry.ts";

/** A rule of a webhook (`rules`) or of `matchConstraints` (`resourceRules`), as it is written. */
export interface ResourceRule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly operations?: readonly string[];
  /** `pods`, `pods/status`, `*`, `pods/*`, `*` + `/scale`. */
  readonly resources?: readonly string[];
  readonly scope?: string;
  /** Only in policies: the names that are meant; empty means all. */
  readonly resourceNames?: readonly string[];
}

/** What a webhook or policy asks for. Absent selectors and rules choose everything. */
export interface MatchResources {
  readonly resourceRules?: readonly ResourceRule[];
  readonly excludeResourceRules?: readonly ResourceRule[];
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  /** `Exact` takes rules by the letter; `Equivalent` also by the other versions and groups of the kind. */
  readonly matchPolicy?: string;
}

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** A write, in the terms of rules. */
export interface MatchTarget {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
  /** Empty for the main resource. */
  readonly subresource: string;
  /** Empty for cluster-scoped kinds; for namespaces their own name. */
  readonly namespace: string;
  readonly name: string;
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

/** Under which name the rule knows the resource: differs from the request's only under `Equivalent`. */
export interface MatchedResource {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

/** What must be known of the server. */
export interface MatchSurroundings {
  /** Labels of a namespace; undefined when there is none of that name. */
  namespaceLabels(name: string): Labels;
  /** The resource under its other groups and versions. */
  equivalents(resource: GroupVersionResource): readonly MatchedResource[];
}

/** The other names of a resource: the kinds that share its storage. */
export function equivalentResources(registry: Registry, resource: GroupVersionResource): MatchedResource[] {
  const kind = registry.find(resource.group, resource.version, resource.resource);
  if (kind === undefined) return [];
  return registry
    .byStorage(kind.storageKey)
    .filter((other) => other !== kind)
    .map((other) => ({
      resource: { group: other.group, version: other.version, resource: other.plural },
      kind: { group: other.group, version: other.version, kind: other.kind },
    }));
}

/**
 * The resource as the rules know it, or undefined when the write is not meant. Throws `selector-invalid`, and an error
 * for a namespace that is missing while its labels decide.
 */
export function matchResources(
  match: MatchResources,
  target: MatchTarget,
  surroundings: MatchSurroundings,
): MatchedResource | undefined {
  if (isPresent(match.objectSelector) && !matchesObjects(match.objectSelector, target)) return undefined;
  const { excludeResourceRules = [], resourceRules = [] } = match;
  if (matchRules(excludeResourceRules, match.matchPolicy, target, surroundings) !== undefined) return undefined;
  const matched =
    resourceRules.length === 0
      ? { resource: target.resource, kind: target.kind }
      : matchRules(resourceRules, match.matchPolicy, target, surroundings);
  // Last, because the reference lets a missing namespace fail only writes that are meant otherwise.
  if (matched === undefined || !matchesNamespace(match.namespaceSelector, target, surroundings)) return undefined;
  return matched;
}

/** The resource as one of the rules knows it; undefined when none is about it. */
export function matchRules(
  rules: readonly ResourceRule[],
  matchPolicy: string | undefined,
  target: MatchTarget,
  surroundings: MatchSurroundings,
): MatchedResource | undefined {
  const own = { resource: target.resource, kind: target.kind };
  if (rules.some((rule) => matchesRule(rule, target, target.resource))) return own;
  if (matchPolicy === "Exact" || rules.length === 0) return undefined;
  const others = surroundings.equivalents(target.resource);
  for (const rule of rules) {
    const other = others.find(({ resource }) => matchesRule(rule, target, resource));
    if (other !== undefined) return other;
  }
  return undefined;
}

function isPresent(selector: LabelSelector | undefined): selector is LabelSelector {
  return Object.keys(selector?.matchLabels ?? {}).length > 0 || (selector?.matchExpressions ?? []).length > 0;
}

function matchesObjects(selector: LabelSelector, target: MatchTarget): boolean {
  const matches = (object: KubeObject | undefined): boolean =>
    object !== undefined && matchesLabelSelector(selector, object.metadata.labels);
  return matches(target.object) || matches(target.oldObject);
}

function isNamespaces({ group, version, resource }: GroupVersionResource): boolean {
  return group === "" && version === "v1" && resource === "namespaces";
}

function matchesNamespace(
  selector: LabelSelector | undefined,
  target: MatchTarget,
  surroundings: MatchSurroundings,
): boolean {
  if (!isPresent(selector)) return true;
  const isNamespace = target.resource.resource === "namespaces";
  if (target.namespace === "" && !isNamespace) return true;
  if (isNamespace && target.subresource === "" && target.operation !== "DELETE") {
    return matchesLabelSelector(selector, target.object?.metadata.labels);
  }
  const labels = surroundings.namespaceLabels(target.namespace);
  if (labels === undefined) throw new Error(`namespaces "${target.namespace}" not found`);
  return matchesLabelSelector(selector, labels);
}

function includes(items: readonly string[] | undefined, value: string): boolean {
  return items?.some((item) => item === "*" || item === value) === true;
}

function matchesRule(rule: ResourceRule, target: MatchTarget, resource: GroupVersionResource): boolean {
  return (
    includes(rule.operations, target.operation) &&
    includes(rule.apiGroups, resource.group) &&
    includes(rule.apiVersions, resource.version) &&
    rule.resources?.some((text) => matchesResourceText(text, resource.resource, target.subresource)) === true &&
    matchesScope(rule.scope, target) &&
    ((rule.resourceNames ?? []).length === 0 || rule.resourceNames?.includes(target.name) === true)
  );
}

function matchesResourceText(text: string, resource: string, subresource: string): boolean {
  const slash = text.indexOf("/");
  const main = slash < 0 ? text : text.slice(0, slash);
  const sub = slash < 0 ? "" : text.slice(slash + 1);
  return (main === "*" || main === resource) && (sub === "*" || sub === subresource);
}

/** Namespaces count as cluster-scoped although their requests carry a namespace. */
function matchesScope(scope: string | undefined, { resource, namespace }: MatchTarget): boolean {
  const clusterScoped = isNamespaces(resource) || namespace === "";
  if (scope === "Cluster") return clusterScoped;
  return scope === "Namespaced" ? !clusterScoped : scope === undefined || scope === "" || scope === "*";
}

/** Policies and webhooks are never asked about themselves, so that a bad one can be removed. */
export function isExemptFromAdmission(kind: GroupVersionKind): boolean {
  return kind.group === "admissionregistration.k8s.io" && EXEMPT.has(kind.kind);
}

const EXEMPT: ReadonlySet<string> = new Set([
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
]);
