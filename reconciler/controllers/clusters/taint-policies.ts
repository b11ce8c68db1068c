// Carries out ClusterTaintPolicies: taints that follow any condition of a cluster. As Karmada: only with failover.
import type { Cluster } from "../../../api/cluster.ts";
import type { ClusterTaintPolicy } from "../../../api/taint-policy.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, refOf } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { describeTaints } from "../../failover/condition-taints.ts";
import { taintsForPolicies } from "../../failover/taint-policies.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";

export const TAINT_POLICY_KIND = ["policy.karmada.io/v1alpha1", "ClusterTaintPolicy"] as const;

export function startTaintPolicyController(context: ControllerContext): Controller {
  const { client, clock, logger, events } = context;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const policies = context.informers.of<ClusterTaintPolicy>(...TAINT_POLICY_KIND);
  const queue = new WorkQueue({ name: "taint-policies", clock, logger, workers: 4, minBackoffMs: 200 }, step);
  clusters.subscribe((change) => {
    if (change.type === "deleted") return;
    const before = change.type === "updated" ? change.previous.status?.conditions : undefined;
    if (change.type === "added" || !equalJson(before ?? [], change.object.status?.conditions ?? []))
      queue.add(change.object.metadata.name ?? "");
  });
  policies.subscribe((change) => {
    // As Karmada: what a policy did stays when the policy goes.
    if (change.type === "deleted") return;
    if (change.type === "updated" && equalJson(change.previous.spec, change.object.spec)) return;
    const { targetClusters } = change.object.spec;
    for (const cluster of clusters.all())
      if (targetClusters == null || clusterMatches(cluster, targetClusters)) queue.add(cluster.metadata.name ?? "");
  });

  async function step(name: string): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    const taints = taintsForPolicies(cluster, [...policies.all()], clock.now());
    if (taints === undefined) return undefined;
    const { resourceVersion } = cluster.metadata;
    try {
      const patch = { metadata: { resourceVersion }, spec: { taints } };
      clusters.adopt(
        await client.patch<Cluster>(refOf(cluster), patch, "merge", { fieldManager: "flaghoist-taint-policies" }),
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      events.record(subjectOf(cluster), "Warning", "TaintClusterFailed", messageOf(error));
      throw error;
    }
    const words = describeTaints(taints);
    const message = `Update Cluster(${name}) with taints(${words}) succeed`;
    events.record(subjectOf(cluster), "Normal", "TaintClusterSucceed", message);
    logger.info("tainted cluster by policy", { cluster: name, taints: words });
    return undefined;
  }

  return { stop: () => queue.stop() };
}
