// A cluster of two nodes, for tests of what its kubelets make of one Pod.
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { type BehaviourRule, behavioursOf } from "../kernel/behaviours.ts";
import { KernelLoop } from "../kernel/kernel-loop.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../simulated-cluster.ts";
import type { ContainerStatus, PodCondition, PodStatus } from "./pod-status-types.ts";

const START = Date.UTC(2026, 0, 1);
const closers: (() => Promise<void>)[] = [];

/** Ends the clusters of a test. */
export async function stopKubelets(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** The Pod `default/web` and its cluster. */
interface TestKubelet {
  readonly cluster: SimulatedCluster;
  readonly clock: VirtualClock;
  /** Everything that Pods were, as `PHASE container=state`, without repetitions. */
  readonly story: string[];
  /** Makes the Pod, on the first node unless `spec` says otherwise. */
  run(spec: Record<string, unknown>, metadata?: Record<string, unknown>): Promise<void>;
  /** The Pod's status. */
  status(): Promise<PodStatus>;
  /** A container's status; that of `c` unless named. */
  container(name?: string): Promise<ContainerStatus>;
  /** The Pod's condition of a type. */
  condition(type: string): Promise<PodCondition | undefined>;
  /** Events about the Pod: `reason: message`. */
  events(): Promise<string[]>;
}

/** The Pod that `run` makes. */
export const POD: ObjectRef = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web" };

/** Starts a cluster whose containers start within 100 ms, on a stepped clock, at midnight of 2026. */
export async function startKubelet(behaviours: readonly BehaviourRule[] = []): Promise<TestKubelet> {
  const clock = new VirtualClock({ pace: "stepped", startMs: START });
  const loop = new KernelLoop();
  clock.join(loop);
  const cluster = await createSimulatedCluster({
    name: "paris",
    nodes: 2,
    clock,
    loop,
    logger: silentLogger,
    readyAfterMs: 100,
    random: new Random(1),
    behaviours: behavioursOf(behaviours, START),
  });
  closers.push(async () => {
    clock.close();
    await cluster.close();
  });
  const story: string[] = [];
  cluster.server.state.subscribeAll(({ type, object }) => {
    if (object.resource !== "pods") return;
    const line = type === "DELETED" ? "gone" : describePod(object.object);
    if (story.at(-1) !== line) story.push(line);
  });
  const { client } = cluster;
  const status = async (): Promise<PodStatus> => ((await client.get(POD))["status"] ?? {}) as PodStatus;
  return {
    cluster,
    clock,
    story,
    status,
    run: async (spec, metadata = {}) => {
      await client.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "web", namespace: "default", ...metadata },
        spec: { nodeName: "paris-node-0", containers: [{ name: "c", image: "web:1" }], ...spec },
      });
      await clock.advance(0);
    },
    container: async (name = "c") => {
      const { containerStatuses = [], initContainerStatuses = [] } = await status();
      return [...containerStatuses, ...initContainerStatuses].find((each) => each.name === name)!;
    },
    condition: async (type) => (await status()).conditions?.find((each) => each.type === type),
    events: async () => {
      const { items } = await client.list("v1", "Event", { namespace: "default" });
      const told = items as unknown as {
        reason: string;
        message: string;
        count: number;
        involvedObject: { name: string };
      }[];
      return told
        .filter((each) => each.involvedObject.name === "web")
        .map(({ reason, message }) => `${reason}: ${message}`);
    },
  };
}

function describePod(pod: KubeObject): string {
  const { phase, containerStatuses = [], initContainerStatuses = [] } = (pod["status"] ?? {}) as PodStatus;
  const each = [...initContainerStatuses, ...containerStatuses].map(({ name, state }) => {
    const { waiting, running, terminated } = state;
    return `${name}=${waiting?.reason ?? (running === undefined ? `${terminated?.reason} ${terminated?.exitCode}` : "running")}`;
  });
  return [phase, ...each].join(" ");
}
