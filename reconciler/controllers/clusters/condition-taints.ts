// Keeps the taints of clusters in line with their Ready condition, however that came about.
import type { Cluster } from "../../../api/cluster.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { evictingTaintFor, isEvictingTaint } from "../../failover/blast-radius.ts";
import { changeTaints, describeTaints, taintsForCondition } from "../../failover/condition-taints.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { CLUSTER_API, findReady, refOfCluster } from "./cluster-object.ts";

export function startConditionTaintController(context: ControllerContext): Controller {
  const { clock, logger, profile } = context;
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const queue = new WorkQueue({ name: "condition-taints", clock, logger, workers: 4, minBackoffMs: 200 }, step);
  clusters.subscribe((change) => {
    if (change.type === "deleted") return;
    const { object } = change;
    const isOld =
      change.type === "updated" &&
      change.previous.metadata.generation === object.metadata.generation &&
      equalJson(findReady(change.previous) ?? null, findReady(object) ?? null);
    if (!isOld) queue.add(object.metadata.name ?? "");
  });

  async function step(name: string): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    const { add, remove } = taintsForCondition(cluster);
    const now = clock.now();
    const ready = findReady(cluster);
    // Ours, by whatever settings it came: a cluster that is well drives nobody out. As Karmada: it knows no such taint.
    const isWell = ready?.status === "True" && profile.compatibility === "flaghoist";
    const evicting = isWell ? (cluster.spec.taints ?? []).filter(isEvictingTaint) : [];
    const dueInMs = unguardedDueIn(context, cluster, now);
    const due = dueInMs !== undefined && dueInMs <= 0 ? [evictingTaintFor(cluster)] : [];
    const taints = changeTaints(cluster.spec.taints, { add: [...add, ...due], remove: [...remove, ...evicting] }, now);
    try {
      if (taints !== undefined) await writeTaints(context, cluster, taints);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      throw error;
    }
    return dueInMs === undefined || dueInMs <= 0 ? undefined : { requeueAfterMs: dueInMs };
  }

  return { stop: () => queue.stop() };
}

/** When a cluster is given up that no guard watches over; undefined: never. */
function unguardedDueIn({ profile }: ControllerContext, cluster: Cluster, now: number): number | undefined {
  const { failover, safeFailover, unreachableTaintAfterMs } = profile;
  const ready = findReady(cluster);
  if (!failover || safeFailover !== undefined || unreachableTaintAfterMs === undefined) return undefined;
  if (ready === undefined || ready.status === "True") return undefined;
  return Date.parse(ready.lastTransitionTime) + unreachableTaintAfterMs - now;
}

/** Writes the whole list, and tells of it. Throws a conflict when somebody else has changed the cluster meanwhile. */
export async function writeTaints(
  context: ControllerContext,
  cluster: Cluster,
  taints: NonNullable<Cluster["spec"]["taints"]>,
): Promise<void> {
  const { name = "", resourceVersion } = cluster.metadata;
  const ref = refOfCluster(name);
  try {
    // Of the version that the list was made from: people and taint policies write there too.
    const patch = { metadata: { resourceVersion }, spec: { taints } };
    const stored = await context.client.patch<Cluster>(ref, patch, "merge", { fieldManager: "flaghoist" });
    context.informers.of<Cluster>(CLUSTER_API, "Cluster").adopt(stored);
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error))
      context.events.record(subjectOf(cluster), "Warning", "TaintClusterFailed", messageOf(error));
    throw error;
  }
  const words = describeTaints(taints);
  context.events.record(subjectOf(cluster), "Normal", "TaintClusterSucceed", `Taint cluster succeed: ${words}.`);
  context.logger.info("tainted cluster", { cluster: name, taints: words });
}
