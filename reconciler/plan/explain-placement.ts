// Where a binding's object is and why: from the record of the decision, or else from the present state.
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { TargetCluster } from "../../api/work.ts";
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { type RecordedAnswer, restoreOptions } from "../scheduler/explanation/recorded-decision.ts";
import type { DivisionTrace } from "../scheduler/explanation/trace.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import { findOccasion } from "../scheduler/occasion.ts";
import type { SchedulingOptions } from "../scheduler/options.ts";
import { type GroupedResult, scheduleInGroups } from "../scheduler/schedule-in-groups.ts";
import type { AnyBinding } from "../works/binding.ts";
import { effectiveTargets } from "../works/targets.ts";
import { explainCluster } from "./explain-clusters.ts";
import { evictionWords, explainDecision, readLastDecision } from "./explain-decision.ts";
import type { DivisionExplanation, Explanation } from "./explanation.ts";
import type { PolicyOrigin } from "./overridden-fields.ts";
import { copiesOf, type Outcome, type RiverOptions } from "./river.ts";
import type { World } from "./world.ts";

export interface PlacementRequest {
  readonly world: World;
  readonly template: KubeObject;
  readonly outcome: Outcome | undefined;
  /** As the control plane has it. */
  readonly stored: AnyBinding | undefined;
  /** As it is to be. */
  readonly binding: AnyBinding;
  readonly options: RiverOptions;
  readonly policyOrigin?: PolicyOrigin | undefined;
}

export type PlacementExplanation = Pick<
  Explanation,
  | "state"
  | "reason"
  | "replicas"
  | "affinityGroup"
  | "clusters"
  | "strategy"
  | "selection"
  | "divisions"
  | "differs"
  | "decision"
>;

export function explainPlacement(request: PlacementRequest): PlacementExplanation {
  const { world, template, outcome, stored, binding, options } = request;
  // What is, where something is; what is to be, where the loops have not been yet.
  const present = stored ?? binding;
  const targets = effectiveTargets(present);
  const own = new Set((present.spec.clusters ?? []).map((target) => target.name));
  const read = stored === undefined ? undefined : readLastDecision(stored, world.clusters);
  const whole = read?.state === "whole" ? read : undefined;
  const ignored = outcome?.decision?.verdict === "ignored" ? outcome.decision.reason : undefined;
  // What plugins refused then is known from the record; they are not asked here.
  const { pluginRefusals } = whole === undefined ? {} : restoreOptions(whole.decision.options);
  const fresh =
    outcome?.policy === undefined || ignored !== undefined
      ? undefined
      : placeAnew(world, binding, stored, pluginRefusals === undefined ? {} : { pluginRefusals });
  // What failed is explained as it was tried, and not as a choice from scratch.
  const failed = outcome?.decision?.verdict === "failed" ? outcome.decision : undefined;
  const trace = whole?.trace ?? failed?.trace ?? fresh?.result.trace;
  const traces = new Map(trace?.clusters.map((entry) => [entry.cluster, entry]));
  const now = new Map(fresh?.result.trace?.clusters.map((entry) => [entry.cluster, entry]));
  const copies = new Map(
    copiesOf(world, template, present, options, []).copies.map((copy) => [copy.cluster, copy] as const),
  );
  const statuses = new Map(stored?.status?.aggregatedStatus?.map((item) => [item.clusterName, item]));
  const leaving = new Map(
    (present.spec.gracefulEvictionTasks ?? []).map((task) => [task.fromCluster, evictionWords(task)]),
  );
  const placement = binding.spec.placement ?? {};
  const clusters = [...world.clusters].sort(byName).map((cluster) => {
    const name = cluster.metadata.name ?? "";
    const target = targets.find((candidate) => candidate.name === name);
    return explainCluster({
      cluster,
      trace: traces.get(name) ?? now.get(name),
      now: now.get(name),
      scheduling: trace,
      placement,
      present:
        target === undefined
          ? undefined
          : own.has(name)
            ? { replicas: target.replicas, follows: false }
            : { replicas: undefined, follows: true },
      copy: copies.get(name),
      policyOrigin: request.policyOrigin,
      status: statuses.get(name),
      leaving: target === undefined ? leaving.get(name) : undefined,
    });
  });
  const claimed = outcome?.policy !== undefined;
  const state = targets.length === 0 ? "unplaced" : !claimed && own.size === 0 ? "attached" : "placed";
  const why = whole?.decision.answer.error?.message ?? failed?.error?.message ?? fresh?.result.error?.message;
  return {
    state,
    reason: state === "unplaced" ? (why ?? ignored ?? outcome?.problems[0]) : undefined,
    replicas: binding.spec.replicas,
    affinityGroup: whole === undefined ? groupOf(placement, fresh, stored) : recordedGroup(whole.decision.answer),
    clusters,
    strategy: trace?.strategy,
    selection: trace?.selection,
    // What was begun when it failed came to nothing.
    divisions: (trace?.error === undefined ? (trace?.divisions ?? []) : []).map((division) =>
      withRules(division, placement, world.clusters),
    ),
    differs: stored === undefined ? undefined : difference(request, stored, fresh),
    decision: stored === undefined || read === undefined ? undefined : explainDecision(read, stored, world, now),
  };
}

function recordedGroup({ affinityName, failedGroups }: RecordedAnswer): Explanation["affinityGroup"] {
  if (affinityName === undefined) return undefined;
  return {
    name: affinityName,
    failed: failedGroups.map(({ affinityName: name, message }) => ({ name, message })),
  };
}

/**
 * Places the binding from scratch: as a requested reschedule does, so that what it has now counts as room. Ordered
 * affinity groups start with the one in use.
 */
function placeAnew(
  world: World,
  binding: AnyBinding,
  stored: AnyBinding | undefined,
  known: SchedulingOptions,
): GroupedResult | undefined {
  if (binding.spec.placement === undefined) return undefined;
  const spec = {
    ...binding.spec,
    clusters: stored?.spec.clusters ?? [],
    rescheduleTriggeredAt: rfc3339(1_000),
  };
  const status = { ...stored?.status, lastScheduledTime: rfc3339(0) };
  return scheduleInGroups({
    spec,
    status,
    fleet: new FleetIndex(world.clusters),
    options: { ...known, explain: true },
  });
}

function groupOf(
  placement: Placement,
  fresh: GroupedResult | undefined,
  stored: AnyBinding | undefined,
): Explanation["affinityGroup"] {
  if ((placement.clusterAffinities ?? []).length === 0) return undefined;
  const name = fresh?.affinityName ?? stored?.status?.schedulerObservingAffinityName;
  if (name === undefined) return undefined;
  const failed = (fresh?.failed ?? []).map(({ affinityName, error }) => ({
    name: affinityName,
    message: error.message,
  }));
  return { name, failed };
}

/** The division with the static rule behind each weight. */
export function withRules(
  division: DivisionTrace,
  placement: Placement,
  clusters: readonly Cluster[],
): DivisionExplanation {
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList ?? [];
  if (division.strategy !== "StaticWeight" || rules.length === 0) return { ...division, ruleOf: {}, idleRules: [] };
  const ruleOf: Record<string, number> = {};
  for (const { name, weight } of division.weights) {
    const cluster = clusters.find((candidate) => candidate.metadata.name === name);
    const index = rules.findIndex(
      (rule) => rule.weight === weight && cluster !== undefined && clusterMatches(cluster, rule.targetCluster),
    );
    if (index >= 0) ruleOf[name] = index + 1;
  }
  const idleRules = rules.flatMap((rule, index) =>
    clusters.some((cluster) => clusterMatches(cluster, rule.targetCluster)) ? [] : [index + 1],
  );
  return { ...division, ruleOf, idleRules };
}

/** How the present placement differs from one made from scratch, and why it stays or is about to change. */
function difference(
  { world, binding, outcome }: PlacementRequest,
  stored: AnyBinding,
  fresh: GroupedResult | undefined,
): Explanation["differs"] {
  const anew = fresh?.result.clusters;
  if (anew === undefined) return undefined;
  const present = byNames(stored.spec.clusters ?? []);
  const wanted = byNames(anew);
  if (equalJson(present, wanted)) return undefined;
  const inPlace = { ...binding, spec: { ...binding.spec, clusters: stored.spec.clusters } } as AnyBinding;
  const occasion = findOccasion(inPlace, new FleetIndex(world.clusters), false);
  const upcoming = outcome?.decision?.clusters;
  const reason =
    occasion !== undefined && upcoming !== undefined
      ? `it is about to change: ${occasion.reason}`
      : "what is placed stays where it is until the placement, the replicas or the fleet ask for a change";
  return { present, fresh: wanted, reason };
}

function byNames(targets: readonly TargetCluster[]): TargetCluster[] {
  return [...targets].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function byName(a: Cluster, b: Cluster): number {
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}
