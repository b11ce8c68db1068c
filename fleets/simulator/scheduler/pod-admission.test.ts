import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(): Promise<SimulatedFleet> {
  const fleet = await createFleet({ clusters: ["c"], nodesPerCluster: 1, pace: "stepped" });
  closers.push(() => fleet.close());
  return fleet;
}

function pod(spec: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default" },
    spec: { containers: [{ name: "c", image: "web:1" }], ...spec },
  };
}

function priorityClass(name: string, value: number, more: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value, ...more };
}

describe("priorities of Pods", () => {
  it("come from their class", async () => {
    const { client } = (await start()).cluster("c");
    await client.create(priorityClass("gold", 500, { preemptionPolicy: "Never" }));

    const created = await client.create(pod({ priorityClassName: "gold" }));

    expect(created["spec"]).toMatchObject({ priority: 500, preemptionPolicy: "Never" });
  });

  it("are those of the default class where none is named", async () => {
    const { client } = (await start()).cluster("c");
    await client.create(priorityClass("usual", 7, { globalDefault: true }));

    expect((await client.create(pod({})))["spec"]).toMatchObject({ priority: 7, priorityClassName: "usual" });
  });

  it("need a class that is there", async () => {
    const { client } = (await start()).cluster("c");

    await expect(client.create(pod({ priorityClassName: "gold" }))).rejects.toThrow(
      'pods "web" is forbidden: no PriorityClass with name gold was found',
    );
  });
});

describe("labels of Pods", () => {
  it("say the zone of the node that they are bound to", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("c");
    const labels = { "topology.kubernetes.io/zone": "a" };
    await client.patch({ apiVersion: "v1", kind: "Node", name: "c-node-0" }, { metadata: { labels } }, "merge");

    await client.create(pod({}));
    await fleet.clock.advance(1_000);

    const bound = await client.get({ apiVersion: "v1", kind: "Pod", namespace: "default", name: "web" });
    expect(bound.metadata.labels).toEqual(labels);
  });
});
