// Rules of a placement: affinities, spread, tolerations.
import { checkQualifiedName } from "../../kube/names.ts";
import type {
  ClusterAffinity,
  ClusterAffinityTerm,
  Placement,
  ReplicaSchedulingStrategy,
  SpreadConstraint,
  WorkloadAffinity,
} from "../policy.ts";
import { duplicate, forbidden, invalid, notSupported, type Refusal, required } from "./field-error.ts";

const CLUSTER_FIELDS = ["provider", "region", "zone"];
const FIELD_OPERATORS = ["In", "NotIn"];

export function validatePlacement(placement: Placement | undefined, at: string): Refusal[] {
  if (!placement) return [];
  const refusals: Refusal[] = [];
  if (placement.clusterAffinity && placement.clusterAffinities) {
    refusals.push(forbidden(`${at}.clusterAffinities`, "cannot stand beside clusterAffinity"));
  }
  refusals.push(
    ...validateClusterAffinity(placement.clusterAffinity, `${at}.clusterAffinity`),
    ...validateAffinityTerms(placement, `${at}.clusterAffinities`),
    ...validateSpread(placement.spreadConstraints ?? [], `${at}.spreadConstraints`),
    ...validateWorkloadAffinity(placement.workloadAffinity, `${at}.workloadAffinity`),
  );
  for (const [index, { operator }] of (placement.clusterTolerations ?? []).entries()) {
    if (operator === "Lt" || operator === "Gt") {
      refusals.push(notSupported(`${at}.clusterTolerations[${index}].operator`, operator, ["Equal", "Exists"]));
    }
  }
  return refusals;
}

/** Also for the targets of overrides and taint policies. */
export function validateClusterAffinity(affinity: ClusterAffinity | undefined, at: string): Refusal[] {
  return (affinity?.fieldSelector?.matchExpressions ?? []).flatMap(({ key, operator }, index) => {
    const path = `${at}.fieldSelector.matchExpressions[${index}]`;
    return [
      ...(CLUSTER_FIELDS.includes(key) ? [] : [notSupported(`${path}.key`, key, CLUSTER_FIELDS)]),
      ...(FIELD_OPERATORS.includes(operator) ? [] : [notSupported(`${path}.operator`, operator, FIELD_OPERATORS)]),
    ];
  });
}

function validateAffinityTerms(placement: Placement, at: string): Refusal[] {
  const names = new Set<string>();
  return (placement.clusterAffinities ?? []).flatMap((term, index) => {
    const path = `${at}[${index}]`;
    return [
      ...validateAffinityName(term.affinityName, names, path),
      ...validateClusterAffinity(term, path),
      ...validateOverflow(term, placement.replicaScheduling, path),
    ];
  });
}

/** Adds the name to `taken`. */
function validateAffinityName(name: string, taken: Set<string>, at: string): Refusal[] {
  const path = `${at}.affinityName`;
  const refusals = checkQualifiedName(name).map((words) => invalid(path, name, words));
  if (taken.has(name)) refusals.push(duplicate(path, name, `the name ${JSON.stringify(name)} is already used`));
  taken.add(name);
  return refusals;
}

function validateOverflow(
  term: ClusterAffinityTerm,
  scheduling: ReplicaSchedulingStrategy | undefined,
  at: string,
): Refusal[] {
  const overflow = term.overflowAffinities ?? [];
  if (overflow.length === 0) return [];
  const refusals: Refusal[] = [];
  if (!dividesByCapacity(scheduling)) {
    refusals.push(
      forbidden(
        `${at}.overflowAffinities`,
        "only a division by capacity overflows: replicaSchedulingType Divided with replicaDivisionPreference Aggregated, or Weighted with dynamicWeight",
      ),
    );
  }
  if (selectsEverything(term)) {
    refusals.push(required(at, "a group that selects every cluster leaves nothing to overflow to"));
  }
  const names = new Set([term.affinityName]);
  for (const [index, next] of overflow.entries()) {
    const path = `${at}.overflowAffinities[${index}]`;
    refusals.push(...validateAffinityName(next.affinityName, names, path), ...validateClusterAffinity(next, path));
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
  const fields = new Set<string>();
  for (const [index, { spreadByField, spreadByLabel, minGroups = 0, maxGroups = 0 }] of constraints.entries()) {
    const path = `${at}[${index}]`;
    if (spreadByField && spreadByLabel) {
      refusals.push(
        forbidden(path, `spreadByLabel ${spreadByLabel} cannot stand beside spreadByField ${spreadByField}`),
      );
    }
    if (minGroups < 0) refusals.push(invalid(path, {}, `minGroups ${minGroups} is negative`));
    if (maxGroups < 0) refusals.push(invalid(path, {}, `maxGroups ${maxGroups} is negative`));
    if (maxGroups > 0 && maxGroups < minGroups) {
      refusals.push(invalid(path, {}, `maxGroups ${maxGroups} is lower than minGroups ${minGroups}`));
    }
    if (spreadByField && fields.has(spreadByField)) {
      refusals.push(duplicate(`${path}.spreadByField`, spreadByField, `a second constraint for ${spreadByField}`));
    }
    if (spreadByField) fields.add(spreadByField);
  }
  if (fields.size > 0 && !fields.has("cluster")) {
    const names = [...fields].join(" and ");
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
    refusals.push(
      invalid(`${at}.antiAffinity.groupByLabelKey`, apart, "the same label cannot keep objects together and apart"),
    );
  }
  return refusals;
}

function validateGroupKey(key: string | undefined, at: string): Refusal[] {
  return key === undefined ? [] : checkQualifiedName(key).map((words) => invalid(at, key, words));
}
