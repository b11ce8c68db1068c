import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { createFleet } from "../../simulated-fleet.ts";
import { targetNode } from "./daemon-set-spec.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: Date.UTC(2026, 0, 1), readyAfterMs: 2_000 });
  closers.push(() => fleet.close());
  const { client } = fleet.cluster("member1");
  return { fleet, client };
}

const SET = { apiVersion: "apps/v1", kind: "DaemonSet", namespace: "default", name: "agent" };

function daemonSet(spec: Record<string, unknown> = {}, image = "agent:1"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "default" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: { metadata: { labels: { app: "agent" } }, spec: { containers: [{ name: "a", image }] } },
      ...spec,
    },
  };
}

describe("the controller of DaemonSets", () => {
  it("brings a Pod to each node by affinity, and counts them", async () => {
    const { fleet, client } = await start();

    await client.create(daemonSet());
    await fleet.clock.advance(10_000);

    const pods = (await client.list("v1", "Pod", { namespace: "default" })).items;
    expect(pods.map(targetNode).sort()).toEqual(["member1-node-0", "member1-node-1", "member1-node-2"]);
    expect((await client.get(SET))["status"]).toEqual({
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
    });
  });

  it("replaces one Pod after the other when the template changes", async () => {
    const { fleet, client } = await start();
    await client.create(daemonSet());
    await fleet.clock.advance(10_000);

    await client.patch(SET, { spec: daemonSet({}, "agent:2")["spec"] as Record<string, unknown> }, "merge");
    let least = 3;
    for (let step = 0; step < 40; step++) {
      await fleet.clock.advance(500);
      const { status } = (await client.get(SET)) as { status?: { numberAvailable?: number } };
      least = Math.min(least, status?.numberAvailable ?? 0);
    }

    expect(least).toBe(2);
    expect((await client.get(SET))["status"]).toMatchObject({ updatedNumberScheduled: 3, numberAvailable: 3 });
    const revisions = await client.list("apps/v1", "ControllerRevision", { namespace: "default" });
    expect(revisions.items.map((revision) => revision["revision"]).sort()).toEqual([1, 2]);
  });
});
