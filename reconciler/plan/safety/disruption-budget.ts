// Budgets of disruptions that, with the replicas that each cluster gets, let no pod be evicted.
import type { ReportFinding } from "../../../api/plan-report.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { count, objectName } from "../../reports/words.ts";
import type { Outcome } from "../river.ts";
import { about, isOfKind, type ReviewedSide, specOf } from "./reviewed-change.ts";
import { type SelectingOutcome, selectingOutcomes } from "./selects-nothing.ts";

/** What a budget comes to in a cluster with so many pods. */
export interface BudgetState {
  readonly allowed: number;
  /** Pods that must be there; more than there are when they are too few. */
  readonly required: number;
}

export function disruptionBudget(side: ReviewedSide): readonly ReportFinding[] {
  return selectingOutcomes(side)
    .filter(({ outcome }) => isOfKind(outcome.ref, "policy/PodDisruptionBudget"))
    .flatMap((selecting) => budgetFindings(side, selecting));
}

function budgetFindings(side: ReviewedSide, { outcome, selected }: SelectingOutcome): ReportFinding[] {
  const groups = new Map<string, { manifest: KubeObject; state: BudgetState; pods: number; clusters: string[] }>();
  for (const { cluster, manifest } of outcome.copies) {
    const pods = podsIn(cluster, selected);
    const state = pods === undefined || pods === 0 ? undefined : budgetState(manifest, pods);
    if (pods === undefined || state === undefined || state.allowed > 0) continue;
    const key = JSON.stringify([pods, specOf(manifest)["minAvailable"], specOf(manifest)["maxUnavailable"]]);
    const group = groups.get(key) ?? { manifest, state, pods, clusters: [] };
    group.clusters.push(cluster);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ manifest, state, pods, clusters }): ReportFinding => {
    const name = objectName(outcome.ref);
    const field = specOf(manifest)["minAvailable"] === undefined ? "maxUnavailable" : "minAvailable";
    const limit = `${field} ${String(specOf(manifest)[field])}`;
    const common = { ...about(side.change, outcome.ref), field: `spec.${field}`, clusters: clusters.sort() };
    if (state.required > pods)
      return {
        rule: "budget-below-minimum",
        severity: "warning",
        ...common,
        message: `${count(pods, "replica")} in each of these clusters ${pods === 1 ? "is" : "are"} below the minimum of ${name} (${limit}): nodes there cannot be drained`,
        advice: `write ${field} as a percentage, or let its policy give each cluster at least ${state.required + 1}`,
      };
    return {
      rule: "budget-allows-nothing",
      severity: "warning",
      ...common,
      message: `${name} allows no disruption (${limit} of ${count(pods, "replica")}): nodes of these clusters cannot be drained`,
      advice: "set maxUnavailable: 1 instead, or place more replicas there",
    };
  });
}

/** Undefined when it cannot be told, as of what runs once on every node. */
function podsIn(cluster: string, selected: readonly Outcome[]): number | undefined {
  let pods = 0;
  for (const { copies, unknown } of selected) {
    if (unknown !== undefined) return undefined;
    const copy = copies.find((one) => one.cluster === cluster);
    if (copy === undefined) continue;
    const { replicas = specOf(copy.manifest)["replicas"] } = copy;
    if (typeof replicas !== "number") return undefined;
    pods += replicas;
  }
  return pods;
}

/** Undefined when the budget sets no limit that is understood. */
export function budgetState(budget: KubeObject, pods: number): BudgetState | undefined {
  const { minAvailable, maxUnavailable } = specOf(budget);
  if (minAvailable !== undefined) {
    const required = amountOf(minAvailable, pods);
    return required === undefined ? undefined : { required, allowed: Math.max(0, pods - required) };
  }
  const most = amountOf(maxUnavailable, pods);
  if (most === undefined) return undefined;
  return { required: Math.max(0, pods - most), allowed: Math.min(most, pods) };
}

/** As Kubernetes: both percentages are rounded up. */
function amountOf(given: unknown, pods: number): number | undefined {
  if (typeof given === "number") return given;
  const percent = typeof given === "string" ? /^([0-9]{1,3})%$/.exec(given) : null;
  return percent === null ? undefined : Math.ceil((Number(percent[1]) * pods) / 100);
}
