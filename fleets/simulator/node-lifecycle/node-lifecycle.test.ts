import { afterEach, describe, expect, it } from "vitest";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { podCondition } from "../controllers/pod-object.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";
import { conditionsOf, taintsOf } from "./node-conditions.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const START_MS = Date.UTC(2026, 0, 1);

async function start(nodesPerCluster = 3): Promise<{
  fleet: SimulatedFleet;
  down(node: string, isDown?: boolean): void;
  node(name: string): Promise<KubeObject>;
  pod(name: string): Promise<KubeObject>;
  create(name: string, spec?: Record<string, unknown>): Promise<void>;
  events(reason: string): Promise<string[]>;
}> {
  const fleet = await createFleet({ clusters: ["c"], nodesPerCluster, pace: "stepped", startMs: START_MS });
  closers.push(() => fleet.close());
  const { client, disturbances } = fleet.cluster("c");
  return {
    fleet,
    down: (node, isDown = true) => disturbances.setNodeDown(node, isDown),
    node: (name) => client.get({ apiVersion: "v1", kind: "Node", name }),
    pod: (name) => client.get({ apiVersion: "v1", kind: "Pod", namespace: "default", name }),
    create: async (name, spec = {}) => {
      await client.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default" },
        spec: { containers: [{ name: "c", image: "web:1" }], nodeName: "c-node-0", ...spec },
      });
      await fleet.clock.advance(5_000);
    },
    events: async (reason) =>
      (await client.list("v1", "Event", {})).items
        .filter((event) => event["reason"] === reason)
        .map(({ source, message }) => `${isObject(source) ? source["component"] : ""}: ${message}`),
  };
}

const taintNames = (node: KubeObject): string[] =>
  taintsOf(node)
    .map(({ key, effect }) => `${key}:${effect}`)
    .sort();

describe("the life of nodes", () => {
  it("marks a silent node Unknown after fifty seconds, and its Pods not ready", async () => {
    const { fleet, down, node, pod, create, events } = await start();
    await create("web");
    expect(podCondition(await pod("web"), "Ready")).toMatchObject({ status: "True" });

    down("c-node-0");
    await fleet.clock.advance(35_000);
    expect(conditionsOf(await node("c-node-0")).find(({ type }) => type === "Ready")?.status).toBe("True");
    await fleet.clock.advance(25_000);

    expect(conditionsOf(await node("c-node-0")).find(({ type }) => type === "Ready")).toMatchObject({
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
    });
    expect(taintNames(await node("c-node-0"))).toEqual([
      "node.kubernetes.io/unreachable:NoExecute",
      "node.kubernetes.io/unreachable:NoSchedule",
    ]);
    expect(podCondition(await pod("web"), "Ready")).toMatchObject({ status: "False" });
    expect(await events("NodeNotReady")).toEqual(
      expect.arrayContaining([
        "node-controller: Node c-node-0 status is now: NodeNotReady",
        "node-controller: Node is not ready",
      ]),
    );
  });

  it("evicts Pods when what they tolerate is over", async () => {
    const { fleet, down, pod, create, events } = await start();
    await create("web");

    down("c-node-0");
    await fleet.clock.advance(300_000);
    expect((await pod("web")).metadata.deletionTimestamp).toBeUndefined();
    await fleet.clock.advance(65_000);

    expect((await pod("web")).metadata.deletionTimestamp).toBeDefined();
    expect(podCondition(await pod("web"), "DisruptionTarget")).toMatchObject({
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
    });
    expect(await events("TaintManagerEviction")).toEqual([
      "taint-eviction-controller: Marking for deletion Pod default/web",
    ]);
  });

  it("gives nobody up when all nodes are silent: then it is the control plane that is cut off", async () => {
    const { fleet, down, node, pod, create } = await start(2);
    await create("web");

    for (const name of ["c-node-0", "c-node-1"]) down(name);
    await fleet.clock.advance(600_000);

    expect(taintNames(await node("c-node-0"))).toEqual(["node.kubernetes.io/unreachable:NoSchedule"]);
    expect((await pod("web")).metadata.deletionTimestamp).toBeUndefined();
  });

  it("taints cordoned nodes, and takes the taint back", async () => {
    const { fleet, node } = await start();
    const { client } = fleet.cluster("c");
    const ref = { apiVersion: "v1", kind: "Node", name: "c-node-1" };

    await client.patch(ref, { spec: { unschedulable: true } }, "merge");
    await fleet.clock.advance(1_000);
    expect(taintNames(await node("c-node-1"))).toEqual(["node.kubernetes.io/unschedulable:NoSchedule"]);
    await client.patch(ref, { spec: { unschedulable: null } }, "merge");
    await fleet.clock.advance(1_000);

    expect(taintNames(await node("c-node-1"))).toEqual([]);
  });

  it("evicts at once what does not tolerate a taint of effect NoExecute", async () => {
    const { fleet, pod, create } = await start();
    await create("web");
    await create("stays", { tolerations: [{ operator: "Exists" }] });

    await fleet
      .cluster("c")
      .client.patch(
        { apiVersion: "v1", kind: "Node", name: "c-node-0" },
        { spec: { taints: [{ key: "repair", effect: "NoExecute" }] } },
        "merge",
      );
    await fleet.clock.advance(60_000);

    await expect(pod("web")).rejects.toThrow(/not found/);
    expect((await pod("stays")).metadata.deletionTimestamp).toBeUndefined();
  });

  it("removes Pods of a node that is gone, after a quarantine", async () => {
    const { fleet, pod, create } = await start();
    await create("web");

    await fleet.cluster("c").client.delete({ apiVersion: "v1", kind: "Node", name: "c-node-0" });
    await fleet.clock.advance(35_000);
    expect((await pod("web")).metadata.name).toBe("web");
    await fleet.clock.advance(30_000);

    await expect(pod("web")).rejects.toThrow(/not found/);
  });
});
