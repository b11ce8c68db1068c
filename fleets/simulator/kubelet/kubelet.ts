// Runs the Pods of all nodes of a cluster.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { type Reconcile, remove, writeStatus } from "../kernel/action.ts";
import { nodeNameOf } from "../kernel/cluster-state.ts";
import { type Controller, controllerOf, splitKey, type World, watchSelf } from "../kernel/controller.ts";
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
      if (nodeNameOf(pod) === undefined) return undefined;
      if (status["phase"] === "Running") return yield* endJobPod(pod, world);
      if (status["phase"] === "Succeeded") return undefined;
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

/** Containers of Jobs end well after a while. */
function* endJobPod(pod: KubeObject, world: World): Reconcile {
  const status = isObject(pod["status"]) ? pod["status"] : {};
  if (controllerOf(pod)?.kind !== "Job") return undefined;
  const now = world.now();
  const left = Date.parse(String(status["startTime"])) + world.traits.jobRunsMs - now;
  if (left > 0) return { afterMs: left };
  const time = rfc3339(now);
  const conditions = (status["conditions"] as { type: string }[]).map((each) =>
    each.type.endsWith("Ready") ? { ...each, status: "False", reason: "PodCompleted", lastTransitionTime: time } : each,
  );
  const containerStatuses = (status["containerStatuses"] as { state: { running: { startedAt: string } } }[]).map(
    (each) => ({
      ...each,
      ready: false,
      started: false,
      state: {
        terminated: { exitCode: 0, reason: "Completed", startedAt: each.state.running.startedAt, finishedAt: time },
      },
    }),
  );
  yield* writeStatus(pod, { ...status, phase: "Succeeded", conditions, containerStatuses });
  return undefined;
}
