// What loops ask of a Cluster object.
import type { Cluster } from "../../../api/cluster.ts";
import type { Condition, ObjectRef } from "../../../kube/object.ts";

export const CLUSTER_API = "cluster.karmada.io/v1alpha1";

/** Its Ready condition; undefined before anybody looked at the cluster. */
export function findReady(cluster: Cluster): Condition | undefined {
  return cluster.status?.conditions?.find((condition) => condition.type === "Ready");
}

export function refOfCluster(name: string): ObjectRef {
  return { apiVersion: CLUSTER_API, kind: "Cluster", name };
}

/** Whether the cluster's own agent drives it, which asks the control plane; the control plane never asks such a member. */
export function isPull(cluster: Cluster): boolean {
  return cluster.spec.syncMode === "Pull";
}

/**
 * Whether this process is the one that connects to the cluster: the control plane for clusters in Push mode, an agent for
 * its own. `agentOf` is the cluster that the process is the agent of; undefined: it is the control plane.
 */
export function drives(agentOf: string | undefined, cluster: Cluster): boolean {
  return agentOf === undefined ? !isPull(cluster) : cluster.metadata.name === agentOf;
}
