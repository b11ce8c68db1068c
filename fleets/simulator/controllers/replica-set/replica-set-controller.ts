// Keeps the wanted number of Pods of a ReplicaSet.
import type { KubeObject } from "../../../../kube/object.ts";
import { perform, type Reconcile, remove, writeStatus } from "../../kernel/action.ts";
import { type Controller, splitKey, type World, watchOwned, watchSelf } from "../../kernel/controller.ts";
import { podFor } from "../../workload-objects.ts";
import { replicaSetStatus, wantedReplicas } from "../../workload-status.ts";
import { countPods, isReadyPod } from "../pods.ts";

export function replicaSetController(): Controller {
  return {
    name: "replicaset-controller",
    manager: "kube-controller-manager",
    watches: [watchSelf("apps/replicasets"), watchOwned("pods", "ReplicaSet")],
    reconcile,
  };
}

function* reconcile(key: string, { state }: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const set = state.get("apps/replicasets", namespace, name);
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
  const podsOfSet = (): KubeObject[] =>
    state.ownedBy(set, "pods").filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const pods = podsOfSet();
  const missing = wantedReplicas(set) - pods.length;
  for (let i = 0; i < missing; i++)
    yield* perform({ do: "create", object: podFor(set, { generateName: `${set.metadata.name}-` }) });
  const surplus = pods.sort((a, b) => worth(a) - worth(b)).slice(0, Math.max(0, -missing));
  for (const pod of surplus) yield* remove(pod);
  const left = podsOfSet();
  const present = state.get("apps/replicasets", namespace, name);
  if (present !== undefined) yield* writeStatus(present, replicaSetStatus(present, countPods(left, left.length)));
  return undefined;
}

/** As the real one chooses whom to remove: first who has no node, then who is not ready. */
function worth(pod: KubeObject): number {
  const spec = pod["spec"] as { nodeName?: string };
  return isReadyPod(pod) ? 2 : spec.nodeName !== undefined ? 1 : 0;
}
