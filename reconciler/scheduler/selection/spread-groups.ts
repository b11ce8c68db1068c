// The groups that spread constraints make of clusters, where `placement.flaghoist.strictSpread` makes all of them count.

import type { Placement, SpreadConstraint } from "../../../api/policy.ts";
import { compareNames } from "../division/webster.ts";
import type { ClusterRecord } from "../fleet/cluster-record.ts";

/** One spread constraint by region, zone, provider or label. */
export interface GroupConstraint {
  /** `zone`, `region`, `provider` or `label KEY`. */
  readonly by: string;
  /** Index in `placement.spreadConstraints`. */
  readonly index: number;
  readonly min: number;
  /** Infinity when there is no limit. */
  readonly max: number;
  /** Names of the groups, sorted; a group's number is its place here. */
  readonly names: readonly string[];
  /** Numbers of the groups that the cluster at a position is in, ascending; none when it lacks the property. */
  readonly groupsOf: (position: number) => readonly number[];
}

/** How many clusters there must and may be. */
export interface ClusterBounds {
  readonly min: number;
  readonly max: number;
  /** Index in `placement.spreadConstraints`; undefined when no constraint is by cluster. */
  readonly index: number | undefined;
}

export function isStrict(placement: Placement): boolean {
  return placement.flaghoist?.strictSpread === true && (placement.spreadConstraints?.length ?? 0) > 0;
}

/** Bounds of all constraints by cluster together. Unlike Karmada's, a maximum of 0 is none. */
export function clusterBounds(placement: Placement): ClusterBounds {
  let bounds: ClusterBounds = { min: 1, max: Number.POSITIVE_INFINITY, index: undefined };
  for (const [index, constraint] of (placement.spreadConstraints ?? []).entries()) {
    if (constraint.spreadByField !== "cluster") continue;
    const own = boundsOf(constraint);
    bounds = { min: Math.max(bounds.min, own.min), max: Math.min(bounds.max, own.max), index };
  }
  return bounds;
}

/** From the widest groups to the narrowest, so that zones are chosen within the regions that were. */
const ORDER = ["region", "provider", "zone", "label"] as const;

/** Which groups the clusters of a fleet are in, by the constraints of one placement. */
export interface SpreadGroups {
  /** Widest first. */
  readonly constraints: readonly GroupConstraint[];
  /** Sorts of clusters that are in the same groups: by constraint, the numbers of the groups, ascending. */
  readonly sorts: readonly (readonly (readonly number[])[])[];
  /** Sort of the cluster at each position; -1 when it lacks a property and is in no group of some constraint. */
  readonly sortOf: Int32Array;
}

/** The groups of every cluster. */
export function groupFleet(placement: Placement, records: readonly ClusterRecord[]): SpreadGroups {
  const constraints = placement.spreadConstraints ?? [];
  // A zone is a place within its region; where no constraint asks for regions, its name alone counts, as in Karmada.
  const withinRegions = constraints.some((constraint) => constraint.spreadByField === "region");
  const rank = (constraint: SpreadConstraint): number =>
    constraint.spreadByField == null ? ORDER.length : ORDER.indexOf(constraint.spreadByField as (typeof ORDER)[number]);
  const numbered = constraints
    .map((constraint, index) => ({ constraint, index, grouping: groupingOf(constraint, withinRegions) }))
    .sort((a, b) => rank(a.constraint) - rank(b.constraint) || a.index - b.index)
    .flatMap(({ constraint, index, grouping }) =>
      grouping === undefined ? [] : [{ constraint, index, ...numberGroups(records, grouping) }],
    );
  const sorts: (readonly number[])[][] = [];
  const known = new Map<string, number>();
  const sortOf = Int32Array.from(records, (_, position) => {
    const groups = numbered.map(({ groupsAt }) => groupsAt[position] as readonly number[]);
    if (groups.some((own) => own.length === 0)) return -1;
    const key = groups.join(";");
    let sort = known.get(key);
    if (sort === undefined) {
      sort = sorts.push(groups) - 1;
      known.set(key, sort);
    }
    return sort;
  });
  return {
    constraints: numbered.map(({ constraint, index, names, groupsAt }) => ({
      by: wordFor(constraint),
      index,
      ...boundsOf(constraint),
      names,
      groupsOf: (position) => groupsAt[position] ?? [],
    })),
    sorts,
    sortOf,
  };
}

/** Clusters that no constraint makes groups of. */
export function ungrouped(clusters: number): SpreadGroups {
  return { constraints: [], sorts: [[]], sortOf: new Int32Array(clusters) };
}

type Grouping = (record: ClusterRecord) => readonly string[];

function groupingOf(constraint: SpreadConstraint, withinRegions: boolean): Grouping | undefined {
  const { spreadByField, spreadByLabel } = constraint;
  switch (spreadByField) {
    case "region":
      return ({ region }) => (region === "" ? [] : [region]);
    case "provider":
      return ({ cluster }) => (cluster.spec.provider ? [cluster.spec.provider] : []);
    case "zone":
      return ({ cluster, region }) =>
        (cluster.spec.zones ?? []).map((zone) => (withinRegions ? `${region}/${zone}` : zone));
    case "cluster":
      return undefined;
    case undefined:
      return spreadByLabel ? (record) => labelOf(record, spreadByLabel) : undefined;
  }
}

function labelOf({ cluster }: ClusterRecord, key: string): readonly string[] {
  const value = cluster.metadata.labels?.[key];
  return value === undefined ? [] : [value];
}

function wordFor({ spreadByField, spreadByLabel }: SpreadConstraint): string {
  return spreadByField ?? `label ${spreadByLabel}`;
}

function boundsOf({ minGroups, maxGroups }: SpreadConstraint): { readonly min: number; readonly max: number } {
  return {
    min: Math.max(1, minGroups ?? 0),
    max: maxGroups === undefined || maxGroups <= 0 ? Number.POSITIVE_INFINITY : maxGroups,
  };
}

function numberGroups(
  records: readonly ClusterRecord[],
  namesOf: Grouping,
): { readonly names: readonly string[]; readonly groupsAt: readonly (readonly number[])[] } {
  const namesAt = records.map(namesOf);
  const names = [...new Set(namesAt.flat())].sort(compareNames);
  const numbers = new Map(names.map((name, number) => [name, number]));
  const numberOf = (name: string): number => numbers.get(name) as number;
  return {
    names,
    groupsAt: namesAt.map((own) => {
      const [only] = own;
      if (only === undefined || own.length === 1) return only === undefined ? [] : [numberOf(only)];
      return [...new Set(own)].map(numberOf).sort((a, b) => a - b);
    }),
  };
}
