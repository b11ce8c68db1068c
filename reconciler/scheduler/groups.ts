// Which groups of clusters (regions) a spread constraint takes.

export interface Group {
  readonly name: string;
  /** How many clusters it has. */
  readonly value: number;
  /** How good it is; never negative. */
  readonly weight: number;
}

export interface GroupBounds {
  readonly min: number;
  readonly max: number;
  /** The clusters that the chosen groups must have together. */
  readonly target: number;
}

/**
 * The groups to take, best first; empty when no choice fits.
 *
 * A choice is a set of `min` to `max` groups with `target` clusters together, none of whose members is superfluous when
 * groups are added from the smallest to the largest. The heaviest choice wins, then the one with more clusters, then the one found
 * first; and from it the shortest beginning (best groups first) that is a choice itself.
 */
export function selectGroups<G extends Group>(groups: readonly G[], bounds: GroupBounds): readonly G[] {
  const sorted = [...groups].sort((a, b) => a.value - b.value || b.weight - a.weight || compare(a.name, b.name));
  const best = sorted.length === bounds.min ? takeAll(sorted, bounds) : new Search(sorted, bounds).run();
  if (best === undefined) return [];
  const ranked = best.map((index) => sorted[index] as G).sort((a, b) => b.weight - a.weight || compare(a.name, b.name));
  if (sorted.length === bounds.min) return ranked;
  for (let length = 1; length < ranked.length; length++) {
    const start = ranked.slice(0, length);
    if (isChoice(start, sorted, bounds)) return start;
  }
  return ranked;
}

function takeAll(sorted: readonly Group[], bounds: GroupBounds): readonly number[] | undefined {
  const value = sorted.reduce((sum, group) => sum + group.value, 0);
  return value >= bounds.target && sorted.length <= bounds.max ? sorted.map((_, index) => index) : undefined;
}

/** Whether the search would stop at exactly this set. */
function isChoice(set: readonly Group[], sorted: readonly Group[], bounds: GroupBounds): boolean {
  const value = set.reduce((sum, group) => sum + group.value, 0);
  if (!fits(set.length, value, bounds)) return false;
  const last = sorted.findLast((group) => set.includes(group));
  return last === undefined || !fits(set.length - 1, value - last.value, bounds);
}

function fits(length: number, value: number, bounds: GroupBounds): boolean {
  return value >= bounds.target && length >= bounds.min && length <= bounds.max;
}

/** Depth-first over increasing indices, leaving out what cannot beat the best so far. */
class Search {
  readonly #groups: readonly Group[];
  readonly #bounds: GroupBounds;
  /** `[from][count]`: the most weight (or value) that `count` groups from `from` on can add. */
  readonly #mostWeight: readonly (readonly number[])[];
  readonly #mostValue: readonly (readonly number[])[];
  readonly #path: number[] = [];
  #best: readonly number[] | undefined;
  #bestWeight = -1;
  #bestValue = -1;

  constructor(groups: readonly Group[], bounds: GroupBounds) {
    this.#groups = groups;
    this.#bounds = bounds;
    this.#mostWeight = mostOf(groups.map((group) => group.weight));
    this.#mostValue = mostOf(groups.map((group) => group.value));
  }

  run(): readonly number[] | undefined {
    this.#visit(0, 0, 0);
    return this.#best;
  }

  #visit(from: number, weight: number, value: number): void {
    const length = this.#path.length;
    if (length > 0 && fits(length, value, this.#bounds)) {
      if (weight > this.#bestWeight || (weight === this.#bestWeight && value > this.#bestValue)) {
        this.#best = [...this.#path];
        this.#bestWeight = weight;
        this.#bestValue = value;
      }
      return;
    }
    const room = Math.min(this.#bounds.max - length, this.#groups.length - from);
    if (room <= 0 || !this.#canWin(from, room, weight, value)) return;
    for (let index = from; index < this.#groups.length; index++) {
      const group = this.#groups[index] as Group;
      this.#path.push(index);
      this.#visit(index + 1, weight + group.weight, value + group.value);
      this.#path.pop();
    }
  }

  #canWin(from: number, room: number, weight: number, value: number): boolean {
    const valueBound = value + ((this.#mostValue[from] as readonly number[])[room] as number);
    if (valueBound < this.#bounds.target || this.#path.length + room < this.#bounds.min) return false;
    const weightBound = weight + ((this.#mostWeight[from] as readonly number[])[room] as number);
    return weightBound > this.#bestWeight || (weightBound === this.#bestWeight && valueBound > this.#bestValue);
  }
}

function mostOf(numbers: readonly number[]): readonly (readonly number[])[] {
  return numbers.map((_, from) => {
    const rest = numbers.slice(from).sort((a, b) => b - a);
    const sums = [0];
    for (const number of rest) sums.push((sums.at(-1) as number) + number);
    return sums;
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
