// How many replicas each selected cluster gets.

import type { Placement } from "../../../api/policy.ts";
import type { DivisionTrace, Strategy, TraceCollector } from "../explanation/trace.ts";
import type { Candidates } from "../fleet/candidates.ts";
import { SchedulingError } from "../scheduling-error.ts";
import { allocateSeats, traceSeats } from "./webster.ts";

/** Replicas for the cluster at a position of the fleet. */
export interface Assignment {
  readonly position: number;
  readonly replicas: number;
}

export interface AssignmentRequest {
  readonly candidates: Candidates;
  /** Positions of the clusters that take part, in the order of preference. */
  readonly selected: ArrayLike<number>;
  readonly strategy: Strategy;
  readonly replicas: number;
  /** Divide anew instead of changing as little as possible. */
  readonly fresh: boolean;
  /** The current targets in the binding's order. */
  readonly previous: readonly Assignment[];
  /** Static weights by position. */
  readonly staticWeights: () => Float64Array;
  /** Whether equals go to the last name. */
  readonly namesDescend: () => boolean;
  readonly trace?: TraceCollector | undefined;
  readonly tier?: number | undefined;
}

/** The strategy a placement asks for; undefined when its preference is neither. */
export function strategyOf(placement: Placement): Strategy | undefined {
  const scheduling = placement.replicaScheduling;
  if (scheduling == null || scheduling.replicaSchedulingType === "Duplicated") return "Duplicated";
  if (scheduling.replicaDivisionPreference === "Aggregated") return "Aggregated";
  if (scheduling.replicaDivisionPreference !== "Weighted") return undefined;
  return scheduling.weightPreference?.dynamicWeight ? "DynamicWeight" : "StaticWeight";
}

/** Divides the replicas. Entries without replicas are left out. */
export function assignReplicas(request: AssignmentRequest): readonly Assignment[] | SchedulingError {
  switch (request.strategy) {
    case "Duplicated":
      return duplicate(request);
    case "StaticWeight":
      return divideByStaticWeights(request);
    case "DynamicWeight":
    case "Aggregated":
      return divideByRoom(request);
  }
}

function duplicate(request: AssignmentRequest): readonly Assignment[] {
  const { selected, replicas } = request;
  noteDivision(request, { action: "duplicate", target: replicas });
  if (replicas <= 0) return [];
  return Array.from(selected, (position) => ({ position, replicas }));
}

function divideByStaticWeights(request: AssignmentRequest): readonly Assignment[] {
  const { selected } = request;
  const byPosition = request.staticWeights();
  const list: WeightList = { positions: selected, weights: new Float64Array(selected.length) };
  let sum = 0;
  for (let i = 0; i < selected.length; i++) {
    const weight = byPosition[selected[i] as number] as number;
    list.weights[i] = weight;
    sum += weight;
  }
  if (sum === 0) list.weights.fill(1);
  noteDivision(request, { action: "divide", target: request.replicas, list });
  return divide(request, request.replicas, list, false);
}

/** Clusters with their weights, as parallel lists. */
export interface WeightList {
  readonly positions: ArrayLike<number>;
  readonly weights: Float64Array;
}

function divideByRoom(request: AssignmentRequest): readonly Assignment[] | SchedulingError {
  const { candidates, selected, replicas } = request;
  const previous = previousAmong(request);
  if (request.fresh) {
    const held = new Map(previous.map((entry) => [entry.position, entry.replicas]));
    const list = weigh(selected, (position) => toInt32(candidates.allocatable(position) + (held.get(position) ?? 0)));
    const result = divideWithin(request, "divide", replicas, list, previous);
    return result instanceof SchedulingError ? result.during("failed to do fresh scale") : result;
  }
  const assigned = previous.reduce((sum, entry) => sum + entry.replicas, 0);
  if (assigned > replicas) {
    const held = new Map(previous.map((entry) => [entry.position, entry.replicas]));
    const positions = previous.map((entry) => entry.position);
    const list = preferredFirst(
      request,
      weigh(positions, (position) => held.get(position) ?? 0),
    );
    const result = divideWithin(request, "scale-down", replicas, list, previous);
    return result instanceof SchedulingError ? result.during("failed to scale down") : result;
  }
  if (assigned < replicas) {
    const list = targetsFirst(
      request.strategy,
      preferredFirst(
        request,
        weigh(selected, (position) => candidates.allocatable(position)),
      ),
      previous,
    );
    const added = divideWithin(request, "scale-up", replicas - assigned, list, previous);
    return added instanceof SchedulingError ? added.during("failed to scale up") : merge(added, previous);
  }
  noteDivision(request, { action: "keep", target: 0, previous });
  return previous.filter((entry) => entry.replicas > 0);
}

/** The current targets that take part, in the binding's order. */
export function previousAmong(request: AssignmentRequest): readonly Assignment[] {
  if (request.previous.length === 0) return [];
  const selected = new Set(Array.from(request.selected));
  return request.previous.filter((entry) => selected.has(entry.position));
}

/**
 * The clusters with their weights, heaviest first.
 * Differs from Karmada: equals keep their order, also where there are more than twelve.
 */
function weigh(positions: ArrayLike<number>, weightOf: (position: number) => number): WeightList {
  const weights = new Float64Array(positions.length);
  let sorted = true;
  for (let i = 0; i < positions.length; i++) {
    const weight = weightOf(positions[i] as number);
    weights[i] = weight;
    if (i > 0 && weight > (weights[i - 1] as number)) sorted = false;
  }
  return sorted ? { positions, weights } : reorder({ positions, weights });
}

/** Sorts both lists by weight, heaviest first, by insertion where they are short. */
function reorder({ positions, weights }: WeightList): WeightList {
  if (weights.length > 24) {
    const order = Array.from(weights.keys()).sort((a, b) => (weights[b] as number) - (weights[a] as number));
    return pickAt({ positions, weights }, order);
  }
  const sorted = Array.from(positions);
  for (let i = 1; i < weights.length; i++) {
    const weight = weights[i] as number;
    const position = sorted[i] as number;
    let place = i;
    for (; place > 0 && (weights[place - 1] as number) < weight; place--) {
      weights[place] = weights[place - 1] as number;
      sorted[place] = sorted[place - 1] as number;
    }
    weights[place] = weight;
    sorted[place] = position;
  }
  return { positions: sorted, weights };
}

function pickAt({ positions, weights }: WeightList, order: readonly number[]): WeightList {
  return {
    positions: order.map((index) => positions[index] as number),
    weights: Float64Array.from(order, (index) => weights[index] as number),
  };
}

// When aggregating, those with the best scores beyond Karmada's are filled first; equals stay as they are.
function preferredFirst({ strategy, candidates }: AssignmentRequest, list: WeightList): WeightList {
  if (strategy !== "Aggregated" || !candidates.hasPreferences) return list;
  const preference = (index: number): number => candidates.preference(list.positions[index] as number);
  return pickAt(
    list,
    Array.from(list.weights.keys()).sort((a, b) => preference(b) - preference(a)),
  );
}

// When aggregating, clusters that already have replicas are filled before others are opened.
function targetsFirst(strategy: Strategy, list: WeightList, previous: readonly Assignment[]): WeightList {
  const targets = new Set(previous.filter((entry) => entry.replicas > 0).map((entry) => entry.position));
  if (strategy !== "Aggregated" || targets.size === 0) return list;
  const indices = Array.from(list.weights.keys());
  const isTarget = (index: number): boolean => targets.has(list.positions[index] as number);
  const order = [...indices.filter(isTarget), ...indices.filter((index) => !isTarget(index))];
  return pickAt(list, order);
}

/** Divides `target` over the list, which must have room for it; when aggregating, over as much of it as it takes. */
function divideWithin(
  request: AssignmentRequest,
  action: DivisionTrace["action"],
  target: number,
  list: WeightList,
  previous: readonly Assignment[],
): readonly Assignment[] | SchedulingError {
  let room = 0;
  let needed = list.weights.length;
  for (let i = 0; i < list.weights.length; i++) {
    room = toInt32(room + (list.weights[i] as number));
    if (request.strategy === "Aggregated" && room >= target && i < needed) needed = i + 1;
  }
  const used = needed === list.weights.length ? list : firstOf(list, needed);
  noteDivision(request, { action, target, list: used, previous });
  if (room < target) {
    return new SchedulingError("Unschedulable", `Clusters available replicas ${room} are not enough to schedule.`);
  }
  // What clusters had before is added to their place in this list, so that they must be in it.
  return divide(request, target, used, action === "scale-up" && previous.length > 0);
}

/**
 * As Karmada: room is counted in 32 bits. It matters where nothing is wanted, since each cluster then counts as having
 * room for 2^31-1: a reschedule of a workload scaled to zero over two clusters is refused for a room of -2.
 */
function toInt32(count: number): number {
  return count | 0;
}

function firstOf({ positions, weights }: WeightList, count: number): WeightList {
  const first: number[] = [];
  for (let i = 0; i < count; i++) first.push(positions[i] as number);
  return { positions: first, weights: weights.subarray(0, count) };
}

/** Webster's division; the result is sorted by name, without those that got nothing unless `keepEmpty`. */
function divide(
  request: AssignmentRequest,
  target: number,
  list: WeightList,
  keepEmpty: boolean,
): readonly Assignment[] {
  const seats = allocateSeats(target, { weights: list.weights, ranks: list.positions }, request.namesDescend);
  const result: Assignment[] = [];
  for (let i = 0; i < seats.length; i++) {
    const replicas = seats[i] as number;
    if (replicas > 0 || keepEmpty) result.push({ position: list.positions[i] as number, replicas });
  }
  return result.sort((a, b) => a.position - b.position);
}

/**
 * Adds what clusters had before; those that took no part in the division come last.
 * Differs from Karmada: they come in their old order, not in a random one.
 */
function merge(added: readonly Assignment[], previous: readonly Assignment[]): readonly Assignment[] {
  if (previous.length === 0) return added;
  const left = new Map(previous.map((entry) => [entry.position, entry.replicas]));
  const merged = added.map((entry) => {
    const held = left.get(entry.position) ?? 0;
    left.delete(entry.position);
    return { position: entry.position, replicas: entry.replicas + held };
  });
  for (const [position, replicas] of left) merged.push({ position, replicas });
  return merged.filter((entry) => entry.replicas > 0);
}

/** Steps of a division that a trace shows. */
const SEAT_LIMIT = 64;

export interface DivisionNote {
  readonly action: DivisionTrace["action"];
  readonly target: number;
  readonly list?: WeightList;
  readonly previous?: readonly Assignment[];
  readonly floors?: readonly Assignment[];
}

/** Tells the trace, if there is one, of a division. */
export function noteDivision(
  request: AssignmentRequest,
  { action, target, list, previous, floors }: DivisionNote,
): void {
  if (request.trace === undefined) return;
  const nameOf = (position: number): string => request.candidates.records[position]?.name ?? "";
  const named = ({ position, replicas }: Assignment) => ({ name: nameOf(position), replicas });
  const weights = Array.from(list?.weights ?? [], (weight, i) => ({
    name: nameOf(list?.positions[i] as number),
    weight,
  }));
  const namesDescend = request.namesDescend();
  request.trace.divisions.push({
    strategy: request.strategy,
    mode: request.fresh ? "fresh" : "steady",
    action,
    ...(request.tier === undefined ? {} : { tier: request.tier }),
    replicas: request.replicas,
    target,
    previous: (previous ?? []).map(named),
    ...(floors === undefined || floors.length === 0 ? {} : { floors: floors.map(named) }),
    weights,
    // Steps that begin with floors are not those of the division.
    seats: floors?.length ? [] : traceSeats(target, weights, namesDescend, SEAT_LIMIT),
    namesDescend,
  });
}
