// Which Pods a controller removes first when there are too many.
import { type ContainerStatus, isReady, type Pod, podCondition } from "./pod-object.ts";

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Sorts Pods so that those that are missed least come first: unplaced, pending, not ready, newest. */
export function byRemoval(a: Pod, b: Pod): number {
  return (
    byProgress(a, b) ||
    (isReady(a) && isReady(b) ? readySince(b) - readySince(a) : 0) ||
    byRestarts(a, b) ||
    created(b) - created(a)
  );
}

/** Those first that have come less far: without a node, then not started, then not ready. */
export function byProgress(a: Pod, b: Pod): number {
  return (
    Number(isPlaced(a)) - Number(isPlaced(b)) || phaseRank(a) - phaseRank(b) || Number(isReady(a)) - Number(isReady(b))
  );
}

/** Those first of which a container has been restarted more often; of equal ones, a sidecar. */
export function byRestarts(a: Pod, b: Pod): number {
  return (
    mostRestarts(b.status.containerStatuses) - mostRestarts(a.status.containerStatuses) ||
    mostRestarts(sidecarStatuses(b)) - mostRestarts(sidecarStatuses(a))
  );
}

function isPlaced({ spec }: Pod): boolean {
  return (spec.nodeName ?? "") !== "";
}

function phaseRank({ status }: Pod): number {
  return PHASES[status.phase ?? "Pending"] ?? 0;
}

function readySince(pod: Pod): number {
  return Date.parse(podCondition(pod, "Ready")?.lastTransitionTime ?? "") || 0;
}

function sidecarStatuses({ spec, status }: Pod): readonly ContainerStatus[] {
  const { initContainers = [] } = spec;
  const sidecars = new Set(initContainers.filter((each) => each.restartPolicy === "Always").map(({ name }) => name));
  return (status.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
}

function mostRestarts(states: readonly ContainerStatus[] = []): number {
  return Math.max(0, ...states.map(({ restartCount = 0 }) => restartCount));
}

function created({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? "") || 0;
}
