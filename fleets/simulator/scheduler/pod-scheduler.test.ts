import { afterEach, describe, expect, it } from "vitest";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { podCondition } from "../controllers/pod-object.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const WAIT_MS = 1_000;

async function start(nodesPerCluster = 2): Promise<{
  fleet: SimulatedFleet;
  create(object: KubeObject): Promise<KubeObject>;
  pod(name: string): Promise<KubeObject>;
  events(): Promise<string[]>;
}> {
  const fleet = await createFleet({ clusters: ["c"], nodesPerCluster, pace: "stepped", startMs: Date.UTC(2026, 0, 1) });
  closers.push(() => fleet.close());
  const { client } = fleet.cluster("c");
  return {
    fleet,
    create: async (object) => {
      const created = await client.create(object);
      await fleet.clock.advance(WAIT_MS);
      return created;
    },
    pod: (name) => client.get({ apiVersion: "v1", kind: "Pod", namespace: "default", name }),
    events: async () =>
      (await client.list("v1", "Event", { namespace: "default" })).items
        .filter(({ source }) => isObject(source) && source["component"] === "default-scheduler")
        .map(({ type, reason, message }) => `${type} ${reason}: ${message}`),
  };
}

function pod(name: string, cpu: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: name } },
    spec: { containers: [{ name: "c", image: "web:1", resources: { requests: { cpu } } }], ...spec },
  };
}

const nodeOf = (object: KubeObject): unknown => isObject(object["spec"]) && object["spec"]["nodeName"];

describe("the scheduler", () => {
  it("binds a Pod and says so", async () => {
    const { create, pod: get, events } = await start();

    await create(pod("web", "1"));

    expect(nodeOf(await get("web"))).toMatch(/^c-node-[01]$/);
    expect(podCondition(await get("web"), "PodScheduled")).toMatchObject({ status: "True" });
    expect(await events()).toEqual([
      `Normal Scheduled: Successfully assigned default/web to ${nodeOf(await get("web"))}`,
    ]);
  });

  it("says why no node will do, in Kubernetes' words", async () => {
    const { create, pod: get, events } = await start();

    await create(pod("big", "17"));

    const message =
      "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: " +
      "0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
    expect(podCondition(await get("big"), "PodScheduled")).toMatchObject({ reason: "Unschedulable", message });
    expect(await events()).toEqual([`Warning FailedScheduling: ${message}`]);
  });

  it("tries a waiting Pod again when room comes free", async () => {
    const { fleet, create, pod: get } = await start(1);
    await create(pod("first", "10"));
    await create(pod("second", "10"));
    expect(nodeOf(await get("second"))).toBeUndefined();

    await fleet.cluster("c").client.delete({ apiVersion: "v1", kind: "Pod", namespace: "default", name: "first" });
    await fleet.clock.advance(60_000);

    expect(nodeOf(await get("second"))).toBe("c-node-0");
  });

  it("removes Pods that matter less, and gives their room to the one that matters more", async () => {
    const { fleet, create, pod: get, events } = await start(1);
    await create(pod("small", "10"));

    const { metadata } = await create(pod("critical", "10", { priorityClassName: "system-cluster-critical" }));
    await fleet.clock.advance(60_000);

    expect(nodeOf(await get("critical"))).toBe("c-node-0");
    await expect(get("small")).rejects.toThrow(/not found/);
    expect(await events()).toEqual(
      expect.arrayContaining([
        "Warning FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.",
        `Normal Preempted: Preempted by pod ${metadata.uid} on node c-node-0`,
      ]),
    );
  });

  it("leaves gated Pods alone until their gates are gone", async () => {
    const { fleet, create, pod: get } = await start();
    const gated = await create(pod("gated", "1", { schedulingGates: [{ name: "example.com/wait" }] }));
    expect(nodeOf(await get("gated"))).toBeUndefined();

    const present = await get("gated");
    const { schedulingGates: _, ...spec } = present["spec"] as Record<string, unknown>;
    await fleet.cluster("c").client.update({ ...gated, ...present, spec });
    await fleet.clock.advance(WAIT_MS);

    expect(nodeOf(await get("gated"))).toMatch(/^c-node/);
  });
});
