import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const TEMPLATE = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "sum:1" }] } };
const POD_TEMPLATE = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web:1" }] } };

const OBJECTS: readonly KubeObject[] = [
  {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "few", namespace: "default" },
    spec: { hard: { pods: "6" } },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { type: "LoadBalancer", selector: { app: "web" }, ports: [{ port: 80 }] },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template: POD_TEMPLATE },
  },
  {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "sum", namespace: "default" },
    spec: { completions: 5, parallelism: 3, completionMode: "Indexed", template: TEMPLATE },
  },
  {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "tick", namespace: "default" },
    spec: { schedule: "* * * * *", jobTemplate: { spec: { template: TEMPLATE } } },
  },
];

async function play(seed: number): Promise<SimulatedFleet> {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: Date.UTC(2026, 0, 1, 0, 0, 30), seed });
  closers.push(() => fleet.close());
  for (const object of OBJECTS) await fleet.cluster("member1").client.create(object);
  await fleet.clock.advance(60_000);
  return fleet;
}

async function statusOf(fleet: SimulatedFleet, apiVersion: string, kind: string, name: string): Promise<unknown> {
  const ref: ObjectRef = { apiVersion, kind, namespace: "default", name };
  return (await fleet.cluster("member1").client.get(ref))["status"];
}

function everything(fleet: SimulatedFleet): unknown[] {
  const { state } = fleet.cluster("member1").server;
  return state.resources().flatMap((resource) => state.list(resource).map((stored) => stored.object));
}

describe("Jobs, CronJobs, Services and quotas in a fleet", () => {
  it("come to their ends with real Pods", async () => {
    const fleet = await play(3);

    expect(await statusOf(fleet, "batch/v1", "Job", "sum")).toMatchObject({
      succeeded: 5,
      completedIndexes: "0-4",
      conditions: [{ type: "SuccessCriteriaMet" }, { type: "Complete", status: "True" }],
    });
    expect(await statusOf(fleet, "batch/v1", "CronJob", "tick")).toMatchObject({
      lastScheduleTime: "2026-01-01T00:01:00Z",
      lastSuccessfulTime: expect.any(String),
    });
    expect(await statusOf(fleet, "v1", "Service", "web")).toMatchObject({
      loadBalancer: { ingress: [{ ip: expect.any(String) }] },
    });
    expect(await statusOf(fleet, "v1", "ResourceQuota", "few")).toEqual({ hard: { pods: "6" }, used: { pods: "2" } });
  });

  it("go the same way twice from the same seed", async () => {
    expect(everything(await play(5))).toEqual(everything(await play(5)));
  });
});
