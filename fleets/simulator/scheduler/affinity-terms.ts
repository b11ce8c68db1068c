// Terms of pod affinity and anti-affinity, read once per Pod.
import { isObject } from "../../../kube/object.ts";
import {
  type LabelRequirement,
  type LabelSelector,
  matchesRequirements,
  requirementsOf,
} from "../../../kube/selectors.ts";
import { AppError } from "../../../runtime/errors.ts";

/** Which Pods a term is about, and what counts as the same place. */
export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>;
  /** Of further namespaces; undefined selects none. */
  readonly namespaceSelector: readonly LabelRequirement[] | undefined;
  /** Undefined selects no Pod. */
  readonly selector: readonly LabelRequirement[] | undefined;
  readonly topologyKey: string;
}

interface WeightedTerm extends AffinityTerm {
  readonly weight: number;
}

/** The terms of a Pod's affinity, or of its anti-affinity. */
export interface AffinityTerms {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly WeightedTerm[];
}

const NO_TERMS: AffinityTerms = { required: [], preferred: [] };

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** Whether a Pod with these labels, in a namespace with those, is one that the term is about. */
export function matchesTerm(term: AffinityTerm, namespace: string, labels: Labels, namespaceLabels: Labels): boolean {
  const inNamespace =
    term.namespaces.has(namespace) ||
    (term.namespaceSelector !== undefined && matchesRequirements(term.namespaceSelector, namespaceLabels));
  return inNamespace && term.selector !== undefined && matchesRequirements(term.selector, labels);
}

/** Terms that many Pods share are one object, so that they need be matched only once. More than these are not shared. */
const MOST_SHARED = 4096;
const SHARED = new Map<string, AffinityTerms>();

/** Reads `spec.affinity.podAffinity` or `podAntiAffinity` of a Pod. Pods with equal terms get the same object. */
export function readAffinityTerms(value: unknown, namespace: string, labels: Labels): AffinityTerms {
  if (!isObject(value)) return NO_TERMS;
  const text = JSON.stringify(value);
  const key = `${namespace} ${text.includes("atchLabelKeys") ? JSON.stringify(labels) : ""} ${text}`;
  const known = SHARED.get(key);
  if (known !== undefined) return known;
  const required = listOf(value["requiredDuringSchedulingIgnoredDuringExecution"]);
  const preferred = listOf(value["preferredDuringSchedulingIgnoredDuringExecution"]);
  const terms = {
    required: required.map((term) => readTerm(term, namespace, labels)),
    // As Kubernetes: a preference of weight nothing is none.
    preferred: preferred
      .filter((each) => isObject(each["podAffinityTerm"]) && each["weight"] !== 0)
      .map((each) => ({
        ...readTerm(each["podAffinityTerm"] as Record<string, unknown>, namespace, labels),
        weight: Number(each["weight"] ?? 0),
      })),
  };
  if (SHARED.size >= MOST_SHARED) SHARED.clear();
  SHARED.set(key, terms);
  return terms;
}

function readTerm(term: Readonly<Record<string, unknown>>, namespace: string, labels: Labels): AffinityTerm {
  const named = Array.isArray(term["namespaces"]) ? term["namespaces"].map(String) : [];
  const namespaceSelector = isObject(term["namespaceSelector"]) ? readSelector(term["namespaceSelector"]) : undefined;
  const isOwn = named.length === 0 && term["namespaceSelector"] === undefined;
  const base = isObject(term["labelSelector"]) ? readSelector(term["labelSelector"]) : undefined;
  return {
    namespaces: new Set(isOwn ? [namespace] : named),
    namespaceSelector,
    selector: base === undefined ? undefined : [...base, ...byOwnLabels(term, labels)],
    topologyKey: String(term["topologyKey"] ?? ""),
  };
}

/** What `matchLabelKeys` and `mismatchLabelKeys` mean for a Pod with these labels. */
function byOwnLabels(term: Readonly<Record<string, unknown>>, labels: Labels): LabelRequirement[] {
  const of = (field: string, operator: "in" | "notin"): LabelRequirement[] =>
    ownLabels(term[field], labels).map(([key, value]) => ({ key, operator, values: [value] }));
  return [...of("matchLabelKeys", "in"), ...of("mismatchLabelKeys", "notin")];
}

/** The labels of the Pod itself that a list of keys names. */
export function ownLabels(keys: unknown, labels: Labels): [string, string][] {
  if (!Array.isArray(keys)) return [];
  return keys.flatMap((key) => {
    const value = labels[String(key)];
    return value === undefined ? [] : [[String(key), value] satisfies [string, string]];
  });
}

/** A selector's requirements; undefined for one that makes no sense, which selects nothing. */
export function readSelector(selector: Readonly<Record<string, unknown>>): readonly LabelRequirement[] | undefined {
  try {
    return requirementsOf(selector as LabelSelector);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The objects of a list; none when it is no list. */
export function listOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
