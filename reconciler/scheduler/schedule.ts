// One scheduling decision: filter, order, select, assign.

import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { ObjectReference, ResourceBindingSpec, ResourceBindingStatus, TargetCluster } from "../../api/work.ts";
import { fnv1a32 } from "../../kube/hash.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Decision } from "./decision.ts";
import { type Assignment, assignReplicas, strategyOf } from "./division/assign.ts";
import { assignWithFloors } from "./division/assign-with-floors.ts";
import { assignByTiers } from "./division/overflow.ts";
import { estimateFor } from "./estimates/estimates.ts";
import { explainDecision } from "./explanation/explain.ts";
import { TraceCollector } from "./explanation/trace.ts";
import {
  DELETING_BIT,
  EVICTION_BIT,
  enabledMask,
  PLUGIN_BIT,
  WAIVED_FOR_TARGETS,
  WORKLOAD_AFFINITY_BIT,
  WORKLOAD_ANTI_AFFINITY_BIT,
} from "./fleet/filters.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import { firstReason } from "./fleet/refusals.ts";
import type { ScoreTable } from "./fleet/score-tables.ts";
import { totalScore } from "./fleet/scores.ts";
import { pluginRefusalOf, resolveGates, type SchedulingOptions } from "./options.ts";
import type { SchedulingResult } from "./result.ts";
import { SchedulingError } from "./scheduling-error.ts";
import { selectClusters } from "./selection/select.ts";
import { readTerms, type Terms } from "./selection/terms.ts";
import { dividesReplicas, isRescheduleRequested, isWorkload, placesSets } from "./workload.ts";

export interface SchedulingRequest {
  /** The spec of the binding; `placement` must be set. Not changed, and kept: it must not be changed in place later. */
  readonly spec: ResourceBindingSpec;
  readonly status?: ResourceBindingStatus | undefined;
  /** A `FleetIndex` to schedule many bindings over, or plain clusters for one. */
  readonly fleet: FleetIndex | readonly Cluster[];
  readonly options?: SchedulingOptions | undefined;
}

/**
 * Decides on which clusters the object of a binding belongs, with how many replicas. Of `clusterAffinities` it uses the
 * group that `status.schedulerObservingAffinityName` names; `scheduleInGroups` tries them in turn.
 */
export function schedule(request: SchedulingRequest): SchedulingResult {
  const decision = prepare(request);
  if (decision instanceof SchedulingError) return { error: decision };
  const trace = request.options?.explain === true ? new TraceCollector() : undefined;
  const outcome = decide(decision, trace);
  const traced = trace === undefined ? {} : { trace: explainDecision(decision, outcome, trace) };
  return outcome instanceof SchedulingError ? { error: outcome, ...traced } : { clusters: outcome, ...traced };
}

/** Names of the clusters that pass the filters, by what is known without estimators; none when nothing can be scheduled. */
export function candidateNames(request: SchedulingRequest): readonly string[] {
  const decision = prepare(request);
  if (decision instanceof SchedulingError) return [];
  return Array.from(decision.candidates.positions, (position) => nameAt(decision, position));
}

function prepare(request: SchedulingRequest): Decision | SchedulingError {
  const { spec, status, options } = request;
  const { placement } = spec;
  if (placement == null) return new SchedulingError("SchedulerError", "the binding has no placement");
  if (options?.pluginFailure !== undefined) return new SchedulingError("SchedulerError", options.pluginFailure);
  const fleet = request.fleet instanceof FleetIndex ? request.fleet : new FleetIndex(request.fleet);
  const gates = resolveGates(options);
  const groupName = status?.schedulerObservingAffinityName ?? "";
  const plan = fleet.plan(placement, spec.resource, groupName, isWorkload(spec));
  const sets = placesSets(spec, placement, gates.MultiplePodTemplatesScheduling);
  const table = tryEstimate(() => estimateFor(fleet, spec, sets, gates, options));
  if (table instanceof SchedulingError) return table;
  const mask = enabledMask(options?.disabledFilters);
  const scores = scoresFor(fleet, placement, spec.resource, options);
  const shared =
    table instanceof Int32Array || scores instanceof Float64Array
      ? plan.ownCandidates(
          table instanceof Int32Array ? table : table.values,
          mask,
          scores instanceof Float64Array ? scores : scores?.values,
        )
      : plan.candidates(table, mask, scores);
  const previous = readPrevious(fleet, spec.clusters);
  const own = ownRefusals(fleet, spec, options, gates.WorkloadAffinity);
  const refusalsAt = (position: number): number => {
    let bits = plan.refusals[position] as number;
    if (previous.has(position)) bits &= ~WAIVED_FOR_TARGETS;
    if (own !== undefined) bits |= own(position);
    return bits & mask;
  };
  const candidates =
    previous.size === 0 && own === undefined
      ? shared
      : shared.withPrevious(previous, (position) => refusalsAt(position) === 0, options?.withoutLocality !== true);
  const fresh = isRescheduleRequested(spec, status);
  return { spec, placement, fleet, plan, options, groupName, fresh, previous, refusalsAt, candidates };
}

/** Sums of the scores beyond Karmada's, by name, as a replay is told them; undefined where there are none. */
export function recordScores(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  options: SchedulingOptions | undefined,
): ReadonlyMap<string, number> | undefined {
  const scores = scoresFor(fleet, spec.placement ?? {}, spec.resource, options);
  if (scores === undefined) return undefined;
  const values = scores instanceof Float64Array ? scores : scores.values;
  return new Map(fleet.records.map(({ name }, position) => [name, values[position] as number]));
}

/** Amounts come from templates of any kind, and may be no amounts. */
function tryEstimate<T>(estimate: () => T): T | SchedulingError {
  try {
    return estimate();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const text = JSON.stringify(error.details["text"] ?? "");
    return new SchedulingError(
      "SchedulerError",
      `cannot read the resources that a replica requests: ${text}: ${error.message}`,
    );
  }
}

/** Scores beyond Karmada's: a table shared with other bindings, this one's own sums, or none. */
function scoresFor(
  fleet: FleetIndex,
  placement: Placement,
  resource: ObjectReference,
  options: SchedulingOptions | undefined,
): ScoreTable | Float64Array | undefined {
  const { recordedScores, pluginScores } = options ?? {};
  if (recordedScores !== undefined) {
    return Float64Array.from(fleet.records, ({ name }) => recordedScores.get(name) ?? 0);
  }
  const expressions = placement.flaghoist?.scores ?? [];
  const table = expressions.length === 0 ? undefined : fleet.scores().of(expressions, resource);
  if (pluginScores === undefined) return table;
  return Float64Array.from(
    fleet.records,
    ({ name }, position) => (table?.values[position] ?? 0) + totalScore(pluginScores.get(name) ?? []),
  );
}

const NO_PREVIOUS: ReadonlyMap<number, number> = new Map();

function readPrevious(fleet: FleetIndex, clusters: readonly TargetCluster[] | undefined): ReadonlyMap<number, number> {
  if (clusters == null || clusters.length === 0) return NO_PREVIOUS;
  const previous = new Map<number, number>();
  for (const target of clusters) {
    const position = fleet.position(target.name);
    if (position !== undefined) previous.set(position, target.replicas ?? 0);
  }
  return previous;
}

/** Filters that concern this binding alone; undefined when none does. */
function ownRefusals(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  options: SchedulingOptions | undefined,
  workloadAffinity: boolean,
): ((position: number) => number) | undefined {
  const evicted = new Set((spec.gracefulEvictionTasks ?? []).map((task) => fleet.position(task.fromCluster)));
  const groups = workloadAffinity ? spec.workloadAffinityGroups : undefined;
  const together = groups?.affinityGroup ? membersWithClusters(options?.affinityMembers) : [];
  const apart = groups?.antiAffinityGroup ? membersWithClusters(options?.antiAffinityMembers) : [];
  const byPlugins = (options?.pluginRefusals?.size ?? 0) > 0 || options?.pluginsAsked !== undefined;
  if (evicted.size === 0 && together.length === 0 && apart.length === 0 && !byPlugins) return undefined;
  const targets = new Set((spec.clusters ?? []).map((target) => target.name));
  return (position) => {
    let bits = evicted.has(position) ? EVICTION_BIT : 0;
    const name = fleet.records[position]?.name ?? "";
    if (byPlugins && pluginRefusalOf(options ?? {}, name) !== undefined) bits |= PLUGIN_BIT;
    if (targets.has(name)) return bits;
    if (together.some((clusters) => !clusters.has(name))) bits |= WORKLOAD_AFFINITY_BIT;
    if (apart.some((clusters) => clusters.has(name))) bits |= WORKLOAD_ANTI_AFFINITY_BIT;
    return bits;
  };
}

function membersWithClusters(members: SchedulingOptions["affinityMembers"]): readonly ReadonlySet<string>[] {
  return (members ?? [])
    .filter((member) => member.clusters.length > 0)
    .map((member) => new Set(member.clusters.map((target) => target.name)));
}

function decide(decision: Decision, trace: TraceCollector | undefined): readonly TargetCluster[] | SchedulingError {
  const { spec, placement, candidates, options } = decision;
  if (candidates.positions.length === 0) return nothingFits(decision);
  const gates = resolveGates(options);
  const sets = placesSets(spec, placement, gates.MultiplePodTemplatesScheduling);
  const replicas = spec.replicas ?? 0;
  const terms = readTerms(spec, placement, candidates, decision.plan);
  const needReplicas = sets ? 1 : replicas;
  const { fresh } = decision;
  const select = () => selectClusters({ candidates, placement, replicas, needReplicas, sets, fresh, terms, trace });
  // What is placed whole, and what is divided, may be as many replicas and yet choose otherwise.
  const key = sets ? -1 : terms?.replicas === 0 ? -2 - replicas : replicas;
  const selected = trace === undefined ? candidates.choice(key, select) : select();
  if (selected instanceof SchedulingError) return selected.during("failed to select clusters");
  if (selected.length === 0) {
    return new SchedulingError("SchedulerError", "failed to assign replicas: no clusters available to schedule");
  }
  if (!dividesReplicas(spec)) return wholeTargets(decision, selected, sets);
  const assignments = assign(decision, selected, terms, trace);
  if (assignments instanceof SchedulingError) return assignments.during("failed to assign replicas");
  const targets = assignments.map(({ position, replicas: own }) => ({
    name: nameAt(decision, position),
    replicas: own,
  }));
  return options?.emptyWorkloadPropagation === true ? withEmptyTargets(decision, targets, selected) : targets;
}

/** Targets without a division: each gets the object as it is. */
function wholeTargets(decision: Decision, selected: ArrayLike<number>, sets: boolean): readonly TargetCluster[] {
  const components = decision.spec.components ?? [];
  const records = sets && components.length > 1 && decision.options?.compatibility === "1.19";
  return Array.from(selected, (position) => ({
    name: nameAt(decision, position),
    ...(records
      ? { components: components.map((component) => ({ name: component.name, replicas: component.replicas })) }
      : {}),
  }));
}

function assign(
  decision: Decision,
  selected: ArrayLike<number>,
  terms: Terms | undefined,
  trace: TraceCollector | undefined,
): readonly Assignment[] | SchedulingError {
  const { spec, placement, candidates, plan, fresh, previous } = decision;
  const strategy = strategyOf(placement);
  if (strategy === undefined) {
    const type = placement.replicaScheduling?.replicaSchedulingType ?? "";
    const preference = placement.replicaScheduling?.replicaDivisionPreference ?? "";
    return new SchedulingError(
      "SchedulerError",
      `unsupported replica scheduling strategy, replicaSchedulingType: ${type}, replicaDivisionPreference: ${preference}, please try another scheduling strategy`,
    );
  }
  const request = {
    candidates,
    selected,
    strategy,
    replicas: spec.replicas ?? 0,
    fresh,
    previous: previous.size === 0 ? [] : Array.from(previous, ([position, replicas]) => ({ position, replicas })),
    staticWeights: () => plan.staticWeights(),
    namesDescend: () => namesDescend(spec.resource.uid),
    trace,
  };
  if (terms !== undefined && terms.replicas > 0) return assignWithFloors(request, terms, placement);
  return plan.tiers === undefined ? assignReplicas(request) : assignByTiers(request);
}

/**
 * Whether equals go to the last name rather than the first. As Karmada: half of all resources have it so, that odd
 * replicas do not all end on the first cluster.
 */
export function namesDescend(uid: string | undefined): boolean {
  return uid !== undefined && uid !== "" && fnv1a32(uid) % 2 === 1;
}

function withEmptyTargets(
  decision: Decision,
  targets: readonly TargetCluster[],
  selected: ArrayLike<number>,
): readonly TargetCluster[] {
  const present = new Set(targets.map((target) => target.name));
  const names = Array.from(selected, (position) => nameAt(decision, position));
  return [...targets, ...names.filter((name) => !present.has(name)).map((name) => ({ name }))];
}

/** Says how many clusters each reason refused, every cluster by its first reason. */
function nothingFits(decision: Decision): SchedulingError {
  const { fleet, placement, plan, spec } = decision;
  const asked = { placement, affinity: plan.affinity, resource: spec.resource, options: decision.options };
  const counts = new Map<string, number>();
  for (const [position, record] of fleet.records.entries()) {
    const bits = decision.refusalsAt(position);
    if ((bits & DELETING_BIT) !== 0) continue;
    const first = firstReason(bits, record, asked);
    if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  const reasons = Array.from(counts, ([reason, count]) => `${count} ${reason}`).sort();
  const text = reasons.length === 0 ? "no cluster exists" : reasons.join(", ");
  return new SchedulingError("NoClusterFit", `0/${fleet.records.length} clusters are available: ${text}.`);
}

function nameAt(decision: Decision, position: number): string {
  return decision.fleet.records[position]?.name ?? "";
}
