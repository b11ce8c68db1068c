// Topology spread constraints of a Pod, read once.

import { isObject } from "../../../kube/object.ts";
import type { LabelRequirement } from "../../../kube/selectors.ts";
import { type Labels, listOf, ownLabels, readSelector } from "./affinity-terms.ts";

/** An entry of `topologySpreadConstraints`. */
export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  /** Undefined selects no Pod; an empty list selects none either when Pods are counted, as Kubernetes. */
  readonly selector: readonly LabelRequirement[] | undefined;
  readonly minDomains: number;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** A Pod's constraints, by what they do. */
export interface SpreadConstraints {
  /** `DoNotSchedule`. */
  readonly hard: readonly SpreadConstraint[];
  /** `ScheduleAnyway`. */
  readonly soft: readonly SpreadConstraint[];
}

const NONE: SpreadConstraints = { hard: [], soft: [] };

/** Reads `spec.topologySpreadConstraints`. */
export function readSpreadConstraints(value: unknown, labels: Labels): SpreadConstraints {
  const all = listOf(value);
  if (all.length === 0) return NONE;
  return {
    hard: all.filter((each) => each["whenUnsatisfiable"] === "DoNotSchedule").map((each) => readOne(each, labels)),
    soft: all.filter((each) => each["whenUnsatisfiable"] === "ScheduleAnyway").map((each) => readOne(each, labels)),
  };
}

function readOne(constraint: Readonly<Record<string, unknown>>, labels: Labels): SpreadConstraint {
  const base = isObject(constraint["labelSelector"]) ? readSelector(constraint["labelSelector"]) : undefined;
  const own = ownLabels(constraint["matchLabelKeys"], labels).map(
    ([key, value]): LabelRequirement => ({ key, operator: "=", values: [value] }),
  );
  return {
    maxSkew: Number(constraint["maxSkew"] ?? 1),
    topologyKey: String(constraint["topologyKey"] ?? ""),
    selector: base === undefined ? undefined : [...own, ...base],
    minDomains: Number(constraint["minDomains"] ?? 1),
    honorsAffinity: constraint["nodeAffinityPolicy"] !== "Ignore",
    honorsTaints: constraint["nodeTaintsPolicy"] === "Honor",
  };
}
