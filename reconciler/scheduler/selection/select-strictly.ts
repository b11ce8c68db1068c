// Which of the candidates take part where `strictSpread` makes every spread constraint choose.

import type { Placement } from "../../../api/policy.ts";
import type { GroupTrace, TraceCollector } from "../explanation/trace.ts";
import type { Candidates } from "../fleet/candidates.ts";
import type { SchedulingError } from "../scheduling-error.ts";
import type { SearchRequest } from "./same-groups.ts";
import { FEW_LOOKS, SearchBudget } from "./search-budget.ts";
import { type ClusterBounds, clusterBounds, type GroupConstraint } from "./spread-groups.ts";
import { type Demands, SpreadSearch } from "./spread-search.ts";
import { type Shortage, whyNoSpread } from "./spread-shortage.ts";
import type { Terms } from "./terms.ts";

export interface StrictSelection {
  readonly candidates: Candidates;
  readonly placement: Placement;
  readonly terms: Terms;
  /** All replicas of the binding, also where they are not divided. */
  readonly replicas: number;
  /** Room that a cluster must have when nothing is divided: 1 for sets of components, else 0. */
  readonly roomWhole: number;
  /** Forget where replicas are. */
  readonly fresh: boolean;
  readonly trace?: TraceCollector | undefined;
}

/**
 * Positions of the clusters to use, in the order of preference.
 *
 * Constraint by constraint, from the widest groups to the narrowest, groups are taken as long as a choice that meets
 * all constraints remains: those in use, then the heaviest, until there are as few as will do. Then the clusters of these groups are taken in
 * order of preference, again as long as such a choice remains, up to the number that is allowed (and that can get a
 * replica each). So the answer depends on nothing but fleet, placement and replicas, and there is one whenever the
 * search, which has a limit, finds one.
 */
export function selectStrictly(request: StrictSelection): readonly number[] | SchedulingError {
  const { candidates, placement, terms, trace } = request;
  const bounds = clusterBounds(placement);
  const preferred = inPreference(request);
  const budget = new SearchBudget();
  const searched = withinTiers(candidates, preferred, (positions) => ({
    groups: terms.groups,
    positions,
    roomOf: terms.roomOf,
    need: terms.replicas,
    least: bounds.min,
    most: Math.min(bounds.max, mostClusters(terms)),
  }));
  let found: Found | undefined;
  for (const search of searched) {
    const spread = new SpreadSearch(search, budget);
    const witness = spread.find();
    if (witness !== undefined) {
      found = { search, spread, witness };
      break;
    }
  }
  if (found === undefined) return refuse(request, searched.at(-1) as SearchRequest, bounds, budget);
  const choice = chooseGroups(request, found);
  const selected = chooseClusters(found, choice);
  if (trace !== undefined) {
    trace.selection = {
      by: "strict",
      path: "placement.spreadConstraints",
      reason: describeChoice(found, choice, selected, budget),
      ...(terms.replicas > 0 && terms.weightOf === undefined ? { needReplicas: terms.replicas } : {}),
      groups: choice.traces,
      selected: selected.map((position) => candidates.records[position]?.name ?? ""),
    };
  }
  return selected;
}

interface Found {
  readonly search: SearchRequest;
  readonly spread: SpreadSearch;
  /** A set that meets all constraints. */
  readonly witness: readonly number[];
}

/** Clusters that can get their fewest replicas each. */
function mostClusters({ replicas, floor }: Terms): number {
  return replicas === 0 ? Number.POSITIVE_INFINITY : Math.floor(replicas / floor);
}

/** The candidates that can take their part, best first: by static weight where that decides, in cluster order where not. */
function inPreference({ candidates, terms, roomWhole }: StrictSelection): number[] {
  const { weightOf, roomOf, floor, replicas } = terms;
  const all = Array.from(candidates.positions);
  if (weightOf !== undefined) {
    return all.filter((position) => weightOf(position) > 0).sort((a, b) => compareNumbers(weightOf(b), weightOf(a)));
  }
  if (replicas > 0) return all.filter((position) => roomOf(position) >= floor);
  return all.filter((position) => candidates.available(position) >= roomWhole);
}

/** A search for each number of overflow tiers, fewest first; one where there are none. */
function withinTiers(
  candidates: Candidates,
  positions: readonly number[],
  searchAmong: (positions: readonly number[]) => SearchRequest,
): SearchRequest[] {
  if (candidates.tiers === undefined) return [searchAmong(positions)];
  const tiers = [...new Set(positions.map((position) => candidates.tier(position)))].sort((a, b) => a - b);
  if (tiers.length === 0) return [searchAmong(positions)];
  return tiers.map((tier) => searchAmong(positions.filter((position) => candidates.tier(position) <= tier)));
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

interface Choice {
  /** Groups chosen, by constraint. */
  readonly groups: readonly ReadonlySet<number>[];
  readonly witness: readonly number[];
  readonly traces: readonly GroupTrace[];
}

function chooseGroups(request: StrictSelection, { search, spread, witness: first }: Found): Choice {
  const { constraints } = search.groups;
  const chosen = constraints.map(() => new Set<number>());
  const fixed: (ReadonlySet<number> | undefined)[] = constraints.map(() => undefined);
  const traces: GroupTrace[] = [];
  let witness = first;
  for (const [k, constraint] of constraints.entries()) {
    const ranked = rankGroups(request, search, k, fixed);
    const own = chosen[k] as Set<number>;
    const tryWith = (demands: Demands): boolean => {
      const set = spread.find({ required: chosen, allowed: fixed, ...demands }, FEW_LOOKS);
      if (set === undefined) return false;
      witness = set;
      return true;
    };
    for (const { group, inUse } of ranked) {
      if (own.size >= constraint.max) break;
      if (own.size >= constraint.min && !inUse) {
        const allowed = fixed.map((groups, other) => (other === k ? own : groups));
        if (isWithin(spread, witness, k, own) || tryWith({ allowed })) break;
      }
      own.add(group);
      if (!covers(spread, witness, k, group) && !tryWith({})) own.delete(group);
    }
    // When the search was ended early, the groups of the set that is known complete the choice.
    if (!isWithin(spread, witness, k, own)) for (const group of groupsOf(spread, witness, k)) own.add(group);
    fixed[k] = own;
    traces.push(...ranked.map((entry) => traceGroup(request, constraint, entry, own)));
  }
  return { groups: chosen, witness, traces };
}

function groupsOf(spread: SpreadSearch, set: readonly number[], k: number): ReadonlySet<number> {
  return new Set(set.flatMap((position) => spread.groupsOf(position)[k] ?? []));
}

function covers(spread: SpreadSearch, set: readonly number[], k: number, group: number): boolean {
  return set.some((position) => spread.groupsOf(position)[k]?.includes(group) === true);
}

function isWithin(spread: SpreadSearch, set: readonly number[], k: number, groups: ReadonlySet<number>): boolean {
  return [...groupsOf(spread, set, k)].every((group) => groups.has(group));
}

interface RankedGroup {
  readonly group: number;
  readonly positions: readonly number[];
  readonly tier: number;
  /** Whether the binding is there already, and may stay. */
  readonly inUse: boolean;
  readonly weight: number;
  /** Room beyond the weight, which decides between equals. */
  readonly room: number;
}

/**
 * The groups of one constraint, within those already chosen for others: nearest tier first, then those in use, then the
 * heaviest, then the roomiest, then by name.
 */
function rankGroups(
  request: StrictSelection,
  search: SearchRequest,
  k: number,
  fixed: readonly (ReadonlySet<number> | undefined)[],
): RankedGroup[] {
  const constraint = search.groups.constraints[k] as GroupConstraint;
  const members = new Map<number, number[]>();
  for (const position of search.positions) {
    const fits = search.groups.constraints.every(({ groupsOf: of }, other) => {
      const groups = of(position);
      return groups.length > 0 && groups.every((group) => fixed[other]?.has(group) ?? true);
    });
    if (!fits) continue;
    for (const group of constraint.groupsOf(position)) {
      const list = members.get(group);
      if (list === undefined) members.set(group, [position]);
      else list.push(position);
    }
  }
  return Array.from(members, ([group, positions]) => ({
    group,
    positions,
    tier: Math.min(...positions.map((position) => request.candidates.tier(position))),
    inUse: !request.fresh && positions.some((position) => request.candidates.isTarget(position)),
    weight: weighGroup(request, positions, constraint.min),
    room: positions.reduce((sum, position) => sum + request.candidates.available(position), 0),
  })).sort(
    (a, b) =>
      a.tier - b.tier ||
      Number(b.inUse) - Number(a.inUse) ||
      compareNumbers(b.weight, a.weight) ||
      b.room - a.room ||
      a.group - b.group,
  );
}

const REPLICA_WEIGHT = 1000;

/**
 * How well a group can take its part: a thousand for each replica it has room for, up to its share when as few groups as
 * possible are used, and the mean score of its clusters. Where room does not matter, clusters that would hold all replicas count
 * in place of replicas; where static weights decide, the weights.
 */
function weighGroup(
  { candidates, terms, replicas }: StrictSelection,
  positions: readonly number[],
  min: number,
): number {
  let amount = 0;
  let score = 0;
  for (const position of positions) {
    score += candidates.score(position);
    if (terms.weightOf !== undefined) amount += terms.weightOf(position);
    else if (terms.replicas > 0) amount += terms.roomOf(position);
    else if (candidates.available(position) >= replicas) amount++;
  }
  const share = terms.weightOf === undefined && terms.replicas > 0 ? Math.ceil(terms.replicas / min) : amount;
  return Math.min(amount, share) * REPLICA_WEIGHT + Math.floor(score / positions.length);
}

/** The clusters of the chosen groups, best first, as many as are allowed, so that all constraints are met. */
function chooseClusters({ search, spread }: Found, choice: Choice): readonly number[] {
  const { groups, most, need, roomOf } = search;
  const { constraints } = groups;
  const eligible = search.positions.filter(
    (position) =>
      spread.has(position) &&
      spread.groupsOf(position).every((own, k) => own.every((group) => choice.groups[k]?.has(group) === true)),
  );
  if (eligible.length <= most) return eligible;
  const taken: number[] = [];
  let set = new SetInUse(spread, constraints, roomOf, choice.witness);
  for (const position of eligible) {
    if (taken.length >= most) break;
    if (set.has(position) || (set.size < most && set.add(position))) taken.push(position);
    else if (set.exchange(position, new Set(taken), need)) taken.push(position);
    else {
      const found = spread.find(
        { taken: [...taken, position], required: choice.groups, allowed: choice.groups },
        FEW_LOOKS,
      );
      if (found === undefined) continue;
      set = new SetInUse(spread, constraints, roomOf, found);
      taken.push(position);
    }
  }
  return taken;
}

/** A set that meets all constraints, changed cluster by cluster so that it still does. */
class SetInUse {
  readonly #spread: SpreadSearch;
  readonly #roomOf: (position: number) => number;
  readonly #members: Set<number>;
  readonly #counts: readonly Int32Array[];
  #room: number;

  constructor(
    spread: SpreadSearch,
    constraints: readonly GroupConstraint[],
    roomOf: (position: number) => number,
    members: readonly number[],
  ) {
    this.#spread = spread;
    this.#roomOf = roomOf;
    this.#members = new Set(members);
    this.#counts = constraints.map(({ names }) => new Int32Array(names.length));
    this.#room = members.reduce((sum, position) => sum + roomOf(position), 0);
    for (const position of members) this.#count(position, 1);
  }

  get size(): number {
    return this.#members.size;
  }

  has(position: number): boolean {
    return this.#members.has(position);
  }

  /** Adds a cluster of the chosen groups, which breaks nothing. */
  add(position: number): boolean {
    this.#members.add(position);
    this.#room += this.#roomOf(position);
    this.#count(position, 1);
    return true;
  }

  /** Puts the cluster in the place of one that is not in `kept`; answers whether one can be spared. */
  exchange(position: number, kept: ReadonlySet<number>, need: number): boolean {
    for (const other of [...this.#members].reverse()) {
      if (kept.has(other)) continue;
      const room = this.#room - this.#roomOf(other) + this.#roomOf(position);
      // Infinity less infinity: room that does not matter.
      if (room < need || !this.#canSpare(other, position)) continue;
      this.#members.delete(other);
      this.#count(other, -1);
      this.#members.add(position);
      this.#count(position, 1);
      this.#room = room;
      return true;
    }
    return false;
  }

  #canSpare(position: number, replacement: number): boolean {
    const instead = this.#spread.groupsOf(replacement);
    return this.#spread
      .groupsOf(position)
      .every((own, k) =>
        own.every((group) => (this.#counts[k]?.[group] as number) > 1 || instead[k]?.includes(group) === true),
      );
  }

  #count(position: number, by: number): void {
    for (const [k, own] of this.#spread.groupsOf(position).entries()) {
      const counts = this.#counts[k] as Int32Array;
      for (const group of own) counts[group] = (counts[group] as number) + by;
    }
  }
}

function traceGroup(
  { candidates }: StrictSelection,
  constraint: GroupConstraint,
  { group, positions, weight }: RankedGroup,
  chosen: ReadonlySet<number>,
): GroupTrace {
  return {
    by: constraint.by,
    group: constraint.names[group] ?? "",
    clusters: positions.map((position) => candidates.records[position]?.name ?? ""),
    weight,
    chosen: chosen.has(group),
  };
}

function describeChoice({ search }: Found, choice: Choice, selected: readonly number[], budget: SearchBudget): string {
  const groups = search.groups.constraints.map(({ by, min, max, names }, k) => {
    const limits = max === Number.POSITIVE_INFINITY ? `minGroups ${min}` : `minGroups ${min}, maxGroups ${max}`;
    return `${by}: ${choice.groups[k]?.size ?? 0} of ${names.length} (${limits})`;
  });
  const clusters = `${selected.length} of ${search.positions.length} clusters`;
  const cut = budget.wasShort ? "; the search for better ones was ended at its limit" : "";
  return `${[...groups, clusters].join(", ")}${cut}`;
}

function refuse(
  request: StrictSelection,
  search: SearchRequest,
  bounds: ClusterBounds,
  budget: SearchBudget,
): SchedulingError {
  const { candidates, terms, trace } = request;
  const shortage: Shortage = { search, bounds, terms, candidates, wasShort: budget.wasShort };
  const error = whyNoSpread(shortage);
  if (trace !== undefined) {
    const nothing = search.groups.constraints.map(() => undefined);
    trace.selection = {
      by: "strict",
      path: "placement.spreadConstraints",
      reason: error.message,
      groups: search.groups.constraints.flatMap((constraint, k) =>
        rankGroups(request, search, k, nothing).map((entry) => traceGroup(request, constraint, entry, new Set())),
      ),
      selected: [],
    };
  }
  return error;
}
