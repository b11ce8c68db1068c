import { afterEach, describe, expect, it } from "vitest";
import { POD, startKubelet, stopKubelets } from "./test-kubelet.ts";

afterEach(stopKubelets);

describe("a container that does not run", () => {
  it("waits 10 seconds, and twice as long each time, before it starts a crashing container again", async () => {
    const { cluster, clock, story, run, container, events } = await startKubelet();
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
    const { clock, run, container } = await startKubelet([{ selector: {}, runsForMs: 601_000, exitCode: 3 }]);

    await run({});
    await clock.advance(3 * 601_000 + 2_000);

    expect(await container()).toMatchObject({ restartCount: 3, state: { running: {} } });
  });

  it("says why an image cannot be pulled, and starts the container when it can", async () => {
    const { cluster, clock, story, run, container, condition, events } = await startKubelet();
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

  it("tells that a container is not ready, and restarts one that starts too slowly", async () => {
    const { clock, run, container, status, events } = await startKubelet([
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
    const { cluster, clock, run, container, events } = await startKubelet();
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
});
