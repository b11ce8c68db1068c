import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { createFleet, type SimulatedFleet } from "../../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const fleet: SimulatedFleet = await createFleet({
    clusters: 1,
    pace: "stepped",
    startMs: Date.UTC(2026, 0, 1),
    readyAfterMs: 2_000,
  });
  closers.push(() => fleet.close());
  const { client, server } = fleet.cluster("member1");
  const story: string[] = [];
  server.state.subscribeAll(({ type, object }) => {
    const { resource, object: it } = object;
    if (resource === "pods" && type !== "MODIFIED") story.push(`${type === "ADDED" ? "+" : "-"}${it.metadata.name}`);
    if (resource === "apps/statefulsets" && type === "MODIFIED") story.push(statusText(it));
  });
  return { fleet, client, server, story };
}

function statusText(set: KubeObject): string {
  const status = (set["status"] ?? {}) as Record<string, number | string>;
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, currentReplicas = 0, updatedReplicas = 0 } = status;
  return `${replicas} ready ${readyReplicas} available ${availableReplicas} current ${currentReplicas} updated ${updatedReplicas}`;
}

const SET = { apiVersion: "apps/v1", kind: "StatefulSet", namespace: "default", name: "db" };

function statefulSet(spec: Record<string, unknown> = {}, image = "db:1"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "default" },
    spec: {
      replicas: 2,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image }] } },
      ...spec,
    },
  };
}

describe("the controller of StatefulSets", () => {
  it("creates one Pod after the other, each when the one before is ready", async () => {
    const { fleet, client, story } = await start();

    await client.create(statefulSet());
    await fleet.clock.advance(10_000);

    expect(story.filter((entry, index) => entry !== story[index - 1])).toEqual([
      "+db-0",
      "0 ready 0 available 0 current 0 updated 0",
      "1 ready 0 available 0 current 1 updated 1",
      "+db-1",
      "1 ready 1 available 1 current 1 updated 1",
      "2 ready 1 available 1 current 2 updated 2",
      "2 ready 2 available 2 current 2 updated 2",
    ]);
  });

  it("takes the new template from the highest Pod down, and goes back by its history", async () => {
    const { fleet, client } = await start();
    await client.create(statefulSet());
    await fleet.clock.advance(10_000);
    const first = ((await client.get(SET))["status"] as { currentRevision: string }).currentRevision;

    await client.patch(SET, { spec: statefulSet({}, "db:2")["spec"] as Record<string, unknown> }, "merge");
    await fleet.clock.advance(20_000);
    const second = ((await client.get(SET))["status"] as { currentRevision: string }).currentRevision;
    await client.patch(SET, { spec: statefulSet()["spec"] as Record<string, unknown> }, "merge");
    await fleet.clock.advance(20_000);

    expect(second).not.toBe(first);
    expect((await client.get(SET))["status"]).toMatchObject({ currentRevision: first, updateRevision: first });
    const revisions = await client.list("apps/v1", "ControllerRevision", { namespace: "default" });
    expect(Object.fromEntries(revisions.items.map(({ metadata, revision }) => [metadata.name, revision]))).toEqual({
      [first]: 3,
      [second]: 2,
    });
  });
});
