// How the containers of a Pod end when it is deleted, has lived too long, or is over. Pure but for `beginStop`.
import type { KubeObject } from "../../../kube/object.ts";
import { type ContainerRuntime, type End, isRunning, type PodRuntime, type StopCause } from "./pod-runtime.ts";
import { specOf } from "./pod-spec.ts";
import type { PodSurroundings } from "./pod-surroundings.ts";

const DEFAULT_GRACE_S = 30;
/** As Kubernetes: nobody gets less, however short the grace period is. */
const LEAST_GRACE_MS = 2_000;
const KILLED = 137;
const TERMINATED = 143;

/** Asks all running containers to end. */
export function beginStop(runtime: PodRuntime, cause: StopCause, nowMs: number): void {
  runtime.stop = { cause, sinceMs: nowMs };
  if (cause === "deadline") {
    const message = "Pod was active on the node longer than the specified deadline";
    runtime.events.push({ type: "Normal", reason: "DeadlineExceeded", message });
  }
  for (const container of runtime.containers) {
    container.startAtMs = undefined;
    container.pullingSinceMs = undefined;
    if (!isRunning(container)) continue;
    const message = `Stopping container ${container.container.name}`;
    runtime.events.push({ type: "Normal", reason: "Killing", message, container });
  }
}

/**
 * When and how each running container ends that was asked to; undefined while nobody is. Sidecars are asked when the
 * Pod's own containers are gone, the last of them first.
 */
export function plannedStops(
  pod: KubeObject,
  runtime: PodRuntime,
  around: PodSurroundings,
): ReadonlyMap<ContainerRuntime, End> | undefined {
  const { stop, containers } = runtime;
  if (stop === undefined) return undefined;
  const graceS =
    pod.metadata.deletionGracePeriodSeconds ?? specOf(pod).terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;
  const killAtMs = stop.sinceMs + Math.max(LEAST_GRACE_MS, graceS * 1_000);
  const stops = new Map<ContainerRuntime, End>();
  let goneAtMs = stop.sinceMs;
  for (const each of containers.filter(({ role }) => role !== "sidecar")) {
    const end = stopOf(each, stop.sinceMs, killAtMs, around);
    stops.set(each, end);
    if (each.run !== undefined) goneAtMs = Math.max(goneAtMs, each.run.end?.atMs ?? end.atMs);
  }
  for (const sidecar of containers.filter(({ role }) => role === "sidecar").reverse()) {
    const end = stopOf(sidecar, goneAtMs, killAtMs, around);
    stops.set(sidecar, end);
    if (isRunning(sidecar)) goneAtMs = end.atMs;
  }
  return stops;
}

function stopOf(runtime: ContainerRuntime, askedAtMs: number, killAtMs: number, around: PodSurroundings): End {
  const { ignoresTerm = false, stopMs = around.stopMs } = around.behaviourOf(runtime);
  const preStopMs = (runtime.container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
  const endsAtMs = Math.max(askedAtMs, runtime.run?.startedAtMs ?? 0) + preStopMs + stopMs;
  const lastMs = Math.max(killAtMs, askedAtMs);
  if (ignoresTerm || endsAtMs > lastMs) return { atMs: lastMs, exitCode: KILLED, reason: "Error" };
  // Servers end well when they are asked to; what runs to completion has been broken off.
  return around.runsForMs === undefined || runtime.role === "sidecar"
    ? { atMs: endsAtMs, exitCode: 0, reason: "Completed" }
    : { atMs: endsAtMs, exitCode: TERMINATED, reason: "Error" };
}
