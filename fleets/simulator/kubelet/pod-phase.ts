// The phase of a Pod, from what its containers do. Pure.
import { isSidecar, type PodSpec, shouldRestart } from "./pod-spec.ts";
import type { ContainerStatus, PodPhase } from "./pod-status-types.ts";

interface Tally {
  pendingInit: number;
  pendingSidecars: number;
  initFailedForGood: number;
  unknown: number;
  running: number;
  waiting: number;
  stopped: number;
  stoppedForGood: number;
  succeeded: number;
}

/**
 * The phase that the kubelet derives from its containers' statuses (`getPhase`). `isTerminal`: nothing will be
 * restarted; `hasInitialized`: a container of the Pod proper runs.
 */
export function podPhase(
  spec: PodSpec,
  statuses: ReadonlyMap<string, ContainerStatus>,
  isTerminal: boolean,
  hasInitialized: boolean,
): PodPhase {
  const tally: Tally = {
    pendingInit: 0,
    pendingSidecars: 0,
    initFailedForGood: 0,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  };
  countInit(spec, statuses, tally);
  countSidecars(spec, statuses, tally);
  countMain(spec, statuses, tally);
  const { running, stopped, succeeded, unknown } = tally;
  if (tally.initFailedForGood > 0) return "Failed";
  if (tally.pendingInit > 0 || (tally.pendingSidecars > 0 && !hasInitialized) || tally.waiting > 0) return "Pending";
  if (running > 0 && unknown === 0) return "Running";
  if (running > 0 || stopped === 0 || unknown > 0) return "Pending";
  if (isTerminal || stopped === tally.stoppedForGood) return stopped === succeeded ? "Succeeded" : "Failed";
  return "Running";
}

function countInit(spec: PodSpec, statuses: ReadonlyMap<string, ContainerStatus>, tally: Tally): void {
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) continue;
    const status = statuses.get(container.name);
    // One that is waiting for its restart has failed already; one that has never run is awaited.
    const ended =
      status?.state.terminated ?? (status?.state.waiting === undefined ? undefined : status.lastState.terminated);
    if (ended === undefined) tally.pendingInit++;
    else if (ended.exitCode !== 0 && !shouldRestart(container, spec, ended.exitCode)) tally.initFailedForGood++;
  }
}

function countSidecars(spec: PodSpec, statuses: ReadonlyMap<string, ContainerStatus>, tally: Tally): void {
  for (const container of spec.initContainers ?? []) {
    if (!isSidecar(container)) continue;
    const status = statuses.get(container.name);
    if (status === undefined) tally.unknown++;
    else if (status.state.running !== undefined) {
      if (!status.started) tally.pendingSidecars++;
      tally.running++;
    } else if (status.state.waiting !== undefined && status.lastState.terminated === undefined) {
      tally.pendingSidecars++;
      tally.waiting++;
    }
  }
}

function countMain(spec: PodSpec, statuses: ReadonlyMap<string, ContainerStatus>, tally: Tally): void {
  for (const container of spec.containers) {
    const status = statuses.get(container.name);
    if (status?.state.running !== undefined) {
      tally.running++;
      continue;
    }
    const { terminated, waiting } = status?.state ?? {};
    const ended = terminated ?? (waiting === undefined ? undefined : status?.lastState.terminated);
    if (ended !== undefined) {
      tally.stopped++;
      if (!shouldRestart(container, spec, ended.exitCode)) tally.stoppedForGood++;
      // As Kubernetes: what waits for its restart has not succeeded, whatever its last end was.
      if (terminated?.exitCode === 0) tally.succeeded++;
    } else if (waiting !== undefined) tally.waiting++;
    else tally.unknown++;
  }
}
