// The taints that follow from a cluster's Ready condition.
import type { Cluster, Taint } from "../../../api/cluster.ts";
import { isConflict } from "../../../kube/client/status-error.ts";
import { changeTaints, NOT_READY_TAINT, taintsForCondition } from "../../failover/condition-taints.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { CLUSTER_API, findReady, refOfCluster } from "./cluster-object.ts";

/** The informer is about to tell what somebody else wrote. */
const TAINT_RETRY_MS = 50;

/**
 * Brings the taints in line with the Ready condition. With failover, a cluster that stays not ready gets a taint that
 * drives workloads out; it goes with the recovery. Answers when such a taint falls due.
 */
export async function syncTaints(context: ControllerContext, cluster: Cluster): Promise<number | undefined> {
  const { failover, unreachableTaintAfterMs } = context.profile;
  const now = context.clock.now();
  const change = taintsForCondition(cluster);
  const evicting: Taint = { key: NOT_READY_TAINT, effect: "NoExecute" };
  const ready = findReady(cluster);
  let dueInMs: number | undefined;
  let { add, remove } = change;
  if (ready?.status === "True") remove = [...remove, evicting];
  else if (failover && unreachableTaintAfterMs !== undefined && ready !== undefined) {
    dueInMs = Date.parse(ready.lastTransitionTime) + unreachableTaintAfterMs - now;
    if (dueInMs <= 0) {
      dueInMs = undefined;
      add = [...add, evicting];
    }
  }
  const taints = changeTaints(cluster.spec.taints, { add, remove }, now);
  if (taints === undefined) return dueInMs;
  const { name = "", resourceVersion } = cluster.metadata;
  let patched: Cluster;
  try {
    // Of the version that the list was made from: people and taint policies write there too.
    patched = await context.client.patch<Cluster>(
      refOfCluster(name),
      { metadata: { resourceVersion }, spec: { taints } },
      "merge",
      { fieldManager: "flaghoist" },
    );
  } catch (error) {
    if (isConflict(error)) return TAINT_RETRY_MS;
    throw error;
  }
  context.informers.of<Cluster>(CLUSTER_API, "Cluster").adopt(patched);
  const text = taints.map((taint) => `${taint.key}:${taint.effect}`).join(", ");
  context.events.record(
    subjectOf(cluster),
    "Normal",
    "TaintClusterSucceed",
    `Taints are now: ${text === "" ? "none" : text}.`,
  );
  context.logger.info("tainted cluster", { cluster: name, taints: text });
  return dueInMs;
}
