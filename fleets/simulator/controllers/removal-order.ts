// Which Pods a controller removes first when there are too many.
import { isReady, type Pod, podCondition } from "./pod-object.ts";

const PHASES = ["Pending", "Unknown", "Running"];

/** Sorts Pods so that those that are missed least come first: unplaced, pending, not ready, newest. */
export function byRemoval(a: Pod, b: Pod): number {
  return (
    Number(isPlaced(a)) - Number(isPlaced(b)) ||
    phase(a) - phase(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    (isReady(a) && isReady(b) ? readySince(b) - readySince(a) : 0) ||
    restarts(b) - restarts(a) ||
    created(b) - created(a)
  );
}

function isPlaced({ spec }: Pod): boolean {
  return (spec.nodeName ?? "") !== "";
}

function phase({ status }: Pod): number {
  return PHASES.indexOf(status.phase ?? "Pending");
}

function readySince(pod: Pod): number {
  return Date.parse(podCondition(pod, "Ready")?.lastTransitionTime ?? "") || 0;
}

/** The most restarts that a container of the Pod has had. */
function restarts({ status }: Pod): number {
  return Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount = 0 }) => restartCount));
}

function created({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}
