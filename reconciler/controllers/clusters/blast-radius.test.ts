import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { deployment, policy } from "../../../test/e2e/support/manifests.ts";
import { createVirtualPlane, type VirtualPlane } from "../../cli/virtual-plane.ts";
import { failoverSettings } from "../../failover/failover-modes.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

const open: { fleet: SimulatedFleet; plane: VirtualPlane }[] = [];

afterEach(async () => {
  for (const { plane, fleet } of open.splice(0)) {
    await plane.close();
    await fleet.close();
  }
});

const DYNAMIC = {
  replicaScheduling: {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { dynamicWeight: "AvailableReplicas" },
  },
};

class Scene {
  readonly fleet: SimulatedFleet;
  readonly plane: VirtualPlane;

  constructor(fleet: SimulatedFleet, plane: VirtualPlane) {
    this.fleet = fleet;
    this.plane = plane;
  }

  async cluster(name: string): Promise<Cluster> {
    return this.plane.client.get<Cluster>({ apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name });
  }

  async taints(name: string): Promise<string[]> {
    return ((await this.cluster(name)).spec.taints ?? []).map((taint) => `${taint.key}:${taint.effect}`);
  }

  async held(name: string): Promise<string | undefined> {
    const condition = findCondition((await this.cluster(name)).status?.conditions, "FailoverHeld");
    return condition === undefined ? undefined : `${condition.status} ${condition.reason}`;
  }

  async annotate(name: string, value: string | null): Promise<void> {
    const ref = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name };
    const annotations = { "gitops.flaghoist.io/failover": value };
    await this.plane.client.patch(ref, { metadata: { annotations } }, "merge");
  }

  async targets(): Promise<string[]> {
    const ref = { apiVersion: "work.karmada.io/v1alpha2", kind: "ResourceBinding", namespace: "default" };
    const binding = await this.plane.client.get<ResourceBinding>({ ...ref, name: "web-deployment" });
    return (binding.spec.clusters ?? []).map((target) => target.name).sort();
  }

  async events(name: string): Promise<string[]> {
    const { items } = await this.plane.client.list<KubeObject>("v1", "Event", { namespace: "default" });
    return items
      .filter((event) => (event["involvedObject"] as { name?: string }).name === name)
      .map((event) => String(event["reason"]));
  }

  down(...clusters: string[]): string {
    return this.fleet.faults.begin({ type: "down", target: { clusters } });
  }
}

const NOT_READY = "cluster.karmada.io/not-ready";
const BOTH_TAINTS = [`${NOT_READY}:NoSchedule`, `${NOT_READY}:NoExecute`];

async function start(clusters: number): Promise<Scene> {
  const fleet = await createFleet({ clusters, pace: "stepped", startMs: START, level: "fast", seed: 7 });
  const plane = await createVirtualPlane({ fleet, seed: 7, profile: failoverSettings("safe") });
  open.push({ fleet, plane });
  await plane.start();
  await plane.join();
  await fleet.clock.advance(MINUTE);
  const objects = [
    policy({ namespace: "default", placement: DYNAMIC }),
    deployment({ namespace: "default", replicas: clusters * 2 }),
  ];
  for (const object of objects) await plane.client.apply(object, { fieldManager: "user", force: true });
  await fleet.clock.advance(MINUTE);
  return new Scene(fleet, plane);
}

describe("startBlastRadiusController", () => {
  it("gives one cluster of three up, a minute after it is known not to be ready", async () => {
    const scene = await start(3);

    scene.down("member2");
    await scene.fleet.clock.advance(90_000);
    const before = await scene.taints("member2");
    await scene.fleet.clock.advance(30_000);

    expect(before).toEqual([BOTH_TAINTS[0]]);
    expect(await scene.taints("member2")).toEqual(BOTH_TAINTS);
    expect(await scene.targets()).toEqual(["member1", "member3"]);
    expect(await scene.held("member2")).toBeUndefined();
  });

  it("holds two of three that vanish, says so, and lets go when they are back", async () => {
    const scene = await start(3);

    const fault = scene.down("member1", "member2");
    await scene.fleet.clock.advance(30 * MINUTE);

    expect(await scene.held("member1")).toBe("True MostClustersLost");
    expect(await scene.taints("member1")).toEqual([BOTH_TAINTS[0]]);
    expect(await scene.targets()).toEqual(["member1", "member2", "member3"]);
    expect(await scene.events("member2")).toContain("FailoverHeld");

    scene.fleet.faults.end(fault);
    await scene.fleet.clock.advance(2 * MINUTE);

    expect(await scene.held("member1")).toBe("False ClusterReady");
    expect(await scene.taints("member1")).toEqual([]);
    expect(await scene.targets()).toEqual(["member1", "member2", "member3"]);
    expect(await scene.events("member2")).toContain("FailoverReleased");
  });

  it("moves nothing when it reaches nobody, across a restart, and nothing when the network is back", async () => {
    const scene = await start(3);

    const fault = scene.down("*");
    await scene.fleet.clock.advance(5 * MINUTE);
    await scene.plane.instances[0]?.crash();
    await scene.plane.start();
    await scene.fleet.clock.advance(5 * MINUTE);
    const held = await scene.held("member3");
    scene.fleet.faults.end(fault);
    await scene.fleet.clock.advance(5 * MINUTE);

    expect(held).toBe("True NoClusterReachable");
    expect(await scene.targets()).toEqual(["member1", "member2", "member3"]);
    for (const name of ["member1", "member2", "member3"]) expect(await scene.taints(name)).toEqual([]);
  });

  it("gives up those that a person calls dead, and forgets what was said when they are back", async () => {
    const scene = await start(3);
    const fault = scene.down("member1", "member2");
    await scene.fleet.clock.advance(5 * MINUTE);

    await scene.annotate("member1", "evict");
    await scene.fleet.clock.advance(10_000);

    expect(await scene.taints("member1")).toEqual(BOTH_TAINTS);
    expect(await scene.held("member1")).toBe("False GivenUp");
    expect(await scene.targets()).not.toContain("member1");

    scene.fleet.faults.end(fault);
    await scene.fleet.clock.advance(2 * MINUTE);

    expect(await scene.taints("member1")).toEqual([]);
    expect((await scene.cluster("member1")).metadata.annotations?.["gitops.flaghoist.io/failover"]).toBeUndefined();
  });

  it("holds what a person wants held, until it is taken back", async () => {
    const scene = await start(3);
    await scene.annotate("member2", "hold");

    scene.down("member2");
    await scene.fleet.clock.advance(10 * MINUTE);

    expect(await scene.held("member2")).toBe("True HeldByAnnotation");
    expect(await scene.targets()).toContain("member2");

    await scene.annotate("member2", null);
    await scene.fleet.clock.advance(1_000);

    expect(await scene.targets()).toEqual(["member1", "member3"]);
  });

  it("tells of words that say neither, and goes on as without them", async () => {
    const scene = await start(3);

    await scene.annotate("member2", "perhaps");
    scene.down("member2");
    await scene.fleet.clock.advance(3 * MINUTE);

    expect(await scene.events("member2")).toContain("InvalidFailoverAnnotation");
    expect(await scene.targets()).toEqual(["member1", "member3"]);
  });

  it("asks the others before it gives up anybody: those that have just gone count", async () => {
    const scene = await start(3);

    scene.down("member1");
    // Published as not ready after some 40 s, due a minute later; the second one goes shortly before that.
    await scene.fleet.clock.runUntil(async () => (await scene.taints("member1")).length > 0, 2 * MINUTE);
    await scene.fleet.clock.advance(50_000);
    scene.down("member2");
    await scene.fleet.clock.advance(10 * MINUTE);

    expect(await scene.held("member1")).toBe("True MostClustersLost");
    expect(await scene.targets()).toEqual(["member1", "member2", "member3"]);
  });
});
