// Filters that look at one node at a time.
import { firstUntolerated, keepsAway, type Taint } from "../../../kube/taints.ts";
import type { NodeFacts, NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import { type Rejection, reject } from "./rejection.ts";

/** The taint that stands for `spec.unschedulable`. */
const CORDONED: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Whether the Pod may run on the node but for its room: by its name, taints, labels and ports, in Kubernetes' order. */
export function filterNode(pod: PodFacts, node: NodeFacts, info: NodeInfo): Rejection | undefined {
  const { tolerations, hostPorts } = pod.spec;
  if (node.isUnschedulable && firstUntolerated([CORDONED], tolerations) !== undefined)
    return reject("NodeUnschedulable", "node(s) were unschedulable");
  if (pod.nodeName !== undefined && pod.nodeName !== node.name)
    return reject("NodeName", "node(s) didn't match the requested node name");
  if (!toleratesTaints(pod, node)) return reject("TaintToleration", "node(s) had untolerated taint(s)");
  if (!isChosen(pod, node)) return reject("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  if (hostPorts.length > 0 && info.hasConflict(hostPorts))
    return reject("NodePorts", "node(s) didn't have free ports for the requested pod ports", true);
  return undefined;
}

/** Whether no taint of the node keeps the Pod away. */
export function toleratesTaints(pod: PodFacts, node: NodeFacts): boolean {
  // Nodes without taints are the rule.
  if (node.taints.length === 0) return true;
  return firstUntolerated(node.taints.filter(keepsAway), pod.spec.tolerations) === undefined;
}

/** Whether the node is one that the Pod's node selector and required affinity choose. */
export function isChosen(pod: PodFacts, node: NodeFacts): boolean {
  return pod.spec.chosen === undefined || pod.spec.chosen(node);
}

/** Whether the node has room. All that is missing is told, in Kubernetes' order. */
export function filterResources(pod: PodFacts, node: NodeFacts, info: NodeInfo): Rejection | undefined {
  const { amounts } = pod.spec;
  const { allocatable } = node;
  const reasons: string[] = [];
  let preemptible = true;
  if (info.pods.size + 1 > allocatable.pods) reasons.push("Too many pods");
  const check = (name: string, wanted: number, all: number, taken: number): void => {
    if (wanted <= 0 || wanted <= all - taken) return;
    reasons.push(`Insufficient ${name}`);
    if (wanted > all) preemptible = false;
  };
  check("cpu", amounts.cpu, allocatable.cpu, info.requested.cpu);
  check("memory", amounts.memory, allocatable.memory, info.requested.memory);
  check("ephemeral-storage", amounts.storage, allocatable.storage, info.requested.storage);
  for (const [name, wanted] of amounts.scalars ?? [])
    check(name, wanted, allocatable.scalars?.get(name) ?? 0, info.requested.scalars?.get(name) ?? 0);
  return reasons.length === 0 ? undefined : { plugin: "NodeResourcesFit", reasons, preemptible };
}
