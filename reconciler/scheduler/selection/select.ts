// Which of the candidates take part, as the spread constraints of the placement have it.

import type { Placement, SpreadConstraint } from "../../../api/policy.ts";
import { compareNames } from "../division/webster.ts";
import type { TraceCollector } from "../explanation/trace.ts";
import type { Candidates, RegionCandidates } from "../fleet/candidates.ts";
import { SchedulingError } from "../scheduling-error.ts";
import { type Group, selectGroups } from "./groups.ts";
import { selectStrictly } from "./select-strictly.ts";
import type { Terms } from "./terms.ts";

export interface SelectionRequest {
  readonly candidates: Candidates;
  readonly placement: Placement;
  /** Replicas of the binding. */
  readonly replicas: number;
  /** Replicas the chosen clusters must have room for. */
  readonly needReplicas: number;
  /** Whether sets of components are placed whole, so that `needReplicas` is one set. */
  readonly sets?: boolean;
  /** Forget where replicas are. */
  readonly fresh?: boolean;
  /** What `placement.flaghoist` demands. */
  readonly terms?: Terms | undefined;
  readonly trace?: TraceCollector | undefined;
}

/** Positions of the clusters to use, in the order of preference. */
export function selectClusters(request: SelectionRequest): ArrayLike<number> | SchedulingError {
  const { terms } = request;
  if (terms === undefined) return selectAsKarmada(request);
  if (terms.strict)
    return selectStrictly({
      ...request,
      terms,
      fresh: request.fresh === true,
      roomWhole: request.sets === true ? 1 : 0,
    });
  return selectForFloors(request, terms);
}

/** As Karmada, among the clusters that have room for the fewest replicas, and no more of them than can have these. */
function selectForFloors(request: SelectionRequest, terms: Terms): ArrayLike<number> | SchedulingError {
  const { placement } = request;
  const { floor, replicas, roomOf } = terms;
  const candidates = request.candidates.keeping((position) => roomOf(position) >= floor);
  const most = Math.floor(replicas / floor);
  const problem =
    most === 0
      ? `${replicas} replicas are too few`
      : candidates.positions.length === 0
        ? `no cluster has room for ${floor} replicas`
        : undefined;
  if (problem !== undefined) {
    return new SchedulingError("Unschedulable", `${problem}: minReplicasPerCluster is ${floor}`);
  }
  const spreadConstraints = placement.spreadConstraints?.map((constraint) =>
    constraint.spreadByField === "cluster"
      ? { ...constraint, maxGroups: Math.min(constraint.maxGroups ?? 0, most) }
      : constraint,
  );
  const narrowed = spreadConstraints === undefined ? placement : { ...placement, spreadConstraints };
  return selectAsKarmada({ ...request, candidates, placement: narrowed });
}

function selectAsKarmada(request: SelectionRequest): ArrayLike<number> | SchedulingError {
  const { candidates, placement, trace } = request;
  const constraints = placement.spreadConstraints ?? [];
  if (constraints.length === 0 || ignoresSpread(placement)) {
    if (trace !== undefined) {
      const reason =
        constraints.length === 0 ? "no spread constraints" : "static weights do not heed spread constraints";
      const path = constraints.length === 0 ? "placement" : "placement.replicaScheduling";
      trace.selection = { by: "all", path, reason, selected: namesOf(candidates, candidates.positions) };
    }
    return candidates.positions;
  }
  const region = lastFor(constraints, "region");
  const cluster = lastFor(constraints, "cluster");
  if (region !== undefined) return selectByRegion(request, region, cluster);
  if (cluster !== undefined) return selectByCluster(request, cluster);
  return new SchedulingError("SchedulerError", "just support cluster and region spread constraint");
}

/** True for Duplicated, which puts every replica everywhere and does not ask for room. */
export function ignoresRoom(placement: Placement): boolean {
  return placement.replicaScheduling == null || placement.replicaScheduling.replicaSchedulingType === "Duplicated";
}

function ignoresSpread(placement: Placement): boolean {
  const strategy = placement.replicaScheduling;
  if (strategy == null || ignoresRoom(placement) || strategy.replicaDivisionPreference !== "Weighted") return false;
  const preference = strategy.weightPreference;
  return preference == null || ((preference.staticWeightList?.length ?? 0) > 0 && !preference.dynamicWeight);
}

function lastFor(
  constraints: readonly SpreadConstraint[],
  field: "cluster" | "region",
): { readonly min: number; readonly max: number; readonly index: number } | undefined {
  const index = constraints.findLastIndex((constraint) => constraint.spreadByField === field);
  const found = constraints[index];
  return found === undefined ? undefined : { min: found.minGroups ?? 0, max: found.maxGroups ?? 0, index };
}

interface Bounds {
  readonly min: number;
  /** No limit is no default: 0 selects nothing. */
  readonly max: number;
  readonly index: number;
}

function selectByCluster(request: SelectionRequest, bounds: Bounds): ArrayLike<number> | SchedulingError {
  const { candidates, placement, needReplicas, trace } = request;
  const all = candidates.positions;
  if (all.length < bounds.min) {
    return failed("the number of feasible clusters is less than spreadConstraint.MinGroups");
  }
  const count = Math.min(all.length, bounds.max);
  const swaps: { out: string; in: string }[] = [];
  let chosen: ArrayLike<number> | undefined = sliceOf(all, 0, count);
  if (!ignoresRoom(placement)) {
    chosen = exchangeForRoom(candidates, count, needReplicas, (out, into) =>
      swaps.push({ out: nameOf(candidates, out), in: nameOf(candidates, into) }),
    );
  }
  if (trace !== undefined) {
    trace.selection = {
      by: "cluster",
      path: `placement.spreadConstraints[${bounds.index}]`,
      reason: `${count} of ${all.length} clusters (minGroups ${bounds.min}, maxGroups ${bounds.max})`,
      ...(ignoresRoom(placement) ? {} : { needReplicas }),
      swaps,
      selected: namesOf(candidates, chosen ?? []),
    };
  }
  return chosen ?? failed(`no enough resource when selecting ${count} clusters`);
}

/**
 * The first `count` candidates, of which the least preferred are exchanged, one after the other, for the largest
 * others until there is room for `need` replicas; undefined when there is not.
 */
function exchangeForRoom(
  candidates: Candidates,
  count: number,
  need: number,
  onSwap: (out: number, into: number) => void,
): ArrayLike<number> | undefined {
  if (count === 0) return undefined;
  let room = 0;
  for (let i = 0; i < count; i++) room += candidates.available(candidates.positions[i] as number);
  if (room >= need) return sliceOf(candidates.positions, 0, count);
  const chosen = Array.from(sliceOf(candidates.positions, 0, count));
  const rest = Array.from(sliceOf(candidates.positions, count, candidates.positions.length));
  for (let i = count - 1; i >= 0 && room < need; i--) {
    const out = chosen[i] as number;
    let largest = candidates.available(out);
    let found = -1;
    for (const [index, position] of rest.entries()) {
      if (candidates.available(position) > largest) {
        largest = candidates.available(position);
        found = index;
      }
    }
    if (found < 0) continue;
    const into = rest[found] as number;
    room += candidates.available(into) - candidates.available(out);
    chosen[i] = into;
    rest[found] = out;
    onSwap(out, into);
  }
  return room >= need ? chosen : undefined;
}

interface RegionGroup extends Group {
  readonly region: RegionCandidates;
}

function selectByRegion(
  request: SelectionRequest,
  region: Bounds,
  cluster: Bounds | undefined,
): ArrayLike<number> | SchedulingError {
  const { candidates, trace } = request;
  const regions = candidates.regions();
  if (regions.length < region.min) {
    return failed("the number of feasible region is less than spreadConstraint.MinGroups");
  }
  const minClusters = cluster?.min ?? 0;
  const groups: RegionGroup[] = regions.map((entry) => ({
    name: entry.name,
    value: entry.positions.length,
    weight: scoreGroup(request, entry.positions, region.min, minClusters),
    region: entry,
  }));
  const chosen = selectGroups(groups, { min: region.min, max: region.max, target: minClusters });
  const positions = chosen.length === 0 ? [] : pickFromRegions(candidates, chosen, cluster?.max ?? 0);
  if (trace !== undefined) {
    trace.selection = {
      by: "region",
      path: `placement.spreadConstraints[${region.index}]`,
      reason: `${chosen.length} of ${regions.length} regions (minGroups ${region.min}, maxGroups ${region.max})`,
      regions: groups
        .map((group) => ({
          region: group.name,
          clusters: namesOf(candidates, group.region.positions),
          weight: group.weight,
          chosen: chosen.includes(group),
        }))
        .sort((a, b) => b.weight - a.weight || compareNames(a.region, b.region)),
      selected: namesOf(candidates, positions),
    };
  }
  if (chosen.length === 0) {
    return failed("the number of clusters is less than the cluster spreadConstraint.MinGroups");
  }
  return positions;
}

/** The best cluster of each region, then the best of the others until there are `max`. */
function pickFromRegions(candidates: Candidates, groups: readonly RegionGroup[], max: number): number[] {
  const lists = groups.map((group) => group.region.positions);
  const picked = lists.map((list) => list[0] as number);
  // Every list is in cluster order already, so that the best of the others is always first in one of them.
  const heads = lists.map(() => 1);
  while (picked.length < max) {
    let best = -1;
    for (let i = 0; i < lists.length; i++) {
      const own = lists[i]?.[heads[i] as number];
      if (own === undefined) continue;
      const other = best < 0 ? undefined : lists[best]?.[heads[best] as number];
      if (other === undefined || candidates.compare(own, other) < 0) best = i;
    }
    if (best < 0) break;
    picked.push(lists[best]?.[heads[best] as number] as number);
    heads[best] = (heads[best] as number) + 1;
  }
  return picked;
}

const REPLICA_WEIGHT = 1000;

/** How well a region can take its part: first by replicas (or clusters, if duplicated), then by score. */
function scoreGroup(
  request: SelectionRequest,
  positions: readonly number[],
  minRegions: number,
  minClusters: number,
): number {
  const { candidates, replicas, placement } = request;
  if (ignoresRoom(placement)) {
    let valid = 0;
    let scores = 0;
    for (const position of positions) {
      if (candidates.available(position) < replicas) continue;
      valid++;
      scores += candidates.score(position);
    }
    return valid === 0 ? 0 : valid * REPLICA_WEIGHT + Math.floor(scores / valid);
  }
  const target = minRegions > 0 ? Math.ceil(replicas / minRegions) : 0;
  const wanted = Math.max(minClusters, minRegions);
  let count = 0;
  let available = 0;
  let scores = 0;
  for (const position of positions) {
    count++;
    available += candidates.available(position);
    scores += candidates.score(position);
    if (count >= wanted && available >= target) break;
  }
  if (available < target) return available * REPLICA_WEIGHT + Math.floor(scores / positions.length);
  return target * REPLICA_WEIGHT + Math.floor(scores / count);
}

function failed(message: string): SchedulingError {
  return new SchedulingError("SchedulerError", message);
}

function sliceOf(list: ArrayLike<number>, start: number, end: number): ArrayLike<number> {
  return list instanceof Int32Array ? list.subarray(start, end) : Array.prototype.slice.call(list, start, end);
}

function nameOf(candidates: Candidates, position: number): string {
  return candidates.records[position]?.name ?? "";
}

function namesOf(candidates: Candidates, positions: ArrayLike<number>): string[] {
  return Array.from(positions, (position) => nameOf(candidates, position));
}
