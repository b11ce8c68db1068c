// The controllers of a cluster at level `fast`: no ReplicaSets and no Pods; each workload has its final status after a
// while. For hundreds of clusters, and for benchmarks.
import { equalJson, isObject, type KubeObject } from "../../../kube/object.ts";
import { nodeTest } from "../controllers/daemon-set/daemon-set-spec.ts";
import { perform, type Reconcile } from "../kernel/action.ts";
import { type Controller, splitKey, type World, watchSelf } from "../kernel/controller.ts";
import { finalStatus, isJobAtRest } from "./final-status.ts";

const RESOURCES = ["apps/deployments", "apps/replicasets", "apps/statefulsets", "apps/daemonsets", "batch/jobs"];

/** What acts in a cluster of level `fast`: one controller for each kind of workload. */
export function fastControllers(): Controller[] {
  return RESOURCES.map(fastController);
}

function fastController(resource: string): Controller {
  /** Since when an object has had its generation. */
  const seen = new Map<string, { readonly generation: number | undefined; readonly at: number }>();
  return {
    name: `fast:${resource}`,
    manager: "kube-controller-manager",
    watches: [watchSelf(resource)],
    *reconcile(key: string, world: World): Reconcile {
      const { namespace, name } = splitKey(key);
      const object = world.state.get(resource, namespace, name);
      if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
        seen.delete(key);
        return undefined;
      }
      if (resource === "batch/jobs" && isJobAtRest(object)) return undefined;
      const { generation } = object.metadata;
      let since = seen.get(key);
      if (since?.generation !== generation || since === undefined) {
        since = { generation, at: world.now() };
        seen.set(key, since);
      }
      const left = since.at + world.traits.readyAfterMs - world.now();
      if (left > 0) return { afterMs: left };
      const status = finalStatus(object, () => nodesFor(object, world), world.now());
      const known = isObject(object["status"]) ? object["status"] : {};
      if (!equalJson({ ...status, conditions: undefined }, { ...known, conditions: undefined }))
        yield* perform({ do: "patch", object, patch: { status }, subresource: "status" });
      return undefined;
    },
  };
}

/** How many nodes run a Pod of a DaemonSet. */
function nodesFor(object: KubeObject, { state }: World): number {
  const decide = nodeTest(object);
  return state.list("nodes").filter((node) => decide(node).shouldRun).length;
}
