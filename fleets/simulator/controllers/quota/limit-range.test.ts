import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { startControllers, type TestCluster } from "../test-cluster.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(...limits: readonly Record<string, unknown>[]): Promise<TestCluster> {
  const cluster = await startControllers([]);
  closers.push(() => cluster.close());
  await cluster.client.create({
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "l", namespace: "default" },
    spec: { limits },
  });
  return cluster;
}

function pod(resources: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { containers: [{ name: "c", image: "web:1", resources }] },
  };
}

function resourcesOf(object: KubeObject): unknown {
  return (object["spec"] as { containers: { resources: unknown }[] }).containers[0]?.resources;
}

describe("a LimitRange", () => {
  it("gives containers what they do not say themselves, and notes it", async () => {
    const cluster = await start({
      type: "Container",
      default: { cpu: "1", memory: "1Gi" },
      defaultRequest: { cpu: "100m" },
    });

    const made = await cluster.client.create(pod({ limits: { memory: "2Gi" } }));

    expect(resourcesOf(made)).toEqual({
      requests: { cpu: "100m", memory: "2Gi" },
      limits: { cpu: "1", memory: "2Gi" },
    });
    expect(made.metadata.annotations).toEqual({
      "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
    });
  });

  it.each([
    [
      { type: "Container", min: { cpu: "200m" } },
      { requests: { cpu: "100m" } },
      "minimum cpu usage per Container is 200m, but request is 100m",
    ],
    [
      { type: "Pod", max: { memory: "1Gi" } },
      { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } },
      "maximum memory usage per Pod is 1Gi, but limit is 2Gi",
    ],
    [
      { type: "Pod", max: { memory: "1Gi" } },
      { requests: { memory: "1Gi" } },
      "maximum memory usage per Pod is 1Gi.  No limit is specified",
    ],
    [
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      { requests: { cpu: "100m" }, limits: { cpu: "300m" } },
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ],
  ])("refuses what breaks %j", async (limit, resources, message) => {
    const cluster = await start(limit);

    await expect(cluster.client.create(pod(resources))).rejects.toThrow(`pods "p" is forbidden: ${message}`);
  });

  it("refuses claims that are too large", async () => {
    const cluster = await start({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } });

    const claim = cluster.client.create({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "c", namespace: "default" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
    });

    await expect(claim).rejects.toThrow("maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi");
  });
});
