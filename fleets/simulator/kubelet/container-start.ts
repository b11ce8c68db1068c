// Starts a container: its image, its configuration, its process, and what is said when one of them fails.
import type { KubeObject } from "../../../kube/object.ts";
import { goDuration, isCrashBackingOff, nextCrashBackOff, nextPullBackOff } from "./back-off.ts";
import { containerConfigProblem } from "./container-config.ts";
import { fullImageName, imageNameProblem, imageSize } from "./images.ts";
import type { ContainerRuntime, End, PodEvent, PodRuntime } from "./pod-runtime.ts";
import { podDescription } from "./pod-spec.ts";
import type { PodSurroundings } from "./pod-surroundings.ts";
import { probeFailure } from "./probes.ts";

/** How long a container's end or failure is seen before the kubelet says that it waits: its look at the runtime. */
const RELIST_MS = 1_000;
/** When the kubelet tries again what failed without a back-off of its own. */
const RETRY_MS = 10_000;

/** Goes as far as the container can be started now; answers whether its process runs, or did for a moment. */
export function startContainer(
  pod: KubeObject,
  runtime: PodRuntime,
  container: ContainerRuntime,
  around: PodSurroundings,
): boolean {
  const { nowMs } = around;
  if (container.waiting !== undefined && nowMs < container.waiting.retryAtMs) return false;
  if (container.startAtMs === undefined && !mayRestart(pod, container, nowMs)) return false;
  if (container.startAtMs === undefined) begin(runtime, container, around);
  if ((container.startAtMs ?? nowMs) > nowMs) return false;
  if (!hasImage(runtime, container, around)) return false;
  const problem = containerConfigProblem(container.container, pod.metadata.namespace ?? "", around.find);
  if (problem !== undefined) {
    tell(runtime, container, "Warning", "Failed", `Error: ${problem}`);
    fail(container, "CreateContainerConfigError", problem, nowMs, nowMs + RETRY_MS, []);
    return false;
  }
  tell(runtime, container, "Normal", "Created", "Container created");
  tell(runtime, container, "Normal", "Started", "Container started");
  run(container, around);
  return true;
}

/** As Kubernetes: the first restart is at once; from then on each waits longer. */
function mayRestart(pod: KubeObject, container: ContainerRuntime, nowMs: number): boolean {
  const end = container.run?.end;
  if (end === undefined) return true;
  if (!isCrashBackingOff(container.crashBackOff, end.atMs, nowMs)) {
    container.crashBackOff = nextCrashBackOff(container.crashBackOff, end.atMs, nowMs);
    return true;
  }
  const { delayMs } = container.crashBackOff!;
  const { name } = container.container;
  const description = podDescription(pod);
  const message = `back-off ${goDuration(delayMs)} restarting failed container=${name} pod=${description}`;
  const event: PodEvent = {
    type: "Warning",
    reason: "BackOff",
    message: `Back-off restarting failed container ${name} in pod ${description}`,
    container,
  };
  fail(container, "CrashLoopBackOff", message, end.atMs + RELIST_MS, end.atMs + delayMs, [event]);
  return false;
}

function begin(runtime: PodRuntime, container: ContainerRuntime, around: PodSurroundings): void {
  const { nowMs } = around;
  const { image = "", imagePullPolicy } = container.container;
  const mustPull =
    imagePullPolicy !== "Never" &&
    imageNameProblem(image) === undefined &&
    (imagePullPolicy === "Always" || !around.hasImage(image));
  // What has run, or has failed with its image there, starts at once.
  const takesTime = container.run === undefined && (container.waiting === undefined || mustPull);
  const { startupMs = container.role === "main" ? around.startupMs : 0 } = around.behaviourOf(container);
  container.startAtMs = nowMs + (takesTime ? startupMs : 0);
  if (!mustPull) return;
  container.pullingSinceMs = nowMs;
  tell(runtime, container, "Normal", "Pulling", `Pulling image "${image}"`);
}

function hasImage(runtime: PodRuntime, container: ContainerRuntime, around: PodSurroundings): boolean {
  const { nowMs } = around;
  const { image = "", imagePullPolicy } = container.container;
  const problem = imageNameProblem(image);
  if (problem !== undefined) {
    tell(runtime, container, "Warning", "InspectFailed", problem);
    tell(runtime, container, "Warning", "Failed", "Error: InvalidImageName");
    fail(container, "InvalidImageName", problem, nowMs, nowMs + RETRY_MS, []);
    return false;
  }
  const isFaulty = around.imageFault(image) === "pull-fails";
  if (imagePullPolicy === "Never" && isFaulty) {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    tell(runtime, container, "Warning", "ErrImageNeverPull", message);
    tell(runtime, container, "Warning", "Failed", "Error: ErrImageNeverPull");
    fail(container, "ErrImageNeverPull", message, nowMs, nowMs + RETRY_MS, []);
    return false;
  }
  if (container.pullingSinceMs === undefined) {
    around.keepImage(image);
    tell(runtime, container, "Normal", "Pulled", presentMessage(image));
    return true;
  }
  if (isFaulty) {
    failPull(runtime, container, image, nowMs);
    return false;
  }
  const took = goDuration(nowMs - container.pullingSinceMs);
  const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${imageSize(image)} bytes.`;
  tell(runtime, container, "Normal", "Pulled", message);
  container.pullingSinceMs = undefined;
  container.pullBackOff = undefined;
  around.keepImage(image);
  return true;
}

function presentMessage(image: string): string {
  return `Container image "${image}" already present on machine and can be accessed by the pod`;
}

/** First `ErrImagePull` with what the runtime said, then `ImagePullBackOff` until it is tried again. */
function failPull(runtime: PodRuntime, container: ContainerRuntime, image: string, nowMs: number): void {
  const full = fullImageName(image);
  const error = `rpc error: code = NotFound desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`;
  tell(runtime, container, "Warning", "Failed", `Failed to pull image "${image}": ${error}`);
  tell(runtime, container, "Warning", "Failed", "Error: ErrImagePull");
  container.pullingSinceMs = undefined;
  container.pullBackOff = nextPullBackOff(container.pullBackOff, nowMs);
  container.startAtMs = undefined;
  const retryAtMs = nowMs + container.pullBackOff.delayMs;
  container.failure = { reason: "ErrImagePull", message: error };
  const backOff: PodEvent[] = [
    { type: "Normal", reason: "BackOff", message: `Back-off pulling image "${image}"`, container },
    { type: "Warning", reason: "Failed", message: "Error: ImagePullBackOff", container },
  ];
  const message = `Back-off pulling image "${image}": ErrImagePull: ${error}`;
  fail(container, "ImagePullBackOff", message, nowMs + RELIST_MS, retryAtMs, backOff);
}

function run(container: ContainerRuntime, around: PodSurroundings): void {
  const { nowMs } = around;
  const before = container.run;
  const attempt = before === undefined ? 0 : before.attempt + 1;
  container.previousRun = before;
  container.run = { attempt, startedAtMs: nowMs, plan: planOf(container, attempt, around), end: undefined };
  container.startAtMs = undefined;
  container.waiting = undefined;
  container.failure = undefined;
  container.wasReady = false;
  if (around.imageFault(container.container.image ?? "") === "crashes")
    container.run.end = { atMs: nowMs, exitCode: 1, reason: "Error" };
}

/** How a run that starts now is going to end. */
function planOf(container: ContainerRuntime, attempt: number, around: PodSurroundings): End | undefined {
  const { nowMs } = around;
  const { readyAfterMs = 0 } = around.behaviourOf(container);
  const own = ownEnd(container, attempt, around);
  const failure = probeFailure(container.container, nowMs, nowMs + readyAfterMs);
  if (failure === undefined || (own !== undefined && own.atMs <= failure.atMs)) return own;
  return { atMs: failure.atMs, exitCode: 137, reason: "Error", failedProbe: failure.probe };
}

/** How it ends by itself. */
function ownEnd(container: ContainerRuntime, attempt: number, around: PodSurroundings): End | undefined {
  const { nowMs } = around;
  const { crashAfterMs, crashExitCode = 1, crashes, runsForMs, exitCode = 0 } = around.behaviourOf(container);
  if (crashAfterMs !== undefined && (crashes === undefined || attempt < crashes)) {
    const reason = crashExitCode === 137 ? "OOMKilled" : crashExitCode === 0 ? "Completed" : "Error";
    return { atMs: nowMs + crashAfterMs, exitCode: crashExitCode, reason };
  }
  const lastsMs =
    runsForMs ?? (container.role === "init" ? 0 : container.role === "main" ? around.runsForMs : undefined);
  if (lastsMs === undefined) return undefined;
  return { atMs: nowMs + lastsMs, exitCode, reason: exitCode === 0 ? "Completed" : "Error" };
}

function fail(
  container: ContainerRuntime,
  reason: string,
  message: string,
  shownFromMs: number,
  retryAtMs: number,
  events: readonly PodEvent[],
): void {
  container.waiting = { reason, message, shownFromMs, retryAtMs, events };
  container.startAtMs = undefined;
}

function tell(
  runtime: PodRuntime,
  container: ContainerRuntime,
  type: PodEvent["type"],
  reason: string,
  message: string,
): void {
  runtime.events.push({ type, reason, message, container });
}
