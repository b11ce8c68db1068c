// Which Pods of a ReplicaSet go first when it has too many.
import type { KubeObject } from "../../../../kube/object.ts";
import { isActive, isReady, type Pod, podCondition, podOf } from "../pod-object.ts";
import { byProgress, byRestarts } from "../removal-order.ts";

const COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
const NANOSECONDS = 1_000_000;

interface Candidate {
  readonly pod: Pod;
  readonly cost: number;
  /** Active Pods of the workload on the same node. */
  readonly neighbours: number;
  readonly readySince: number | undefined;
  readonly created: number | undefined;
  readonly uid: string;
}

/**
 * The Pods, those to be deleted first at the beginning: without a node, not started, not ready, cheap by annotation,
 * doubled up on a node with others of `related`, ready for a shorter time, restarted more often, younger. As
 * Kubernetes: times count by their order of magnitude, so that among Pods of about one age chance decides: the uid.
 */
export function inDeletionOrder(
  pods: readonly KubeObject[],
  related: readonly KubeObject[],
  nowMs: number,
): KubeObject[] {
  const onNode = new Map<string, number>();
  for (const pod of related.map(podOf)) {
    const { nodeName = "" } = pod.spec;
    if (isActive(pod)) onNode.set(nodeName, (onNode.get(nodeName) ?? 0) + 1);
  }
  const candidates = pods.map((pod) => candidateOf(podOf(pod), onNode));
  return candidates.sort((a, b) => compare(a, b, nowMs)).map(({ pod }) => pod);
}

function compare(a: Candidate, b: Candidate, nowMs: number): number {
  return (
    byProgress(a.pod, b.pod) ||
    a.cost - b.cost ||
    b.neighbours - a.neighbours ||
    (isReady(a.pod) ? compareTimes(a.readySince, b.readySince, a, b, nowMs) : 0) ||
    byRestarts(a.pod, b.pod) ||
    compareTimes(a.created, b.created, a, b, nowMs)
  );
}

/** The younger first; a time that is not known is younger than any. */
function compareTimes(
  timeA: number | undefined,
  timeB: number | undefined,
  a: Candidate,
  b: Candidate,
  nowMs: number,
): number {
  if (timeA === timeB) return 0;
  if (timeA === undefined) return -1;
  if (timeB === undefined) return 1;
  return magnitude(nowMs - timeA) - magnitude(nowMs - timeB) || (a.uid < b.uid ? -1 : 1);
}

function magnitude(ageMs: number): number {
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * NANOSECONDS)) : -1;
}

function candidateOf(pod: Pod, onNode: ReadonlyMap<string, number>): Candidate {
  const { creationTimestamp, annotations, uid = "" } = pod.metadata;
  const { nodeName = "" } = pod.spec;
  return {
    pod,
    cost: deletionCost(annotations?.[COST_ANNOTATION]),
    neighbours: onNode.get(nodeName) ?? 0,
    readySince: isReady(pod) ? timeOf(podCondition(pod, "Ready")?.lastTransitionTime) : undefined,
    created: timeOf(creationTimestamp),
    uid,
  };
}

function timeOf(text: string | null | undefined): number | undefined {
  return text == null ? undefined : Date.parse(text);
}

/** As Kubernetes: what is no 32-bit number written plainly counts as nothing. */
function deletionCost(text: string | undefined): number {
  if (text === undefined || !/^(0|-?[1-9][0-9]*)$/.test(text)) return 0;
  const cost = Number(text);
  return cost === (cost | 0) ? cost : 0;
}
