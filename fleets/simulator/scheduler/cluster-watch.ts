// Follows a cluster for its scheduler: keeps the cache and wakes waiting Pods.
import type { KubeObject } from "../../../kube/object.ts";
import type { StateChange } from "../kernel/cluster-state.ts";
import { isSameToScheduler, readNode } from "./node-info.ts";
import { type PodFacts, readPod } from "./pod-facts.ts";
import {
  wakeAfterNodeChange,
  wakeAfterNodeLeft,
  wakeAfterPodCame,
  wakeAfterPodLeft,
  wakeAfterStorageChange,
} from "./requeue-hints.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

/** Pods of other schedulers are theirs. */
const SCHEDULER = "default-scheduler";

/** Keeps the scheduler's cache and queue up to date with what changes in the cluster. */
export class ClusterWatch {
  readonly cache = new SchedulerCache();
  readonly queue = new SchedulingQueue();
  /** The nodes of Pods that have one but wait for their volumes, by uid. */
  readonly awaitingVolumes = new Map<string, string>();

  notePod({ type, object }: StateChange): void {
    const uid = object.metadata.uid ?? "";
    const known = this.cache.podOn(uid) ?? this.queue.get(uid)?.pod;
    const pod = readPod(object, known);
    if (type === "deleted" || pod.isFinished) this.#forget(pod);
    else if (pod.nodeName !== undefined) this.#noteBound(pod, pod.nodeName);
    else if (pod.spec.schedulerName === SCHEDULER) this.#notePending(pod, known);
  }

  #forget(pod: PodFacts): void {
    const wasPlaced = this.cache.podOn(pod.uid) !== undefined;
    this.cache.deletePod(pod.uid);
    this.cache.nominate(pod, undefined);
    this.queue.remove(pod.uid);
    this.awaitingVolumes.delete(pod.uid);
    if (wasPlaced || pod.nominatedNode !== undefined) wakeAfterPodLeft(this.queue, pod, this.cache);
  }

  #noteBound(pod: PodFacts, node: string): void {
    this.queue.remove(pod.uid);
    this.awaitingVolumes.delete(pod.uid);
    this.cache.nominate(pod, undefined);
    const before = this.cache.podOn(pod.uid);
    const isSame =
      before !== undefined &&
      before.spec === pod.spec &&
      before.isTerminating === pod.isTerminating &&
      isSameLabels(before, pod);
    if (isSame && before.nodeName === node) {
      this.cache.refreshPod(pod);
      return;
    }
    this.cache.setPod(pod, node);
    if (before !== undefined && before.spec !== pod.spec) wakeAfterPodLeft(this.queue, before, this.cache);
    if (before === undefined || !isSameLabels(before, pod)) wakeAfterPodCame(this.queue, pod, this.cache);
  }

  #notePending(pod: PodFacts, known: PodFacts | undefined): void {
    if (this.awaitingVolumes.has(pod.uid) && !pod.isTerminating) return;
    this.cache.nominate(pod, pod.nominatedNode);
    if (pod.isTerminating || pod.spec.isGated) {
      this.queue.remove(pod.uid);
      return;
    }
    const isChanged = known !== undefined && (known.spec !== pod.spec || !isSameLabels(known, pod));
    this.queue.put(pod, isChanged);
  }

  noteNode({ type, object }: StateChange): void {
    const name = object.metadata.name ?? "";
    const before = this.cache.node(name)?.facts;
    if (type === "deleted") {
      this.cache.deleteNode(name);
      if (before !== undefined) wakeAfterNodeLeft(this.queue, before);
      return;
    }
    if (before !== undefined && isSameToScheduler(before.object, object)) return;
    this.cache.setNode(object);
    wakeAfterNodeChange(this.queue, before, readNode(object));
  }

  noteNamespace({ type, object }: StateChange): void {
    const labels = type === "deleted" ? undefined : (object.metadata.labels ?? {});
    this.cache.setNamespace(object.metadata.name ?? "", labels);
  }

  noteClaim({ object }: StateChange): void {
    this.cache.version++;
    const { namespace = "", name = "" } = object.metadata;
    wakeAfterStorageChange(this.queue, { namespace, name });
    for (const uid of this.awaitingVolumes.keys()) {
      const pod = this.queue.get(uid)?.pod;
      if (pod?.namespace === namespace && pod.spec.claims.includes(name)) this.queue.put(pod, true);
    }
  }

  noteStorage(): void {
    this.cache.version++;
    wakeAfterStorageChange(this.queue, undefined);
  }
}

function isSameLabels(a: { readonly object: KubeObject }, b: { readonly object: KubeObject }): boolean {
  const [left, right] = [a.object.metadata.labels, b.object.metadata.labels];
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
