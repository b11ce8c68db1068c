// What controllers of workloads ask about Pods.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { PodCounts } from "../workload-status.ts";

/** Whether the Pod's condition Ready is true. */
export function isReadyPod(pod: KubeObject): boolean {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"].filter(isObject) : [];
  return conditions.some((condition) => condition["type"] === "Ready" && condition["status"] === "True");
}

export function countPods(pods: readonly KubeObject[], updated: number): PodCounts {
  return { total: pods.length, updated, ready: pods.filter(isReadyPod).length };
}
