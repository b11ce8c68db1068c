// What a placement makes of a fleet, apart from any one binding: computed once per placement and fleet.

import type { ClusterAffinityTerm, Placement } from "../../../api/policy.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import type { EstimateTable } from "../estimates/estimate-tables.ts";
import { groupFleet, type SpreadGroups } from "../selection/spread-groups.ts";
import { Candidates } from "./candidates.ts";
import { type ClusterRecord, servesApi } from "./cluster-record.ts";
import type { ClusterTables } from "./cluster-tables.ts";
import {
  AFFINITY_BIT,
  type AffinityChoice,
  API_BIT,
  affinityTest,
  type ClusterTest,
  chooseAffinity,
  DELETING_BIT,
  findGroup,
  overflowTier,
  refusalBits,
  SPREAD_BIT,
  TAINT_BIT,
} from "./filters.ts";
import type { ScoreTable } from "./score-tables.ts";

/** Candidates in cluster order, and how many changes of the estimates and of the clusters they have seen. */
interface Sorted {
  readonly candidates: Candidates;
  readonly seen: number;
  readonly seenClusters: number;
  readonly scores: ScoreTable | undefined;
  readonly seenScores: number;
}

export interface PlanRequest {
  /** Every cluster by position; changes in place. */
  readonly records: readonly ClusterRecord[];
  readonly tables: ClusterTables;
  /** Positions of clusters that changed in what filters look at, in order; grows. */
  readonly log: readonly number[];
  readonly placement: Placement;
  readonly resource: { readonly apiVersion: string; readonly kind: string };
  readonly groupName: string;
  readonly workload: boolean;
}

/** One placement, one kind of resource and one affinity group, over a fleet whose changes it follows. */
export class PlacementPlan {
  readonly placement: Placement;
  readonly affinity: AffinityChoice;
  /** Bits of the filters that refuse each cluster, by position. */
  readonly refusals: Uint8Array;
  /** Tier of each cluster by position; absent when the affinity group does not decide, and all tiers are 0. */
  readonly tiers: Uint16Array | undefined;
  readonly #request: PlanRequest;
  readonly #isSelected: ClusterTest;
  readonly #feasible = new Map<number, Int32Array>();
  readonly #sorted = new WeakMap<EstimateTable, Map<number, Sorted>>();
  #staticWeights: Float64Array | undefined;
  #spreadGroups: SpreadGroups | undefined;
  #seen: number;

  constructor(request: PlanRequest) {
    const { placement, groupName, workload, log } = request;
    this.#request = request;
    this.placement = placement;
    this.affinity = chooseAffinity(placement, groupName, workload);
    this.#isSelected = affinityTest(this.affinity);
    this.refusals = readRefusals(request, this.affinity);
    this.tiers = readTiers(request);
    this.#seen = log.length;
  }

  /** Asks again about the clusters that changed since. */
  catchUp(): this {
    const { records, log, placement, resource } = this.#request;
    if (this.#seen === log.length) return this;
    for (; this.#seen < log.length; this.#seen++) {
      const position = log[this.#seen] as number;
      const record = records[position] as ClusterRecord;
      const serves = servesApi(record.cluster, resource.apiVersion, resource.kind);
      this.refusals[position] = refusalBits(record, placement, this.#isSelected, serves);
      const group = overflowGroup(this.#request);
      if (this.tiers !== undefined && group !== undefined) this.tiers[position] = overflowTier(record, group);
      if (this.#staticWeights !== undefined) this.#staticWeights[position] = staticWeight(record, placement);
    }
    this.#feasible.clear();
    this.#spreadGroups = undefined;
    return this;
  }

  /** Positions of the clusters that no filter in `mask` refuses, ascending. */
  feasible(mask: number): Int32Array {
    let positions = this.#feasible.get(mask);
    if (positions === undefined) {
      positions = this.#keepFeasible(Int32Array.from(this.#request.records.keys()), mask);
      this.#feasible.set(mask, positions);
    }
    return positions;
  }

  /** The candidates of a binding without previous targets and evictions, in cluster order. */
  candidates(table: EstimateTable, mask: number, scores?: ScoreTable): Candidates {
    let byMask = this.#sorted.get(table);
    if (byMask === undefined) {
      byMask = new Map();
      this.#sorted.set(table, byMask);
    }
    const before = byMask.get(mask);
    // Other scores than before are those of another object.
    const known = before?.scores === scores ? before : undefined;
    const seen = table.changes.length;
    const seenScores = scores?.changes.length ?? 0;
    const { log, records } = this.#request;
    if (known?.seen === seen && known.seenClusters === log.length && known.seenScores === seenScores) {
      return known.candidates;
    }
    const candidates =
      known === undefined
        ? Candidates.ordered(
            records,
            this.#keepFeasible(table.byRoom(), mask),
            table.values,
            this.tiers,
            scores?.values,
          )
        : known.candidates.reordered(
            new Set([
              ...table.changes.slice(known.seen),
              ...log.slice(known.seenClusters),
              ...(scores?.changes.slice(known.seenScores) ?? []),
            ]),
            (position) => ((this.refusals[position] as number) & mask) === 0,
          );
    byMask.set(mask, { candidates, seen, seenClusters: log.length, scores, seenScores });
    return candidates;
  }

  /** The candidates when the estimates or scores are this binding's own. */
  ownCandidates(values: Int32Array, mask: number, scores?: Float64Array): Candidates {
    return Candidates.sorted(this.#request.records, this.feasible(mask), values, this.tiers, scores);
  }

  #keepFeasible(positions: Int32Array, mask: number): Int32Array {
    const kept = new Int32Array(positions.length);
    let count = 0;
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i] as number;
      if (((this.refusals[position] as number) & mask) === 0) kept[count++] = position;
    }
    return kept.slice(0, count);
  }

  /** The groups that spread constraints make, for `strictSpread`. */
  spreadGroups(): SpreadGroups {
    this.#spreadGroups ??= groupFleet(this.placement, this.#request.records);
    return this.#spreadGroups;
  }

  /** Static weight of each cluster by position: the highest of the rules that select it, 0 when none does. */
  staticWeights(): Float64Array {
    this.#staticWeights ??= readStaticWeights(this.#request);
    return this.#staticWeights;
  }
}

/** `refusalBits` of every cluster, put together from what the parts of the placement say. */
function readRefusals(request: PlanRequest, { primary, overflow }: AffinityChoice): Uint8Array {
  const { tables, placement, resource, records } = request;
  const bits = new Uint8Array(records.length);
  const serving = tables.serving(resource.apiVersion, resource.kind);
  const tainted = tables.tainted(placement.clusterTolerations);
  const deleting = tables.deleting();
  const lacking = tables.lacking(placement);
  const selected = primary === undefined ? undefined : [primary, ...overflow].map((one) => tables.selected(one));
  for (let i = 0; i < bits.length; i++) {
    let own = serving[i] === 1 ? 0 : API_BIT;
    if (tainted[i] === 1) own |= TAINT_BIT;
    if (deleting[i] === 1) own |= DELETING_BIT;
    if (selected?.every((values) => values[i] === 0) === true) own |= AFFINITY_BIT;
    for (const values of lacking) if (values[i] === 1) own |= SPREAD_BIT;
    bits[i] = own;
  }
  return bits;
}

function overflowGroup({ placement, groupName }: PlanRequest): ClusterAffinityTerm | undefined {
  if (placement.clusterAffinities == null || placement.clusterAffinity != null) return undefined;
  const group = placement.clusterAffinities[findGroup(placement, groupName)];
  return group?.overflowAffinities == null ? undefined : group;
}

function readTiers(request: PlanRequest): Uint16Array | undefined {
  const group = overflowGroup(request);
  return group === undefined ? undefined : Uint16Array.from(request.records, (record) => overflowTier(record, group));
}

function readStaticWeights({ records, placement, tables }: PlanRequest): Float64Array {
  const weights = new Float64Array(records.length);
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList;
  if (rules == null) return weights.fill(equalWeight(placement));
  for (const { targetCluster, weight } of rules) {
    const selected = tables.selected(targetCluster);
    for (let i = 0; i < weights.length; i++) {
      if (selected[i] === 1 && weight > (weights[i] as number)) weights[i] = weight;
    }
  }
  return weights;
}

/** Weight of one cluster: the highest of the rules that select it, 0 when none does. */
function staticWeight(record: ClusterRecord, placement: Placement): number {
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList;
  if (rules == null) return equalWeight(placement);
  return rules.reduce(
    (most, { targetCluster, weight }) =>
      weight > most && clusterMatches(record.cluster, targetCluster) ? weight : most,
    0,
  );
}

function equalWeight(placement: Placement): number {
  return placement.replicaScheduling?.weightPreference == null ? 1 : 0;
}
