// Runs the Pods of all nodes of a cluster: reads what is wanted, lets `syncPod` move the containers on, writes the
// status when it has changed, tells what happened, and removes what has ended.
import { createHash } from "node:crypto";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { type Reconcile, remove, type Steps, tell, writeStatus } from "../kernel/action.ts";
import type { ContainerBehaviour } from "../kernel/behaviours.ts";
import { nodeNameOf } from "../kernel/cluster-state.ts";
import { type Controller, controllerOf, objectKey, splitKey, type World } from "../kernel/controller.ts";
import { NodeMemory } from "./node-memory.ts";
import { HeartbeatTimes, heartbeat } from "./nodes/node-heartbeat.ts";
import { type ContainerRuntime, type PodRuntime, podRuntimeOf } from "./pod-runtime.ts";
import { podStatus } from "./pod-status.ts";
import type { PodStatus } from "./pod-status-types.ts";
import type { PodSurroundings } from "./pod-surroundings.ts";
import { isStopped, syncPod } from "./pod-sync.ts";
import { findLostContainers } from "./power-loss.ts";
import { isOfKubelet } from "./stages/stage-controller.ts";
import { StageRunner, type StageTurn } from "./stages/stage-runner.ts";

/** Longest default time from TERM to a container's end. */
const LONGEST_STOP_MS = 1_000;

/** Runs the Pods of all nodes of a cluster, and reports the nodes. */
export function kubelet(): Controller {
  const pods = new Map<string, PodRuntime>();
  const nodes = new Map<string, NodeMemory>();
  /** When Pods were lost whose node has no power. */
  const lostAt = new Map<string, number>();
  const times = new HeartbeatTimes();
  let runner: StageRunner | undefined;

  /** Whether the kubelet looks after the object, or when a scenario's stage goes on with it. */
  function* stageOf(key: string, object: KubeObject, world: World): Steps<StageTurn> {
    if (!world.stages.some(isOfKubelet)) return { do: "kubelet" };
    runner ??= new StageRunner(world.stages.filter(isOfKubelet));
    return yield* runner.step(key, object, world);
  }

  function nodeMemory(node: KubeObject, world: World): NodeMemory {
    const name = node.metadata.name ?? "";
    const known = nodes.get(name);
    if (known !== undefined) return known;
    const podCidr = (node["spec"] as { podCIDR?: string } | undefined)?.podCIDR;
    const memory = new NodeMemory(podCidr, world.state.podsOn(name));
    nodes.set(name, memory);
    return memory;
  }

  function forget(key: string): void {
    const runtime = pods.get(key);
    if (runtime === undefined) return;
    pods.delete(key);
    lostAt.delete(key);
    for (const memory of nodes.values()) memory.release(runtime.ip, runtime.uid);
  }

  function* runNode(name: string, world: World): Reconcile {
    const node = world.state.get("nodes", "", name);
    if (node === undefined) {
      nodes.delete(name);
      times.forget(name);
      runner?.forget(`/${name}`);
      return undefined;
    }
    if (world.disturbances.isNodeDown(name)) return undefined;
    const turn = yield* stageOf(`/${name}`, node, world);
    if (turn.do === "wait") return wakeAt(turn.atMs, world);
    return yield* heartbeat(node, times, world);
  }

  return {
    name: "kubelet",
    manager: "kubelet",
    watches: [
      {
        resource: "pods",
        keys: ({ object }) => (nodeNameOf(object) === undefined ? [] : [objectKey(object)]),
      },
      {
        // Pods may have been bound to a node before it was there.
        resource: "nodes",
        keys: ({ type, object }, { state }) => {
          const { name = "" } = object.metadata;
          return [`/${name}`, ...(type === "added" ? state.podsOn(name).map(objectKey) : [])];
        },
      },
    ],
    disturbed: ({ state }) =>
      [...state.list("nodes"), ...state.list("pods").filter((pod) => nodeNameOf(pod) !== undefined)].map(objectKey),
    *reconcile(key: string, world: World): Reconcile {
      const { namespace, name } = splitKey(key);
      if (namespace === "") return yield* runNode(name, world);
      const pod = world.state.get("pods", namespace, name);
      if (pod === undefined || (pods.has(key) && pods.get(key)?.uid !== pod.metadata.uid)) forget(key);
      if (pod === undefined) {
        runner?.forget(key);
        return undefined;
      }
      const node = nodeOf(pod, world);
      if (node === undefined) return undefined;
      const nodeName = node.metadata.name ?? "";
      if (world.disturbances.isNodeDown(nodeName)) {
        // Without the network alone, containers run on.
        if (pods.has(key) && !lostAt.has(key) && !world.disturbances.isNodeCutOff(nodeName))
          lostAt.set(key, world.now());
        return undefined;
      }
      const turn = yield* stageOf(key, pod, world);
      if (turn.do === "wait") {
        // What the stage makes of the Pod is what its containers were when the kubelet takes it up again.
        forget(key);
        return wakeAt(turn.atMs, world);
      }
      if (isOver(pod)) {
        forget(key);
        // The server lets a Pod that is over go at once, unless somebody holds it.
        const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
        if (deletionTimestamp !== undefined && deletionGracePeriodSeconds > 0) yield* remove(pod, 0);
        return undefined;
      }
      const runtime = pods.get(key) ?? podRuntimeOf(pod, world.now());
      pods.set(key, runtime);
      const lostAtMs = lostAt.get(key);
      if (lostAtMs !== undefined) {
        lostAt.delete(key);
        nodeMemory(node, world).release(findLostContainers(runtime, lostAtMs), runtime.uid);
      }
      return yield* runPod(pod, runtime, node, nodeMemory(node, world), world);
    },
  };
}

/**
 * The least time from the wish to end a Pod until its sandbox is gone, even where no container ever ran: long enough for
 * controllers to see it on its way out, as they always do.
 */
const TEARDOWN_MS = 100;

function* runPod(
  pod: KubeObject,
  runtime: PodRuntime,
  node: KubeObject,
  memory: NodeMemory,
  world: World,
): Steps<{ readonly afterMs: number } | undefined> {
  const around = surroundingsOf(pod, runtime, memory, world);
  const hostIp = addressOf(node);
  const dueMs = syncPod(pod, runtime, around);
  if (pod.metadata.deletionTimestamp !== undefined && isStopped(runtime)) {
    const left = (runtime.stop?.sinceMs ?? 0) + TEARDOWN_MS - world.now();
    // Its last status comes with its end: until then it counts as one that is on its way out.
    if (left > 0) return { afterMs: left };
  }
  tellShown(runtime, world.now());
  const status = podStatus({ pod, runtime, around, hostIp });
  const written = yield* writeStatus(pod, { ...status });
  for (const container of runtime.containers) container.wasReady = isReady(status, container);
  yield* tellEvents(written, runtime);
  if (isStopped(runtime)) {
    memory.release(runtime.ip, runtime.uid);
    if (pod.metadata.deletionTimestamp !== undefined) yield* remove(pod, 0);
    return undefined;
  }
  return wakeAt(dueMs, world);
}

function wakeAt(atMs: number | undefined, world: World): { readonly afterMs: number } | undefined {
  return atMs === undefined ? undefined : { afterMs: Math.max(0, atMs - world.now()) };
}

function* tellEvents(pod: KubeObject, runtime: PodRuntime): Steps<void> {
  for (let event = runtime.events.shift(); event !== undefined; event = runtime.events.shift()) {
    const { type, reason, message, container } = event;
    const part = container?.role === "main" ? "spec.containers" : "spec.initContainers";
    const fieldPath = container === undefined ? undefined : `${part}{${container.container.name}}`;
    yield* tell(pod, type, reason, message, fieldPath);
  }
}

/** Events of a wait are told when it is first shown. */
function tellShown(runtime: PodRuntime, nowMs: number): void {
  for (const container of runtime.containers) {
    const { waiting } = container;
    if (waiting === undefined || waiting.events.length === 0 || waiting.shownFromMs > nowMs) continue;
    runtime.events.push(...waiting.events);
    container.waiting = { ...waiting, events: [] };
  }
}

function surroundingsOf(pod: KubeObject, runtime: PodRuntime, memory: NodeMemory, world: World): PodSurroundings {
  const { traits, disturbances, state, behaviours } = world;
  return {
    nowMs: world.now(),
    behaviourOf: (container) => withJitter(behaviours.behaviourOf(pod, container.container), runtime, container),
    startupMs: traits.readyAfterMs * disturbances.diskSlownessOn(nodeNameOf(pod) ?? ""),
    runsForMs: controllerOf(pod)?.kind === "Job" ? traits.jobRunsMs : undefined,
    stopMs: Math.min(LONGEST_STOP_MS, traits.readyAfterMs),
    imageFault: (image) => disturbances.imageFault(image),
    hasImage: (image) => memory.hasImage(image),
    keepImage: (image) => memory.keepImage(image),
    allocateIp: () => memory.allocate(runtime.uid),
    find: (resource, name) => state.get(resource, pod.metadata.namespace, name),
  };
}

/** Its times, longer by chance: the same chance for the same start of the same container. */
function withJitter(
  behaviour: ContainerBehaviour,
  { uid }: PodRuntime,
  container: ContainerRuntime,
): ContainerBehaviour {
  const { jitter } = behaviour;
  if (jitter === undefined || jitter === 0) return behaviour;
  const attempt = container.run?.attempt ?? 0;
  const seed = createHash("sha256").update(`${uid}/${container.container.name}/${attempt}`).digest();
  const longer: Record<string, number> = {};
  for (const [index, field] of (
    ["startupMs", "readyAfterMs", "runsForMs", "crashAfterMs", "stopMs"] as const
  ).entries()) {
    const value = behaviour[field];
    if (value !== undefined)
      longer[field] = Math.round(value * (1 + jitter * (seed.readUInt32BE(index * 4) / 2 ** 32)));
  }
  return { ...behaviour, ...longer };
}

function nodeOf(pod: KubeObject, { state }: World): KubeObject | undefined {
  const name = nodeNameOf(pod);
  return name === undefined ? undefined : state.get("nodes", "", name);
}

function isOver(pod: KubeObject): boolean {
  const { phase } = (pod["status"] ?? {}) as PodStatus;
  return phase === "Succeeded" || phase === "Failed";
}

function isReady({ containerStatuses = [], initContainerStatuses = [] }: PodStatus, of: ContainerRuntime): boolean {
  return [...containerStatuses, ...initContainerStatuses].some((each) => each.name === of.container.name && each.ready);
}

function addressOf(node: KubeObject): string | undefined {
  const status = isObject(node["status"]) ? node["status"] : {};
  const addresses = Array.isArray(status["addresses"]) ? status["addresses"].filter(isObject) : [];
  const address = addresses.find((each) => each["type"] === "InternalIP")?.["address"];
  return typeof address === "string" ? address : undefined;
}
