// Why no set of clusters meets all the spread constraints of a placement: which of them, and by how much.

import type { Candidates } from "../fleet/candidates.ts";
import { SchedulingError } from "../scheduling-error.ts";
import type { SearchRequest } from "./same-groups.ts";
import { SearchBudget } from "./search-budget.ts";
import type { ClusterBounds, GroupConstraint } from "./spread-groups.ts";
import { type Demands, SpreadSearch } from "./spread-search.ts";
import type { Terms } from "./terms.ts";

export interface Shortage {
  /** The search that found nothing. */
  readonly search: SearchRequest;
  readonly bounds: ClusterBounds;
  readonly terms: Terms;
  readonly candidates: Candidates;
  /** Whether that search was ended early. */
  readonly wasShort: boolean;
}

/**
 * Names the first constraint that cannot be met by itself, else what is short for all of them together: replicas, room,
 * or agreement. A lack that other clusters or less load would mend is `Unschedulable`, one of the placement itself `SchedulerError`.
 */
export function whyNoSpread(shortage: Shortage): SchedulingError {
  const { search, bounds, terms, wasShort } = shortage;
  const plain =
    search.groups.constraints
      .map((constraint) => groupsShort(shortage, constraint))
      .find((error) => error !== undefined) ??
    clustersShort(shortage) ??
    allRoomShort(shortage);
  if (plain !== undefined) return plain;
  if (wasShort) {
    return new SchedulingError(
      "SchedulerError",
      `no choice that meets ${describeAll(search, bounds)} was found within the limit of the search; fewer constraints, or wider ones, are searched sooner`,
    );
  }
  return replicasShort(shortage) ?? roomShort(shortage) ?? disagreement(search, bounds, terms);
}

/** All clusters together have too little room, whichever are chosen. */
function allRoomShort({ search }: Shortage): SchedulingError | undefined {
  const room = sumOf(search.positions, search.roomOf);
  if (room >= search.need) return undefined;
  return new SchedulingError(
    "Unschedulable",
    `the clusters that fit have room for ${room} of ${count(search.need, "replica")}`,
  );
}

/** Too few groups exist, or have room. */
function groupsShort(
  { search, terms, candidates }: Shortage,
  constraint: GroupConstraint,
): SchedulingError | undefined {
  if (constraint.min > constraint.max) {
    const { by, min, max } = constraint;
    return new SchedulingError("SchedulerError", `${by}: minGroups ${min} is more than maxGroups ${max}`);
  }
  const existing = new Set<number>();
  const roomy = new Set<number>();
  const able = new Set(search.positions);
  let room = 0;
  for (const position of Array.from(candidates.positions)) {
    const groups = constraint.groupsOf(position);
    for (const group of groups) existing.add(group);
    if (!able.has(position) || groups.length === 0) continue;
    for (const group of groups) roomy.add(group);
    room += terms.roomOf(position);
  }
  if (roomy.size >= constraint.min) return undefined;
  const wanted = `minGroups is ${constraint.min}`;
  if (existing.size < constraint.min) {
    return new SchedulingError(
      "SchedulerError",
      `${constraint.by}: ${count(existing.size, "group")} ${existing.size === 1 ? "exists" : "exist"} among the clusters that fit, ${wanted}`,
    );
  }
  const has = roomy.size === 1 ? "has" : "have";
  return new SchedulingError(
    "Unschedulable",
    Number.isFinite(room)
      ? `${constraint.by}: ${count(roomy.size, "group")} ${has} room for ${count(room, "replica")}, ${wanted}`
      : `${constraint.by}: ${count(roomy.size, "group")} ${has} a cluster of any weight, ${wanted}`,
  );
}

function clustersShort({ search, bounds, terms }: Shortage): SchedulingError | undefined {
  const able = search.positions.filter((position) =>
    search.groups.constraints.every((constraint) => constraint.groupsOf(position).length > 0),
  );
  if (bounds.min > bounds.max) {
    return new SchedulingError(
      "SchedulerError",
      `cluster: minGroups ${bounds.min} is more than maxGroups ${bounds.max}`,
    );
  }
  if (able.length >= bounds.min) return undefined;
  const what = able.length === 1 ? "1 cluster has" : `${able.length} clusters have`;
  const room = terms.replicas > 0 ? `room for ${count(terms.floor, "replica")}` : "what the constraints need";
  return new SchedulingError("Unschedulable", `cluster: ${what} ${room}, minGroups is ${bounds.min}`);
}

/** More clusters are needed than there are replicas for. */
function replicasShort({ search, bounds, terms }: Shortage): SchedulingError | undefined {
  if (terms.replicas === 0) return undefined;
  const spread = new SpreadSearch(search, new SearchBudget());
  const unlimited: Demands = { most: bounds.max, need: 0 };
  const fewest = spread.find(unlimited);
  if (fewest === undefined || spread.find({ need: 0 }) !== undefined) return undefined;
  let clusters = fewest.length;
  while (clusters > 1 && spread.find({ most: clusters - 1, need: 0 }) !== undefined) clusters--;
  return new SchedulingError(
    "Unschedulable",
    `${count(terms.replicas, "replica")} ${terms.replicas === 1 ? "is" : "are"} too few: ${describeAll(search, bounds)} need ${count(clusters, "cluster")} with at least ${count(terms.floor, "replica")} each`,
  );
}

/** Every set that meets the constraints has too little room. */
function roomShort({ search, bounds, terms }: Shortage): SchedulingError | undefined {
  const spread = new SpreadSearch(search, new SearchBudget());
  const some = spread.find({ need: 0 });
  if (some === undefined) return undefined;
  let room = some.reduce((sum, position) => sum + terms.roomOf(position), 0);
  let impossible = search.need;
  while (impossible - room > 1) {
    const middle = room + Math.floor((impossible - room) / 2);
    const found = spread.find({ need: middle });
    if (found === undefined) impossible = middle;
    else room = Math.max(middle, Math.min(impossible - 1, sumOf(found, terms.roomOf)));
  }
  const limits = describeAll(search, bounds);
  const most = limits === "" ? "" : ` that ${limits} allow`;
  return new SchedulingError(
    "Unschedulable",
    `the clusters${most} have room for at most ${room} of ${count(search.need, "replica")}`,
  );
}

function sumOf(positions: readonly number[], roomOf: (position: number) => number): number {
  return positions.reduce((sum, position) => sum + roomOf(position), 0);
}

function disagreement(search: SearchRequest, bounds: ClusterBounds, terms: Terms): SchedulingError {
  const kind = terms.replicas > 0 && terms.weightOf === undefined ? "Unschedulable" : "SchedulerError";
  return new SchedulingError(
    kind,
    `no choice of clusters meets ${describeAll(search, bounds)} at once, though each can be met by itself`,
  );
}

/** `zone (minGroups 2, maxGroups 3) and cluster (minGroups 2)`. */
function describeAll({ groups: { constraints } }: SearchRequest, bounds: ClusterBounds): string {
  const texts = constraints.map(({ by, min, max }) => `${by} (${describeBounds(min, max)})`);
  if (bounds.index !== undefined) texts.push(`cluster (${describeBounds(bounds.min, bounds.max)})`);
  const last = texts.pop() ?? "";
  return texts.length === 0 ? last : `${texts.join(", ")} and ${last}`;
}

function describeBounds(min: number, max: number): string {
  return max === Number.POSITIVE_INFINITY ? `minGroups ${min}` : `minGroups ${min}, maxGroups ${max}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
