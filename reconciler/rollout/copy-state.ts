// What a cluster's copy shows of the revision that the cluster is to have.
import type { Cluster } from "../../api/cluster.ts";
import type { Work } from "../../api/work.ts";
import { findCondition } from "../../kube/conditions.ts";
import { isObject } from "../../kube/object.ts";
import type { ClusterView } from "./decide-rollout.ts";
import { REVISION_ANNOTATION } from "./rollout-state.ts";

/**
 * Reads the Work of a cluster that is to have `revision`. Only a report about the manifest as it is now counts: what was
 * said of an earlier one says nothing of this.
 */
export function copyState(work: Work | undefined, revision: string | undefined): Pick<ClusterView, "copy" | "message"> {
  if (work === undefined || work.metadata.annotations?.[REVISION_ANNOTATION] !== revision) return { copy: "pending" };
  const applied = findCondition(work.status?.conditions, "Applied");
  if (applied === undefined || applied.observedGeneration !== work.metadata.generation)
    return { copy: "pending", message: "it was not applied yet" };
  if (applied.status !== "True") return { copy: "unhealthy", message: applied.message };
  const [manifest] = work.status?.manifestStatuses ?? [];
  const { kind, group } = manifest?.identifier ?? {};
  if (kind === "Job" && group === "batch") return jobState(manifest?.status);
  switch (manifest?.health) {
    case undefined:
      return { copy: "pending", message: "it was not seen yet" };
    case "Healthy":
      return { copy: "healthy" };
    case "Unhealthy":
      return { copy: "unhealthy", message: replicasWords(manifest.status) ?? "it is not healthy" };
    default:
      return { copy: "unhealthy", message: "nobody can tell whether it is healthy" };
  }
}

/** A Job has done what it is there for when it is complete. */
function jobState(status: unknown): Pick<ClusterView, "copy" | "message"> {
  const conditions = isObject(status) && Array.isArray(status["conditions"]) ? status["conditions"] : [];
  for (const condition of conditions) {
    if (!isObject(condition) || condition["status"] !== "True") continue;
    if (condition["type"] === "Complete") return { copy: "healthy" };
    if (condition["type"] !== "Failed") continue;
    const message = condition["message"];
    return { copy: "failed", message: typeof message === "string" && message !== "" ? message : "the Job failed" };
  }
  return { copy: "unhealthy", message: "the Job is not complete" };
}

function replicasWords(status: unknown): string | undefined {
  if (!isObject(status)) return undefined;
  const { replicas, updatedReplicas, availableReplicas, readyReplicas } = status;
  if (typeof replicas !== "number") return undefined;
  const available = availableReplicas ?? readyReplicas;
  return `of ${replicas} replicas ${numberOf(updatedReplicas)} updated, ${numberOf(available)} available`;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Since when what a cluster shows cannot be believed, in milliseconds since 1970; undefined while it can. */
export function unavailableSince(cluster: Cluster | undefined): number | undefined {
  if (cluster === undefined) return 0;
  const ready = findCondition(cluster.status?.conditions, "Ready");
  if (ready?.status === "True") return undefined;
  const since = Date.parse(ready?.lastTransitionTime ?? cluster.metadata.creationTimestamp ?? "");
  return Number.isNaN(since) ? 0 : since;
}
