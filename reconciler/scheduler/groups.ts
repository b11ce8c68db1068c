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
  const best = sorted.length === bounds.min ? takeAll(sorted, bounds) : findBest(sorted, bounds);
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

/**
 * Indices of the heaviest choice. From the last group to the first it works out, for every number of groups and clusters
 * that may have been taken before, whether taking the group leads to a better end than leaving it; taking wins ties,
 * which makes the first of equal choices win.
 */
function findBest(sorted: readonly Group[], bounds: GroupBounds): readonly number[] | undefined {
  const most = Math.min(bounds.max, sorted.length);
  const target = Math.max(0, bounds.target);
  const columns = target + 1;
  const size = (most + 1) * columns;
  let weights = new Float64Array(size).fill(NONE);
  let values = new Float64Array(size);
  const takes: Uint8Array[] = [];
  for (let index = sorted.length - 1; index >= 0; index--) {
    const group = sorted[index] as Group;
    const newWeights = new Float64Array(size).fill(NONE);
    const newValues = new Float64Array(size);
    const take = new Uint8Array(size);
    for (let count = 0; count < most; count++) {
      for (let value = 0; value <= target; value++) {
        const here = count * columns + value;
        const there = (count + 1) * columns + Math.min(target, value + group.value);
        const ends = fits(count + 1, value + group.value, bounds);
        const rest = ends ? 0 : (weights[there] as number);
        const weight = rest === NONE ? NONE : group.weight + rest;
        const clusters = group.value + (ends ? 0 : (values[there] as number));
        const left = weights[here] as number;
        const taken = weight !== NONE && (weight > left || (weight === left && clusters >= (values[here] as number)));
        newWeights[here] = taken ? weight : left;
        newValues[here] = taken ? clusters : (values[here] as number);
        take[here] = taken ? 1 : 0;
      }
    }
    weights = newWeights;
    values = newValues;
    takes.unshift(take);
  }
  return weights[0] === NONE ? undefined : follow(sorted, takes, bounds);
}

const NONE = -1;

function follow(sorted: readonly Group[], takes: readonly Uint8Array[], bounds: GroupBounds): readonly number[] {
  const target = Math.max(0, bounds.target);
  const path: number[] = [];
  let value = 0;
  for (const [index, take] of takes.entries()) {
    if (take[path.length * (target + 1) + Math.min(target, value)] !== 1) continue;
    path.push(index);
    value += (sorted[index] as Group).value;
    if (fits(path.length, value, bounds)) break;
  }
  return path;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
