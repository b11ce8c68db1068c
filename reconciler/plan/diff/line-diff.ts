// The shortest way from some lines to others (Myers, "An O(ND) Difference Algorithm", 1986), and a rougher one where that
// would take long.

/** A line that stays, with its places before and after, or one of either side. */
export type LineEdit =
  | { readonly op: " "; readonly before: number; readonly after: number }
  | { readonly op: "-"; readonly before: number }
  | { readonly op: "+"; readonly after: number };

/** Changes beyond which lines that are there once on both sides decide. Time and memory grow with its square. */
const MOST_CHANGES = 600;

/** Removed lines come before added ones. */
export function diffLines(before: readonly string[], after: readonly string[]): LineEdit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  const pairs: [number, number][] = [];
  for (let i = 0; i < start; i++) pairs.push([i, i]);
  const old = before.slice(start, before.length - end);
  const fresh = after.slice(start, after.length - end);
  for (const [a, b] of shortestPairs(old, fresh) ?? uniquePairs(old, fresh)) pairs.push([start + a, start + b]);
  for (let i = end; i > 0; i--) pairs.push([before.length - i, after.length - i]);
  return editsBetween(pairs, before.length, after.length);
}

function editsBetween(pairs: readonly (readonly [number, number])[], before: number, after: number): LineEdit[] {
  const edits: LineEdit[] = [];
  let [a, b] = [0, 0];
  for (const [toA, toB] of [...pairs, [before, after] as const]) {
    for (; a < toA; a++) edits.push({ op: "-", before: a });
    for (; b < toB; b++) edits.push({ op: "+", after: b });
    if (a < before && b < after) edits.push({ op: " ", before: a, after: b });
    a++;
    b++;
  }
  return edits;
}

/** Lines that stay, in order; undefined when more than `MOST_CHANGES` lines change. */
function shortestPairs(before: readonly string[], after: readonly string[]): [number, number][] | undefined {
  const [n, m] = [before.length, after.length];
  if (n === 0 || m === 0) return [];
  const most = Math.min(n + m, MOST_CHANGES);
  // How far each diagonal (place before less place after) is reached with so many changes.
  const reach = new Int32Array(2 * most + 3);
  const steps: Int32Array[] = [];
  const middle = most + 1;
  for (let changes = 0; changes <= most; changes++) {
    steps.push(reach.slice(middle - changes - 1, middle + changes + 2));
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const [left, right] = [reach[middle + diagonal - 1] ?? 0, reach[middle + diagonal + 1] ?? 0];
      let x = diagonal === -changes || (diagonal !== changes && left < right) ? right : left + 1;
      while (x < n && x - diagonal < m && before[x] === after[x - diagonal]) x++;
      reach[middle + diagonal] = x;
      if (x >= n && x - diagonal >= m) return traceBack(steps, n, m);
    }
  }
  return undefined;
}

function traceBack(steps: readonly Int32Array[], n: number, m: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [x, y] = [n, m];
  for (let changes = steps.length - 1; changes >= 0; changes--) {
    const reached = (diagonal: number): number => steps[changes]?.[diagonal + changes + 1] ?? 0;
    const diagonal = x - y;
    const isDown = diagonal === -changes || (diagonal !== changes && reached(diagonal - 1) < reached(diagonal + 1));
    const from = isDown ? diagonal + 1 : diagonal - 1;
    const fromX = changes === 0 ? 0 : reached(from);
    const fromY = changes === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) pairs.push([--x, --y]);
    [x, y] = [fromX, fromY];
  }
  return pairs.reverse();
}

/** Lines that are there once on both sides, as many of them as are in one order; in the time that sorting takes. */
function uniquePairs(before: readonly string[], after: readonly string[]): [number, number][] {
  const places = placesOfUnique(after);
  const candidates = [...placesOfUnique(before)].flatMap(([line, a]): [number, number][] => {
    const b = places.get(line);
    return b === undefined ? [] : [[a, b]];
  });
  // The longest rising run of places after: the last candidate of each length, and who comes before each.
  const tails: number[] = [];
  const previous: number[] = [];
  candidates.forEach(([, b], index) => {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const half = (low + high) >> 1;
      if ((candidates[tails[half] ?? 0]?.[1] ?? 0) < b) low = half + 1;
      else high = half;
    }
    previous[index] = low === 0 ? -1 : (tails[low - 1] ?? -1);
    tails[low] = index;
  });
  const pairs: [number, number][] = [];
  for (let index = tails.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) {
    const pair = candidates[index];
    if (pair !== undefined) pairs.push(pair);
  }
  return pairs.reverse();
}

function placesOfUnique(lines: readonly string[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const repeated = new Set<string>();
  lines.forEach((line, index) => {
    if (places.has(line)) repeated.add(line);
    places.set(line, index);
  });
  for (const line of repeated) places.delete(line);
  return places;
}
