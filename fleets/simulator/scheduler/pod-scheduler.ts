// Finds a node for each Pod.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { podRequests } from "../../cluster-status.ts";
import { targetNode } from "../controllers/daemon-set/daemon-set-spec.ts";
import { attempt, perform, type Reconcile } from "../kernel/action.ts";
import { nodeNameOf } from "../kernel/cluster-state.ts";
import { type Controller, objectKey, splitKey, type World } from "../kernel/controller.ts";
import { NodeRoom } from "../nodes.ts";
import { isUnplaced, unplacedStatus } from "../workload-objects.ts";

export function podScheduler(): Controller {
  return {
    name: "default-scheduler",
    manager: "kube-scheduler",
    watches: [
      {
        resource: "pods",
        // Room that comes free is news to everybody who waits.
        keys: ({ type, object }, { state }) =>
          type === "deleted"
            ? state
                .list("pods")
                .filter((pod) => nodeNameOf(pod) === undefined)
                .map(objectKey)
            : nodeNameOf(object) === undefined
              ? [objectKey(object)]
              : [],
      },
    ],
    reconcile,
  };
}

function* reconcile(key: string, world: World): Reconcile {
  const { state } = world;
  const { namespace, name } = splitKey(key);
  const pod = state.get("pods", namespace, name);
  if (pod === undefined || nodeNameOf(pod) !== undefined || pod.metadata.deletionTimestamp !== undefined)
    return undefined;
  const node = targetNode(pod) ?? roomOf(world).place(pod.metadata.uid ?? "", requestsOf(pod));
  if (node !== undefined) yield* perform({ do: "bind", pod, node });
  else if (!isUnplaced(pod))
    yield* attempt({
      do: "update",
      object: { ...pod, status: unplacedStatus(pod, world.now()) },
      subresource: "status",
    });
  return undefined;
}

function roomOf({ state }: World): NodeRoom {
  const room = new NodeRoom();
  for (const node of state.list("nodes")) {
    const status = node["status"] as { allocatable?: Record<string, string> } | undefined;
    const { cpu = "0", memory = "0", pods = "0" } = status?.allocatable ?? {};
    const name = node.metadata.name ?? "";
    room.addNode(name, { cpu, memory, pods: Number(pods) });
    for (const pod of state.podsOn(name)) room.occupy(pod.metadata.uid ?? "", name, requestsOf(pod));
  }
  return room;
}

function requestsOf(pod: KubeObject): Record<string, string> {
  return podRequests(isObject(pod["spec"]) ? pod["spec"] : {});
}
