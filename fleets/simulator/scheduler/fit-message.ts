// What users read of a Pod that no node will do for, word for word.
import type { Diagnosis } from "./place-pod.ts";
import type { Rejection } from "./rejection.ts";

/** In a cluster without nodes. */
export const NO_NODES = "no nodes available to schedule pods";

/** As Kubernetes: what another plugin, about devices, says before preemption does. */
const NO_CLAIMS = "no new claims to deallocate";
/**
 * As Kubernetes: what that plugin says when the Pod was refused before it had a look at it. It is taken for an error, so
 * preemption is not asked.
 */
const NOT_ASKED = "not found";

/**
 * `0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: ...`. `preemption` is what was
 * said of it; undefined when it helped.
 */
export function fitMessage(nodes: number, diagnosis: Diagnosis, preemption: string | undefined): string {
  const { everywhere, byNode, elsewhere } = diagnosis;
  const why = everywhere === undefined ? countReasons(nodes, byNode, elsewhere) : everywhere.reasons.join(", ");
  const said = everywhere === undefined ? `${NO_CLAIMS}, preemption: ${preemption}` : NOT_ASKED;
  const after = preemption === undefined ? "" : ` ${said}`;
  return `0/${nodes} nodes are available:${why === "" ? "" : ` ${why}.`}${after}`;
}

/** `0/3 nodes are available: 2 Insufficient cpu, 1 Preemption is not helpful for scheduling.` */
export function preemptionMessage(nodes: number, tried: ReadonlyMap<string, Rejection>): string {
  return `0/${nodes} nodes are available: ${countReasons(nodes, tried, "Preemption is not helpful for scheduling")}.`;
}

function countReasons(nodes: number, byNode: ReadonlyMap<string, Rejection>, elsewhere: string | undefined): string {
  const counts = new Map<string, number>();
  for (const { reasons } of byNode.values())
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const others = nodes - byNode.size;
  if (elsewhere !== undefined && others > 0) counts.set(elsewhere, (counts.get(elsewhere) ?? 0) + others);
  // Sorted as texts, numbers included.
  const texts = [...counts].map(([reason, count]) => `${count} ${reason}`);
  return texts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join(", ");
}
