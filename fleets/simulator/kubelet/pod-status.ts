// The status that the kubelet writes for a Pod, from what its containers do. Pure.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { containerId, fullImageName, imageId } from "./images.ts";
import { podConditions } from "./pod-conditions.ts";
import { podPhase } from "./pod-phase.ts";
import { type ContainerRuntime, isRunning, type PodRuntime, type Run } from "./pod-runtime.ts";
import { specOf } from "./pod-spec.ts";
import type { ContainerState, ContainerStatus, PodPhase, PodStatus, TerminatedState } from "./pod-status-types.ts";
import type { PodSurroundings } from "./pod-surroundings.ts";
import { answersAtMs, isStopped } from "./pod-sync.ts";
import { probed } from "./probes.ts";

interface StatusInput {
  readonly pod: KubeObject;
  readonly runtime: PodRuntime;
  readonly around: Pick<PodSurroundings, "behaviourOf" | "nowMs">;
  /** The address of its node. */
  readonly hostIp: string | undefined;
}

/** The whole status of the Pod, what others have written into it included. */
export function podStatus({ pod, runtime, around, hostIp }: StatusInput): PodStatus {
  const spec = specOf(pod);
  const before = (pod["status"] ?? {}) as PodStatus;
  const now = rfc3339(around.nowMs);
  const isFinal = isStopped(runtime);
  const hasInit = (spec.initContainers ?? []).length > 0;
  const all = runtime.containers.map((each) => containerStatus(each, runtime, around, hasInit));
  const statuses = new Map(all.map((each) => [each.name, each]));
  const hasInitialized = runtime.containers.some((each) => each.role === "main" && isRunning(each));
  const derived = podPhase(spec, statuses, isFinal, hasInitialized);
  const phase = phaseOf(derived, before, runtime, isFinal);
  if (isFinal)
    for (const [name, status] of statuses) statuses.set(name, finalStatus(status, spec.containers, hasInit, all));
  const { generation } = pod.metadata;
  const deadline = isFinal && runtime.stop?.cause === "deadline";
  const isHostNetwork = spec.hostNetwork === true;
  // The sandbox is told of together with the first container's fate: one write less for each Pod.
  const hasSandbox = runtime.hasSandbox && runtime.containers.some(isTouched);
  const ip = !hasSandbox ? before.podIP : isHostNetwork ? hostIp : runtime.ip;
  const list = (role: (each: ContainerRuntime) => boolean): ContainerStatus[] =>
    runtime.containers.filter(role).map(({ container }) => statuses.get(container.name)!);
  const initStatuses = list(({ role }) => role !== "main");
  const mainStatuses = list(({ role }) => role === "main").sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...before,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...(deadline
      ? { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" }
      : {}),
    conditions: podConditions({
      spec,
      phase,
      statuses,
      hasSandbox: hasSandbox && !isFinal,
      generation,
      present: before.conditions ?? [],
      now,
    }),
    startTime: before.startTime ?? now,
    ...(hostIp === undefined ? {} : { hostIP: hostIp, hostIPs: [{ ip: hostIp }] }),
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    containerStatuses: mainStatuses,
  };
}

/** As Kubernetes: a final phase is written when nothing runs any more, and never left. */
function phaseOf(derived: PodPhase, before: PodStatus, runtime: PodRuntime, isFinal: boolean): PodPhase {
  if (before.phase === "Succeeded" || before.phase === "Failed") return before.phase;
  if (isFinal) return runtime.stop?.cause === "deadline" || derived !== "Succeeded" ? "Failed" : "Succeeded";
  return derived === "Succeeded" || derived === "Failed" ? (before.phase ?? "Pending") : derived;
}

function isTouched({ run, waiting, failure }: ContainerRuntime): boolean {
  return run !== undefined || waiting !== undefined || failure !== undefined;
}

function containerStatus(
  container: ContainerRuntime,
  runtime: PodRuntime,
  around: StatusInput["around"],
  hasInit: boolean,
): ContainerStatus {
  const { container: spec, run, role } = container;
  const probes = probed(container, answersAtMs(container, around));
  const runs = isRunning(container);
  const started = runs && probes !== undefined && probes.startedAtMs <= around.nowMs;
  const ready =
    role === "init"
      ? run?.end?.exitCode === 0
      : runs && (container.wasReady || (probes !== undefined && probes.readyAtMs <= around.nowMs));
  const { resources = {} } = spec;
  const { name, image = "" } = spec;
  const { state, lastState } = statesOf(container, runtime, around.nowMs, hasInit);
  return {
    ...(run === undefined || resources.requests === undefined ? {} : { allocatedResources: resources.requests }),
    ...(run === undefined ? {} : { containerID: containerId(runtime.uid, name, run.attempt) }),
    image: run === undefined ? image : fullImageName(image),
    imageID: run === undefined ? "" : imageId(image),
    lastState,
    name,
    ready,
    ...(run === undefined ? {} : { resources }),
    restartCount: run?.attempt ?? 0,
    started: started || (runs && container.wasReady),
    state,
    ...(spec.volumeMounts === undefined ? {} : { volumeMounts: spec.volumeMounts.map(mountStatus) }),
  };
}

function statesOf(
  container: ContainerRuntime,
  runtime: PodRuntime,
  nowMs: number,
  hasInit: boolean,
): { readonly state: ContainerState; readonly lastState: ContainerState } {
  const { run, previousRun, waiting, failure, container: spec } = container;
  const ended = (of: Run | undefined): ContainerState =>
    of?.end === undefined ? {} : { terminated: terminated(of, runtime.uid, spec.name) };
  if (run !== undefined && run.end === undefined)
    return { state: { running: { startedAt: rfc3339(run.startedAtMs) } }, lastState: ended(previousRun) };
  const isShown = waiting !== undefined && waiting.shownFromMs <= nowMs && runtime.stop === undefined;
  const reason = isShown ? waiting : failure;
  if (reason !== undefined && runtime.stop === undefined)
    return { state: { waiting: { reason: reason.reason, message: reason.message } }, lastState: ended(run) };
  if (run !== undefined) return { state: ended(run), lastState: ended(previousRun) };
  return { state: { waiting: { reason: hasInit ? "PodInitializing" : "ContainerCreating" } }, lastState: {} };
}

function terminated({ attempt, startedAtMs, end }: Run, uid: string, name: string): TerminatedState {
  return {
    exitCode: end?.exitCode ?? 0,
    reason: end?.reason ?? "Completed",
    startedAt: rfc3339(startedAtMs),
    finishedAt: rfc3339(end?.atMs ?? 0),
    containerID: containerId(uid, name, attempt),
  };
}

/** As Kubernetes: of what never ran in a Pod that is over, nothing is known, and that counts as a failure. */
function finalStatus(
  status: ContainerStatus,
  main: readonly { readonly name: string }[],
  hasInit: boolean,
  all: readonly ContainerStatus[],
): ContainerStatus {
  if (status.state.terminated !== undefined) return status;
  const isMain = main.some(({ name }) => name === status.name);
  const ofInit = all.filter(({ name }) => !main.some((each) => each.name === name));
  const hasRun = (each: ContainerStatus): boolean =>
    each.state.waiting === undefined || each.lastState.terminated !== undefined;
  const lastTried = Math.max(0, ofInit.findLastIndex(hasRun));
  const hasInitialized = !hasInit || ofInit.every((each) => each.state.terminated?.exitCode === 0 || each.started);
  if (isMain ? !hasInitialized : ofInit.indexOf(status) > lastTried) return status;
  const unknown: TerminatedState = {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
    startedAt: null,
    finishedAt: null,
  };
  return { ...status, state: { terminated: unknown } };
}

function mountStatus(mount: unknown): Record<string, unknown> {
  if (!isObject(mount)) return {};
  const { name, mountPath, readOnly, recursiveReadOnly } = mount;
  return {
    mountPath,
    name,
    ...(readOnly === true
      ? { readOnly, recursiveReadOnly: recursiveReadOnly === "Enabled" ? "Enabled" : "Disabled" }
      : {}),
  };
}
