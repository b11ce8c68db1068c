// The clusters of a search, put together where they are in the same groups.

import type { SpreadGroups } from "./spread-groups.ts";

export interface SearchRequest {
  readonly groups: SpreadGroups;
  /** Positions that may be in the set, in the order of preference. Those that lack a group are passed over. */
  readonly positions: readonly number[];
  /** Room of the cluster at a position; Infinity where it does not matter. */
  readonly roomOf: (position: number) => number;
  /** Room that the set must have together. */
  readonly need: number;
  /** Fewest and most clusters of the set. */
  readonly least: number;
  readonly most: number;
}

/** Clusters that are in the same groups. To a set they differ in their room only, so the roomiest is taken first. */
export interface SameGroups {
  /** By constraint. */
  readonly groups: readonly (readonly number[])[];
  /** Roomiest first; equals by preference. */
  readonly members: readonly number[];
  /** Room of the first n members together. */
  readonly sums: readonly number[];
}

/** The clusters of a search by sort, without those that are in no group of some constraint. */
export function groupAlike({ groups: { sorts, sortOf }, positions, roomOf }: SearchRequest): SameGroups[] {
  const bySort = new Map<number, number[]>();
  for (const position of positions) {
    const sort = sortOf[position] as number;
    if (sort < 0) continue;
    const known = bySort.get(sort);
    if (known === undefined) bySort.set(sort, [position]);
    else known.push(position);
  }
  return Array.from(bySort, ([sort, members]) => {
    members.sort((a, b) => {
      const difference = roomOf(b) - roomOf(a);
      // Infinity less infinity: room that does not matter.
      return Number.isNaN(difference) ? 0 : difference;
    });
    const sums = [0];
    for (const position of members) sums.push((sums.at(-1) as number) + roomOf(position));
    return { groups: sorts[sort] as readonly (readonly number[])[], members, sums };
  });
}
