import { afterEach, describe, expect, it } from "vitest";
import type { PodStatus } from "./pod-status-types.ts";
import { POD, startKubelet, stopKubelets } from "./test-kubelet.ts";

afterEach(stopKubelets);

describe("the kubelet", () => {
  it("says that it creates a Pod's containers, then that they run", async () => {
    const { clock, story, run, status, events } = await startKubelet();

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

  it.each<[string, Record<string, unknown>, string]>([
    ["a ConfigMap of envFrom", { envFrom: [{ configMapRef: { name: "app" } }] }, 'configmap "app" not found'],
    [
      "a Secret's key",
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "app", key: "a" } } }] },
      'secret "app" not found',
    ],
  ])("does not create a container without %s, but where it is optional", async (_what, part, message) => {
    const { cluster, clock, run, container } = await startKubelet();

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
    const { clock, run, container, condition, events } = await startKubelet();

    await run({ volumes: [{ name: "v", configMap: { name: "app" } }] });
    await clock.advance(1_000);

    expect((await container()).state.waiting).toEqual({ reason: "ContainerCreating" });
    expect((await condition("PodReadyToStartContainers"))?.status).toBe("False");
    expect(await events()).toContain(
      'FailedMount: MountVolume.SetUp failed for volume "v" : configmap "app" not found',
    );
  });

  it("runs init containers one after the other, and keeps sidecars", async () => {
    const { clock, story, run, condition } = await startKubelet([
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
    const { clock, story, run } = await startKubelet([{ selector: { container: "first" }, exitCode: 4 }]);

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
    const { clock, story, run } = await startKubelet([{ selector: {}, runsForMs: 1_000, exitCode }]);

    await run({ restartPolicy });
    await clock.advance(5_000);

    expect(story.at(-1)).toBe(last);
  });

  it("asks probes by their delays before a container is ready", async () => {
    const { clock, run, container, condition } = await startKubelet([{ selector: {}, readyAfterMs: 12_000 }]);
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

  it("waits for readiness gates", async () => {
    const { cluster, clock, run, condition } = await startKubelet();

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

  it("answers for logs with what behaviours say, and in the kubelet's words before there are any", async () => {
    const { cluster, clock, run } = await startKubelet([{ selector: {}, logs: ["one", "two"] }]);
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
    const { cluster, clock, run } = await startKubelet();
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
