// Keeps a Pod of a DaemonSet on each node.
import type { KubeObject } from "../../../../kube/object.ts";
import { perform, type Reconcile, remove, writeStatus } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World, watchOwned, watchSelf } from "../../kernel/controller.ts";
import { templateHash } from "../../template-hash.ts";
import { podFor, REVISION_LABEL, templateOf } from "../../workload-objects.ts";
import { daemonSetStatus } from "../../workload-status.ts";
import { countPods, isReadyPod } from "../pods.ts";

export function daemonSetController(): Controller {
  return {
    name: "daemonset-controller",
    manager: "kube-controller-manager",
    watches: [
      watchSelf("apps/daemonsets"),
      watchOwned("pods", "DaemonSet"),
      {
        resource: "nodes",
        keys: ({ type }, { state }) => (type === "updated" ? [] : state.list("apps/daemonsets").map(objectKey)),
      },
    ],
    reconcile,
  };
}

function* reconcile(key: string, { state }: World): Reconcile {
  const { namespace, name } = splitKey(key);
  const set = state.get("apps/daemonsets", namespace, name);
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
  const revision = templateHash(templateOf(set));
  const podsOfSet = (): KubeObject[] =>
    state.ownedBy(set, "pods").filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const pods = podsOfSet();
  const nodes = state.list("nodes").map((node) => node.metadata.name ?? "");
  for (const node of nodes) {
    const podName = `${set.metadata.name}-${node}`;
    if (!pods.some((pod) => pod.metadata.name === podName))
      yield* perform({ do: "create", object: podFor(set, { name: podName, nodeName: node, revision }) });
  }
  // One node after the other.
  const old = pods.find((pod) => pod.metadata.labels?.[REVISION_LABEL] !== revision);
  if (old !== undefined && pods.length === nodes.length && pods.every((pod) => pod === old || isReadyPod(pod)))
    yield* remove(old);
  const left = podsOfSet();
  const updated = left.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision).length;
  const present = state.get("apps/daemonsets", namespace, name);
  if (present !== undefined)
    yield* writeStatus(present, daemonSetStatus(present, countPods(left, updated), nodes.length));
  return undefined;
}
