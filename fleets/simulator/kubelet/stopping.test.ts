import { afterEach, describe, expect, it } from "vitest";
import { POD, startKubelet, stopKubelets } from "./test-kubelet.ts";

afterEach(stopKubelets);

describe("a Pod that stops", () => {
  it("stops containers before a deleted Pod goes", async () => {
    const { cluster, clock, story, run, events } = await startKubelet([{ selector: {}, stopMs: 4_000 }]);
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
    const { cluster, clock, story, run } = await startKubelet([{ selector: {}, ignoresTerm: true }]);
    await run({ terminationGracePeriodSeconds: 20 });
    await clock.advance(1_000);

    await cluster.client.delete(POD);
    await clock.advance(19_999);
    expect(story.at(-1)).toBe("Running c=running");
    await clock.advance(1);

    expect(story.slice(-2)).toEqual(["Failed c=Error 137", "gone"]);
  });

  it("ends a Pod that has been active for too long", async () => {
    const { clock, run, status, events } = await startKubelet();

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
    const { cluster, clock, story, run } = await startKubelet();
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
    const { cluster, clock, run, status, container, events } = await startKubelet();
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
});
