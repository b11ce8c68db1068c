// Runs the Pods of all nodes of a cluster.
import { isObject } from "../../../kube/object.ts";
import { type Reconcile, remove, writeStatus } from "../kernel/action.ts";
import { nodeNameOf } from "../kernel/cluster-state.ts";
import { type Controller, splitKey, type World, watchSelf } from "../kernel/controller.ts";
import { runningStatus } from "../workload-objects.ts";

export function kubelet(): Controller {
  const boundAt = new Map<string, number>();
  return {
    name: "kubelet",
    manager: "kubelet",
    watches: [watchSelf("pods")],
    *reconcile(key: string, world: World): Reconcile {
      const { namespace, name } = splitKey(key);
      const pod = world.state.get("pods", namespace, name);
      if (pod === undefined) return undefined;
      if (pod.metadata.deletionTimestamp !== undefined) {
        yield* remove(pod, 0);
        boundAt.delete(pod.metadata.uid ?? "");
        return undefined;
      }
      const status = isObject(pod["status"]) ? pod["status"] : {};
      if (nodeNameOf(pod) === undefined || status["phase"] === "Running") return undefined;
      const uid = pod.metadata.uid ?? "";
      const since = boundAt.get(uid) ?? world.now();
      boundAt.set(uid, since);
      const left = since + world.traits.readyAfterMs - world.now();
      if (left > 0) return { afterMs: left };
      yield* writeStatus(pod, runningStatus(pod, isObject(pod["spec"]) ? pod["spec"] : {}, world.now()));
      boundAt.delete(uid);
      return undefined;
    },
  };
}
