// The full account of one scheduling decision, for people and for replay. Made only when asked for.

import type { TargetCluster } from "../../../api/work.ts";
import type { SeatStep, Share } from "../division/webster.ts";
import type { Refusal } from "../fleet/refusals.ts";
import type { ClusterScore } from "../fleet/scores.ts";
import type { SchedulingErrorKind } from "../scheduling-error.ts";

export interface ClusterTrace {
  readonly cluster: string;
  /** `chosen`: in the result. `spare`: passed the filters, not needed. `refused`: by `refusals`. `deleting`: going away. */
  readonly verdict: "chosen" | "spare" | "refused" | "deleting";
  readonly refusals: readonly Refusal[];
  /** Filters that were not asked because the cluster is a current target, and would have refused. */
  readonly waived: readonly Refusal[];
  /** Only for clusters that passed the filters: */
  readonly score?: number;
  /** Each of the scores beyond Karmada's that are in it. */
  readonly scores?: readonly ClusterScore[];
  /** Overflow tier: 0 is the affinity group itself. */
  readonly tier?: number;
  /** Replicas that fit beside those the cluster has; absent when the workload has none and nothing was estimated. */
  readonly estimate?: number;
  /** What the cluster itself reports room for, and who knew of less; only where somebody did. */
  readonly reported?: number;
  readonly loweredBy?: string;
  readonly assigned?: number;
  readonly available?: number;
  readonly replicas?: number;
}

export interface RegionTrace {
  readonly region: string;
  readonly clusters: readonly string[];
  readonly weight: number;
  readonly chosen: boolean;
}

/** One group of a spread constraint under `strictSpread`. */
export interface GroupTrace {
  /** `region`, `zone`, `provider` or `label KEY`. */
  readonly by: string;
  readonly group: string;
  readonly clusters: readonly string[];
  readonly weight: number;
  readonly chosen: boolean;
}

export interface SelectionTrace {
  /** Why these clusters: all that passed, as a spread constraint has it, or all of them with `strictSpread`. */
  readonly by: "all" | "cluster" | "region" | "strict";
  readonly path: string;
  readonly reason: string;
  /** Replicas the selection must have room for; absent when room does not matter. */
  readonly needReplicas?: number;
  readonly regions?: readonly RegionTrace[];
  readonly groups?: readonly GroupTrace[];
  /** Clusters exchanged for larger ones to make room. */
  readonly swaps?: readonly { readonly out: string; readonly in: string }[];
  readonly selected: readonly string[];
}

export type Strategy = "Duplicated" | "StaticWeight" | "DynamicWeight" | "Aggregated";

/** How one strategy divided one number of replicas; one per overflow tier in use. */
export interface DivisionTrace {
  readonly strategy: Strategy;
  /** `fresh` forgets the present division; `steady` changes as little of it as it can. */
  readonly mode: "fresh" | "steady";
  readonly action: "duplicate" | "divide" | "scale-up" | "scale-down" | "keep";
  readonly tier?: number;
  readonly replicas: number;
  /** Replicas that were actually divided: on scaling up only those that were added. */
  readonly target: number;
  readonly previous: readonly TargetCluster[];
  /** What clusters get at least, whatever their weight: for `minReplicasPerCluster` or the groups of `strictSpread`. */
  readonly floors?: readonly TargetCluster[];
  readonly weights: readonly Share[];
  /** The first steps of the division, up to a limit. */
  readonly seats: readonly SeatStep[];
  /** Whether equals went to the last name rather than the first, as the UID of the resource decides. */
  readonly namesDescend: boolean;
}

/** What a rule of `staticWeightList` gave its weight to; a rule that others outweigh everywhere has no clusters. */
export interface WeightRuleTrace {
  /** Index in the list. */
  readonly rule: number;
  readonly weight: number;
  /** Clusters that passed the filters and have their weight from this rule. */
  readonly clusters: readonly string[];
}

export interface SchedulingTrace {
  /** What was placed: `apps/v1 Deployment shop/web`. */
  readonly object: string;
  readonly replicas: number;
  readonly fleetVersion: number;
  readonly strategy: Strategy | "none";
  readonly affinityGroup?: string;
  readonly clusters: readonly ClusterTrace[];
  readonly selection?: SelectionTrace;
  readonly divisions: readonly DivisionTrace[];
  readonly weightRules?: readonly WeightRuleTrace[];
  readonly error?: { readonly kind: SchedulingErrorKind; readonly message: string };
}

/** Collects what the steps of one decision tell of themselves. */
export class TraceCollector {
  selection: SelectionTrace | undefined;
  readonly divisions: DivisionTrace[] = [];
}
