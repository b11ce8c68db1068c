// Evicts Pods from nodes with taints of effect NoExecute that they do not tolerate, or not for long.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { attempt, type Reconcile, remove, type Steps, tell } from "../kernel/action.ts";
import { nodeNameOf, type StateChange } from "../kernel/cluster-state.ts";
import { type Controller, objectKey, splitKey, type World } from "../kernel/controller.ts";
import { withPodCondition } from "../pod-conditions.ts";
import { taintsOf } from "./node-conditions.ts";
import { type TimedToleration, toleratedMs } from "./taint-eviction.ts";

interface Eviction {
  readonly pod: KubeObject;
  /** When it is due; undefined when it has been done. */
  dueMs: number | undefined;
}

/** Deletes Pods that do not tolerate a NoExecute taint of their node, when their time is over. */
export function taintEvictionController(): Controller {
  const evictions = new Map<string, Eviction>();
  return {
    name: "taint-eviction-controller",
    manager: "kube-controller-manager",
    watches: [
      { resource: "nodes", keys: podsOfNode },
      { resource: "pods", keys: (change, world) => keysOfPod(change, world, evictions) },
    ],
    *reconcile(key: string, world: World): Reconcile {
      const { namespace, name } = splitKey(key);
      const pod = world.state.get("pods", namespace, name);
      const known = evictions.get(key);
      const isOther = known !== undefined && known.pod.metadata.uid !== pod?.metadata.uid;
      if (isOther) yield* cancel(key, evictions);
      const nodeName = pod === undefined ? undefined : nodeNameOf(pod);
      if (pod === undefined || nodeName === undefined) return undefined;
      const node = world.state.get("nodes", undefined, nodeName);
      // As Kubernetes: what was begun goes on when the node is gone.
      const taints = node === undefined ? undefined : noExecuteOf(node);
      const now = world.now();
      const mayStayMs =
        taints === undefined ? undefined : taints.length === 0 ? Infinity : toleratedMs(taints, tolerationsOf(pod));
      if (mayStayMs === Number.POSITIVE_INFINITY) {
        yield* cancel(key, evictions);
        return undefined;
      }
      let eviction = evictions.get(key);
      if (mayStayMs === 0 && eviction?.dueMs !== undefined && eviction.dueMs > now) {
        yield* cancel(key, evictions);
        eviction = undefined;
      }
      if (eviction === undefined && mayStayMs !== undefined) {
        eviction = { pod, dueMs: now + mayStayMs };
        evictions.set(key, eviction);
      }
      if (eviction?.dueMs === undefined) return undefined;
      if (eviction.dueMs > now) return { afterMs: eviction.dueMs - now };
      eviction.dueMs = undefined;
      yield* evict(pod, world);
      return undefined;
    },
  };
}

/** Nodes matter when their taints of this effect have changed. */
function podsOfNode({ type, object, previous }: StateChange, { state }: World): string[] {
  if (type === "deleted") return [];
  const before = previous();
  const facts = (node: KubeObject): string => JSON.stringify(noExecuteOf(node));
  if (before === undefined ? noExecuteOf(object).length === 0 : facts(before) === facts(object)) return [];
  return state.podsOn(object.metadata.name ?? "").map(objectKey);
}

/** Pods matter when they come to a node with such taints, when what they tolerate changes, and when they go. */
function keysOfPod(
  { type, object, previous }: StateChange,
  { state }: World,
  evictions: ReadonlyMap<string, Eviction>,
): string[] {
  const key = objectKey(object);
  if (type === "deleted") return evictions.has(key) ? [key] : [];
  const nodeName = nodeNameOf(object);
  const node = nodeName === undefined ? undefined : state.get("nodes", undefined, nodeName);
  if (node === undefined || noExecuteOf(node).length === 0) return [];
  const before = previous();
  const isSame =
    before !== undefined &&
    nodeNameOf(before) === nodeName &&
    JSON.stringify(tolerationsOf(before)) === JSON.stringify(tolerationsOf(object));
  return isSame ? [] : [key];
}

function* cancel(key: string, evictions: Map<string, Eviction>): Steps<void> {
  const eviction = evictions.get(key);
  if (eviction === undefined) return;
  evictions.delete(key);
  if (eviction.dueMs !== undefined)
    yield* tell(podRef(eviction.pod), "Normal", "TaintManagerEviction", `Cancelling deletion of Pod ${key}`);
}

function* evict(pod: KubeObject, world: World): Steps<void> {
  yield* tell(podRef(pod), "Normal", "TaintManagerEviction", `Marking for deletion Pod ${objectKey(pod)}`);
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
  } as const;
  const status = withPodCondition(pod, condition, world.now());
  yield* attempt({ do: "update", object: { ...pod, status }, subresource: "status" });
  yield* remove(pod);
}

/** As Kubernetes names Pods in these Events: without a uid. */
function podRef(pod: KubeObject): KubeObject {
  const { name, namespace } = pod.metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) },
  };
}

function noExecuteOf(
  node: KubeObject,
): readonly { readonly key: string; readonly value?: string; readonly effect: string }[] {
  return taintsOf(node)
    .filter(({ effect }) => effect === "NoExecute")
    .map(({ key, value, effect }) => ({ key, effect, ...(value === undefined ? {} : { value }) }));
}

function tolerationsOf(pod: KubeObject): readonly TimedToleration[] {
  const tolerations = isObject(pod["spec"]) ? pod["spec"]["tolerations"] : undefined;
  return Array.isArray(tolerations) ? (tolerations.filter(isObject) as TimedToleration[]) : [];
}
