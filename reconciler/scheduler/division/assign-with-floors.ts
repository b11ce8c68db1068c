// How many replicas each selected cluster gets where groups or clusters must have a number at least.

import type { Placement } from "../../../api/policy.ts";
import type { DivisionTrace } from "../explanation/trace.ts";
import { SchedulingError } from "../scheduling-error.ts";
import { SearchBudget } from "../selection/search-budget.ts";
import { clusterBounds, type GroupConstraint } from "../selection/spread-groups.ts";
import { SpreadSearch } from "../selection/spread-search.ts";
import type { Terms } from "../selection/terms.ts";
import { type Assignment, type AssignmentRequest, assignReplicas, noteDivision, previousAmong } from "./assign.ts";
import { assignByTiers } from "./overflow.ts";
import { allocateSeatsAbove } from "./webster.ts";

/**
 * Divides as Karmada does if the result is as demanded; else changing as little of the present division as the demands
 * let; else anew. The sum of the result is always exactly the replicas.
 */
export function assignWithFloors(
  request: AssignmentRequest,
  terms: Terms,
  placement: Placement,
): readonly Assignment[] | SchedulingError {
  const hasTiers = request.candidates.tiers !== undefined;
  const divide = hasTiers ? assignByTiers : assignReplicas;
  const plain = divide({ ...request, trace: undefined });
  const demands = new DivisionDemands(request, terms, placement);
  if (!(plain instanceof SchedulingError) && demands.areMetBy(plain)) {
    return request.trace === undefined ? plain : divide(request);
  }
  return (
    (request.fresh ? undefined : hasTiers ? demands.unchanged() : demands.steadily()) ??
    demands.anew() ??
    demands.refuse()
  );
}

/** Clusters with weights, which are also their room where room matters. */
interface Pool {
  /** In the order of preference. */
  readonly positions: readonly number[];
  readonly weightOf: (position: number) => number;
  readonly roomOf: (position: number) => number;
}

class DivisionDemands {
  readonly #request: AssignmentRequest;
  readonly #terms: Terms;
  readonly #selected: readonly number[];
  readonly #constraints: readonly GroupConstraint[];
  /** Every group among the selected clusters, by constraint. */
  readonly #groups: readonly ReadonlySet<number>[];
  readonly #least: number;
  /** Most clusters, so that each can have its floor. */
  readonly #most: number;
  readonly #budget = new SearchBudget();

  constructor(request: AssignmentRequest, terms: Terms, placement: Placement) {
    this.#request = request;
    this.#terms = terms;
    this.#selected = Array.from(request.selected);
    this.#constraints = terms.groups.constraints;
    this.#groups = this.#constraints.map(({ groupsOf }) => new Set(this.#selected.flatMap(groupsOf)));
    this.#least = terms.strict ? clusterBounds(placement).min : 1;
    this.#most = Math.floor(terms.replicas / terms.floor);
  }

  areMetBy(result: readonly Assignment[]): boolean {
    const { floor, floorsAll } = this.#terms;
    if (floorsAll && result.some((entry) => entry.replicas < floor)) return false;
    return result.length >= this.#least && this.#lacksAfter(result.map((entry) => entry.position)).length === 0;
  }

  /** Groups of which none of the clusters is a member, as pairs of constraint and group. */
  #lacksAfter(positions: readonly number[]): readonly (readonly [constraint: number, group: number])[] {
    return this.#constraints.flatMap(({ groupsOf }, k) => {
      const present = new Set(positions.flatMap(groupsOf));
      return [...(this.#groups[k] as ReadonlySet<number>)]
        .filter((group) => !present.has(group))
        .map((group) => [k, group] as const);
    });
  }

  /** The present division, if it is as demanded. */
  unchanged(): readonly Assignment[] | undefined {
    if (this.#request.strategy === "StaticWeight") return undefined;
    const present = previousAmong(this.#request).filter((entry) => entry.replicas > 0);
    const assigned = present.reduce((sum, entry) => sum + entry.replicas, 0);
    if (assigned !== this.#terms.replicas || !this.areMetBy(present)) return undefined;
    noteDivision(this.#request, { action: "keep", target: 0, previous: present });
    return present;
  }

  /** A division that leaves replicas where they are; undefined when the demands are not met so. */
  steadily(): readonly Assignment[] | undefined {
    if (this.#request.strategy === "StaticWeight") return undefined;
    const present = previousAmong(this.#request).filter((entry) => entry.replicas > 0);
    if (present.length === 0) return undefined;
    const assigned = present.reduce((sum, entry) => sum + entry.replicas, 0);
    if (assigned <= this.#terms.replicas) return this.#scaleUp(present, this.#terms.replicas - assigned);
    const held = new Map(present.map((entry) => [entry.position, entry.replicas]));
    const heldOf = (position: number): number => held.get(position) ?? 0;
    return this.#divideOver(
      { positions: present.map((entry) => entry.position), weightOf: heldOf, roomOf: heldOf },
      "scale-down",
    );
  }

  anew(): readonly Assignment[] | undefined {
    const { roomOf, weightOf } = this.#terms;
    return this.#divideOver({ positions: this.#selected, weightOf: weightOf ?? roomOf, roomOf }, "divide");
  }

  refuse(): SchedulingError {
    const { replicas, floor, floorsAll, roomOf } = this.#terms;
    const failed = (message: string) => new SchedulingError("Unschedulable", message);
    const words = floorsAll ? `minReplicasPerCluster is ${floor}` : "strictSpread gives each group a replica";
    if (replicas < floor) return failed(`${replicas} replicas are too few: ${words}`);
    const rooms = this.#selected.map(roomOf).filter((room) => room >= floor);
    if (rooms.length === 0) return failed(`no cluster has room for ${floor} replicas: ${words}`);
    const most = rooms
      .sort((a, b) => b - a)
      .slice(0, this.#most)
      .reduce((sum, room) => sum + room, 0);
    return failed(
      `clusters with at least ${floor} replicas each have room for at most ${most} of ${replicas} replicas: ${words}`,
    );
  }

  #scaleUp(present: readonly Assignment[], added: number): readonly Assignment[] | undefined {
    const { candidates, strategy } = this.#request;
    const { floor, floorsAll } = this.#terms;
    const floors = new Map<number, number>();
    for (const { position, replicas } of present) floors.set(position, floorsAll ? Math.max(0, floor - replicas) : 0);
    const held = new Set(floors.keys());
    let left = added;
    for (const [position, own] of floors) {
      if (own > candidates.allocatable(position)) return undefined;
      left -= own;
    }
    const others = sortByWeight(
      this.#selected.filter((position) => !held.has(position) && candidates.allocatable(position) >= floor),
      (position) => candidates.allocatable(position),
    );
    const open = (position: number): void => {
      floors.set(position, floor);
      left -= floor;
    };
    for (const position of this.#coverWith(others, [...held])) open(position);
    if (left < 0 || floors.size < this.#least || this.#lacksAfter([...floors.keys()]).length > 0) return undefined;
    const room = (): number => Array.from(floors.keys()).reduce((sum, at) => sum + candidates.allocatable(at), 0);
    for (const position of others) {
      if (floors.has(position)) continue;
      if (strategy === "Aggregated" && room() >= added) break;
      if (!floorsAll) floors.set(position, 0);
      else if (left >= floor) open(position);
    }
    if (room() < added) return undefined;
    const ordered = sortByWeight([...floors.keys()], (position) => candidates.allocatable(position));
    const parties = strategy === "Aggregated" ? this.#firstSufficient(ordered, floors, held, added) : ordered;
    const seats = this.#seat(
      parties,
      floors,
      (position) => candidates.allocatable(position),
      added,
      "scale-up",
      present,
    );
    const before = new Map(present.map((entry) => [entry.position, entry.replicas]));
    const result = seats.map(({ position, replicas }) => ({
      position,
      replicas: replicas + (before.get(position) ?? 0),
    }));
    const named = new Set(parties);
    const rest = present.filter((entry) => !named.has(entry.position));
    return [...result.filter((entry) => entry.replicas > 0), ...rest];
  }

  /** When aggregating: those that must get something, then present targets, then others, until there is room enough. */
  #firstSufficient(
    ordered: readonly number[],
    floors: ReadonlyMap<number, number>,
    held: ReadonlySet<number>,
    target: number,
  ): readonly number[] {
    const rank = (position: number): number => ((floors.get(position) ?? 0) > 0 ? 0 : held.has(position) ? 1 : 2);
    const parties: number[] = [];
    let room = 0;
    for (const position of [...ordered].sort((a, b) => rank(a) - rank(b))) {
      if (room >= target && rank(position) > 0) break;
      parties.push(position);
      room += this.#request.candidates.allocatable(position);
    }
    return parties;
  }

  /** Of `ordered`, what must join `present` so that every group and as many clusters as demanded are there. */
  #coverWith(ordered: readonly number[], present: readonly number[]): readonly number[] {
    const cover: number[] = [];
    let lacks = this.#lacksAfter(present);
    for (const position of ordered) {
      if (lacks.length === 0) break;
      const left = lacks.filter(([k, group]) => this.#constraints[k]?.groupsOf(position).includes(group) !== true);
      if (left.length === lacks.length) continue;
      cover.push(position);
      lacks = left;
    }
    for (const position of ordered) {
      if (present.length + cover.length >= this.#least) break;
      if (!cover.includes(position)) cover.push(position);
    }
    return cover;
  }

  /** Divides all replicas over some of the pool; undefined when no choice of clusters meets the demands. */
  #divideOver(pool: Pool, action: DivisionTrace["action"]): readonly Assignment[] | undefined {
    const { floor, floorsAll, replicas } = this.#terms;
    const able = pool.positions.filter((position) => pool.roomOf(position) >= floor && pool.weightOf(position) > 0);
    const search = new SpreadSearch(
      {
        groups: this.#terms.groups,
        positions: able,
        roomOf: pool.roomOf,
        need: replicas,
        least: this.#least,
        most: this.#most,
      },
      this.#budget,
    );
    const parties = this.#choose(search, able, pool);
    if (parties === undefined) return undefined;
    const floors = new Map(parties.map((position) => [position, floor]));
    if (!floorsAll && this.#request.strategy !== "Aggregated") {
      // Groups need a replica, not every cluster.
      const ordered = sortByWeight(parties, pool.weightOf);
      let cover = this.#coverWith(ordered, []);
      if (cover.length > replicas) cover = this.#fewest(search, { need: 0 }) ?? cover;
      const covered = new Set(cover);
      for (const position of parties) if (!covered.has(position)) floors.set(position, 0);
    }
    const previous = previousAmong(this.#request);
    return this.#seatByTiers(parties, floors, pool, replicas, action, previous).filter((entry) => entry.replicas > 0);
  }

  /** The clusters that the replicas are divided over. */
  #choose(search: SpreadSearch, able: readonly number[], pool: Pool): readonly number[] | undefined {
    const { floorsAll, replicas } = this.#terms;
    const { strategy, candidates } = this.#request;
    const known = search.find({ required: this.#groups });
    if (known === undefined) return undefined;
    if (candidates.tiers !== undefined) return this.#chooseByTiers(search, able) ?? known;
    if (strategy === "Aggregated") return this.#fewest(search, {}) ?? known;
    // All of them, or, where each must have its floor, as many as that allows.
    if (!floorsAll) return able;
    const heaviest = sortByWeight(able, pool.weightOf).slice(0, this.#most);
    const room = heaviest.reduce((sum, position) => sum + pool.roomOf(position), 0);
    if (room >= replicas && heaviest.length >= this.#least && this.#lacksAfter(heaviest).length === 0) return heaviest;
    const joined = new Set([...known, ...sortByWeight(able, pool.weightOf)]);
    return [...joined].slice(0, this.#most);
  }

  /** The smallest set that has every group and room for all. */
  #fewest(search: SpreadSearch, demands: { readonly need?: number; readonly taken?: readonly number[] }) {
    let most = this.#most;
    let best = search.find({ ...demands, required: this.#groups, most });
    if (best === undefined) return undefined;
    let low = Math.max(1, this.#least) - 1;
    most = best.length;
    while (most - low > 1) {
      const middle = low + Math.floor((most - low) / 2);
      const found = search.find({
        ...demands,
        required: this.#groups,
        most: middle,
        least: Math.min(middle, this.#least),
      });
      if (found === undefined) low = middle;
      else {
        best = found;
        most = found.length;
      }
    }
    return best;
  }

  /** All clusters of the first tiers, and as few of the tier that they overflow into as will do. */
  #chooseByTiers(search: SpreadSearch, able: readonly number[]): readonly number[] | undefined {
    const { candidates } = this.#request;
    const tiers = [...new Set(able.map((position) => candidates.tier(position)))].sort((a, b) => a - b);
    let taken: readonly number[] = [];
    for (const tier of tiers) {
      const within = able.filter((position) => candidates.tier(position) <= tier);
      const own = new SpreadSearch({ ...search.request, positions: within }, this.#budget);
      if (own.find({ required: this.#groups }) !== undefined) {
        if (taken.length === 0 && this.#request.strategy !== "Aggregated" && within.length <= this.#most) return within;
        return (taken.length <= this.#most ? this.#fewest(own, { taken }) : undefined) ?? this.#fewest(own, {});
      }
      taken = within;
    }
    return undefined;
  }

  /** Gives all their floors, then fills tier after tier. */
  #seatByTiers(
    parties: readonly number[],
    floors: ReadonlyMap<number, number>,
    pool: Pool,
    total: number,
    action: DivisionTrace["action"],
    previous: readonly Assignment[],
  ): readonly Assignment[] {
    const { candidates } = this.#request;
    if (candidates.tiers === undefined) return this.#seat(parties, floors, pool.weightOf, total, action, previous);
    const tiers = [...new Set(parties.map((position) => candidates.tier(position)))].sort((a, b) => a - b);
    let left = parties.reduce((sum, position) => sum - (floors.get(position) ?? 0), total);
    const result: Assignment[] = [];
    for (const tier of tiers) {
      const own = parties.filter((position) => candidates.tier(position) === tier);
      const least = own.reduce((sum, position) => sum + (floors.get(position) ?? 0), 0);
      const room = own.reduce((sum, position) => sum + pool.roomOf(position), 0);
      const more = Math.min(left, room - least);
      result.push(...this.#seat(own, floors, pool.weightOf, least + more, action, previous, tier));
      left -= more;
    }
    return result;
  }

  #seat(
    parties: readonly number[],
    floors: ReadonlyMap<number, number>,
    weightOf: (position: number) => number,
    total: number,
    action: DivisionTrace["action"],
    previous: readonly Assignment[],
    tier?: number,
  ): readonly Assignment[] {
    const positions = sortByWeight(parties, weightOf);
    const weights = Float64Array.from(positions, weightOf);
    const least = Int32Array.from(positions, (position) => floors.get(position) ?? 0);
    const request = tier === undefined ? this.#request : { ...this.#request, tier };
    noteDivision(request, {
      action,
      target: total,
      list: { positions, weights },
      previous,
      floors: positions
        .map((position) => ({ position, replicas: floors.get(position) ?? 0 }))
        .filter((entry) => entry.replicas > 0),
    });
    const seats = allocateSeatsAbove(total, { weights, ranks: positions }, least, this.#request.namesDescend);
    return positions
      .map((position, place) => ({ position, replicas: seats[place] as number }))
      .sort((a, b) => a.position - b.position);
  }
}

/** Heaviest first; equals keep their order. */
function sortByWeight(positions: readonly number[], weightOf: (position: number) => number): number[] {
  return [...positions].sort((a, b) => {
    const difference = weightOf(b) - weightOf(a);
    return Number.isNaN(difference) ? 0 : difference;
  });
}
