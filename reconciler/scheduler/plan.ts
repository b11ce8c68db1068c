// What a placement makes of a fleet, apart from any one binding: computed once per placement and fleet.

import type { ClusterAffinity, Placement } from "../../api/policy.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { Candidates } from "./candidates.ts";
import type { ClusterRecord } from "./cluster-record.ts";
import type { EstimateTable } from "./estimate-tables.ts";
import { type AffinityChoice, affinityTest, chooseAffinity, findGroup, overflowTier, refusalBits } from "./filters.ts";

/** Candidates in cluster order, and how many changes of the estimates they have seen. */
interface Sorted {
  readonly candidates: Candidates;
  readonly seen: number;
}

/** One placement, one kind of resource and one affinity group, over one state of the fleet. */
export class PlacementPlan {
  readonly placement: Placement;
  readonly affinity: AffinityChoice;
  /** Bits of the filters that refuse each cluster, by position. */
  readonly refusals: Uint8Array;
  /** Tier of each cluster by position; absent when the affinity group does not decide, and all tiers are 0. */
  readonly tiers: Uint16Array | undefined;
  readonly #records: readonly ClusterRecord[];
  readonly #feasible = new Map<number, Int32Array>();
  readonly #sorted = new WeakMap<EstimateTable, Map<number, Sorted>>();
  #staticWeights: Float64Array | undefined;

  /** `servesApi` says, by position, which clusters serve the resource. */
  constructor(
    records: readonly ClusterRecord[],
    placement: Placement,
    servesApi: Uint8Array,
    groupName: string,
    workload: boolean,
  ) {
    this.#records = records;
    this.placement = placement;
    this.affinity = chooseAffinity(placement, groupName, workload);
    const isSelected = affinityTest(this.affinity);
    this.refusals = Uint8Array.from(records, (record, position) =>
      refusalBits(record, placement, isSelected, servesApi[position] === 1),
    );
    this.tiers = readTiers(records, placement, groupName);
  }

  /** Positions of the clusters that no filter in `mask` refuses, ascending. */
  feasible(mask: number): Int32Array {
    let positions = this.#feasible.get(mask);
    if (positions === undefined) {
      positions = Int32Array.from(this.#records.keys()).filter(
        (position) => ((this.refusals[position] as number) & mask) === 0,
      );
      this.#feasible.set(mask, positions);
    }
    return positions;
  }

  /** The candidates of a binding without previous targets and evictions, in cluster order. */
  candidates(table: EstimateTable, mask: number): Candidates {
    let byMask = this.#sorted.get(table);
    if (byMask === undefined) {
      byMask = new Map();
      this.#sorted.set(table, byMask);
    }
    const known = byMask.get(mask);
    const seen = table.changes.length;
    if (known !== undefined && known.seen === seen) return known.candidates;
    const candidates =
      known === undefined
        ? Candidates.sorted(this.#records, this.feasible(mask), table.values, this.tiers)
        : known.candidates.reordered(new Set(table.changes.slice(known.seen)));
    byMask.set(mask, { candidates, seen });
    return candidates;
  }

  /** The candidates when the estimates are this binding's own. */
  ownCandidates(values: Int32Array, mask: number): Candidates {
    return Candidates.sorted(this.#records, this.feasible(mask), values, this.tiers);
  }

  /** Static weight of each cluster by position: the highest of the rules that select it, 0 when none does. */
  staticWeights(): Float64Array {
    this.#staticWeights ??= readStaticWeights(this.#records, this.placement);
    return this.#staticWeights;
  }
}

function readTiers(
  records: readonly ClusterRecord[],
  placement: Placement,
  groupName: string,
): Uint16Array | undefined {
  if (placement.clusterAffinities == null || placement.clusterAffinity != null) return undefined;
  const group = placement.clusterAffinities[findGroup(placement, groupName)];
  if (group === undefined || group.overflowAffinities == null) return undefined;
  return Uint16Array.from(records, (record) => overflowTier(record, group));
}

function readStaticWeights(records: readonly ClusterRecord[], placement: Placement): Float64Array {
  const weights = new Float64Array(records.length);
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList;
  if (rules == null) return weights.fill(placement.replicaScheduling?.weightPreference == null ? 1 : 0);
  for (const rule of rules) {
    const affinity: ClusterAffinity = rule.targetCluster;
    for (const [position, record] of records.entries()) {
      if (rule.weight > (weights[position] as number) && clusterMatches(record.cluster, affinity)) {
        weights[position] = rule.weight;
      }
    }
  }
  return weights;
}
