// Taints of clusters and the tolerations of placements, by the rules Kubernetes has for nodes.

import type { Taint, Toleration } from "../../api/cluster.ts";

/** Whether `toleration` is about `taint`. An empty key with Exists tolerates everything; Lt and Gt tolerate nothing. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? "") {
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    default:
      return false;
  }
}

/** The first of `taints` that no toleration covers. */
export function firstUntolerated(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
): Taint | undefined {
  if (taints.length === 0) return undefined;
  return taints.find((taint) => !(tolerations ?? []).some((toleration) => tolerates(toleration, taint)));
}

/** True for the effects that keep new workloads away. */
export function keepsAway(taint: Taint): boolean {
  return taint.effect === "NoSchedule" || taint.effect === "NoExecute";
}

/** A taint as Kubernetes writes it: `key=value:effect`, `key:effect` or, without an effect, `key`. */
export function formatTaint(taint: Taint): string {
  const named = taint.value ? `${taint.key}=${taint.value}` : taint.key;
  return `${named}:${taint.effect}`;
}
