import { afterEach, describe, expect, it } from "vitest";
import type { ObjectRef } from "../../../../kube/object.ts";
import { createFleet } from "../../simulated-fleet.ts";
import { HEALTHY_CONDITIONS, heartbeatConditions, type NodeCondition } from "./node-object.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const NODE: ObjectRef = { apiVersion: "v1", kind: "Node", name: "member1-node-0" };
const LEASE: ObjectRef = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  namespace: "kube-node-lease",
  name: "member1-node-0",
};

async function start() {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: Date.UTC(2026, 0, 1) });
  closers.push(() => fleet.close());
  const cluster = fleet.cluster("member1");
  return {
    clock: fleet.clock,
    cluster,
    lease: async () =>
      (await cluster.client.get(LEASE)) as unknown as { metadata: object; spec: Record<string, unknown> },
    conditions: async () => {
      const { status } = (await cluster.client.get(NODE)) as unknown as { status: { conditions: NodeCondition[] } };
      return status.conditions;
    },
  };
}

describe("a node's kubelet", () => {
  it("renews the node's lease every 10 seconds", async () => {
    const { clock, cluster, lease } = await start();
    const { uid } = (await cluster.client.get(NODE)).metadata;

    await clock.advance(25_000);

    expect(await lease()).toMatchObject({
      metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "member1-node-0", uid }] },
      spec: { holderIdentity: "member1-node-0", leaseDurationSeconds: 40, renewTime: "2026-01-01T00:00:20.000000Z" },
    });
  });

  it("reports the node's status every 5 minutes while nothing changes", async () => {
    const { clock, conditions } = await start();

    await clock.advance(299_999);
    expect((await conditions())[3]?.lastHeartbeatTime).toBe("2026-01-01T00:00:00Z");
    await clock.advance(1);

    expect(await conditions()).toEqual(
      HEALTHY_CONDITIONS.map((each) => ({
        ...each,
        lastHeartbeatTime: "2026-01-01T00:05:00Z",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      })),
    );
  });

  it("is silent while the node is down, and reports at once when it is back", async () => {
    const { clock, cluster, lease, conditions } = await start();
    await clock.advance(5_000);

    cluster.disturbances.setNodeDown("member1-node-0", true);
    await clock.advance(30_000);
    expect((await lease()).spec["renewTime"]).toBe("2026-01-01T00:00:00.000000Z");
    const unknown = (await conditions()).map((each) => ({ ...each, status: "Unknown" }));
    await cluster.client.patch(NODE, { status: { conditions: unknown } }, "merge", { subresource: "status" });
    await clock.advance(600_000);
    cluster.disturbances.setNodeDown("member1-node-0", false);
    await clock.advance(0);

    expect((await conditions()).map(({ type, status }) => `${type} ${status}`)).toEqual([
      "MemoryPressure False",
      "DiskPressure False",
      "PIDPressure False",
      "Ready True",
    ]);
    expect((await lease()).spec["renewTime"]).toBe("2026-01-01T00:10:35.000000Z");
  });

  it("registers a node that somebody adds", async () => {
    const { clock, cluster } = await start();

    await cluster.client.create({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "extra" },
      status: { capacity: { cpu: "2" } },
    });
    await clock.advance(0);

    const node = await cluster.client.get({ apiVersion: "v1", kind: "Node", name: "extra" });
    expect(node["spec"]).toMatchObject({ podCIDR: expect.stringMatching(/^10\.\d+\.\d+\.0\/24$/) });
    expect(node["status"]).toMatchObject({
      addresses: [{ type: "InternalIP" }, { type: "Hostname", address: "extra" }],
    });
  });
});

describe("heartbeatConditions", () => {
  it("keeps what others say of the node", () => {
    const pressure = {
      ...HEALTHY_CONDITIONS[1]!,
      status: "True" as const,
      lastHeartbeatTime: "a",
      lastTransitionTime: "b",
    };
    const foreign = { ...pressure, type: "KernelDeadlock" };

    const conditions = heartbeatConditions([foreign, pressure], Date.UTC(2026, 0, 1));

    expect(conditions[0]).toBe(foreign);
    expect(conditions.find(({ type }) => type === "DiskPressure")).toEqual({
      ...pressure,
      lastHeartbeatTime: "2026-01-01T00:00:00Z",
    });
  });
});
