// What a placement may say, but surely does not mean.
import { requirementsOf } from "../../kube/selectors.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { ClusterAffinity, Placement, ReplicaSchedulingStrategy, SpreadConstraint } from "../policy.ts";
import type { LabelSelector } from "../schema.ts";
import type { FieldWarning } from "./field-error.ts";

/** Legal, but without the effect that it seems to have. `at` is the path of the placement. */
export function placementWarnings(placement: Placement | undefined, at: string): FieldWarning[] {
  if (!placement) return [];
  const weights = placement.replicaScheduling?.weightPreference?.staticWeightList ?? [];
  return [
    ...affinityWarnings(placement.clusterAffinity, `${at}.clusterAffinity`),
    ...(placement.clusterAffinities ?? []).flatMap((term, index) => {
      const path = `${at}.clusterAffinities[${index}]`;
      const overflow = (term.overflowAffinities ?? []).flatMap((next, place) =>
        affinityWarnings(next, `${path}.overflowAffinities[${place}]`),
      );
      return [...affinityWarnings(term, path), ...overflow];
    }),
    ...spreadWarnings(placement, `${at}.spreadConstraints`),
    ...weights.flatMap(({ targetCluster }, index) => {
      const path = `${at}.replicaScheduling.weightPreference.staticWeightList[${index}].targetCluster`;
      const words = whyNever(targetCluster) ?? whyNeverWithin(targetCluster, placement);
      return [
        ...labelSelectorWarnings(targetCluster.labelSelector, `${path}.labelSelector`),
        ...(words === undefined ? [] : [{ field: path, words: `the weight is never used: ${words}` }]),
      ];
    }),
  ];
}

/** Of the clusters that an affinity, or a target of overrides, selects. */
export function affinityWarnings(affinity: ClusterAffinity | undefined, at: string): FieldWarning[] {
  if (!affinity) return [];
  const words = whyNever(affinity);
  return [
    ...labelSelectorWarnings(affinity.labelSelector, `${at}.labelSelector`),
    ...(words === undefined ? [] : [{ field: at, words: `selects no cluster: ${words}` }]),
  ];
}

/** Karmada stores a selector that is no selector, and takes it to match nothing. */
export function labelSelectorWarnings(selector: LabelSelector | undefined, at: string): FieldWarning[] {
  if (!selector) return [];
  try {
    requirementsOf(selector);
    return [];
  } catch (error) {
    return [{ field: at, words: `matches nothing, because it is not valid: ${messageOf(error)}` }];
  }
}

/** Why no cluster at all can match; undefined when one may. */
function whyNever({ clusterNames = [], exclude = [], fieldSelector }: ClusterAffinity): string | undefined {
  if (clusterNames.length > 0 && clusterNames.every((name) => exclude.includes(name)))
    return `each of its clusters (${clusterNames.join(", ")}) is excluded too`;
  // As Karmada: provider and region without values are no requirement at all, which matches nothing.
  const empty = (fieldSelector?.matchExpressions ?? []).find(
    ({ key, operator, values }) => (values ?? []).length === 0 && (operator === "In" || key !== "zone"),
  );
  return empty && `its requirement of the ${empty.key} has no values`;
}

/** Why none of the clusters that the placement may use can match. */
function whyNeverWithin({ clusterNames = [] }: ClusterAffinity, placement: Placement): string | undefined {
  const { clusterAffinity, clusterAffinities } = placement;
  if (clusterNames.length === 0 || clusterAffinity === undefined || (clusterAffinities ?? []).length > 0)
    return undefined;
  const { clusterNames: usable = [], exclude = [] } = clusterAffinity;
  const candidates = clusterNames.filter(
    (name) => !exclude.includes(name) && (usable.length === 0 || usable.includes(name)),
  );
  if (candidates.length > 0) return undefined;
  return `the placement's own affinity leaves out ${clusterNames.join(", ")}`;
}

function spreadWarnings(placement: Placement, at: string): FieldWarning[] {
  const constraints = placement.spreadConstraints ?? [];
  if (constraints.length === 0) return [];
  if (ignoresSpread(placement.replicaScheduling)) {
    return [{ field: at, words: "have no effect on a division by fixed weights" }];
  }
  const hasRegion = constraints.some(({ spreadByField }) => spreadByField === "region");
  const selects = hasRegion || constraints.some(({ spreadByField }) => spreadByField === "cluster");
  return constraints.flatMap((constraint, index) => {
    const words = spreadWords(constraint, { hasRegion, selects, strict: placement.flaghoist?.strictSpread === true });
    return words === undefined ? [] : [{ field: `${at}[${index}]`, words }];
  });
}

interface SpreadCircumstances {
  readonly hasRegion: boolean;
  /** Some constraint by cluster or region chooses. */
  readonly selects: boolean;
  readonly strict: boolean;
}

function spreadWords(
  constraint: SpreadConstraint,
  { hasRegion, selects, strict }: SpreadCircumstances,
): string | undefined {
  const { spreadByField, spreadByLabel, maxGroups } = constraint;
  if (spreadByField === "cluster" || spreadByField === "region") {
    if (maxGroups) return undefined;
    return hasRegion && spreadByField === "cluster"
      ? "without maxGroups no cluster is added to the first of each region; set maxGroups"
      : `without maxGroups no ${spreadByField} is selected, and nothing is scheduled; set maxGroups`;
  }
  if (strict) return undefined;
  const fix = "set flaghoist.strictSpread of the placement to choose by it";
  if (!selects) return `cannot choose clusters by itself, so nothing is scheduled; ${fix}`;
  if (spreadByLabel) return `spreading by the label ${spreadByLabel} has no effect; ${fix}`;
  return `only leaves out clusters without a ${spreadByField}, and does not spread over them; ${fix}`;
}

function ignoresSpread(scheduling: ReplicaSchedulingStrategy | undefined): boolean {
  if (scheduling === undefined || scheduling.replicaSchedulingType === "Duplicated") return false;
  if (scheduling.replicaDivisionPreference === "Aggregated") return false;
  const weights = scheduling.weightPreference;
  return weights === undefined || ((weights.staticWeightList ?? []).length > 0 && !weights.dynamicWeight);
}
