// Mass deletions in a member, over restarts of the control plane and jumps of its clock.
import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { Condition, KubeObject } from "../../../kube/object.ts";
import { configMap, policy } from "../../../test/e2e/support/manifests.ts";
import type { VirtualInstance } from "../../cli/virtual-instance.ts";
import { createVirtualPlane, type VirtualPlane } from "../../cli/virtual-plane.ts";

const START = Date.UTC(2026, 0, 1);
const CLUSTER = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "member1" };
const NAMES = Array.from({ length: 12 }, (_, i) => `c-${i}`);

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let fleet: SimulatedFleet;
let plane: VirtualPlane;

/** Twelve ConfigMaps in member1, of which four may go unasked. */
async function begin(): Promise<VirtualInstance> {
  fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: START, level: "fast", seed: 1 });
  closers.push(() => fleet.close());
  const deletionLimits = { sharePercent: 30, count: 4, windowMs: 600_000 };
  plane = await createVirtualPlane({ fleet, profile: { deletionLimits } });
  closers.push(() => plane.close());
  const instance = await plane.start();
  await plane.join();
  const selectors = [{ apiVersion: "v1", kind: "ConfigMap" }];
  await plane.client.apply(policy({ namespace: "default", clusters: ["member1"], selectors }), {
    fieldManager: "test",
  });
  await make(NAMES);
  return instance;
}

async function make(names: readonly string[]): Promise<void> {
  for (const name of names) await plane.client.apply(configMap("default", name), { fieldManager: "test" });
  await fleet.clock.advance(30_000);
}

async function remove(names: readonly string[]): Promise<void> {
  for (const name of names)
    await plane.client.delete({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name });
  await fleet.clock.advance(30_000);
}

async function copies(): Promise<number> {
  const { items } = await fleet.cluster("member1").client.list("v1", "ConfigMap", { namespace: "default" });
  return items.filter(({ metadata }) => metadata.name?.startsWith("c-")).length;
}

async function condition(type: string): Promise<Condition | undefined> {
  return findCondition((await plane.client.get<Cluster & KubeObject>(CLUSTER)).status?.conditions, type);
}

async function confirm(): Promise<void> {
  const word = /confirm-deletions=(\S+)$/.exec((await condition("DeletionsHeld"))?.message ?? "")?.[1];
  const patch = { metadata: { annotations: { "gitops.flaghoist.io/confirm-deletions": word } } };
  await plane.client.patch(CLUSTER, patch, "merge");
  await fleet.clock.advance(30_000);
}

describe("the deletion guard", () => {
  it("counts on after a restart, until the window is over", async () => {
    await begin();
    await remove(NAMES.slice(0, 3));
    expect(await condition("RecentDeletions")).toMatchObject({ status: "True", reason: "Counted" });

    await plane.instances[0]?.stop();
    await plane.start();
    await fleet.clock.advance(30_000);
    await remove(NAMES.slice(3, 5));

    expect(await condition("DeletionsHeld")).toMatchObject({ status: "True", reason: "MassDeletion" });
    expect(await copies()).toBe(9);
    await confirm();
    expect(await copies()).toBe(7);
    expect(await condition("DeletionsHeld")).toMatchObject({ status: "False" });
    expect(await condition("RecentDeletions")).toMatchObject({ status: "False" });
  });

  it("forgets what was deleted before the window, also by an earlier process", async () => {
    await begin();
    await remove(NAMES.slice(0, 3));
    await plane.instances[0]?.stop();
    await plane.start();

    await fleet.clock.advance(600_000);
    expect(await condition("RecentDeletions")).toMatchObject({ status: "False" });
    await remove(NAMES.slice(3, 5));

    expect(await copies()).toBe(7);
    expect((await condition("DeletionsHeld"))?.status).not.toBe("True");
  });

  it("counts what went before a hold that ended because its cause was taken back", async () => {
    await begin();
    await remove(NAMES.slice(0, 3));
    await remove(NAMES.slice(3, 6));
    expect(await condition("DeletionsHeld")).toMatchObject({ status: "True" });
    await make(NAMES.slice(3, 6));
    expect(await condition("DeletionsHeld")).toMatchObject({ status: "False" });

    await remove(NAMES.slice(6, 9));

    expect(await condition("DeletionsHeld")).toMatchObject({ status: "True", reason: "MassDeletion" });
    expect(await copies()).toBe(9);
  });

  it("asks again for another hold after the clock jumped back", async () => {
    const instance = await begin();
    await remove(NAMES.slice(0, 6));
    await confirm();
    expect(await copies()).toBe(6);
    await make(NAMES);

    instance.skewClock(-3_600_000);
    await remove(NAMES.slice(0, 6));

    expect(await condition("DeletionsHeld")).toMatchObject({ status: "True", reason: "MassDeletion" });
    expect(await copies()).toBe(12);
    await confirm();
    // Timers that were set before the jump end late.
    await fleet.clock.advance(600_000);
    expect(await copies()).toBe(6);
  });
});
