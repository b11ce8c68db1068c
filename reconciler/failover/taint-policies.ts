// ClusterTaintPolicies: taints that follow any condition of a cluster.

import type { Cluster, Taint } from "../../api/cluster.ts";
import type { ClusterTaintPolicy, MatchCondition, PolicyTaint } from "../../api/taint-policy.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { changeTaints, isSameTaint } from "./condition-taints.ts";

/**
 * The cluster's taints after all policies, oldest first; undefined when nothing changes. Within a policy removal follows
 * addition, so that it wins. A policy that goes, or no longer means the cluster, leaves its taints behind.
 */
export function taintsForPolicies(
  cluster: Cluster,
  policies: readonly ClusterTaintPolicy[],
  now: number,
): Taint[] | undefined {
  const before = cluster.spec.taints ?? [];
  let taints: Taint[] = before;
  for (const policy of [...policies].sort(compareAge)) {
    const { targetClusters, addOnConditions, removeOnConditions } = policy.spec;
    if (targetClusters != null && !clusterMatches(cluster, targetClusters)) continue;
    const own = policy.spec.taints.map(toTaint);
    if (allMatch(cluster, addOnConditions)) taints = changeTaints(taints, { add: own, remove: [] }, now) ?? taints;
    if (allMatch(cluster, removeOnConditions)) taints = changeTaints(taints, { add: [], remove: own }, now) ?? taints;
  }
  const same = taints.length === before.length && taints.every((taint, i) => sameAt(taint, before[i]));
  return same ? undefined : taints;
}

function compareAge(a: ClusterTaintPolicy, b: ClusterTaintPolicy): number {
  const left = `${a.metadata.creationTimestamp ?? ""} ${a.metadata.name ?? ""}`;
  const right = `${b.metadata.creationTimestamp ?? ""} ${b.metadata.name ?? ""}`;
  return left < right ? -1 : left > right ? 1 : 0;
}

function toTaint(taint: PolicyTaint): Taint {
  return {
    key: taint.key,
    // Admission lets only effects of taints through.
    effect: taint.effect as Taint["effect"],
    ...(taint.value ? { value: taint.value } : {}),
  };
}

function sameAt(taint: Taint, other: Taint | undefined): boolean {
  return other !== undefined && isSameTaint(taint, other) && taint.timeAdded === other.timeAdded;
}

function allMatch(cluster: Cluster, conditions: readonly MatchCondition[] | undefined): boolean {
  return conditions != null && conditions.length > 0 && conditions.every((condition) => matches(cluster, condition));
}

// A condition the cluster does not have matches nothing, not even NotIn.
function matches(cluster: Cluster, { conditionType, operator, statusValues }: MatchCondition): boolean {
  const status = cluster.status?.conditions?.find((condition) => condition.type === conditionType)?.status;
  if (status === undefined) return false;
  if (operator === "In") return statusValues.includes(status);
  return operator === "NotIn" && !statusValues.includes(status);
}
