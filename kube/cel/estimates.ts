// Bounds of sizes and costs, before anything is known but types and limits.

/** At least and at most. The largest number stands for everything beyond it. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** As good as endless: 2^64, where the reference's numbers end. */
export const UNBOUNDED = 2 ** 64;
export const UNKNOWN: Range = { min: 0, max: UNBOUNDED };

export function exactly(value: number): Range {
  return { min: value, max: value };
}

function cap(value: number): number {
  return Math.min(value, UNBOUNDED);
}

export function plus(...ranges: readonly Range[]): Range {
  let min = 0;
  let max = 0;
  for (const range of ranges) {
    min += range.min;
    max += range.max;
  }
  return { min: cap(min), max: cap(max) };
}

export function times(a: Range, b: Range): Range {
  return { min: cap(a.min * b.min), max: cap(a.max * b.max) };
}

/** Each bound times the factor, rounded up. */
export function scaled(range: Range, factor: number): Range {
  return { min: cap(Math.ceil(range.min * factor)), max: cap(Math.ceil(range.max * factor)) };
}

/** The range that holds both. */
export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

/**
 * The size of the data at a path: a variable, names of fields, and `@items`, `@keys` or `@values` for what lists and
 * maps hold. Undefined when nothing is known of it.
 */
export type SizeOfPath = (path: readonly string[]) => Range | undefined;
