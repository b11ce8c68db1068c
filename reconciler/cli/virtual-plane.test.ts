import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { createFleet, type SimulatedFleet } from "../../fleets/simulator/simulated-fleet.ts";
import type { KubeObject } from "../../kube/object.ts";
import { endlessTurns } from "../../runtime/turn.ts";
import { deployment, policy } from "../../test/builders.ts";
import { findReady } from "../controllers/clusters/clusters.ts";
import type { InstanceWrite } from "./virtual-instance.ts";
import { createVirtualPlane, type VirtualPlane } from "./virtual-plane.ts";

const START = Date.UTC(2026, 0, 1);

const open: { fleet: SimulatedFleet; plane: VirtualPlane }[] = [];

afterEach(async () => {
  for (const { plane, fleet } of open.splice(0)) {
    await plane.close();
    await fleet.close();
  }
});

async function start(clusters = 3): Promise<{ fleet: SimulatedFleet; plane: VirtualPlane }> {
  const fleet = await createFleet({ clusters, pace: "stepped", startMs: START, level: "fast", seed: 7 });
  const plane = await createVirtualPlane({ fleet, seed: 7 });
  open.push({ fleet, plane });
  await plane.start();
  await plane.join();
  await fleet.clock.advance(60_000);
  return { fleet, plane };
}

async function push(plane: VirtualPlane, ...objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) await plane.client.apply(object, { fieldManager: "user", force: true });
}

const { uid: _uid, ...metadata } = deployment({ name: "web", namespace: "default" }).metadata;
const WEB = [
  { ...deployment({ name: "web", namespace: "default", replicas: 4 }), metadata },
  policy({ name: "web", namespace: "default" }),
];

function replicasIn(fleet: SimulatedFleet): (number | undefined)[] {
  return [...fleet.clusters.values()].map(({ server }) => {
    const found = server.state.get({ resource: "apps/deployments", namespace: "default", name: "web" });
    return (found?.object["spec"] as { replicas?: number } | undefined)?.replicas;
  });
}

describe("a virtual plane", () => {
  it("joins the fleet and brings what users apply into its members", async () => {
    const { fleet, plane } = await start();

    await push(plane, ...WEB);
    await fleet.clock.advance(5_000);

    const { items } = await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
    expect(items.map((cluster) => findReady(cluster)?.status)).toEqual(["True", "True", "True"]);
    expect(replicasIn(fleet)).toEqual([4, 4, 4]);
  });

  it("does everything that needs no time at the instant at which it is asked", async () => {
    const { fleet, plane } = await start();
    const before = fleet.clock.now();

    await push(plane, ...WEB);
    await fleet.clock.settled();

    expect(replicasIn(fleet)).toEqual([4, 4, 4]);
    expect(fleet.clock.now()).toBe(before);
  });

  it("waits for no cluster that hangs", async () => {
    const { fleet, plane } = await start();
    fleet.faults.begin({ type: "hang", target: { clusters: ["member2"] } });

    await push(plane, ...WEB);
    await fleet.clock.advance(120_000);

    expect(replicasIn(fleet)).toEqual([4, undefined, 4]);
    const { items } = await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
    expect(items.map((cluster) => findReady(cluster)?.status)).toEqual(["True", "False", "True"]);
  });

  it("goes on after a crash between any two writes, with another instance", async () => {
    const { fleet, plane } = await start();
    plane.instances[0]?.crashAfter(3);
    await push(plane, ...WEB);
    await fleet.clock.advance(5_000);
    expect(plane.instances).toEqual([]);
    const left = replicasIn(fleet);

    const second = await plane.start();
    await fleet.clock.advance(60_000);

    expect(left).not.toEqual([4, 4, 4]);
    expect(replicasIn(fleet)).toEqual([4, 4, 4]);
    expect(second.hasCrashed).toBe(false);
  });

  it("does nothing for an instance that does not reach the store, until the network is mended", async () => {
    const { fleet, plane } = await start();
    const mend = plane.instances[0]?.cutStore();
    await push(plane, ...WEB);
    await fleet.clock.advance(60_000);
    expect(replicasIn(fleet)).toEqual([undefined, undefined, undefined]);

    mend?.();
    await fleet.clock.advance(60_000);

    expect(replicasIn(fleet)).toEqual([4, 4, 4]);
  });

  it("lets one of two instances act, and the other when that one is killed", async () => {
    const fleet = await createFleet({ clusters: 2, pace: "stepped", startMs: START, level: "fast", seed: 7 });
    const plane = await createVirtualPlane({ fleet, seed: 7 });
    open.push({ fleet, plane });
    const writers = new Set<string>();
    const ways = {
      elects: true,
      onWrite: ({ instance, request }: InstanceWrite) =>
        void (request.path.includes("/leases") || writers.add(instance)),
    };
    const [first, second] = [plane.start({ ...ways, name: "first" }), plane.start({ ...ways, name: "second" })];
    second.catch(() => {});
    await first;
    await plane.join();
    await push(plane, ...WEB);
    await fleet.clock.advance(60_000);
    expect([...writers]).toEqual(["first"]);

    plane.instances[0]?.crash();
    writers.clear();
    await fleet.clock.advance(20_000);
    await push(plane, { ...deployment({ name: "web", namespace: "default", replicas: 5 }), metadata });
    await fleet.clock.advance(20_000);

    expect([...writers]).toEqual(["second"]);
    expect(replicasIn(fleet)).toEqual([5, 5]);
  });

  it("has the same run again from the same seed", async () => {
    endlessTurns();
    async function run(): Promise<string[]> {
      const { fleet, plane } = await start();
      await push(plane, ...WEB);
      await fleet.clock.advance(30_000);
      const { objects } = plane.store.state.content();
      return objects.map(({ object: { kind, metadata } }) => {
        const { namespace = "", name, uid, resourceVersion } = metadata;
        return `${kind} ${namespace}/${name} ${uid} at ${resourceVersion}`;
      });
    }

    expect(await run()).toEqual(await run());
  });
});
