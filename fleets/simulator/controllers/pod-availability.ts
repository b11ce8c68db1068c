// Since when Pods count as available: ready for long enough.
import type { KubeObject } from "../../../kube/object.ts";
import { podCondition } from "./pod-object.ts";

/** Whether the Pod has been ready for `minReadySeconds`. */
export function isAvailable(pod: KubeObject, minReadySeconds: number, nowMs: number): boolean {
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
