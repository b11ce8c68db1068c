// Moves the containers of a Pod on to the present time, as a kubelet and its container runtime would. It reads and
// changes nothing but the Pod's `PodRuntime`.
import type { KubeObject } from "../../../kube/object.ts";
import { volumeProblem } from "./container-config.ts";
import { startContainer } from "./container-start.ts";
import { type ContainerRuntime, isRunning, type PodRuntime } from "./pod-runtime.ts";
import { containersOf, type PodSpec, shouldRestart, specOf } from "./pod-spec.ts";
import type { PodStatus } from "./pod-status-types.ts";
import type { PodSurroundings } from "./pod-surroundings.ts";
import { firstUnreadyMs, probed, probeFailureMessage } from "./probes.ts";
import { beginStop, plannedStops } from "./stopping.ts";

/** Longest chain of things that happen to one Pod at one instant. */
const MOST_TURNS = 100;
const FIRST_MOUNT_RETRY_MS = 500;
const LONGEST_MOUNT_RETRY_MS = 122_000;

/** Brings the Pod's containers to `nowMs`. Answers when it wants to be called again; undefined when nothing is due. */
export function syncPod(pod: KubeObject, runtime: PodRuntime, around: PodSurroundings): number | undefined {
  const spec = specOf(pod);
  readSpec(runtime, spec, around.nowMs);
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    endContainers(pod, runtime, around);
    if (runtime.stop !== undefined) break;
    const cause = stopCause(pod, runtime, spec, around.nowMs);
    if (cause !== undefined) {
      beginStop(runtime, cause, around.nowMs);
      continue;
    }
    if (!prepareSandbox(runtime, spec, around)) break;
    const wanted = containersToRun(runtime, spec, around);
    if (wanted.length === 0) {
      if (isOver(runtime, spec)) {
        beginStop(runtime, "over", around.nowMs);
        continue;
      }
      break;
    }
    const started = wanted.filter((each) => startContainer(pod, runtime, each, around));
    if (started.length === 0) break;
  }
  return nextInstant(pod, runtime, spec, around);
}

/** Whether the Pod is past all restarts and none of its containers runs: its status is final. */
export function isStopped(runtime: PodRuntime): boolean {
  return runtime.stop !== undefined && !runtime.containers.some(isRunning);
}

/** When a running container answers its probes. */
export function answersAtMs(container: ContainerRuntime, around: Pick<PodSurroundings, "behaviourOf">): number {
  return (container.run?.startedAtMs ?? 0) + (around.behaviourOf(container).readyAfterMs ?? 0);
}

function stopCause(pod: KubeObject, runtime: PodRuntime, spec: PodSpec, nowMs: number) {
  if (pod.metadata.deletionTimestamp !== undefined) return "deleted";
  if (deadlineOf(pod, runtime, spec) <= nowMs) return "deadline";
  return undefined;
}

function deadlineOf(pod: KubeObject, runtime: PodRuntime, spec: PodSpec): number {
  if (spec.activeDeadlineSeconds === undefined) return Number.POSITIVE_INFINITY;
  const { startTime } = (pod["status"] ?? {}) as PodStatus;
  const startMs = startTime === undefined ? runtime.seenAtMs : Date.parse(startTime);
  return startMs + spec.activeDeadlineSeconds * 1_000;
}

function endContainers(pod: KubeObject, runtime: PodRuntime, around: PodSurroundings): void {
  const stops = plannedStops(pod, runtime, around);
  for (const container of runtime.containers) {
    const { run } = container;
    if (run === undefined || run.end !== undefined) continue;
    if (around.imageFault(container.container.image ?? "") === "crashes") {
      run.end = { atMs: around.nowMs, exitCode: 1, reason: "Error" };
      continue;
    }
    const stop = stops?.get(container);
    const end = stop !== undefined && (run.plan === undefined || stop.atMs < run.plan.atMs) ? stop : run.plan;
    if (end === undefined || end.atMs > around.nowMs) {
      if (runtime.stop === undefined) tellUnready(runtime, container, around);
      continue;
    }
    run.end = end;
    if (end.failedProbe !== undefined) tellFailedProbe(runtime, container, end.failedProbe, specOf(pod));
  }
}

/** As Kubernetes, but once for each start: the kubelet tells it each time that it asks. */
function tellUnready(runtime: PodRuntime, container: ContainerRuntime, around: PodSurroundings): void {
  const { run } = container;
  const { readinessProbe } = container.container;
  if (run === undefined || readinessProbe === undefined || run.isUnreadyTold === true) return;
  const sinceMs = firstUnreadyMs(container, answersAtMs(container, around));
  if (sinceMs === undefined || sinceMs > around.nowMs || answersAtMs(container, around) <= around.nowMs) return;
  run.isUnreadyTold = true;
  const message = probeFailureMessage("Readiness", readinessProbe, runtime.ip ?? "");
  runtime.events.push({ type: "Warning", reason: "Unhealthy", message, container });
}

function tellFailedProbe(
  runtime: PodRuntime,
  container: ContainerRuntime,
  probe: "Startup" | "Liveness",
  spec: PodSpec,
): void {
  const { name, startupProbe, livenessProbe } = container.container;
  const asked = probe === "Startup" ? startupProbe : livenessProbe;
  const failed = probeFailureMessage(probe, asked ?? {}, runtime.ip ?? "");
  runtime.events.push({ type: "Warning", reason: "Unhealthy", message: failed, container });
  const again = shouldRestart(container.container, spec, 137) ? ", will be restarted" : "";
  const message = `Container ${name} failed ${probe.toLowerCase()} probe${again}`;
  runtime.events.push({ type: "Normal", reason: "Killing", message, container });
}

/** Takes up what may change in a Pod's spec: images, for which containers are restarted, and resources. */
function readSpec(runtime: PodRuntime, spec: PodSpec, nowMs: number): void {
  for (const { container } of containersOf(spec)) {
    const known = runtime.containers.find((each) => each.container.name === container.name);
    if (known === undefined || known.container === container) continue;
    const isOther = known.container.image !== container.image;
    known.container = container;
    if (!isOther) continue;
    known.waiting = undefined;
    known.failure = undefined;
    known.startAtMs = undefined;
    if (!isRunning(known) || known.run === undefined || known.role === "init") continue;
    const what = known.role === "sidecar" ? "Init container" : "Container";
    const message = `${what} ${container.name} definition changed${known.role === "sidecar" ? "" : ", will be restarted"}`;
    runtime.events.push({ type: "Normal", reason: "Killing", message, container: known });
    known.run.end = { atMs: nowMs, exitCode: 0, reason: "Completed" };
  }
}

/** Mounts volumes and sets up the network; answers whether containers may start. */
function prepareSandbox(runtime: PodRuntime, spec: PodSpec, around: PodSurroundings): boolean {
  if (runtime.hasSandbox) return true;
  const { nowMs } = around;
  const backOff = runtime.volumeBackOff;
  if (backOff !== undefined && nowMs < backOff.retryAtMs) return false;
  const problem = volumeProblem(spec, around.find);
  if (problem !== undefined) {
    const delayMs =
      backOff === undefined ? FIRST_MOUNT_RETRY_MS : Math.min(LONGEST_MOUNT_RETRY_MS, backOff.delayMs * 2);
    runtime.volumeBackOff = { delayMs, retryAtMs: nowMs + delayMs };
    runtime.events.push({
      type: "Warning",
      reason: "FailedMount",
      message: `MountVolume.SetUp failed for volume "${problem.volume}" : ${problem.message}`,
    });
    return false;
  }
  runtime.volumeBackOff = undefined;
  runtime.ip ??= around.allocateIp();
  runtime.hasSandbox = true;
  return true;
}

/** The containers that should run and do not, in the order of their start. */
function containersToRun(runtime: PodRuntime, spec: PodSpec, around: PodSurroundings): ContainerRuntime[] {
  const main = runtime.containers.filter(({ role }) => role === "main");
  const hasInitialized = main.some(isRunning);
  const wanted: ContainerRuntime[] = [];
  for (const each of runtime.containers) {
    if (each.role === "main") break;
    if (each.role === "init") {
      if (hasInitialized || each.run?.end?.exitCode === 0) continue;
      if (
        each.run === undefined ||
        (each.run.end !== undefined && shouldRestart(each.container, spec, each.run.end.exitCode))
      )
        wanted.push(each);
      return wanted;
    }
    if (!isRunning(each)) wanted.push(each);
    if (hasInitialized) continue;
    const startedAtMs = probed(each, answersAtMs(each, around))?.startedAtMs ?? Number.POSITIVE_INFINITY;
    if (!isRunning(each) || startedAtMs > around.nowMs) return wanted;
  }
  const startable = main.filter(
    ({ run, container }) =>
      run === undefined || (run.end !== undefined && shouldRestart(container, spec, run.end.exitCode)),
  );
  // Sidecars of a Pod whose own containers have all ended for good are not started again.
  return startable.length === 0 && !hasInitialized ? [] : [...wanted, ...startable];
}

/** Whether the Pod's own containers have ended for good, or its initialization has failed. */
function isOver(runtime: PodRuntime, spec: PodSpec): boolean {
  const endedForGood = ({ run, container }: ContainerRuntime): boolean =>
    run?.end !== undefined && !shouldRestart(container, spec, run.end.exitCode);
  const main = runtime.containers.filter(({ role }) => role === "main");
  if (main.every(endedForGood)) return true;
  if (main.some(isRunning)) return false;
  return runtime.containers.some((each) => each.role === "init" && endedForGood(each) && each.run?.end?.exitCode !== 0);
}

function nextInstant(pod: KubeObject, runtime: PodRuntime, spec: PodSpec, around: PodSurroundings): number | undefined {
  const { nowMs } = around;
  const instants: number[] = [];
  const stops = plannedStops(pod, runtime, around);
  for (const each of runtime.containers) {
    const { run, waiting, startAtMs } = each;
    if (startAtMs !== undefined) instants.push(startAtMs);
    if (waiting !== undefined) instants.push(waiting.shownFromMs, waiting.retryAtMs);
    if (run === undefined || run.end !== undefined) continue;
    if (run.plan !== undefined) instants.push(run.plan.atMs);
    const stop = stops?.get(each);
    if (stop !== undefined) instants.push(stop.atMs);
    const probes = each.wasReady ? undefined : probed(each, answersAtMs(each, around));
    if (probes !== undefined) instants.push(probes.startedAtMs, probes.readyAtMs);
    const unreadyMs = run.isUnreadyTold === true ? undefined : firstUnreadyMs(each, answersAtMs(each, around));
    if (unreadyMs !== undefined) instants.push(unreadyMs);
  }
  if (runtime.stop === undefined) {
    instants.push(deadlineOf(pod, runtime, spec));
    if (runtime.volumeBackOff !== undefined) instants.push(runtime.volumeBackOff.retryAtMs);
  }
  const next = Math.min(...instants.filter((instant) => instant > nowMs));
  return Number.isFinite(next) ? next : undefined;
}
