// What a node's container runtime knows of one Pod: more exact than the status, and made again from it after a restart.
import type { KubeObject } from "../../../kube/object.ts";
import { type Container, type ContainerRole, containersOf, specOf } from "./pod-spec.ts";
import type { ContainerStatus, PodStatus, TerminatedState } from "./pod-status-types.ts";

/** How a container ends. */
export interface End {
  readonly atMs: number;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`. */
  readonly reason: string;
  /** The probe for whose failures the kubelet ends it. */
  readonly failedProbe?: "Startup" | "Liveness";
}

/** One start of a container. */
export interface Run {
  /** 0 for the first. */
  readonly attempt: number;
  readonly startedAtMs: number;
  /** When and how it is going to end by itself; undefined when it runs on. */
  readonly plan: End | undefined;
  end: End | undefined;
  /** Whether it has been told that the container is not ready yet. */
  isUnreadyTold?: boolean;
}

/** Why a container does not run, as its status says from `shownFromMs` on. */
interface Waiting {
  readonly reason: string;
  readonly message: string;
  readonly shownFromMs: number;
  /** When the kubelet tries again. */
  readonly retryAtMs: number;
  /** Told when it is first shown. */
  readonly events: readonly PodEvent[];
}

/** How long a container waits before its next start. */
export interface BackOff {
  readonly delayMs: number;
  readonly updatedAtMs: number;
}

/** What the kubelet knows of a container beyond its status. */
export interface ContainerRuntime {
  /** As the Pod's spec has it at the moment. */
  container: Container;
  readonly role: ContainerRole;
  run: Run | undefined;
  /** The run before. */
  previousRun: Run | undefined;
  waiting: Waiting | undefined;
  /** What failed just now, shown until `waiting` is. */
  failure: { readonly reason: string; readonly message: string } | undefined;
  /** When the process will run, while it is being started. */
  startAtMs: number | undefined;
  /** When the pull of its image began. */
  pullingSinceMs: number | undefined;
  crashBackOff: BackOff | undefined;
  pullBackOff: BackOff | undefined;
  /** Whether a status has said so: a container that is ready stays ready while it runs. */
  wasReady: boolean;
}

/** An Event of the kubelet about a Pod, or about one of its containers. */
export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly container?: ContainerRuntime;
}

/** Why a Pod's containers are being stopped. */
export type StopCause = "deleted" | "deadline" | "over";

/** What the kubelet knows of a Pod beyond its status. */
export interface PodRuntime {
  readonly uid: string;
  readonly containers: readonly ContainerRuntime[];
  /** When its kubelet saw it first. */
  readonly seenAtMs: number;
  hasSandbox: boolean;
  ip: string | undefined;
  volumeBackOff: { readonly delayMs: number; readonly retryAtMs: number } | undefined;
  stop: { readonly cause: StopCause; readonly sinceMs: number } | undefined;
  /** What happened and has not been told yet. */
  readonly events: PodEvent[];
}

/** What is known of a Pod that the kubelet meets, from its status: nothing of a new one, the rest after a restart. */
export function podRuntimeOf(pod: KubeObject, nowMs: number): PodRuntime {
  const status = (pod["status"] ?? {}) as PodStatus;
  const statuses = new Map(
    [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map((each) => [each.name, each]),
  );
  return {
    uid: pod.metadata.uid ?? "",
    containers: containersOf(specOf(pod)).map(({ container, role }) =>
      containerRuntimeOf(container, role, statuses.get(container.name)),
    ),
    seenAtMs: nowMs,
    hasSandbox:
      status.conditions?.some((each) => each.type === "PodReadyToStartContainers" && each.status === "True") ?? false,
    ip: status.podIP,
    volumeBackOff: undefined,
    stop: undefined,
    events: [],
  };
}

function containerRuntimeOf(
  container: Container,
  role: ContainerRole,
  status: ContainerStatus | undefined,
): ContainerRuntime {
  return {
    container,
    role,
    run: status === undefined ? undefined : runOf(status),
    previousRun: status === undefined ? undefined : previousRunOf(status),
    waiting: undefined,
    failure: undefined,
    startAtMs: undefined,
    pullingSinceMs: undefined,
    crashBackOff: undefined,
    pullBackOff: undefined,
    wasReady: status?.ready === true,
  };
}

function runOf({ state, lastState, restartCount }: ContainerStatus): Run | undefined {
  const ended = state.terminated ?? (state.running === undefined ? lastState.terminated : undefined);
  if (ended !== undefined) return endedRun(ended, restartCount);
  if (state.running === undefined) return undefined;
  return { attempt: restartCount, startedAtMs: millis(state.running.startedAt), plan: undefined, end: undefined };
}

/** While a container waits for its restart, its last state is that of its last run. */
function previousRunOf({ state, lastState, restartCount }: ContainerStatus): Run | undefined {
  if (state.waiting !== undefined || lastState.terminated === undefined) return undefined;
  return endedRun(lastState.terminated, restartCount - 1);
}

function endedRun(ended: TerminatedState, attempt: number): Run {
  return {
    attempt,
    startedAtMs: millis(ended.startedAt),
    plan: undefined,
    end: { atMs: millis(ended.finishedAt), exitCode: ended.exitCode, reason: ended.reason ?? "Error" },
  };
}

function millis(time: string | null | undefined): number {
  return typeof time === "string" ? Date.parse(time) : 0;
}

/** Whether the container runs at the moment. */
export function isRunning({ run }: ContainerRuntime): boolean {
  return run !== undefined && run.end === undefined;
}
