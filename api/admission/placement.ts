// Rules of a placement: affinities, spread, tolerations.
import { checkQualifiedName } from "../../kube/names.ts";
import type { Toleration } from "../cluster.ts";
import type {
  ClusterAffinity,
  ClusterAffinityTerm,
  Placement,
  ReplicaSchedulingStrategy,
  SpreadConstraint,
  WorkloadAffinity,
} from "../policy.ts";
import { invalid, notSupported, type Refusal } from "./field-error.ts";
import { validatePlacementExtensions } from "./placement-extensions.ts";

const CLUSTER_FIELDS = ["provider", "region", "zone"];
const FIELD_OPERATORS = ["In", "NotIn"];
const TOLERATION_OPERATORS = ["", "Exists", "Equal"];
const OVERFLOW_NEEDS_CAPACITY =
  "only a division by capacity overflows: replicaSchedulingType Divided with replicaDivisionPreference Aggregated, or Weighted with dynamicWeight";

/** The rules of a placement, in Karmada's order and at its paths. `at` is the path of the placement. */
export function validatePlacement(placement: Placement | undefined, at: string): Refusal[] {
  if (!placement) return [];
  const refusals: Refusal[] = [];
  const terms = placement.clusterAffinities ?? [];
  if (placement.clusterAffinity && terms.length > 0) {
    refusals.push(invalid(at, {}, "clusterAffinities cannot stand beside clusterAffinity; take one of them away"));
  }
  for (const [index, { overflowAffinities = [] }] of terms.entries()) {
    if (overflowAffinities.length === 0 || dividesByCapacity(placement.replicaScheduling)) continue;
    refusals.push(invalid(`${at}.clusterAffinities[${index}].overflowAffinities`, {}, OVERFLOW_NEEDS_CAPACITY));
  }
  return [
    ...refusals,
    ...validateClusterAffinity(placement.clusterAffinity, `${at}.clusterAffinity`),
    ...validateAffinityTerms(terms, `${at}.clusterAffinities`),
    ...validateSpread(placement.spreadConstraints ?? [], `${at}.spreadConstraints`),
    ...validateWorkloadAffinity(placement.workloadAffinity, `${at}.workloadAffinity`),
    ...validateTolerations(placement.clusterTolerations ?? [], `${at}.clusterTolerations`),
    ...validatePlacementExtensions(placement, at),
  ];
}

function validateTolerations(tolerations: readonly Toleration[], at: string): Refusal[] {
  return tolerations.flatMap(({ operator }, index) =>
    operator === "Lt" || operator === "Gt"
      ? [notSupported(`${at}[${index}].operator`, operator, TOLERATION_OPERATORS)]
      : [],
  );
}

/** Also for the targets of overrides and taint policies. */
export function validateClusterAffinity(affinity: ClusterAffinity | undefined, at: string): Refusal[] {
  const field = `${at}.fieldSelector`;
  return (affinity?.fieldSelector?.matchExpressions ?? []).flatMap(({ key, operator }, index) => {
    const place = `matchExpressions[${index}]`;
    return [
      ...(CLUSTER_FIELDS.includes(key)
        ? []
        : [invalid(field, {}, `${place} has the key ${JSON.stringify(key)}; there are provider, region and zone`)]),
      ...(FIELD_OPERATORS.includes(operator)
        ? []
        : [invalid(field, {}, `${place} has the operator ${JSON.stringify(operator)}; there are In and NotIn`)]),
    ];
  });
}

function validateAffinityTerms(terms: readonly ClusterAffinityTerm[], at: string): Refusal[] {
  const names = new Set<string>();
  return terms.flatMap((term, index) => {
    const { affinityName } = term;
    const path = `${at}[${index}]`;
    const refusals = checkQualifiedName(affinityName).map((words) =>
      invalid(path, affinityName, `affinityName is no label key: ${words}`),
    );
    if (names.has(affinityName)) {
      const words = `the name ${JSON.stringify(affinityName)} of [${index}] is already used; each group needs its own`;
      refusals.push(invalid(at, {}, words));
    }
    names.add(affinityName);
    return [...refusals, ...validateClusterAffinity(term, path), ...validateOverflow(term, path)];
  });
}

function validateOverflow(term: ClusterAffinityTerm, at: string): Refusal[] {
  const overflow = term.overflowAffinities ?? [];
  if (overflow.length === 0) return [];
  const refusals: Refusal[] = [];
  const field = `${at}.overflowAffinities`;
  if (selectsEverything(term)) {
    refusals.push(invalid(field, {}, "the group itself selects every cluster, which leaves nothing to overflow to"));
  }
  const names = new Set([term.affinityName]);
  for (const [index, next] of overflow.entries()) {
    const path = `${field}[${index}]`;
    const { affinityName } = next;
    for (const words of checkQualifiedName(affinityName)) {
      refusals.push(invalid(`${path}.affinityName`, affinityName, words));
    }
    if (names.has(affinityName)) {
      refusals.push(invalid(`${path}.affinityName`, affinityName, "the name is already used in this group"));
    }
    names.add(affinityName);
    refusals.push(...validateClusterAffinity(next, path));
  }
  return refusals;
}

function dividesByCapacity(scheduling: ReplicaSchedulingStrategy | undefined): boolean {
  if (scheduling === undefined || scheduling.replicaSchedulingType === "Duplicated") return false;
  if (scheduling.replicaDivisionPreference === "Aggregated") return true;
  return Boolean(scheduling.weightPreference?.dynamicWeight);
}

function selectsEverything(affinity: ClusterAffinity): boolean {
  return (
    !affinity.labelSelector &&
    !affinity.fieldSelector &&
    (affinity.clusterNames ?? []).length === 0 &&
    (affinity.exclude ?? []).length === 0
  );
}

function validateSpread(constraints: readonly SpreadConstraint[], at: string): Refusal[] {
  const refusals: Refusal[] = [];
  const fields = new Map<string, number>();
  for (const [index, { spreadByField, spreadByLabel, minGroups = 0, maxGroups = 0 }] of constraints.entries()) {
    const path = `${at}[${index}]`;
    if (spreadByField && spreadByLabel) {
      refusals.push(
        invalid(path, {}, `spreadByLabel ${spreadByLabel} cannot stand beside spreadByField ${spreadByField}`),
      );
    }
    if (minGroups < 0) refusals.push(invalid(path, {}, `minGroups ${minGroups} is negative`));
    if (maxGroups < 0) refusals.push(invalid(path, {}, `maxGroups ${maxGroups} is negative`));
    if (maxGroups > 0 && maxGroups < minGroups) {
      refusals.push(invalid(path, {}, `maxGroups ${maxGroups} is lower than minGroups ${minGroups}`));
    }
    if (!spreadByField) continue;
    const before = fields.get(spreadByField) ?? 0;
    fields.set(spreadByField, before + 1);
    // As Karmada: said once of each field, however often it comes.
    if (before === 1) refusals.push(invalid(at, {}, `[${index}] is a second constraint for ${spreadByField}`));
  }
  if (fields.size > 0 && !fields.has("cluster")) {
    const names = [...fields.keys()].join(" and ");
    refusals.push(invalid(at, {}, `spreading by ${names} also needs a constraint with spreadByField cluster`));
  }
  return refusals;
}

function validateWorkloadAffinity(affinity: WorkloadAffinity | undefined, at: string): Refusal[] {
  const together = affinity?.affinity?.groupByLabelKey;
  const apart = affinity?.antiAffinity?.groupByLabelKey;
  const refusals = [
    ...validateGroupKey(together, `${at}.affinity.groupByLabelKey`),
    ...validateGroupKey(apart, `${at}.antiAffinity.groupByLabelKey`),
  ];
  if (together !== undefined && together === apart) {
    const words = `groupByLabelKey ${JSON.stringify(apart)} cannot keep objects together and apart at once`;
    refusals.push(invalid(at, {}, words));
  }
  return refusals;
}

function validateGroupKey(key: string | undefined, at: string): Refusal[] {
  return key === undefined ? [] : checkQualifiedName(key).map((words) => invalid(at, key, words));
}
