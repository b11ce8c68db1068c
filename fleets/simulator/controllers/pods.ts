// What controllers of workloads ask about Pods.
import { isObject, type KubeObject } from "../../../kube/object.ts";

export type PodPhase = "" | "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string | null;
}

/** The condition of that type in the Pod's status. */
export function podCondition(pod: KubeObject, type: string): PodCondition | undefined {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"] : [];
  // The server has checked the shape of what it stores.
  return (conditions as PodCondition[]).find((condition) => condition.type === type);
}

/** The Pod's phase; empty for a Pod that is not created yet. */
export function podPhase(pod: KubeObject): PodPhase {
  const status = pod["status"] as { readonly phase?: PodPhase } | undefined;
  return status?.phase ?? "";
}

/** Whether all containers have ended and none will start again. */
export function isTerminalPod(pod: KubeObject): boolean {
  const phase = podPhase(pod);
  return phase === "Succeeded" || phase === "Failed";
}

/** Whether the Pod has been told to go. */
export function isTerminatingPod(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether the Pod's condition Ready is true. */
export function isReadyPod(pod: KubeObject): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** Whether the Pod has been ready for `minReadySeconds`. */
export function isAvailablePod(pod: KubeObject, minReadySeconds: number, nowMs: number): boolean {
  const condition = podCondition(pod, "Ready");
  if (condition?.status !== "True") return false;
  if (minReadySeconds <= 0) return true;
  const since = Date.parse(condition.lastTransitionTime ?? "");
  return since + minReadySeconds * 1000 <= nowMs;
}

/**
 * Milliseconds until the next of the ready Pods becomes available by having been ready long enough; undefined when time
 * alone makes none available.
 */
export function nextAvailabilityMs(
  pods: readonly KubeObject[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (minReadySeconds <= 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    const condition = podCondition(pod, "Ready");
    if (condition?.status !== "True") continue;
    const left = Date.parse(condition.lastTransitionTime ?? "") + minReadySeconds * 1000 - nowMs;
    if (left > 0 && (next === undefined || left < next)) next = left;
  }
  return next;
}
