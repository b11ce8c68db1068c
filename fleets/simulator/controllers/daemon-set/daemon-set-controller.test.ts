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

  it("replaces failed Pods, ever more slowly, and tells of them", async () => {
    const { fleet, client } = await start();
    await client.create(daemonSet());
    await fleet.clock.advance(10_000);
    async function failOne(): Promise<void> {
      const pods = (await client.list("v1", "Pod", { namespace: "default" })).items;
      const pod = pods.find((each) => targetNode(each) === "member1-node-0");
      await client.update({ ...(pod as KubeObject), status: { phase: "Failed" } }, { subresource: "status" });
    }
    async function podCount(): Promise<number> {
      await fleet.clock.advance(0);
      const pods = (await client.list("v1", "Pod", { namespace: "default" })).items;
      return pods.filter((pod) => (pod["status"] as { phase: string }).phase !== "Failed").length;
    }

    await failOne();
    await fleet.clock.advance(400);
    expect(await podCount()).toBe(3);
    await failOne();
    await fleet.clock.advance(100);
    expect(await podCount()).toBe(2);
    await fleet.clock.advance(2_000);
    expect(await podCount()).toBe(3);

    const told = (await client.list("v1", "Event", { namespace: "default" })).items;
    expect(told.map((event) => event["message"])).toContainEqual(
      expect.stringMatching(/^Found failed daemon pod default\/agent-\w+ on node member1-node-0, will try to kill it$/),
    );
  });

  it("follows nodes as they become fit for it", async () => {
    const { fleet, client } = await start();
    const spec = daemonSet()["spec"] as { template: Record<string, unknown> };
    const template = {
      ...spec.template,
      spec: { nodeSelector: { disk: "fast" }, containers: [{ name: "a", image: "a:1" }] },
    };
    await client.create(daemonSet({ template }));
    await fleet.clock.advance(1_000);
    expect((await client.get(SET))["status"]).toMatchObject({ desiredNumberScheduled: 0 });

    const node = { apiVersion: "v1", kind: "Node", name: "member1-node-1" };
    await client.patch(node, { metadata: { labels: { disk: "fast" } } }, "merge");
    await fleet.clock.advance(5_000);
    expect((await client.get(SET))["status"]).toMatchObject({ desiredNumberScheduled: 1, numberAvailable: 1 });

    await client.patch(node, { metadata: { labels: { disk: null } } }, "merge");
    await fleet.clock.advance(60_000);
    expect((await client.get(SET))["status"]).toMatchObject({ desiredNumberScheduled: 0, currentNumberScheduled: 0 });
    expect((await client.list("v1", "Pod", { namespace: "default" })).items).toEqual([]);
  });
});
