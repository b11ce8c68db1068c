import { afterEach, describe, expect, it } from "vitest";
import type { ObjectRef } from "../../../../kube/object.ts";
import { createFleet } from "../../simulated-fleet.ts";
import type { ReplicaSet } from "./replica-set.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const WEB: ObjectRef = { apiVersion: "apps/v1", kind: "ReplicaSet", namespace: "default", name: "web" };

/** A set of three ready Pods, and how many its status has told to be leaving and to be there since. */
async function start() {
  const fleet = await createFleet({ clusters: 1, pace: "stepped" });
  closers.push(() => fleet.close());
  const { client, server } = fleet.cluster("member1");
  await client.create({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "web:1" }] } },
    },
  });
  await fleet.clock.advance(20_000);
  const terminating: (number | undefined)[] = [];
  const replicas: (number | undefined)[] = [];
  server.state.subscribeAll(({ object: { object } }) => {
    if (object.kind !== "ReplicaSet") return;
    const { status } = object as ReplicaSet;
    terminating.push(status?.terminatingReplicas);
    replicas.push(status?.replicas);
  });
  return { fleet, client, terminating, replicas };
}

describe("a ReplicaSet", () => {
  it("counts a Pod that others delete without grace as terminating, until its removal is told", async () => {
    const { fleet, client, terminating } = await start();
    const [pod] = (await client.list("v1", "Pod", { namespace: "default" })).items;
    const { name = "" } = pod?.metadata ?? {};
    const path = `/api/v1/namespaces/default/pods/${name}`;
    await client.raw("DELETE", path, { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 });

    expect((await client.list("v1", "Pod", { namespace: "default" })).items.length).toBeLessThan(3);

    await fleet.clock.advance(20_000);

    expect(terminating).toContain(1);
    expect(terminating.at(-1)).toBe(0);
  });

  it("has counted its Pods down before it goes, when it leaves them behind", async () => {
    const { fleet, client, replicas } = await start();
    await client.delete(WEB, { propagationPolicy: "Orphan" });
    await fleet.clock.advance(20_000);

    expect(replicas.at(-1)).toBe(0);
    expect(await client.find(WEB)).toBeUndefined();
    expect((await client.list("v1", "Pod", { namespace: "default" })).items).toHaveLength(3);
  });
});
