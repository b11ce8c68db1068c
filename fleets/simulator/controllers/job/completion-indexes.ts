// Sets of completion indexes as a Job's status writes them: "1,3-5,7".

interface Interval {
  readonly first: number;
  readonly last: number;
}

/** A set of indexes. Never changes. */
export class CompletionIndexes {
  static readonly none = new CompletionIndexes([]);
  readonly intervals: readonly Interval[];
  readonly size: number;

  private constructor(intervals: readonly Interval[]) {
    this.intervals = intervals;
    this.size = intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  static of(indexes: Iterable<number>): CompletionIndexes {
    return CompletionIndexes.none.with(indexes);
  }

  /** Reads the form of a status; indexes of `completions` or more and what is no interval do not count. */
  static parse(text: string | undefined, completions: number): CompletionIndexes {
    const intervals: Interval[] = [];
    for (const part of (text ?? "").split(",")) {
      const [, low, high = low] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      if (low === undefined) continue;
      const first = Number(low);
      if (first >= completions) break;
      intervals.push({ first, last: Math.min(Number(high), completions - 1) });
    }
    return new CompletionIndexes(joined(intervals));
  }

  with(indexes: Iterable<number>): CompletionIndexes {
    return this.union(new CompletionIndexes([...indexes].map((index) => ({ first: index, last: index }))));
  }

  union(other: CompletionIndexes): CompletionIndexes {
    if (other.intervals.length === 0) return this;
    return new CompletionIndexes(joined([...this.intervals, ...other.intervals]));
  }

  has(index: number): boolean {
    return this.intervals.some(({ first, last }) => first <= index && index <= last);
  }

  /** How many indexes are in both sets. */
  overlap(other: CompletionIndexes): number {
    let count = 0;
    for (const a of this.intervals)
      for (const b of other.intervals) count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
    return count;
  }

  /** The lowest `count` indexes below `completions` that are not in the set. */
  absent(count: number, completions: number): number[] {
    const found: number[] = [];
    let candidate = 0;
    for (const { first, last } of [...this.intervals, { first: completions, last: completions }]) {
      for (; candidate < Math.min(first, completions) && found.length < count; candidate++) found.push(candidate);
      candidate = Math.max(candidate, last + 1);
    }
    return found;
  }

  /** As Kubernetes: two neighbours are "1,2", three are "1-3". */
  toString(): string {
    return this.intervals
      .map(({ first, last }) =>
        first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`,
      )
      .join(",");
  }
}

function joined(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const interval of [...intervals].sort((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before === undefined || interval.first > before.last + 1) result.push(interval);
    else result[result.length - 1] = { first: before.first, last: Math.max(before.last, interval.last) };
  }
  return result;
}
