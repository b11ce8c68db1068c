import { afterEach, describe, expect, it } from "vitest";
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
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Kitchen {
  readonly cluster: SimulatedCluster;
  readonly clock: VirtualClock;
  /** Everything that Pods were, as `PHASE container=state`, without repetitions. */
  readonly story: string[];
  run(spec: Record<string, unknown>, metadata?: Record<string, unknown>): Promise<void>;
  status(): Promise<PodStatus>;
  container(name?: string): Promise<ContainerStatus>;
  condition(type: string): Promise<PodCondition | undefined>;
  events(): Promise<string[]>;
}

const POD: ObjectRef = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web" };

async function start(behaviours: readonly BehaviourRule[] = []): Promise<Kitchen> {
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

describe("the kubelet", () => {
  it("says that it creates a Pod's containers, then that they run", async () => {
    const { clock, story, run, status, events } = await start();

    await run({});
    expect(
      (await status()).conditions?.map(({ type, status: is, reason, message }) => [type, is, reason, message]),
    ).toEqual([
      ["PodReadyToStartContainers", "False", undefined, undefined],
      ["Initialized", "True", undefined, undefined],
      ["Ready", "False", "ContainersNotReady", "containers with unready status: [c]"],
      ["ContainersReady", "False", "ContainersNotReady", "containers with unready status: [c]"],
      ["PodScheduled", "True", undefined, undefined],
    ]);
    await clock.advance(100);

    expect(story).toEqual(["Pending", "Pending c=ContainerCreating", "Running c=running"]);
    expect(await status()).toMatchObject({
      phase: "Running",
      observedGeneration: 1,
      qosClass: "BestEffort",
      startTime: "2026-01-01T00:00:00Z",
      hostIP: "172.18.0.2",
      podIPs: [{ ip: "10.112.0.2" }],
      containerStatuses: [
        {
          name: "c",
          ready: true,
          started: true,
          restartCount: 0,
          lastState: {},
          image: "docker.io/library/web:1",
          state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        },
      ],
    });
    expect((await status()).conditions?.every((each) => each.status === "True" && each.observedGeneration === 1)).toBe(
      true,
    );
    expect(await events()).toEqual([
      'Pulling: Pulling image "web:1"',
      expect.stringMatching(
        /^Pulled: Successfully pulled image "web:1" in 100ms \(100ms including waiting\)\. Image size: \d+ bytes\.$/,
      ),
      "Created: Container created",
      "Started: Container started",
    ]);
  });

  it("waits 10 seconds, and twice as long each time, before it starts a crashing container again", async () => {
    const { cluster, clock, story, run, container, events } = await start();
    cluster.disturbances.setImageFault("web:*", "crashes");

    await run({});
    const { uid } = (await cluster.client.get(POD)).metadata;
    await clock.advance(1_100);
    expect(await container()).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
      state: {
        waiting: {
          reason: "CrashLoopBackOff",
          message: `back-off 10s restarting failed container=c pod=web_default(${uid})`,
        },
      },
    });
    const restarts: number[] = [];
    for (let seconds = 2; seconds < 1_500; seconds++) {
      await clock.advance(1_000);
      if ((await container()).restartCount > restarts.length + 1) restarts.push(seconds);
    }

    expect(restarts).toEqual([10, 30, 70, 150, 310, 610, 910, 1210]);
    expect(story.slice(0, 5)).toEqual([
      "Pending",
      "Pending c=ContainerCreating",
      "Running c=Error 1",
      "Running c=CrashLoopBackOff",
      "Running c=Error 1",
    ]);
    expect(await events()).toContain(`BackOff: Back-off restarting failed container c in pod web_default(${uid})`);
  });

  it("restarts a container that has run for ten minutes without waiting", async () => {
    const { clock, run, container } = await start([{ selector: {}, runsForMs: 601_000, exitCode: 3 }]);

    await run({});
    await clock.advance(3 * 601_000 + 2_000);

    expect(await container()).toMatchObject({ restartCount: 3, state: { running: {} } });
  });

  it("says why an image cannot be pulled, and starts the container when it can", async () => {
    const { cluster, clock, story, run, container, condition, events } = await start();
    const error =
      'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/web:1": failed to resolve reference "docker.io/library/web:1": docker.io/library/web:1: not found';
    cluster.disturbances.setImageFault("web:1", "pull-fails");

    await run({});
    await clock.advance(100);
    expect((await container()).state.waiting).toEqual({ reason: "ErrImagePull", message: error });
    expect((await condition("PodReadyToStartContainers"))?.status).toBe("True");
    await clock.advance(1_000);
    expect((await container()).state.waiting).toEqual({
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "web:1": ErrImagePull: ${error}`,
    });
    cluster.disturbances.setImageFault("web:1", undefined);
    await clock.advance(20_000);

    expect(story.at(-1)).toBe("Running c=running");
    expect(await events()).toEqual(
      expect.arrayContaining([
        `Failed: Failed to pull image "web:1": ${error}`,
        "Failed: Error: ErrImagePull",
        'BackOff: Back-off pulling image "web:1"',
        "Failed: Error: ImagePullBackOff",
      ]),
    );
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a ConfigMap of envFrom", { envFrom: [{ configMapRef: { name: "app" } }] }, 'configmap "app" not found'],
    [
      "a Secret's key",
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "app", key: "a" } } }] },
      'secret "app" not found',
    ],
  ])("does not create a container without %s, but where it is optional", async (_what, part, message) => {
    const { cluster, clock, run, container } = await start();

    await run({ containers: [{ name: "c", image: "web:1", ...part }] });
    await clock.advance(1_000);
    expect((await container()).state.waiting).toEqual({ reason: "CreateContainerConfigError", message });
    await cluster.client.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "app", namespace: "default" },
    });
    await cluster.client.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "app", namespace: "default" },
      stringData: { a: "hidden" },
    });
    await clock.advance(10_000);

    expect((await container()).state.running).toBeDefined();
  });

  it("does not start anything without a volume's ConfigMap", async () => {
    const { clock, run, container, condition, events } = await start();

    await run({ volumes: [{ name: "v", configMap: { name: "app" } }] });
    await clock.advance(1_000);

    expect((await container()).state.waiting).toEqual({ reason: "ContainerCreating" });
    expect((await condition("PodReadyToStartContainers"))?.status).toBe("False");
    expect(await events()).toContain(
      'FailedMount: MountVolume.SetUp failed for volume "v" : configmap "app" not found',
    );
  });

  it("runs init containers one after the other, and keeps sidecars", async () => {
    const { clock, story, run, condition } = await start([
      { selector: { container: "first" }, runsForMs: 5_000 },
      { selector: { container: "last" }, runsForMs: 2_000 },
      { selector: { container: "c" }, runsForMs: 3_000 },
    ]);

    await run({
      restartPolicy: "Never",
      initContainers: [
        { name: "first", image: "a:1" },
        { name: "side", image: "b:1", restartPolicy: "Always" },
        { name: "last", image: "c:1" },
      ],
    });
    expect(await condition("Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [first side last]",
    });
    await clock.advance(60_000);

    expect(story).toEqual([
      "Pending",
      "Pending first=running side=PodInitializing last=PodInitializing c=PodInitializing",
      "Pending first=Completed 0 side=running last=running c=PodInitializing",
      "Pending first=Completed 0 side=running last=Completed 0 c=PodInitializing",
      "Running first=Completed 0 side=running last=Completed 0 c=running",
      "Running first=Completed 0 side=running last=Completed 0 c=Completed 0",
      "Succeeded first=Completed 0 side=Completed 0 last=Completed 0 c=Completed 0",
    ]);
    expect(await condition("Ready")).toMatchObject({ status: "False", reason: "PodCompleted" });
  });

  it("fails a Pod whose init container fails for good", async () => {
    const { clock, story, run } = await start([{ selector: { container: "first" }, exitCode: 4 }]);

    await run({ restartPolicy: "Never", initContainers: [{ name: "first", image: "a:1" }] });
    await clock.advance(1_000);

    expect(story.at(-1)).toBe("Failed first=Error 4 c=PodInitializing");
  });

  it.each<[string, string, number, string]>([
    ["Never", "ends well", 0, "Succeeded c=Completed 0"],
    ["Never", "fails", 2, "Failed c=Error 2"],
    ["OnFailure", "ends well", 0, "Succeeded c=Completed 0"],
    ["OnFailure", "fails", 2, "Running c=CrashLoopBackOff"],
    ["Always", "ends well", 0, "Running c=CrashLoopBackOff"],
  ])("by restartPolicy %s, when a container %s", async (restartPolicy, _how, exitCode, last) => {
    const { clock, story, run } = await start([{ selector: {}, runsForMs: 1_000, exitCode }]);

    await run({ restartPolicy });
    await clock.advance(5_000);

    expect(story.at(-1)).toBe(last);
  });

  it("asks probes by their delays before a container is ready", async () => {
    const { clock, run, container, condition } = await start([{ selector: {}, readyAfterMs: 12_000 }]);
    const probe = { httpGet: { port: 80 } };

    await run({
      containers: [
        {
          name: "c",
          image: "web:1",
          startupProbe: { ...probe, periodSeconds: 5, failureThreshold: 30 },
          readinessProbe: { ...probe, initialDelaySeconds: 20 },
        },
      ],
    });
    await clock.advance(10_000);
    expect(await container()).toMatchObject({ started: false, ready: false, state: { running: {} } });
    await clock.advance(6_000);
    expect(await container()).toMatchObject({ started: true, ready: false });
    await clock.advance(5_000);

    expect(await container()).toMatchObject({ started: true, ready: true });
    expect((await condition("Ready"))?.status).toBe("True");
  });

  it("tells that a container is not ready, and restarts one that starts too slowly", async () => {
    const { clock, run, container, status, events } = await start([
      { selector: { container: "c" }, readyAfterMs: 5_000 },
      { selector: { container: "slow" }, readyAfterMs: 60_000 },
    ]);
    const tcpSocket = { port: 80 };

    await run({
      containers: [
        { name: "c", image: "web:1", readinessProbe: { tcpSocket } },
        { name: "slow", image: "web:1", startupProbe: { tcpSocket, periodSeconds: 5, failureThreshold: 3 } },
      ],
    });
    await clock.advance(11_000);

    expect((await container()).ready).toBe(true);
    expect(await container("slow")).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 137, reason: "Error" } },
    });
    const refused = `dial tcp ${(await status()).podIP}:80: connect: connection refused`;
    expect(await events()).toEqual(
      expect.arrayContaining([
        `Unhealthy: Readiness probe failed: ${refused}`,
        `Unhealthy: Startup probe failed: ${refused}`,
        "Killing: Container slow failed startup probe, will be restarted",
      ]),
    );
  });

  it("restarts a container whose image is changed", async () => {
    const { cluster, clock, run, container, events } = await start();
    await run({});
    await clock.advance(1_000);

    await cluster.client.patch(POD, [{ op: "replace", path: "/spec/containers/0/image", value: "web:2" }], "json");
    await clock.advance(1_000);

    expect(await container()).toMatchObject({
      restartCount: 1,
      image: "docker.io/library/web:2",
      state: { running: {} },
    });
    expect(await events()).toContain("Killing: Container c definition changed, will be restarted");
  });

  it("waits for readiness gates", async () => {
    const { cluster, clock, run, condition } = await start();

    await run({ readinessGates: [{ conditionType: "example.com/lb" }] });
    await clock.advance(1_000);
    expect(await condition("Ready")).toMatchObject({
      status: "False",
      reason: "ReadinessGatesNotReady",
      message: 'corresponding condition of pod readiness gate "example.com/lb" does not exist.',
    });
    await cluster.client.patch(
      POD,
      { status: { conditions: [{ type: "example.com/lb", status: "True" }] } },
      "strategic",
      { subresource: "status" },
    );
    await clock.advance(0);

    expect((await condition("Ready"))?.status).toBe("True");
  });

  it("stops containers before a deleted Pod goes", async () => {
    const { cluster, clock, story, run, events } = await start([{ selector: {}, stopMs: 4_000 }]);
    await run({});
    await clock.advance(1_000);

    await cluster.client.delete(POD);
    await clock.advance(3_999);
    expect(story.at(-1)).toBe("Running c=running");
    await clock.advance(1);

    expect(story.slice(-2)).toEqual(["Succeeded c=Completed 0", "gone"]);
    expect(await events()).toContain("Killing: Stopping container c");
  });

  it("kills containers that ignore TERM when the grace period is over", async () => {
    const { cluster, clock, story, run } = await start([{ selector: {}, ignoresTerm: true }]);
    await run({ terminationGracePeriodSeconds: 20 });
    await clock.advance(1_000);

    await cluster.client.delete(POD);
    await clock.advance(19_999);
    expect(story.at(-1)).toBe("Running c=running");
    await clock.advance(1);

    expect(story.slice(-2)).toEqual(["Failed c=Error 137", "gone"]);
  });

  it("ends a Pod that has been active for too long", async () => {
    const { clock, run, status, events } = await start();

    await run({ activeDeadlineSeconds: 30 });
    await clock.advance(31_000);

    expect(await status()).toMatchObject({
      phase: "Failed",
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
      containerStatuses: [{ state: { terminated: {} } }],
    });
    expect(await events()).toContain("DeadlineExceeded: Pod was active on the node longer than the specified deadline");
  });

  it("is silent on a node that is down, and takes up its Pods when it is back", async () => {
    const { cluster, clock, story, run } = await start();
    await run({});
    await clock.advance(1_000);

    cluster.disturbances.setNodeDown("paris-node-0", true);
    await cluster.client.delete(POD);
    await clock.advance(120_000);
    expect(story.at(-1)).toBe("Running c=running");
    cluster.disturbances.setNodeDown("paris-node-0", false);
    await clock.advance(5_000);

    expect(story.at(-1)).toBe("gone");
  });

  it("restarts containers of a node that was without power, with another address", async () => {
    const { cluster, clock, run, status, container, events } = await start();
    await run({});
    await clock.advance(1_000);

    cluster.disturbances.setNodeDown("paris-node-0", true);
    await clock.advance(20_000);
    cluster.disturbances.setNodeDown("paris-node-0", false);
    await clock.advance(1_000);

    expect(await container()).toMatchObject({
      restartCount: 1,
      state: { running: {} },
      lastState: { terminated: { exitCode: 255, reason: "Unknown", finishedAt: "2026-01-01T00:00:01Z" } },
    });
    expect((await status()).podIP).toBe("10.112.0.3");
    expect(await events()).toContain("SandboxChanged: Pod sandbox changed, it will be killed and re-created.");
  });

  it("answers for logs with what behaviours say, and in the kubelet's words before there are any", async () => {
    const { cluster, clock, run } = await start([{ selector: {}, logs: ["one", "two"] }]);
    const logs = async (query: string): Promise<string> => {
      const { status, body } = await cluster.server.handle({
        method: "GET",
        path: `/api/v1/namespaces/default/pods/web/log${query}`,
      });
      const text = Buffer.from(body as Uint8Array).toString();
      return status === 200 ? text : (JSON.parse(text) as { message: string }).message;
    };

    await run({});
    expect(await logs("")).toBe('container "c" in pod "web" is waiting to start: ContainerCreating');
    await clock.advance(1_000);

    expect(await logs("")).toBe("one\ntwo\n");
    expect(await logs("?tailLines=1&timestamps=true")).toBe("2026-01-01T00:00:00Z two\n");
    expect(await logs("?container=x")).toBe("container x is not valid for pod web");
    expect(await logs("?previous=true")).toBe('previous terminated container "c" in pod "web" not found');
  });

  it("gives each Pod of a cluster an address of its own, and takes addresses of Pods that are gone last", async () => {
    const { cluster, clock, run } = await start();
    const addresses = new Set<string>();
    const seen = cluster.server.state.subscribeAll(({ object }) => {
      const { podIP } = (object.object["status"] ?? {}) as PodStatus;
      if (object.resource === "pods" && podIP !== undefined) addresses.add(podIP);
    });

    for (let round = 0; round < 3; round++) {
      await run({});
      await run({ nodeName: "paris-node-1" }, { name: "other" });
      await clock.advance(1_000);
      for (const name of ["web", "other"]) await cluster.client.delete({ ...POD, name });
      await clock.advance(5_000);
    }
    seen();

    expect([...addresses].sort()).toEqual(
      [2, 3, 4].flatMap((last) => [`10.112.0.${last}`]).concat([2, 3, 4].map((last) => `10.112.1.${last}`)),
    );
  });
});
