// Copies that a restored backup of a member brings back after their templates were deleted.
import { afterEach, describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { configMap, policy } from "../../../test/e2e/support/manifests.ts";
import { createVirtualPlane, type VirtualPlane } from "../../cli/virtual-plane.ts";

const START = Date.UTC(2026, 0, 1);
const MEMBER1 = { clusters: ["member1"] };
const CLUSTER = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "member1" };
const REMOVE = "gitops.flaghoist.io/remove-left-over";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly fleet: SimulatedFleet;
  readonly plane: VirtualPlane;
  /** Names of the ConfigMaps in member1 whose names we gave. */
  copies(): Promise<string[]>;
  condition(): Promise<ReturnType<typeof findCondition>>;
  events(): Promise<string[]>;
  say(word: string): Promise<void>;
}

function ref(name: string) {
  return { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name };
}

/**
 * Of three ConfigMaps, two were deleted after a backup of member1, to which it was put back; or all, with a control plane that
 * was started after that.
 */
async function restored({ keepsNone = false, word = "" } = {}): Promise<Scene> {
  const fleet = await createFleet({ clusters: 2, pace: "stepped", startMs: START, level: "fast", seed: 1 });
  closers.push(() => fleet.close());
  const plane = await createVirtualPlane({ fleet });
  closers.push(() => plane.close());
  await plane.start();
  await plane.join();
  const member = fleet.cluster("member1");
  const selectors = [{ apiVersion: "v1", kind: "ConfigMap" }];
  const objects: KubeObject[] = [policy({ namespace: "default", clusters: ["member1", "member2"], selectors })];
  objects.push(...["keep", "old", "older"].map((name) => configMap("default", name)));
  for (const object of objects) await plane.client.apply(object, { fieldManager: "test" });
  await fleet.clock.advance(60_000);
  fleet.faults.begin({ type: "backup", target: MEMBER1, name: "nightly" });
  await fleet.clock.settled();
  for (const name of ["old", "older"]) await plane.client.delete(ref(name));
  if (keepsNone) {
    await plane.client.delete(ref("keep"));
    await fleet.clock.advance(60_000);
    await plane.instances[0]?.stop();
    await plane.start();
  }
  await fleet.clock.advance(60_000);
  if (word !== "") await plane.client.patch(CLUSTER, { metadata: { annotations: { [REMOVE]: word } } }, "merge");
  fleet.faults.begin({ type: "restore", target: MEMBER1, backup: "nightly" });
  await fleet.clock.advance(120_000);
  return {
    fleet,
    plane,
    copies: async () => {
      const { items } = await member.client.list("v1", "ConfigMap", { namespace: "default" });
      return items.map(({ metadata }) => metadata.name ?? "").filter((name) => !name.startsWith("kube-"));
    },
    condition: async () =>
      findCondition((await plane.client.get<Cluster & KubeObject>(CLUSTER)).status?.conditions, "LeftOver"),
    events: async () => {
      const { items } = await plane.client.list("v1", "Event", { fieldSelector: "involvedObject.name=member1" });
      return items.map((event) => String(event["reason"]));
    },
    say: async (word) => {
      await plane.client.patch(CLUSTER, { metadata: { annotations: { [REMOVE]: word } } }, "merge");
      await fleet.clock.advance(10_000);
    },
  };
}

function wordIn(message: string | undefined): string {
  return /remove-left-over=(\S+)$/.exec(message ?? "")?.[1] ?? "";
}

describe("copies of deleted templates that a backup brings back", () => {
  it("are told of, and stay as they are", async () => {
    const scene = await restored();

    const condition = await scene.condition();
    expect(condition).toMatchObject({ status: "True", reason: "NoWork" });
    expect(condition?.message).toContain(
      "v1 ConfigMap default/old, v1 ConfigMap default/older. They stay as they are.",
    );
    expect(await scene.events()).toContain("LeftOverObjects");
    expect(await scene.copies()).toEqual(["keep", "old", "older"]);
  });

  it("are told of by a process that never saw a Work of their kind there, and go when a person says so", async () => {
    const scene = await restored({ keepsNone: true });
    const condition = await scene.condition();
    expect(condition?.message).toContain("3 objects are left over");

    await scene.say(wordIn(condition?.message));

    expect(await scene.copies()).toEqual([]);
    expect(await scene.condition()).toMatchObject({ status: "False" });
  });

  it("go when a person says so, and nothing goes with them", async () => {
    const scene = await restored();
    // As Karmada would have made it, for the same cluster.
    const old = await scene.fleet.cluster("member1").client.get(ref("old"));
    const { labels = {}, annotations = {} } = old.metadata;
    const foreign = {
      ...configMap("default", "foreign"),
      metadata: { name: "foreign", namespace: "default", labels, annotations },
    };
    await scene.fleet.cluster("member1").client.create(foreign, { fieldManager: "karmada-controller-manager" });
    await scene.fleet.clock.advance(60_000);

    await scene.say("2025-01-01T00:00:00Z");
    expect(await scene.copies()).toEqual(["foreign", "keep", "old", "older"]);
    await scene.say(wordIn((await scene.condition())?.message));

    expect(await scene.copies()).toEqual(["foreign", "keep"]);
    expect(await scene.condition()).toMatchObject({ status: "False" });
    expect(await scene.events()).toContain("LeftOverRemoved");
  });

  it("stay although a person said of others to remove them, before clocks jumped back", async () => {
    const scene = await restored({ word: "2026-01-01T06:00:00Z" });
    expect(await scene.copies()).toEqual(["keep", "old", "older"]);

    await scene.say(wordIn((await scene.condition())?.message));

    expect(await scene.copies()).toEqual(["keep"]);
  });

  it("are no longer told of once they have templates again, or are not ours any more", async () => {
    const scene = await restored();

    await scene.plane.client.apply(configMap("default", "old"), { fieldManager: "test" });
    const released = { metadata: { labels: { "karmada.io/managed": null } } };
    await scene.fleet.cluster("member1").client.patch(ref("older"), released, "merge");
    await scene.fleet.clock.advance(10_000);

    expect(await scene.condition()).toMatchObject({ status: "False" });
    await scene.say(new Date(scene.fleet.clock.now()).toISOString());
    expect(await scene.copies()).toEqual(["keep", "old", "older"]);
  });

  it("are told of without a break by the next process", async () => {
    const scene = await restored();
    const since = (await scene.condition())?.lastTransitionTime;

    await scene.plane.instances[0]?.stop();
    await scene.plane.start();
    for (let i = 0; i < 12; i++) {
      await scene.fleet.clock.advance(10_000);
      expect(await scene.condition()).toMatchObject({ status: "True", lastTransitionTime: since });
    }
  });
});
