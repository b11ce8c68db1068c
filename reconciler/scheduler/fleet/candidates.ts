// The clusters that may be chosen for one binding, in the order in which they are preferred.

import type { SchedulingError } from "../scheduling-error.ts";
import type { ClusterRecord } from "./cluster-record.ts";

const MAX_CHOICES = 256;

/** The candidates of one region, by position, in cluster order. */
export interface RegionCandidates {
  readonly name: string;
  readonly positions: readonly number[];
}

/**
 * Candidates in cluster order: lower tier, higher score (which current targets have), more available replicas, name.
 * Positions are those of the fleet, whose clusters are sorted by name.
 */
export class Candidates {
  readonly positions: ArrayLike<number>;
  readonly records: readonly ClusterRecord[];
  readonly tiers: Uint16Array | undefined;
  readonly #estimates: ArrayLike<number>;
  readonly #previous: ReadonlyMap<number, number>;
  readonly #scores: ArrayLike<number> | undefined;
  readonly #locality: boolean;
  #regions: readonly RegionCandidates[] | undefined;
  #choices: Map<number, ArrayLike<number> | SchedulingError> | undefined;

  private constructor(
    records: readonly ClusterRecord[],
    positions: ArrayLike<number>,
    estimates: ArrayLike<number>,
    previous: ReadonlyMap<number, number>,
    tiers: Uint16Array | undefined,
    scores: ArrayLike<number> | undefined,
    locality = true,
  ) {
    this.records = records;
    this.positions = positions;
    this.tiers = tiers;
    this.#estimates = estimates;
    this.#previous = previous;
    this.#scores = scores;
    this.#locality = locality;
  }

  /** Sorts `positions`, none of which is a current target. `scores`: preferences by position, if there are any. */
  static sorted(
    records: readonly ClusterRecord[],
    positions: Int32Array,
    estimates: ArrayLike<number>,
    tiers: Uint16Array | undefined,
    scores?: ArrayLike<number>,
  ): Candidates {
    const none = new Map<number, number>();
    const unsorted = new Candidates(records, positions, estimates, none, tiers, scores);
    const byRoom = tiers === undefined && scores === undefined;
    const sorted = byRoom ? sortByRoom(positions, estimates) : positions.slice().sort((a, b) => unsorted.compare(a, b));
    return new Candidates(records, sorted, estimates, none, tiers, scores);
  }

  /** As `sorted`, of positions that are already sorted as `sortByRoom` does. */
  static ordered(
    records: readonly ClusterRecord[],
    positions: Int32Array,
    estimates: ArrayLike<number>,
    tiers: Uint16Array | undefined,
    scores?: ArrayLike<number>,
  ): Candidates {
    if (tiers !== undefined || scores !== undefined) {
      return Candidates.sorted(records, positions, estimates, tiers, scores);
    }
    return new Candidates(records, positions, estimates, new Map(), tiers, scores);
  }

  /**
   * These candidates after estimates, tiers or clusters at `changed` positions changed in place; `isCandidate` says
   * which of the changed ones take part now.
   */
  reordered(changed: ReadonlySet<number>, isCandidate: (position: number) => boolean): Candidates {
    const moved = [...changed].filter(isCandidate).sort((a, b) => this.compare(a, b));
    const positions = mergeMoved(this.positions, changed, moved, (a, b) => this.compare(a, b));
    return new Candidates(this.records, positions, this.#estimates, this.#previous, this.tiers, this.#scores);
  }

  /**
   * These candidates with `previous` targets (replicas by position) put where they now belong. `keeps` says of every
   * position whether it is still a candidate; previous targets may be candidates that were not in this list. `locality`:
   * whether they are preferred for being targets.
   */
  withPrevious(
    previous: ReadonlyMap<number, number>,
    keeps: (position: number) => boolean,
    locality = true,
  ): Candidates {
    const mixed = new Candidates(this.records, [], this.#estimates, previous, this.tiers, this.#scores, locality);
    const targets = [...previous.keys()].filter(keeps).sort((a, b) => mixed.compare(a, b));
    const positions: number[] = [];
    let next = 0;
    for (let i = 0; i < this.positions.length; i++) {
      const position = this.positions[i] as number;
      if (previous.has(position) || !keeps(position)) continue;
      while (next < targets.length && mixed.compare(targets[next] as number, position) < 0) {
        positions.push(targets[next++] as number);
      }
      positions.push(position);
    }
    while (next < targets.length) positions.push(targets[next++] as number);
    return new Candidates(this.records, positions, this.#estimates, previous, this.tiers, this.#scores, locality);
  }

  /** Those of these candidates that `keeps` lets stay. */
  keeping(keeps: (position: number) => boolean): Candidates {
    const positions = Array.from(this.positions).filter(keeps);
    const { records, tiers } = this;
    return new Candidates(records, positions, this.#estimates, this.#previous, tiers, this.#scores, this.#locality);
  }

  /** Whether the cluster is a current target, which is a score of 100 in itself unless locality does not count. */
  isTarget(position: number): boolean {
    return this.#previous.has(position);
  }

  score(position: number): number {
    return (this.#locality && this.#previous.has(position) ? 100 : 0) + this.preference(position);
  }

  /** What scores beyond Karmada's add. */
  preference(position: number): number {
    return this.#scores === undefined ? 0 : (this.#scores[position] as number);
  }

  get hasPreferences(): boolean {
    return this.#scores !== undefined;
  }

  /** Replicas the cluster has room for beside what it has. */
  allocatable(position: number): number {
    return this.#estimates[position] as number;
  }

  /** Replicas of the binding the cluster has now. */
  assigned(position: number): number {
    return this.#previous.get(position) ?? 0;
  }

  /** Room together with what the cluster already has of this binding. */
  available(position: number): number {
    return (this.#estimates[position] as number) + (this.#previous.size === 0 ? 0 : this.assigned(position));
  }

  tier(position: number): number {
    return this.tiers === undefined ? 0 : (this.tiers[position] as number);
  }

  compare(a: number, b: number): number {
    return (
      this.tier(a) - this.tier(b) || this.score(b) - this.score(a) || this.available(b) - this.available(a) || a - b
    );
  }

  /**
   * The answer of `choose`, kept for the next binding with the same `key`, which must stand for all that the choice
   * depends on beside these candidates and their placement. Only candidates that bindings share keep anything.
   */
  choice(key: number, choose: () => ArrayLike<number> | SchedulingError): ArrayLike<number> | SchedulingError {
    if (this.#previous.size > 0) return choose();
    this.#choices ??= new Map();
    let known = this.#choices.get(key);
    if (known === undefined) {
      if (this.#choices.size >= MAX_CHOICES) this.#choices.clear();
      known = choose();
      this.#choices.set(key, known);
    }
    return known;
  }

  /** The candidates by region, regions by name. Clusters without a region are in none. */
  regions(): readonly RegionCandidates[] {
    if (this.#regions === undefined) {
      const byName = new Map<string, number[]>();
      for (let i = 0; i < this.positions.length; i++) {
        const position = this.positions[i] as number;
        const { region } = this.records[position] as ClusterRecord;
        if (region === "") continue;
        const list = byName.get(region);
        if (list === undefined) byName.set(region, [position]);
        else list.push(position);
      }
      this.#regions = [...byName].map(([name, positions]) => ({ name, positions }));
    }
    return this.#regions;
  }
}

const POSITION_BITS = 2 ** 21;

/** `sorted` without those in `changed`, and with those in `moved` (sorted) where they belong. */
export function mergeMoved(
  sorted: ArrayLike<number>,
  changed: ReadonlySet<number>,
  moved: readonly number[],
  compare: (a: number, b: number) => number,
): Int32Array {
  const merged = new Int32Array(sorted.length + moved.length);
  let count = 0;
  let next = 0;
  for (let i = 0; i < sorted.length; i++) {
    const position = sorted[i] as number;
    if (changed.has(position)) continue;
    while (next < moved.length && compare(moved[next] as number, position) < 0)
      merged[count++] = moved[next++] as number;
    merged[count++] = position;
  }
  while (next < moved.length) merged[count++] = moved[next++] as number;
  return merged.slice(0, count);
}

/** Roomiest first, then by position. Both go into one number, because numbers are sorted without calling back. */
export function sortByRoom(positions: Int32Array, estimates: ArrayLike<number>): Int32Array {
  const keys = Float64Array.from(positions, (position) => position - (estimates[position] as number) * POSITION_BITS);
  return Int32Array.from(keys.sort(), (key) => ((key % POSITION_BITS) + POSITION_BITS) % POSITION_BITS);
}
