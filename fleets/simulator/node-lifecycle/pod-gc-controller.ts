// Removes Pods that nobody else will: of nodes that are gone, and finished ones that have become too many.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { attempt, type Reconcile, remove, type Steps } from "../kernel/action.ts";
import { nodeNameOf, type StateChange } from "../kernel/cluster-state.ts";
import { type Controller, objectKey, splitKey, type World } from "../kernel/controller.ts";
import { type ConditionDraft, withPodCondition } from "../pod-conditions.ts";
import { readinessOf, taintsOf } from "./node-conditions.ts";

/** How often the real controller looks: what it does, it does at these times. */
const PERIOD_MS = 20_000;
/** As long as this a node may be missing before its Pods are given up. */
const QUARANTINE_MS = 40_000;
/** So many finished Pods are kept. */
const MOST_FINISHED = 12_500;

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
const ORPHANED: ConditionDraft = {
  type: "DisruptionTarget",
  status: "True",
  reason: "DeletionByPodGC",
  message: "PodGC: node no longer exists",
};

/** Keys are `node/NAME`, `pod/NAMESPACE/NAME`, and `finished/`. */
export function podGcController(): Controller {
  /** When a node was first missed. */
  const missedMs = new Map<string, number>();
  const finished = new Map<string, KubeObject>();
  return {
    name: "pod-garbage-collector-controller",
    manager: "kube-controller-manager",
    watches: [
      { resource: "nodes", keys: keysOfNode },
      { resource: "pods", keys: (change, world) => keysOfPod(change, world, finished) },
    ],
    *reconcile(key: string, world: World): Reconcile {
      const { namespace: kind, name } = splitKey(key);
      if (kind === "node") return yield* collectOrphans(name, missedMs, world);
      if (kind === "pod") return yield* collectTerminating(name, world);
      return yield* collectFinished(finished, world);
    },
  };
}

function keysOfNode({ type, object }: StateChange, { state }: World): string[] {
  const name = object.metadata.name ?? "";
  const isOut = type !== "deleted" && isOutOfService(object);
  const leaving = isOut
    ? state
        .podsOn(name)
        .filter(isTerminating)
        .map((pod) => `pod/${objectKey(pod)}`)
    : [];
  return type === "updated" ? leaving : [`node/${name}`, ...leaving];
}

function keysOfPod(
  { type, object, previous }: StateChange,
  { state }: World,
  finished: Map<string, KubeObject>,
): string[] {
  const uid = object.metadata.uid ?? "";
  if (type === "deleted") {
    finished.delete(uid);
    return [];
  }
  const phase = isObject(object["status"]) ? object["status"]["phase"] : undefined;
  if (phase === "Succeeded" || phase === "Failed") finished.set(uid, object);
  const keys = finished.size > MOST_FINISHED ? ["finished/"] : [];
  const nodeName = nodeNameOf(object);
  const node = nodeName === undefined ? undefined : state.get("nodes", undefined, nodeName);
  const before = type === "added" ? undefined : previous();
  const isBoundNow = before === undefined || nodeNameOf(before) !== nodeName;
  if (nodeName !== undefined && node === undefined && isBoundNow) keys.push(`node/${nodeName}`);
  const isLeft = nodeName === undefined || (node !== undefined && isOutOfService(node));
  if (isTerminating(object) && isLeft) keys.push(`pod/${objectKey(object)}`);
  return keys;
}

function* collectOrphans(nodeName: string, missedMs: Map<string, number>, world: World): Reconcile {
  const pods = world.state.podsOn(nodeName);
  if (world.state.get("nodes", undefined, nodeName) !== undefined || pods.length === 0) {
    missedMs.delete(nodeName);
    return undefined;
  }
  const now = world.now();
  // It is missed when the controller next looks, and given up when it looks after the quarantine.
  const sinceMs = missedMs.get(nodeName) ?? nextLook(now);
  missedMs.set(nodeName, sinceMs);
  const dueMs = sinceMs + QUARANTINE_MS;
  if (now < dueMs) return { afterMs: dueMs - now };
  for (const pod of pods) yield* failAndRemove(pod, ORPHANED, world);
  return undefined;
}

function* collectTerminating(podKey: string, world: World): Reconcile {
  const { namespace, name } = splitKey(podKey);
  const pod = world.state.get("pods", namespace, name);
  if (pod === undefined || !isTerminating(pod)) return undefined;
  const nodeName = nodeNameOf(pod);
  const node = nodeName === undefined ? undefined : world.state.get("nodes", undefined, nodeName);
  if (nodeName !== undefined && (node === undefined || !isOutOfService(node))) return undefined;
  const now = world.now();
  // What a finalizer keeps is tried each time.
  if (now % PERIOD_MS === 0) yield* failAndRemove(pod, undefined, world);
  return world.state.get("pods", namespace, name) === undefined ? undefined : { afterMs: nextLook(now) - now };
}

function* collectFinished(finished: Map<string, KubeObject>, world: World): Reconcile {
  const now = world.now();
  if (finished.size <= MOST_FINISHED) return undefined;
  if (now % PERIOD_MS !== 0) return { afterMs: nextLook(now) - now };
  const oldest = [...finished.values()].sort(evictedThenOldest).slice(0, finished.size - MOST_FINISHED);
  for (const pod of oldest) yield* remove(pod, 0);
  return undefined;
}

/** Evicted ones go first: nobody misses them. */
function evictedThenOldest(a: KubeObject, b: KubeObject): number {
  if (isEvicted(a) !== isEvicted(b)) return isEvicted(a) ? -1 : 1;
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ""} ${metadata.name ?? ""}`) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}

function isEvicted({ status }: KubeObject): boolean {
  return isObject(status) && status["phase"] === "Failed" && status["reason"] === "Evicted";
}

/** A Pod that has not ended ends badly before it goes, for no kubelet will say so. */
function* failAndRemove(pod: KubeObject, condition: ConditionDraft | undefined, world: World): Steps<void> {
  const phase = isObject(pod["status"]) ? pod["status"]["phase"] : undefined;
  if (phase !== "Succeeded" && phase !== "Failed") {
    const status =
      condition === undefined ? { ...(pod["status"] as object) } : withPodCondition(pod, condition, world.now());
    const { generation } = pod.metadata;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    const object = { ...pod, status: { ...status, ...observed, phase: "Failed" } };
    yield* attempt({ do: "update", object, subresource: "status" });
  }
  yield* remove(pod, 0);
}

function isTerminating({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function isOutOfService(node: KubeObject): boolean {
  return readinessOf(node) !== "True" && taintsOf(node).some(({ key }) => key === OUT_OF_SERVICE);
}

function nextLook(ms: number): number {
  return (Math.floor(ms / PERIOD_MS) + 1) * PERIOD_MS;
}
