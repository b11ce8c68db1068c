import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../../kube/object.ts";
import { startControllers, type TestCluster } from "../test-cluster.ts";
import { resourceQuotaController } from "./resource-quota-controller.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const QUOTA: ObjectRef = { apiVersion: "v1", kind: "ResourceQuota", namespace: "default", name: "q" };

async function start(spec: Record<string, unknown>): Promise<TestCluster> {
  const cluster = await startControllers([resourceQuotaController()]);
  closers.push(() => cluster.close());
  await cluster.client.create({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "q", namespace: "default" },
    spec,
  });
  await cluster.clock.advance(10);
  return cluster;
}

interface PodWords {
  readonly requests?: Record<string, string>;
  readonly limits?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
}

function pod(name: string, { requests = {}, limits = {}, spec = {} }: PodWords = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { nodeName: "n1", containers: [{ name: "c", image: "web:1", resources: { requests, limits } }], ...spec },
  };
}

const ref = (name: string): ObjectRef => ({ apiVersion: "v1", kind: "Pod", namespace: "default", name });

async function status(cluster: TestCluster): Promise<unknown> {
  await cluster.clock.advance(10);
  return (await cluster.client.get(QUOTA))["status"];
}

describe("a ResourceQuota", () => {
  it("tells what is used of each of its limits", async () => {
    const hard = {
      pods: "5",
      "requests.cpu": "2",
      "limits.memory": "4Gi",
      "requests.nvidia.com/gpu": "2",
      "count/deployments.apps": "3",
      configmaps: "9",
      "services.nodeports": "4",
      "fast.storageclass.storage.k8s.io/requests.storage": "10Gi",
    };
    const cluster = await start({ hard });
    expect(await status(cluster)).toMatchObject({ hard, used: { pods: "0", "requests.cpu": "0", configmaps: "0" } });

    await cluster.client.create(
      pod("one", {
        requests: { cpu: "500m", memory: "1Gi", "nvidia.com/gpu": "1" },
        limits: { memory: "1Gi", "nvidia.com/gpu": "1" },
      }),
    );
    await cluster.client.create(
      pod("two", {
        requests: { cpu: "250m" },
        limits: { memory: "512Mi" },
        spec: {
          initContainers: [{ name: "i", image: "i", resources: { requests: { cpu: "1" }, limits: { memory: "1Mi" } } }],
        },
      }),
    );
    await cluster.client.create({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s", namespace: "default" },
      spec: { type: "NodePort", ports: [{ port: 80 }] },
    });
    await cluster.client.create({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "c", namespace: "default" },
      spec: {
        storageClassName: "fast",
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "3Gi" } },
      },
    });

    expect(await status(cluster)).toEqual({
      hard,
      used: {
        pods: "2",
        "requests.cpu": "1500m",
        "limits.memory": "1536Mi",
        "requests.nvidia.com/gpu": "1",
        "count/deployments.apps": "0",
        configmaps: "0",
        "services.nodeports": "1",
        "fast.storageclass.storage.k8s.io/requests.storage": "3Gi",
      },
    });
  });

  it("no longer counts a Pod that has ended, but that it is there", async () => {
    const cluster = await start({ hard: { pods: "5", "count/pods": "5", "requests.cpu": "2" } });
    await cluster.client.create(pod("one", { requests: { cpu: "1" } }));

    await cluster.setStatus(ref("one"), { phase: "Succeeded" });

    expect(await status(cluster)).toMatchObject({ used: { pods: "0", "count/pods": "1", "requests.cpu": "0" } });
  });

  it("refuses what exceeds it, also when nobody has counted yet, and lets it in when there is room again", async () => {
    const cluster = await start({ hard: { pods: "1", "requests.cpu": "2" } });
    const message =
      'pods "two" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1500m, used: pods=1,requests.cpu=1, limited: pods=1,requests.cpu=2';

    await cluster.client.create(pod("one", { requests: { cpu: "1" } }));
    await expect(cluster.client.create(pod("two", { requests: { cpu: "1500m" } }))).rejects.toMatchObject({
      status: { code: 403, reason: "Forbidden", message },
    });
    await cluster.client.delete(ref("one"));
    await cluster.setStatus(ref("one"), { phase: "Failed" });

    await cluster.client.create(pod("two", { requests: { cpu: "1500m" } }));
    expect(await status(cluster)).toMatchObject({ used: { pods: "1", "requests.cpu": "1500m" } });
  });

  it("asks each container to say what it needs of what is limited", async () => {
    const cluster = await start({ hard: { "requests.cpu": "2", "limits.memory": "1Gi" } });

    await expect(cluster.client.create(pod("one", { requests: { cpu: "1" } }))).rejects.toThrow(
      'pods "one" is forbidden: failed quota: q: must specify limits.memory for: c',
    );
  });

  it("counts only what is in its scopes", async () => {
    const cluster = await start({
      hard: { pods: "1" },
      scopeSelector: { matchExpressions: [{ scopeName: "BestEffort", operator: "Exists" }] },
    });

    await cluster.client.create(pod("guaranteed", { requests: { cpu: "1" }, limits: { cpu: "1" } }));
    await cluster.client.create(pod("one"));
    await expect(cluster.client.create(pod("two"))).rejects.toThrow("exceeded quota: q");

    expect(await status(cluster)).toMatchObject({ used: { pods: "1" } });
  });

  it("refuses an update that uses more, and not one that uses less", async () => {
    const cluster = await start({ hard: { "services.nodeports": "1" } });
    const service = await cluster.client.create({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s", namespace: "default" },
      spec: { type: "NodePort", ports: [{ name: "a", port: 80 }] },
    });
    const spec = service["spec"] as { ports: unknown[] };

    const more = { ...service, spec: { ...spec, ports: [...spec.ports, { name: "b", port: 81 }] } };
    await expect(cluster.client.update(more)).rejects.toThrow(
      "exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1",
    );
    await cluster.client.update({ ...service, spec: { ...spec, type: "ClusterIP", ports: [{ name: "a", port: 80 }] } });

    expect(await status(cluster)).toMatchObject({ used: { "services.nodeports": "0" } });
  });

  it("goes by its new limits once it has noted them", async () => {
    const cluster = await start({ hard: { configmaps: "0" } });
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m", namespace: "default" } };
    await expect(cluster.client.create(map)).rejects.toThrow("exceeded quota");

    await cluster.client.patch(QUOTA, { spec: { hard: { configmaps: "1" } } }, "merge");
    await cluster.clock.advance(10);
    await cluster.client.create(map);

    expect(await status(cluster)).toEqual({ hard: { configmaps: "1" }, used: { configmaps: "1" } });
  });
});
