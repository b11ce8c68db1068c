// From a decision to its full trace.

import type { TargetCluster } from "../../api/work.ts";
import { strategyOf } from "./assign.ts";
import type { Decision } from "./decision.ts";
import { DELETING_BIT, describeRefusals, WAIVED_FOR_TARGETS } from "./filters.ts";
import { SchedulingError } from "./scheduling-error.ts";
import type { ClusterTrace, SchedulingTrace, TraceCollector } from "./trace.ts";
import { dividesReplicas } from "./workload.ts";

/** The trace of a decision with this outcome. */
export function explainDecision(
  decision: Decision,
  outcome: readonly TargetCluster[] | SchedulingError,
  collected: TraceCollector,
): SchedulingTrace {
  const chosen = outcome instanceof SchedulingError ? [] : outcome;
  const replicas = new Map(chosen.map((target) => [target.name, target.replicas]));
  return {
    fleetVersion: decision.fleet.version,
    strategy: dividesReplicas(decision.spec) ? (strategyOf(decision.placement) ?? "none") : "none",
    ...(decision.groupName === "" || decision.placement.clusterAffinities == null
      ? {}
      : { affinityGroup: decision.groupName }),
    clusters: decision.fleet.records.map((_, position) => explainCluster(decision, position, replicas)),
    ...(collected.selection === undefined ? {} : { selection: collected.selection }),
    divisions: collected.divisions,
    ...(outcome instanceof SchedulingError ? { error: { kind: outcome.kind, message: outcome.message } } : {}),
  };
}

function explainCluster(
  decision: Decision,
  position: number,
  chosen: ReadonlyMap<string, number | undefined>,
): ClusterTrace {
  const record = decision.fleet.records[position] as (typeof decision.fleet.records)[number];
  const { candidates, placement, plan } = decision;
  const bits = decision.refusalsAt(position);
  const waivedBits = decision.previous.has(position) ? (plan.refusals[position] as number) & WAIVED_FOR_TARGETS : 0;
  const refusals = describeRefusals(bits, record, placement, plan.affinity.path);
  const waived = describeRefusals(waivedBits, record, placement, plan.affinity.path);
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
    tier: candidates.tier(position),
    ...(estimated ? { estimate: candidates.allocatable(position), available: candidates.available(position) } : {}),
    ...(decision.previous.has(position) ? { assigned: candidates.assigned(position) } : {}),
    ...(own === undefined ? {} : { replicas: own }),
  };
}
