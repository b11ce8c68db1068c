// A decision on its own, explained from its inputs and its trace: no policy, no copies, no present.
import type { RecordedDecision } from "../scheduler/explanation/recorded-decision.ts";
import type { Replay } from "../scheduler/explanation/replay.ts";
import { explainCluster } from "./explain-clusters.ts";
import { withRules } from "./explain-placement.ts";
import { type DivisionExplanation, type Explanation, NOTHING } from "./explanation.ts";

/** Explains what a replay answered. */
export function explainReplay(decision: RecordedDecision, { answer, trace }: Replay): Explanation {
  const { spec, clusters } = decision;
  const { apiVersion, kind, namespace, name } = spec.resource;
  const placement = spec.placement ?? {};
  const chosen = new Map((answer.clusters ?? []).map((target) => [target.name, target]));
  const traces = new Map(trace?.clusters.map((entry) => [entry.cluster, entry]));
  const failed = answer.failedGroups.map((group) => ({ name: group.affinityName, message: group.message }));
  return {
    ...NOTHING,
    object: { apiVersion, kind, namespace, name },
    origin: undefined,
    state: chosen.size === 0 ? "unplaced" : "placed",
    reason: answer.error?.message,
    replicas: spec.replicas,
    affinityGroup: answer.affinityName === undefined ? undefined : { name: answer.affinityName, failed },
    clusters: clusters.map((cluster) => {
      const target = chosen.get(cluster.metadata.name ?? "");
      return explainCluster({
        cluster,
        trace: traces.get(cluster.metadata.name ?? ""),
        scheduling: trace,
        placement,
        present: target === undefined ? undefined : { replicas: target.replicas, follows: false },
        copy: undefined,
        status: undefined,
        leaving: undefined,
      });
    }),
    strategy: trace?.strategy,
    selection: trace?.selection,
    divisions: (trace?.error === undefined ? (trace?.divisions ?? []) : []).map(
      (division): DivisionExplanation => withRules(division, placement, clusters),
    ),
  };
}
