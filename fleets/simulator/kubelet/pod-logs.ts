// Answers `kubectl logs` for simulated containers, and refuses what needs a process: exec, attach, port-forward.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { badRequest, statusError } from "../../apiserver/registry/status-error.ts";
import type { Connector, ConnectRequest } from "../../apiserver/server-context.ts";
import type { Behaviours } from "../kernel/behaviours.ts";
import { containersOf, specOf } from "./pod-spec.ts";
import type { ContainerStatus, PodStatus } from "./pod-status-types.ts";

/** The connectors of a cluster whose containers behave so. */
export function podConnectors(behaviours: Behaviours): Record<string, Connector> {
  return {
    "/pods/log": async (request) => logsOf(request, behaviours),
    "/pods/exec": async (request) => refused(request, "exec"),
    "/pods/attach": async (request) => refused(request, "attach"),
    "/pods/portforward": async (request) => refused(request, "port-forward"),
  };
}

interface LogLine {
  /** RFC 3339. */
  readonly time: string;
  readonly text: string;
}

function logsOf({ object, query, request }: ConnectRequest, behaviours: Behaviours): ApiResponse {
  const options = new URLSearchParams(query);
  const container = containerOf(object, options.get("container") ?? "");
  const isPrevious = options.get("previous") === "true";
  const startedAt = startOfLogs(object, container, isPrevious);
  const { image } = containersOf(specOf(object)).find((each) => each.container.name === container)?.container ?? {};
  const { logs = [] } = behaviours.behaviourOf(
    object,
    image === undefined ? { name: container } : { name: container, image },
  );
  const lines = chosenLines(
    logs.map((text) => ({ time: startedAt, text })),
    options,
  );
  const withTimes = options.get("timestamps") === "true";
  const text = lines.map((line) => `${withTimes ? `${line.time} ` : ""}${line.text}\n`).join("");
  const limit = Number(options.get("limitBytes") ?? Number.POSITIVE_INFINITY);
  const bytes = Buffer.from(text);
  const shown = bytes.subarray(0, Math.min(limit, bytes.length));
  const follows = options.get("follow") === "true" && !isPrevious && isRunning(object, container);
  return {
    status: 200,
    headers: { "content-type": "text/plain" },
    body: follows ? followed(shown, request.signal) : shown,
  };
}

/** A simulated container says nothing after its start: who follows it waits until they leave. */
async function* followed(bytes: Uint8Array, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
  if (signal === undefined || signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function chosenLines(lines: readonly LogLine[], options: URLSearchParams): readonly LogLine[] {
  const since = options.get("sinceTime");
  const recent = since === null ? lines : lines.filter(({ time }) => Date.parse(time) >= Date.parse(since));
  const tail = options.get("tailLines");
  return tail === null ? recent : Number(tail) === 0 ? [] : recent.slice(-Number(tail));
}

/** The container that is meant, in the words of the API server when it is not clear. */
function containerOf(pod: KubeObject, asked: string): string {
  const { name = "" } = pod.metadata;
  const names = containersOf(specOf(pod)).map(({ container }) => container.name);
  if (asked !== "") {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const { containers } = specOf(pod);
  if (containers.length === 1) return containers[0]?.name ?? "";
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`);
}

/** When the run started whose logs are asked for, in the kubelet's words when there is none. */
function startOfLogs(pod: KubeObject, container: string, isPrevious: boolean): string {
  const { name = "" } = pod.metadata;
  const status = statusOf(pod, container);
  if (status === undefined) throw badRequest(`container "${container}" in pod "${name}" is not available`);
  const { state, lastState } = status;
  if (isPrevious) {
    if (lastState.terminated?.containerID === undefined)
      throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
    return lastState.terminated.startedAt ?? "";
  }
  const seen = state.running ?? (state.terminated?.containerID === undefined ? lastState.terminated : state.terminated);
  if (seen !== undefined) return seen.startedAt ?? "";
  if (state.terminated !== undefined) throw badRequest(`container "${container}" in pod "${name}" is terminated`);
  const why: Record<string, string> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: "trying and failing to pull image",
  };
  const reason = state.waiting?.reason ?? "";
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${why[reason] ?? reason}`);
}

function isRunning(pod: KubeObject, container: string): boolean {
  return statusOf(pod, container)?.state.running !== undefined;
}

function statusOf(pod: KubeObject, container: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = (pod["status"] ?? {}) as PodStatus;
  return [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === container);
}

function refused({ namespace = "", name }: ConnectRequest, what: string): never {
  const message = `pod ${namespace}/${name} is simulated and runs no process: ${what} has nothing to reach`;
  throw statusError(501, "NotImplemented", message);
}
