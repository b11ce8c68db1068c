import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { createFleet, type FleetOptions, type SimulatedFleet } from "./simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: Partial<FleetOptions> = {}): Promise<SimulatedFleet> {
  const fleet = await createFleet({ clusters: 2, pace: "stepped", startMs: Date.UTC(2026, 0, 1), ...options });
  closers.push(() => fleet.close());
  return fleet;
}

function deployment(replicas: number): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web:1" }] } },
    },
  };
}

/** The other kinds that keep Pods: of each one that has to do with nodes, claims and revisions. */
function sets(): KubeObject[] {
  const template = { metadata: { labels: { app: "set" } }, spec: { containers: [{ name: "c", image: "set:1" }] } };
  const selector = { matchLabels: { app: "set" } };
  const claim = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
  const metadata = { name: "set", namespace: "default" };
  return [
    { apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec: { selector, template } },
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata,
      spec: { replicas: 2, serviceName: "set", selector, template, volumeClaimTemplates: [claim] },
    },
  ];
}

const WEB = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };

async function readyReplicas(fleet: SimulatedFleet, cluster: string): Promise<number> {
  const { status = {} } = (await fleet.cluster(cluster).client.get(WEB)) as { status?: { readyReplicas?: number } };
  return status.readyReplicas ?? 0;
}

/** Everything that a cluster holds, as it came to be. */
async function everything(fleet: SimulatedFleet, cluster: string): Promise<unknown[]> {
  const { state } = fleet.cluster(cluster).server;
  return state.resources().flatMap((resource) => state.list(resource).map((stored) => stored.object));
}

async function story(seed: number): Promise<unknown[]> {
  const fleet = await start({ seed });
  await fleet.cluster("member1").client.create(deployment(4));
  for (const set of sets()) await fleet.cluster("member1").client.create(set);
  await fleet.clock.advance(10_000);
  await fleet.cluster("member1").client.patch(WEB, { spec: { replicas: 1 } }, "merge");
  await fleet.clock.advance(10_000);
  return everything(fleet, "member1");
}

describe("a simulated fleet", () => {
  it("has its clusters on one clock", async () => {
    const fleet = await start();
    for (const cluster of fleet.clusters.values()) await cluster.client.create(deployment(3));

    const ready = await fleet.clock.runUntil(
      async () => (await readyReplicas(fleet, "member1")) + (await readyReplicas(fleet, "member2")) === 6,
      60_000,
    );

    expect(ready).toBe(true);
  });

  it("brings StatefulSets their volumes where their Pods go", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("member1");
    for (const set of sets()) await client.create(set);

    await fleet.clock.advance(30_000);

    const claims = await client.list("v1", "PersistentVolumeClaim", { namespace: "default" });
    expect(claims.items.map(({ metadata, status }) => [metadata.name, (status as { phase: string }).phase])).toEqual([
      ["data-set-0", "Bound"],
      ["data-set-1", "Bound"],
    ]);
    const status = { apiVersion: "apps/v1", namespace: "default", name: "set" };
    expect((await client.get({ ...status, kind: "StatefulSet" }))["status"]).toMatchObject({ availableReplicas: 2 });
    expect((await client.get({ ...status, kind: "DaemonSet" }))["status"]).toMatchObject({ numberAvailable: 3 });
  });

  it("goes the same way twice from the same seed, names and uids included", async () => {
    const [one, two] = [await story(7), await story(7)];

    expect(two).toEqual(one);
    expect(await story(8)).not.toEqual(one);
  });
});
