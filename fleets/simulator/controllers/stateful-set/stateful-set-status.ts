// The status of a StatefulSet. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import { isAvailable } from "../pod-availability.ts";
import { isBeingDeleted, isReady, podPhase } from "../pod-object.ts";
import { isCreated, type Revisions, replicasOf, revisionOf, statefulSetSpec } from "./stateful-set-spec.ts";

export interface StatefulSetStatus {
  readonly observedGeneration?: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly currentReplicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly collisionCount: number;
}

/** The status by the Pods that were there when the run began, of which `replaced` were deleted for the new revision. */
export function statefulSetStatus(
  set: KubeObject,
  { current, update }: Revisions,
  pods: readonly KubeObject[],
  details: { readonly collisionCount: number; readonly replaced: number; readonly nowMs: number },
): StatefulSetStatus {
  const { minReadySeconds = 0, updateStrategy } = statefulSetSpec(set);
  const created = pods.filter(isCreated);
  const ready = created.filter((pod) => podPhase(pod) === "Running" && isReady(pod));
  const staying = created.filter((pod) => !isBeingDeleted(pod));
  const currentRevision = current.metadata.name ?? "";
  const updateRevision = update.metadata.name ?? "";
  const replicas = created.length;
  const updatedReplicas = staying.filter((pod) => revisionOf(pod) === updateRevision).length;
  const wanted = replicasOf(set);
  const isComplete =
    updateStrategy?.type === "RollingUpdate" &&
    updatedReplicas === wanted &&
    ready.length === wanted &&
    replicas === wanted;
  const currentReplicas = staying.filter((pod) => revisionOf(pod) === currentRevision).length;
  return {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas,
    readyReplicas: ready.length,
    currentReplicas: isComplete ? updatedReplicas : currentReplicas - details.replaced,
    updatedReplicas,
    availableReplicas: ready.filter((pod) => isAvailable(pod, minReadySeconds, details.nowMs)).length,
    currentRevision: isComplete ? updateRevision : currentRevision,
    updateRevision,
    collisionCount: details.collisionCount,
  };
}

/** Whether the status in the cluster says otherwise. As Kubernetes: the collision count alone is no reason to write. */
export function isOutdated(set: KubeObject, status: StatefulSetStatus): boolean {
  const known = (set["status"] ?? {}) as Partial<StatefulSetStatus>;
  return (
    (status.observedGeneration ?? 0) > (known.observedGeneration ?? 0) ||
    status.replicas !== (known.replicas ?? 0) ||
    status.currentReplicas !== (known.currentReplicas ?? 0) ||
    status.readyReplicas !== (known.readyReplicas ?? 0) ||
    status.updatedReplicas !== (known.updatedReplicas ?? 0) ||
    status.availableReplicas !== (known.availableReplicas ?? 0) ||
    status.currentRevision !== (known.currentRevision ?? "") ||
    status.updateRevision !== (known.updateRevision ?? "")
  );
}

/** The status as it is written: without the numbers that are left out when they are 0. */
export function printedStatus(status: StatefulSetStatus): Record<string, unknown> {
  const { readyReplicas, currentReplicas, updatedReplicas, ...others } = status;
  return {
    ...others,
    ...(readyReplicas === 0 ? {} : { readyReplicas }),
    ...(currentReplicas === 0 ? {} : { currentReplicas }),
    ...(updatedReplicas === 0 ? {} : { updatedReplicas }),
  };
}
