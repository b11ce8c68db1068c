// Makes room on a node: Pods that matter less have to go.
import { attempt, remove, type Steps, tell } from "../kernel/action.ts";
import type { World } from "../kernel/controller.ts";
import { withPodCondition } from "../pod-conditions.ts";
import type { ClusterWatch } from "./cluster-watch.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { Candidate } from "./preemption.ts";

/** Removes the victims, and takes the node's promise back from Pods that matter less and were waiting for it too. */
export function* preempt(pod: PodFacts, { node, victims }: Candidate, watch: ClusterWatch, world: World): Steps<void> {
  for (const other of [...watch.cache.nominatedTo(node)])
    if (other.uid !== pod.uid && other.spec.priority < pod.spec.priority) yield* withdraw(other, watch, world);
  for (const victim of victims) {
    const present = world.state.get("pods", victim.namespace, victim.object.metadata.name ?? "");
    if (present === undefined || present.metadata.uid !== victim.uid) continue;
    if (present.metadata.deletionTimestamp !== undefined) continue;
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message: "default-scheduler: preempting to accommodate a higher priority pod",
    } as const;
    const status = withPodCondition(present, condition, world.now());
    yield* attempt({ do: "update", object: { ...present, status }, subresource: "status" });
    yield* remove(present);
    yield* tell(present, "Normal", "Preempted", `Preempted by pod ${pod.uid} on node ${node}`);
  }
}

function* withdraw(other: PodFacts, watch: ClusterWatch, world: World): Steps<void> {
  watch.cache.nominate(other, undefined);
  const present = world.state.get("pods", other.namespace, other.object.metadata.name ?? "");
  if (present === undefined || present.metadata.uid !== other.uid) return;
  yield* attempt({
    do: "patch",
    object: present,
    patch: { status: { nominatedNodeName: null } },
    subresource: "status",
  });
  watch.queue.activate(other.uid);
}
