// Which waiting Pods a change may help: only these are tried again.
import { matchesRequirements } from "../../../kube/selectors.ts";
import { type AffinityTerm, matchesTerm } from "./affinity-terms.ts";
import { filterResources, isChosen, toleratesTaints } from "./node-filters.ts";
import { isSamePort, type NodeFacts, NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import type { SchedulingQueue } from "./scheduling-queue.ts";

/** A Pod that was on a node, or for which one was being made free, is gone. */
export function wakeAfterPodLeft(queue: SchedulingQueue, left: PodFacts, cache: SchedulerCache): void {
  queue.wakeUndecided();
  queue.wake("NodeResourcesFit", () => true);
  if (left.spec.hostPorts.length > 0)
    queue.wake("NodePorts", ({ spec }) =>
      spec.hostPorts.some((port) => left.spec.hostPorts.some((each) => isSamePort(port, each))),
    );
  if (left.spec.claims.length > 0)
    queue.wake(
      "VolumeRestrictions",
      (pod) => pod.namespace === left.namespace && pod.spec.claims.some((claim) => left.spec.claims.includes(claim)),
    );
  queue.wake("PodTopologySpread", (pod) => isSpreadWith(pod, left));
  queue.wake(
    "InterPodAffinity",
    (pod) =>
      isAbout(pod.spec.antiAffinity.required, left, cache) || isAbout(left.spec.antiAffinity.required, pod, cache),
  );
}

/** A Pod has been bound, or the labels of one have changed. */
export function wakeAfterPodCame(queue: SchedulingQueue, came: PodFacts, cache: SchedulerCache): void {
  queue.wakeUndecided();
  queue.wake("PodTopologySpread", (pod) => isSpreadWith(pod, came));
  queue.wake("InterPodAffinity", (pod) => isAbout(pod.spec.affinity.required, came, cache));
}

/** A node has come (`before` is undefined) or has become another one. */
export function wakeAfterNodeChange(queue: SchedulingQueue, before: NodeFacts | undefined, now: NodeFacts): void {
  queue.wakeUndecided();
  if (!now.isUnschedulable && before?.isUnschedulable !== false) queue.wake("NodeUnschedulable", () => true);
  queue.wake(
    "TaintToleration",
    (pod) => toleratesTaints(pod, now) && !(before !== undefined && toleratesTaints(pod, before)),
  );
  queue.wake("NodeAffinity", (pod) => isChosen(pod, now) && !(before !== undefined && isChosen(pod, before)));
  const empty = new NodeInfo(now.name, now);
  queue.wake(
    "NodeResourcesFit",
    (pod) => filterResources(pod, now, empty) === undefined && (before === undefined || hasGrown(before, now, pod)),
  );
  if (before === undefined) {
    queue.wake("NodeName", ({ nodeName }) => nodeName === now.name);
    queue.wake("NodePorts", () => true);
  }
  if (before !== undefined && isSameLabels(before, now)) return;
  for (const plugin of ["VolumeBinding", "VolumeZone", "InterPodAffinity"] as const) queue.wake(plugin, () => true);
  queue.wake("PodTopologySpread", ({ spec }) =>
    spec.spread.hard.some(({ topologyKey }) => now.labels[topologyKey] !== before?.labels[topologyKey]),
  );
}

/** A node is gone, and with it a domain to spread over. */
export function wakeAfterNodeLeft(queue: SchedulingQueue, left: NodeFacts): void {
  queue.wake("PodTopologySpread", ({ spec }) =>
    spec.spread.hard.some(({ topologyKey }) => left.labels[topologyKey] !== undefined),
  );
}

/** A claim has come or changed; undefined: volumes or classes have. */
export function wakeAfterStorageChange(
  queue: SchedulingQueue,
  claim: { readonly namespace: string; readonly name: string } | undefined,
): void {
  const isOf = (pod: PodFacts): boolean =>
    claim === undefined || (pod.namespace === claim.namespace && pod.spec.claims.includes(claim.name));
  for (const plugin of ["VolumeRestrictions", "VolumeBinding", "VolumeZone"] as const) queue.wake(plugin, isOf);
}

function isSpreadWith(pod: PodFacts, other: PodFacts): boolean {
  if (pod.namespace !== other.namespace) return false;
  return pod.spec.spread.hard.some(
    ({ selector }) => selector !== undefined && matchesRequirements(selector, other.labels),
  );
}

function isAbout(terms: readonly AffinityTerm[], { namespace, labels }: PodFacts, cache: SchedulerCache): boolean {
  return terms.some((term) => matchesTerm(term, namespace, labels, cache.namespaceLabels(namespace)));
}

function hasGrown(before: NodeFacts, now: NodeFacts, { spec: { amounts } }: PodFacts): boolean {
  const [old, grown] = [before.allocatable, now.allocatable];
  if (grown.pods > old.pods) return true;
  for (const name of ["cpu", "memory", "storage"] as const)
    if (amounts[name] > 0 && grown[name] > old[name]) return true;
  for (const [name, amount] of amounts.scalars ?? [])
    if (amount > 0 && (grown.scalars?.get(name) ?? 0) > (old.scalars?.get(name) ?? 0)) return true;
  return false;
}

function isSameLabels(a: NodeFacts, b: NodeFacts): boolean {
  return JSON.stringify(a.labels) === JSON.stringify(b.labels);
}
