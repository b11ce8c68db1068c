// Rules of `placement.flaghoist`, what Flaghoist does beyond Karmada.
import { checkQualifiedName } from "../../kube/names.ts";
import type { PlacementScore } from "../placement-extensions.ts";
import type { Placement } from "../policy.ts";
import { compileScore } from "../score-expression.ts";
import { duplicate, forbidden, invalid, type Refusal, required } from "./field-error.ts";
import { validateRollout } from "./rollout.ts";

const NEEDS_DIVIDED = "only divided replicas have it: needs replicaScheduling.replicaSchedulingType Divided";

/** `at`: where the placement is. */
export function validatePlacementExtensions(placement: Placement, at: string): Refusal[] {
  const { flaghoist } = placement;
  if (flaghoist == null) return [];
  const path = `${at}.flaghoist`;
  return [
    ...validateStrictSpread(placement, at),
    ...validateMinimum(placement, path),
    ...validateScores(placement, `${path}.scores`),
    ...validateMovements(placement, path),
    ...validateRollout(flaghoist.rollout, `${path}.rollout`),
  ];
}

/** As the default of the field: a strategy that does not say otherwise divides. */
function dividesReplicas({ replicaScheduling }: Placement): boolean {
  return replicaScheduling != null && replicaScheduling.replicaSchedulingType !== "Duplicated";
}

function isAggregated({ replicaScheduling }: Placement): boolean {
  return replicaScheduling?.replicaDivisionPreference === "Aggregated";
}

function hasStaticWeights(placement: Placement): boolean {
  return (
    dividesReplicas(placement) &&
    !isAggregated(placement) &&
    !placement.replicaScheduling?.weightPreference?.dynamicWeight
  );
}

function validateStrictSpread(placement: Placement, at: string): Refusal[] {
  if (placement.flaghoist?.strictSpread !== true) return [];
  const constraints = placement.spreadConstraints ?? [];
  if (constraints.length === 0) {
    return [required(`${at}.spreadConstraints`, "strictSpread has nothing to spread by without any")];
  }
  const labels = new Set<string>();
  return constraints.flatMap(({ spreadByLabel }, index) => {
    if (!spreadByLabel) return [];
    const path = `${at}.spreadConstraints[${index}].spreadByLabel`;
    const refusals = checkQualifiedName(spreadByLabel).map((words) => invalid(path, spreadByLabel, words));
    if (labels.has(spreadByLabel)) {
      refusals.push(duplicate(path, spreadByLabel, `a second constraint for label ${spreadByLabel}`));
    }
    labels.add(spreadByLabel);
    return refusals;
  });
}

function validateMinimum(placement: Placement, path: string): Refusal[] {
  const minimum = placement.flaghoist?.minReplicasPerCluster;
  const field = `${path}.minReplicasPerCluster`;
  if (minimum === undefined) return [];
  if (minimum < 1) return [invalid(field, minimum, "must be 1 or more")];
  return dividesReplicas(placement) ? [] : [forbidden(field, NEEDS_DIVIDED)];
}

const MAX_WEIGHT = 100;

function validateScores(placement: Placement, path: string): Refusal[] {
  const scores = placement.flaghoist?.scores ?? [];
  if (scores.length === 0) return [];
  const refusals: Refusal[] = whyScoresCannotCount(placement).map((words) => forbidden(path, words));
  const names = new Set<string>();
  for (const [index, score] of scores.entries()) {
    refusals.push(...validateScore(score, `${path}[${index}]`));
    if (score.name === undefined || score.name === "") continue;
    if (names.has(score.name)) {
      refusals.push(duplicate(`${path}[${index}].name`, score.name, `a second score called ${score.name}`));
    }
    names.add(score.name);
  }
  return refusals;
}

function validateScore({ expression, weight }: PlacementScore, path: string): Refusal[] {
  const compiled = compileScore(expression);
  const refusals = typeof compiled === "string" ? [invalid(`${path}.expression`, expression, compiled)] : [];
  if (weight !== undefined && (weight < 1 || weight > MAX_WEIGHT)) {
    refusals.push(invalid(`${path}.weight`, weight, `must be from 1 to ${MAX_WEIGHT}`));
  }
  return refusals;
}

/** Where every cluster that fits is used, or weights alone decide, a preference would be without any effect. */
function whyScoresCannotCount(placement: Placement): string[] {
  if (isAggregated(placement)) return [];
  const constraints = placement.spreadConstraints ?? [];
  if (placement.flaghoist?.strictSpread === true && constraints.length > 0) return [];
  if (constraints.length === 0) {
    return ["every cluster that fits is used: needs spreadConstraints, or replicaDivisionPreference Aggregated"];
  }
  return hasStaticWeights(placement)
    ? ["static weights do not heed spread constraints, so that every cluster that fits is used: needs strictSpread"]
    : [];
}

function validateMovements(placement: Placement, path: string): Refusal[] {
  const { rescheduleOn, failBack } = placement.flaghoist ?? {};
  const refusals: Refusal[] = [];
  const divides = dividesReplicas(placement);
  if ((rescheduleOn?.length ?? 0) > 0 && !divides) {
    refusals.push(
      forbidden(`${path}.rescheduleOn`, "full copies follow every change of clusters already: needs Divided replicas"),
    );
  }
  for (const [index, change] of (rescheduleOn ?? []).entries()) {
    if (rescheduleOn?.indexOf(change) !== index) {
      refusals.push(duplicate(`${path}.rescheduleOn[${index}]`, change, `${change} is listed twice`));
    }
  }
  if (
    failBack !== undefined &&
    failBack.enabled !== false &&
    !divides &&
    (placement.clusterAffinities ?? []).length < 2
  ) {
    refusals.push(
      forbidden(
        `${path}.failBack`,
        "full copies return by themselves: needs Divided replicas, or clusterAffinities to return to the first of",
      ),
    );
  }
  return refusals;
}
