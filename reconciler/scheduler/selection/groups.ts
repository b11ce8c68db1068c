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
  // Weight and clusters of the best end from each state, overwritten from one group to the one before it: a state only
  // looks at itself and at states with one group more, which come later in each pass.
  const weights = new Float64Array(size).fill(NONE);
  const values = new Float64Array(size);
  const takes = new Uint8Array(sorted.length * size);
  for (let index = sorted.length - 1; index >= 0; index--) {
    const group = sorted[index] as Group;
    for (let state = 0; state < most * columns; state++) {
      const value = state % columns;
      const count = (state - value) / columns + 1;
      const ends = fits(count, value + group.value, bounds);
      const next = count * columns + Math.min(target, value + group.value);
      const rest = ends ? 0 : (weights[next] as number);
      if (rest === NONE) continue;
      const weight = group.weight + rest;
      const clusters = group.value + (ends ? 0 : (values[next] as number));
      const left = weights[state] as number;
      if (weight < left || (weight === left && clusters < (values[state] as number))) continue;
      weights[state] = weight;
      values[state] = clusters;
      takes[index * size + state] = 1;
    }
  }
  return weights[0] === NONE ? undefined : follow(sorted, takes, size, bounds);
}

const NONE = -1;

function follow(sorted: readonly Group[], takes: Uint8Array, size: number, bounds: GroupBounds): readonly number[] {
  const target = Math.max(0, bounds.target);
  const path: number[] = [];
  let value = 0;
  for (const [index, group] of sorted.entries()) {
    if (takes[index * size + path.length * (target + 1) + Math.min(target, value)] !== 1) continue;
    path.push(index);
    value += group.value;
    if (fits(path.length, value, bounds)) break;
  }
  return path;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
