// How much fits into a comment, and what of a report is left out so that the rest does.

export interface Room {
  readonly size: number;
  /** Characters as `length` counts them, which is never less than any host counts. */
  readonly unit: "characters" | "bytes";
}

const encoder = new TextEncoder();

/** How much of a room a text takes. */
export function sizeOf(text: string, unit: Room["unit"]): number {
  return unit === "characters" ? text.length : encoder.encode(text).length;
}

/** How much a report says. Each step of `DETAILS` says less than the one before it. */
export interface Detail {
  /** Lines around each change. */
  readonly context: number;
  /** all: of every object; fitting: of as many as there is room for, and a line for each of the others. */
  readonly diffs: "all" | "fitting";
  /** Whether clusters in which the same happens share a row, however few there are. */
  readonly folded: boolean;
  /** Whether clusters that the change does not touch have rows. */
  readonly untouched: boolean;
  /** How many items of a list are told. */
  readonly most: number;
}

const EVERYTHING: Detail = { context: 3, diffs: "all", folded: false, untouched: true, most: Number.POSITIVE_INFINITY };
const FITTING: Detail = { ...EVERYTHING, context: 1, folded: true, diffs: "fitting" };

/** The last step before there are numbers only. */
export const LEAST: Detail = { ...FITTING, context: 0, untouched: false, most: 3 };

/** From the most to the least. */
export const DETAILS: readonly Detail[] = [
  EVERYTHING,
  { ...EVERYTHING, context: 1 },
  { ...EVERYTHING, context: 0 },
  { ...EVERYTHING, context: 0, folded: true },
  FITTING,
  { ...FITTING, untouched: false },
  ...[200, 50, 20, 8].map((most) => ({ ...FITTING, untouched: false, most })),
  LEAST,
];

/** What stands between blocks. */
const BETWEEN = "\n\n";

/** Blocks with blank lines between them. */
export function joinBlocks(blocks: readonly string[]): string {
  return blocks.join(BETWEEN);
}

/** What blocks take of a room, with a blank line after each. */
export function blocksSize(blocks: readonly string[], unit: Room["unit"]): number {
  return blocks.reduce((sum, block) => sum + sizeOf(block, unit) + BETWEEN.length, 0);
}
