// Tells users that a Pod has no node yet.
import { isObject } from "../../../kube/object.ts";
import { type Steps, tell, writeStatus } from "../kernel/action.ts";
import type { World } from "../kernel/controller.ts";
import { type ConditionDraft, withPodCondition } from "../pod-conditions.ts";
import type { Pending } from "./scheduling-queue.ts";

/** Events may say no more. */
const LONGEST_NOTE = 1024;

/**
 * Writes the Event and the condition. `nominatedNode` is the node that is being made free; empty when there is none any
 * more, undefined when that stays as it is.
 */
export function* reportFailure(
  pending: Pending,
  message: string,
  nominatedNode: string | undefined,
  world: World,
): Steps<void> {
  const { pod } = pending;
  const { resourceVersion } = pod.object.metadata;
  const { told } = pending;
  if (told === undefined || told.resourceVersion !== resourceVersion) {
    pending.told = { resourceVersion, message, isAgain: false };
    yield* tell(pod.object, "Warning", "FailedScheduling", shorten(message));
  } else if (!told.isAgain) {
    told.isAgain = true;
    yield* tell(pod.object, "Warning", "FailedScheduling", shorten(told.message));
  }
  const present = world.state.get("pods", pod.namespace, pod.object.metadata.name ?? "");
  if (present === undefined || present.metadata.uid !== pod.uid) return;
  const condition: ConditionDraft = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
  const status = { ...withPodCondition(present, condition, world.now()) };
  if (nominatedNode === "") delete status["nominatedNodeName"];
  else if (nominatedNode !== undefined) status["nominatedNodeName"] = nominatedNode;
  if (isObject(present["spec"]) && present["spec"]["nodeName"]) return;
  yield* writeStatus(present, status);
}

function shorten(message: string): string {
  return message.length <= LONGEST_NOTE ? message : `${message.slice(0, LONGEST_NOTE - 4)} ...`;
}
