import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { Random } from "../../../runtime/random.ts";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { KernelLoop } from "../kernel/kernel-loop.ts";
import { createSimulatedCluster, type SimulatedCluster, type SimulatedClusterOptions } from "../simulated-cluster.ts";
import { takePart } from "./take-snapshot.ts";

const WEB: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: Partial<SimulatedClusterOptions> = {}) {
  const clock = new VirtualClock({ pace: "stepped", startMs: Date.UTC(2026, 0, 1) });
  const loop = new KernelLoop();
  clock.join(loop);
  const cluster = await createSimulatedCluster({
    name: "paris-1",
    clock,
    loop,
    logger: silentLogger,
    readyAfterMs: 1_000,
    random: new Random(1),
    ...options,
  });
  closers.push(() => cluster.close());
  return { cluster, clock };
}

/** A cluster with three Pods of a Deployment, and a kind of its own; taken while one Pod was still starting. */
async function taken() {
  const { cluster, clock } = await start();
  await cluster.client.create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web:1" }] } },
    },
  } as KubeObject);
  await cluster.client.create(GADGETS);
  await clock.advance(30_000);
  await cluster.client.create({
    apiVersion: "shop.example/v1",
    kind: "Gadget",
    metadata: { name: "g", namespace: "default" },
  });
  await cluster.client.patch(WEB, { spec: { replicas: 3 } }, "merge");
  await clock.advance(100);
  return takePart(cluster.client, new AbortController().signal);
}

const GADGETS = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.shop.example" },
  spec: {
    group: "shop.example",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
} as KubeObject;

async function pods(cluster: SimulatedCluster): Promise<KubeObject[]> {
  return (await cluster.client.list("v1", "Pod", { namespace: "default" })).items;
}

async function readyReplicas(cluster: SimulatedCluster): Promise<unknown> {
  return ((await cluster.client.get(WEB))["status"] as { readyReplicas?: number }).readyReplicas;
}

describe("a simulated cluster that begins as another one was", () => {
  it("has its objects with their uids and times, kinds of its own included", async () => {
    const { objects } = await taken();

    const { cluster } = await start({ imported: objects, level: "idle" });

    for (const { object } of objects) {
      if (object.kind !== "Pod" && object.kind !== "Node" && object.kind !== "Gadget") continue;
      const { namespace, name = "" } = object.metadata;
      const copy = await cluster.client.get({ apiVersion: object.apiVersion, kind: object.kind, namespace, name });
      const { resourceVersion, ...metadata } = copy.metadata;
      const { resourceVersion: before, ...expected } = object.metadata;
      expect({ ...copy, metadata }).toEqual({ ...object, metadata: expected });
      expect([resourceVersion, before]).not.toContain(undefined);
    }
    expect(await pods(cluster)).toHaveLength(3);
  });

  it("goes on from there: what was starting becomes ready, what is lost is replaced, nothing else is touched", async () => {
    const { objects } = await taken();
    const { cluster, clock } = await start({ imported: objects });
    const before = (await pods(cluster)).map((pod) => pod.metadata.uid);

    await clock.advance(30_000);
    expect(await readyReplicas(cluster)).toBe(3);
    expect((await pods(cluster)).map((pod) => pod.metadata.uid)).toEqual(before);

    const [lost] = await pods(cluster);
    await cluster.client.delete({
      apiVersion: "v1",
      kind: "Pod",
      namespace: "default",
      name: lost?.metadata.name ?? "",
    });
    await clock.advance(60_000);
    const after = (await pods(cluster)).map((pod) => pod.metadata.uid);
    expect(after).toHaveLength(3);
    expect(after).not.toContain(lost?.metadata.uid);
    expect(await readyReplicas(cluster)).toBe(3);
  });
});
