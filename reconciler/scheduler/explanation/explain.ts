// From a decision to its full trace.

import type { TargetCluster } from "../../../api/work.ts";
import { describeRef } from "../../../kube/object.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import type { Decision } from "../decision.ts";
import { strategyOf } from "../division/assign.ts";
import { estimatesNothing, ownSources, sharedEstimates } from "../estimates/estimates.ts";
import type { ClusterRecord } from "../fleet/cluster-record.ts";
import { DELETING_BIT, WAIVED_FOR_TARGETS } from "../fleet/filters.ts";
import { describeRefusals } from "../fleet/refusals.ts";
import { type ClusterScore, scoreCluster } from "../fleet/scores.ts";
import { resolveGates } from "../options.ts";
import { SchedulingError } from "../scheduling-error.ts";
import { dividesReplicas, placesSets } from "../workload.ts";
import type { ClusterTrace, SchedulingTrace, TraceCollector, WeightRuleTrace } from "./trace.ts";

/** The trace of a decision with this outcome. */
export function explainDecision(
  decision: Decision,
  outcome: readonly TargetCluster[] | SchedulingError,
  collected: TraceCollector,
): SchedulingTrace {
  const chosen = outcome instanceof SchedulingError ? [] : outcome;
  const replicas = new Map(chosen.map((target) => [target.name, target.replicas]));
  const strategy = dividesReplicas(decision.spec) ? (strategyOf(decision.placement) ?? "none") : "none";
  const lowered = findLowered(decision);
  return {
    object: describeRef(decision.spec.resource),
    replicas: decision.spec.replicas ?? 0,
    fleetVersion: decision.fleet.version,
    strategy,
    ...(decision.groupName === "" || decision.placement.clusterAffinities == null
      ? {}
      : { affinityGroup: decision.groupName }),
    clusters: decision.fleet.records.map((_, position) =>
      explainCluster({ decision, position, chosen: replicas, lowered: lowered.get(position) }),
    ),
    ...(collected.selection === undefined ? {} : { selection: collected.selection }),
    divisions: collected.divisions,
    ...(strategy === "StaticWeight" ? { weightRules: explainWeights(decision) } : {}),
    ...(outcome instanceof SchedulingError ? { error: { kind: outcome.kind, message: outcome.message } } : {}),
  };
}

/** Which rule gives each candidate its weight: the first of those with the highest. */
function explainWeights({ placement, candidates }: Decision): WeightRuleTrace[] {
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList ?? [];
  const byRule = rules.map((): string[] => []);
  for (const position of Array.from(candidates.positions)) {
    const record = candidates.records[position];
    if (record === undefined) continue;
    let best = -1;
    for (const [index, rule] of rules.entries()) {
      const weighsMore = best < 0 || rule.weight > (rules[best]?.weight ?? 0);
      if (weighsMore && clusterMatches(record.cluster, rule.targetCluster)) best = index;
    }
    byRule[best]?.push(record.name);
  }
  return rules.map((rule, index) => ({ rule: index, weight: rule.weight, clusters: byRule[index] ?? [] }));
}

/** Each score beyond Karmada's; nothing where there are none, or only their sum was recorded. */
function explainScores(
  { placement, options, spec }: Decision,
  { name, cluster }: ClusterRecord,
): { readonly scores?: readonly ClusterScore[] } {
  const expressions = placement.flaghoist?.scores ?? [];
  const ofPlugins = options?.pluginScores?.get(name) ?? [];
  if (options?.recordedScores !== undefined || expressions.length + ofPlugins.length === 0) return {};
  return { scores: [...scoreCluster(expressions, cluster, spec.resource), ...ofPlugins] };
}

type Lowered = Pick<ClusterTrace, "reported" | "loweredBy">;

/** By position: what the cluster itself reports room for, where somebody knew of less. */
function findLowered({ fleet, spec, placement, options }: Decision): ReadonlyMap<number, Lowered> {
  const lowered = new Map<number, Lowered>();
  if (estimatesNothing(spec)) return lowered;
  const gates = resolveGates(options);
  const sets = placesSets(spec, placement, gates.MultiplePodTemplatesScheduling);
  const reports = sharedEstimates(fleet, spec, sets, gates).values;
  const least = new Map<number, number>();
  for (const { name, replicas } of ownSources(fleet, spec, sets, gates, options)) {
    for (const [position, own] of replicas) {
      const reported = reports[position] as number;
      if (own >= (least.get(position) ?? reported)) continue;
      least.set(position, own);
      lowered.set(position, { reported, loweredBy: name });
    }
  }
  return lowered;
}

interface ClusterRequest {
  readonly decision: Decision;
  readonly position: number;
  readonly chosen: ReadonlyMap<string, number | undefined>;
  readonly lowered: Lowered | undefined;
}

function explainCluster({ decision, position, chosen, lowered }: ClusterRequest): ClusterTrace {
  const record = decision.fleet.records[position] as (typeof decision.fleet.records)[number];
  const { candidates, placement, plan, spec } = decision;
  const asked = { placement, affinity: plan.affinity, resource: spec.resource, options: decision.options };
  const bits = decision.refusalsAt(position);
  const waivedBits = decision.previous.has(position) ? (plan.refusals[position] as number) & WAIVED_FOR_TARGETS : 0;
  const refusals = describeRefusals(bits, record, asked);
  const waived = describeRefusals(waivedBits, record, asked);
  if ((bits & DELETING_BIT) !== 0) return { cluster: record.name, verdict: "deleting", refusals: [], waived: [] };
  if (bits !== 0) return { cluster: record.name, verdict: "refused", refusals, waived };
  const isChosen = chosen.has(record.name);
  const own = chosen.get(record.name);
  const estimated = dividesReplicas(decision.spec);
  return {
    cluster: record.name,
    verdict: isChosen ? "chosen" : "spare",
    refusals,
    waived,
    score: candidates.score(position),
    ...explainScores(decision, record),
    tier: candidates.tier(position),
    ...(estimated ? { estimate: candidates.allocatable(position), available: candidates.available(position) } : {}),
    ...lowered,
    ...(decision.previous.has(position) ? { assigned: candidates.assigned(position) } : {}),
    ...(own === undefined ? {} : { replicas: own }),
  };
}
