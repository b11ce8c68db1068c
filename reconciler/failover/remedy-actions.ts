// Which actions remedies ask of a cluster.
import type { Cluster } from "../../api/cluster.ts";
import type { DecisionMatch, Remedy } from "../../api/remedy.ts";
import { findCondition } from "../../kube/conditions.ts";

/** The actions of all remedies that concern the cluster and hold for its conditions: each once, sorted. */
export function remedyActions(cluster: Cluster, remedies: Iterable<Remedy>): string[] {
  const actions = new Set<string>();
  for (const remedy of remedies) {
    if (!concerns(remedy, cluster.metadata.name ?? "") || !holds(remedy.spec.decisionMatches, cluster)) continue;
    for (const action of remedy.spec.actions ?? []) actions.add(action);
  }
  return [...actions].sort();
}

/** As Karmada: without an affinity every cluster; with one those it names, also when it names none. */
export function concerns({ spec }: Remedy, clusterName: string): boolean {
  return spec.clusterAffinity == null || (spec.clusterAffinity.clusterNames ?? []).includes(clusterName);
}

/** As Karmada: no list always holds, an empty one never; a condition that the cluster has not got decides nothing. */
function holds(matches: readonly DecisionMatch[] | undefined, cluster: Cluster): boolean {
  if (matches == null) return true;
  return matches.some(({ clusterConditionMatch: match }) => {
    const condition = match == null ? undefined : findCondition(cluster.status?.conditions, match.conditionType);
    if (match == null || condition === undefined) return false;
    return (condition.status === match.conditionStatus) === (match.operator === "Equal");
  });
}
