// The status of a DaemonSet. Pure.
import { equalJson, isObject, type KubeObject } from "../../../../kube/object.ts";
import { isAvailable } from "../pod-availability.ts";
import { isReady } from "../pod-object.ts";
import { byAge, type DaemonSetView } from "./daemon-set-plan.ts";
import { daemonSetSpec, isUpdatedPod } from "./daemon-set-spec.ts";

interface DaemonSetCounts {
  readonly desiredNumberScheduled: number;
  readonly currentNumberScheduled: number;
  readonly numberMisscheduled: number;
  readonly numberReady: number;
  readonly updatedNumberScheduled: number;
  readonly numberAvailable: number;
  readonly numberUnavailable: number;
}

/** Counts nodes; the oldest Pod of each stands for it, Pods on their way out included. */
export function countNodes({ set, hash, nodes, decide, podsByNode, nowMs }: DaemonSetView): DaemonSetCounts {
  const { minReadySeconds = 0 } = daemonSetSpec(set);
  let desired = 0;
  let current = 0;
  let misscheduled = 0;
  let ready = 0;
  let updated = 0;
  let available = 0;
  for (const node of nodes) {
    const [pod] = (podsByNode.get(node.metadata.name ?? "") ?? []).toSorted(byAge);
    if (!decide(node).shouldRun) {
      if (pod !== undefined) misscheduled++;
      continue;
    }
    desired++;
    if (pod === undefined) continue;
    current++;
    if (isReady(pod)) ready++;
    if (isAvailable(pod, minReadySeconds, nowMs)) available++;
    if (isUpdatedPod(set, pod, hash)) updated++;
  }
  return {
    desiredNumberScheduled: desired,
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    numberReady: ready,
    updatedNumberScheduled: updated,
    numberAvailable: available,
    numberUnavailable: desired - available,
  };
}

/** The status with these counts; conditions and the collision count stay. */
export function withCounts(set: KubeObject, counts: DaemonSetCounts): Record<string, unknown> {
  const { updatedNumberScheduled, numberAvailable, numberUnavailable, ...always } = counts;
  const known = isObject(set["status"]) ? set["status"] : {};
  const { collisionCount, conditions } = known;
  return {
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
    ...always,
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(updatedNumberScheduled === 0 ? {} : { updatedNumberScheduled }),
    ...(numberAvailable === 0 ? {} : { numberAvailable }),
    ...(numberUnavailable === 0 ? {} : { numberUnavailable }),
  };
}

/** Whether the status in the cluster says otherwise. */
export function isStatusOutdated(set: KubeObject, status: Readonly<Record<string, unknown>>): boolean {
  return !equalJson(set["status"] ?? {}, status);
}
