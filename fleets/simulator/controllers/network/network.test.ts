import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../../kube/object.ts";
import { startControllers, type TestCluster } from "../test-cluster.ts";
import { endpointSliceController } from "./endpoint-slice-controller.ts";
import { endpointsController } from "./endpoints-controller.ts";
import { ingressController, loadBalancerController } from "./load-balancer-controller.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const WEB: ObjectRef = { apiVersion: "v1", kind: "Service", namespace: "default", name: "web" };

async function start(spec: Record<string, unknown> = {}, labels: Record<string, string> = {}): Promise<TestCluster> {
  const cluster = await startControllers([
    endpointSliceController(),
    endpointsController(),
    loadBalancerController(),
    ingressController(),
  ]);
  closers.push(() => cluster.close());
  await cluster.client.create({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "a" } },
  });
  await cluster.client.create({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default", labels },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }], ...spec },
  });
  await cluster.clock.advance(10);
  return cluster;
}

async function addPod(cluster: TestCluster, name: string, ip: string, ready = true): Promise<ObjectRef> {
  await cluster.client.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: "web" } },
    spec: {
      nodeName: "n1",
      containers: [{ name: "c", image: "web:1", ports: [{ name: "http", containerPort: 8081 }] }],
    },
  });
  const ref: ObjectRef = { apiVersion: "v1", kind: "Pod", namespace: "default", name };
  await setReady(cluster, ref, ip, ready);
  return ref;
}

async function setReady(cluster: TestCluster, ref: ObjectRef, ip: string, ready: boolean): Promise<void> {
  const time = new Date(cluster.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: time }];
  await cluster.setStatus(ref, { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions });
  await cluster.clock.advance(10);
}

async function slices(cluster: TestCluster): Promise<KubeObject[]> {
  return cluster.list("discovery.k8s.io/v1", "EndpointSlice");
}

async function endpointsOf(cluster: TestCluster): Promise<unknown> {
  return (await cluster.client.get({ ...WEB, kind: "Endpoints" }))["subsets"];
}

describe("EndpointSlices", () => {
  it("exist for a Service without Pods, empty", async () => {
    const cluster = await start({}, { team: "a" });

    const [slice, ...others] = await slices(cluster);

    expect(others).toEqual([]);
    expect(slice?.["endpoints"] ?? []).toEqual([]);
    expect(slice).toMatchObject({
      addressType: "IPv4",
      metadata: {
        generateName: "web-",
        labels: {
          team: "a",
          "kubernetes.io/service-name": "web",
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
        annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z" },
        ownerReferences: [{ kind: "Service", name: "web", controller: true, blockOwnerDeletion: true }],
      },
    });
  });

  it("tell of each Pod whether it is ready, serves, and is on its way out", async () => {
    const cluster = await start();
    const name = (await slices(cluster))[0]?.metadata.name;

    await addPod(cluster, "one", "10.0.0.1");
    const two = await addPod(cluster, "two", "10.0.0.2", false);
    const [slice] = await slices(cluster);

    expect(slice?.metadata.name).toBe(name);
    expect(slice?.["ports"]).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);
    expect(slice?.["endpoints"]).toMatchObject([
      {
        addresses: ["10.0.0.1"],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: "n1",
        zone: "a",
        targetRef: { kind: "Pod", namespace: "default", name: "one" },
      },
      { addresses: ["10.0.0.2"], conditions: { ready: false, serving: false, terminating: false } },
    ]);
    await setReady(cluster, two, "10.0.0.2", true);
    await cluster.client.delete(two);
    await cluster.clock.advance(10);
    expect((await slices(cluster))[0]?.["endpoints"]).toMatchObject([
      {},
      { conditions: { ready: false, serving: true, terminating: true } },
    ]);
  });

  it("leave out Pods whose containers have ended, or that have no address", async () => {
    const cluster = await start();
    const one = await addPod(cluster, "one", "10.0.0.1");

    await cluster.setStatus(one, { phase: "Succeeded", conditions: [{ type: "Ready", status: "False" }] });
    await cluster.clock.advance(10);

    expect((await slices(cluster))[0]?.["endpoints"] ?? []).toEqual([]);
  });

  it("find ports by name, and publish what is not ready when told to", async () => {
    const cluster = await start({
      clusterIP: "None",
      publishNotReadyAddresses: true,
      ports: [{ name: "http", port: 80, targetPort: "http" }],
    });

    await addPod(cluster, "one", "10.0.0.1", false);
    const [slice] = await slices(cluster);

    expect(slice?.metadata.labels).toHaveProperty(["service.kubernetes.io/headless"], "");
    expect(slice).toMatchObject({
      ports: [{ name: "http", port: 8081 }],
      endpoints: [{ conditions: { ready: true, serving: false } }],
    });
  });

  it("are as many as a hundred addresses each need", async () => {
    const cluster = await start();
    for (let i = 0; i < 101; i++) await addPod(cluster, `p${i}`, `10.0.1.${i}`);

    const sizes = (await slices(cluster)).map((slice) => (slice["endpoints"] as unknown[]).length).sort();

    expect(sizes).toEqual([1, 100]);
  });

  it("are mended when somebody changes them", async () => {
    const cluster = await start();
    await addPod(cluster, "one", "10.0.0.1");
    const [slice] = await slices(cluster);

    await cluster.client.update({ ...slice!, endpoints: [] });
    await cluster.clock.advance(2_000);

    expect((await slices(cluster))[0]?.["endpoints"]).toHaveLength(1);
  });

  it("say where traffic is to stay", async () => {
    const cluster = await start({ trafficDistribution: "PreferSameZone" });

    await addPod(cluster, "one", "10.0.0.1");

    expect((await slices(cluster))[0]?.["endpoints"]).toMatchObject([{ hints: { forZones: [{ name: "a" }] } }]);
  });
});

describe("Endpoints", () => {
  it("list addresses that are ready and those that are not, and go with the Service", async () => {
    const cluster = await start();
    await addPod(cluster, "one", "10.0.0.1");
    await addPod(cluster, "two", "10.0.0.2", false);

    expect(await endpointsOf(cluster)).toMatchObject([
      {
        addresses: [{ ip: "10.0.0.1", nodeName: "n1", targetRef: { name: "one" } }],
        notReadyAddresses: [{ ip: "10.0.0.2" }],
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ]);
    await cluster.client.delete(WEB);
    await cluster.clock.advance(10);
    const left = await cluster.list("v1", "Endpoints");
    expect(left.map(({ metadata }) => metadata.name)).not.toContain("web");
    expect(await slices(cluster)).toEqual([]);
  });

  it("stay as they are when the Service has lost its selector", async () => {
    const cluster = await start();
    await addPod(cluster, "one", "10.0.0.1");

    await cluster.client.patch(WEB, { spec: { selector: null } }, "merge");
    await addPod(cluster, "two", "10.0.0.2");

    expect((await slices(cluster))[0]?.["endpoints"]).toHaveLength(1);
  });
});

describe("load balancers", () => {
  const addresses = async (cluster: TestCluster, ref: ObjectRef): Promise<unknown> =>
    ((await cluster.client.get(ref))["status"] as { loadBalancer?: { ingress?: unknown } }).loadBalancer?.ingress;

  it("have an address of the cluster's range after a while, and tell of it", async () => {
    const cluster = await start({ type: "LoadBalancer" });

    expect((await cluster.client.get(WEB)).metadata.finalizers).toEqual([
      "service.kubernetes.io/load-balancer-cleanup",
    ]);
    expect(await addresses(cluster, WEB)).toBeUndefined();
    await cluster.clock.advance(2_000);

    expect(await addresses(cluster, WEB)).toEqual([{ ip: expect.stringMatching(/^100\./), ipMode: "VIP" }]);
    expect(await cluster.events()).toEqual([
      "Normal EnsuringLoadBalancer: Ensuring load balancer",
      "Normal EnsuredLoadBalancer: Ensured load balancer",
    ]);
  });

  it("are taken down before the Service goes", async () => {
    const cluster = await start({ type: "LoadBalancer" });
    await cluster.clock.advance(2_000);

    await cluster.client.delete(WEB);
    await cluster.clock.advance(10);

    await expect(cluster.client.get(WEB)).rejects.toThrow("not found");
    expect((await cluster.events()).slice(-2)).toEqual([
      "Normal DeletingLoadBalancer: Deleting load balancer",
      "Normal DeletedLoadBalancer: Deleted load balancer",
    ]);
  });

  it("are taken down when the Service no longer wants one", async () => {
    const cluster = await start({ type: "LoadBalancer" });
    await cluster.clock.advance(2_000);

    await cluster.client.patch(WEB, { spec: { type: "ClusterIP" } }, "merge");
    await cluster.clock.advance(10);

    expect(await addresses(cluster, WEB)).toBeUndefined();
    expect((await cluster.client.get(WEB)).metadata.finalizers).toBeUndefined();
  });

  it("leave Services of a class to others", async () => {
    const cluster = await start({ type: "LoadBalancer", loadBalancerClass: "example.com/metal" });

    await cluster.clock.advance(5_000);

    expect(await addresses(cluster, WEB)).toBeUndefined();
  });

  it("serve all Ingresses with one address", async () => {
    const cluster = await start();
    const ingress = (name: string): KubeObject => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, namespace: "default" },
      spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
    });
    const ref = (name: string): ObjectRef => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      namespace: "default",
      name,
    });

    await cluster.client.create(ingress("one"));
    await cluster.client.create(ingress("two"));
    await cluster.clock.advance(2_000);

    expect(await addresses(cluster, ref("one"))).toEqual([{ ip: expect.any(String) }]);
    expect(await addresses(cluster, ref("two"))).toEqual(await addresses(cluster, ref("one")));
  });
});
