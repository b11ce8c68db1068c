// What `placement.flaghoist` demands of the clusters of one binding, beyond what Karmada's fields say.

import type { Placement } from "../../../api/policy.ts";
import type { ResourceBindingSpec } from "../../../api/work.ts";
import { strategyOf } from "../division/assign.ts";
import type { Strategy } from "../explanation/trace.ts";
import type { Candidates } from "../fleet/candidates.ts";
import type { PlacementPlan } from "../fleet/plan.ts";
import { dividesReplicas } from "../workload.ts";
import { isStrict, type SpreadGroups, ungrouped } from "./spread-groups.ts";

export interface Terms {
  /** Whether spread constraints of every kind choose clusters, and hold of the result. */
  readonly strict: boolean;
  readonly strategy: Strategy;
  /** Replicas that are divided; 0 when each cluster gets all of them, or none. */
  readonly replicas: number;
  /** The groups of the spread constraints, if they are strict. */
  readonly groups: SpreadGroups;
  /** Fewest replicas of a cluster that counts: 1, or what `minReplicasPerCluster` says. */
  readonly floor: number;
  /** Whether that holds of every cluster in the result, and not only where groups need it. */
  readonly floorsAll: boolean;
  /** Room of the cluster at a position, with what it has of the binding; Infinity where room does not matter. */
  readonly roomOf: (position: number) => number;
  /** What the replicas are divided by, where that is not room. */
  readonly weightOf: ((position: number) => number) | undefined;
}

/** The demands; undefined when the placement means what it means to Karmada. */
export function readTerms(
  spec: ResourceBindingSpec,
  placement: Placement,
  candidates: Candidates,
  plan: PlacementPlan,
): Terms | undefined {
  if (placement.flaghoist == null) return undefined;
  const strict = isStrict(placement);
  const minimum = placement.flaghoist.minReplicasPerCluster ?? 0;
  const strategy = strategyOf(placement);
  if (strategy === undefined || (!strict && minimum === 0)) return undefined;
  const divided = strategy !== "Duplicated" && dividesReplicas(spec) && (spec.replicas ?? 0) > 0;
  if (!strict && !divided) return undefined;
  const byRoom = divided && strategy !== "StaticWeight";
  return {
    strict,
    groups: strict ? plan.spreadGroups() : ungrouped(candidates.records.length),
    strategy,
    replicas: divided ? (spec.replicas ?? 0) : 0,
    floor: divided ? Math.max(1, minimum) : 1,
    floorsAll: divided && minimum > 0,
    roomOf: byRoom ? (position) => candidates.available(position) : () => Number.POSITIVE_INFINITY,
    weightOf: divided && !byRoom ? staticWeightOf(candidates, plan) : undefined,
  };
}

/** Static weights; where all candidates have none, they are alike. */
function staticWeightOf(candidates: Candidates, plan: PlacementPlan): (position: number) => number {
  const weights = plan.staticWeights();
  const some = Array.from(candidates.positions).some((position) => (weights[position] as number) > 0);
  return some ? (position) => weights[position] as number : () => 1;
}
