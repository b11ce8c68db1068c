import { afterEach, describe, expect, it } from "vitest";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { FakeClock, systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { eventually } from "../../test/e2e/support/eventually.ts";
import { createApiServer } from "../apiserver/server.ts";
import { CapacityWatch } from "../capacity-watch.ts";
import { Member } from "../member.ts";
import { nodeObject } from "../simulator/nodes.ts";
import { type GrpcMethod, startGrpcServer } from "./grpc/server.ts";
import { LocalEstimator } from "./local-estimator.ts";
import { RemoteEstimators } from "./remote-estimators.ts";
import { estimatorMethods, METHODS } from "./service.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A cluster with two nodes of four processors, and an estimator service for it. */
async function startCluster(name: string): Promise<{ people: KubeClient; port: number; estimator: LocalEstimator }> {
  const server = await createApiServer({ name, clock: systemClock, logger: silentLogger });
  const people = new KubeClient(server.handle);
  for (const node of ["node-1", "node-2"]) await addNode(people, node, "4");
  const member = new Member({ name, transport: server.handle, clock: systemClock, logger: silentLogger });
  const details = { arithmetic: "karmada", quotas: true } as const;
  const capacity = new CapacityWatch(member, systemClock, silentLogger, details);
  capacity.start();
  await capacity.synced();
  const estimator = new LocalEstimator({
    cluster: (asked) => (asked === name ? capacity.estimated : undefined),
    assumed: true,
  });
  const port = await serve(
    estimatorMethods({ estimator, serves: (asked) => asked === name, served: () => name, clock: systemClock }),
  );
  closers.push(async () => {
    await capacity.stop();
    await server.close();
  });
  return { people, port, estimator };
}

async function addNode(people: KubeClient, name: string, cpu: string): Promise<void> {
  const node = nodeObject(name, { cpu, memory: "16Gi", pods: 10 }, systemClock.now());
  const created = await people.create(node);
  await people.update({ ...created, status: node["status"] }, { subresource: "status" });
  await people.patch({ apiVersion: "v1", kind: "Node", name }, { spec: { taints: null } }, "merge");
}

async function serve(methods: ReadonlyMap<string, GrpcMethod>): Promise<number> {
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    methods,
    clock: systemClock,
    logger: silentLogger,
  });
  closers.push(() => server.close());
  return server.port;
}

async function remoteTo(ports: Readonly<Record<string, number>>, timeoutMs = 3_000): Promise<RemoteEstimators> {
  const remote = new RemoteEstimators({
    timeoutMs,
    resolve: async (cluster) => [`127.0.0.1:${ports[cluster] ?? 1}`],
    tls: () => undefined,
    clock: systemClock,
    logger: silentLogger,
  });
  closers.push(() => remote.close());
  for (const cluster of Object.keys(ports)) remote.add(cluster);
  await eventually(() => expect(Object.keys(ports).filter((cluster) => !remote.has(cluster))).toEqual([]));
  return remote;
}

const ONE_CPU = { resourceRequest: { cpu: "1" } };
const NONE = (): [] => [];
const NEVER = new AbortController().signal;

describe("RemoteEstimators, against the service", () => {
  it("hear what fits on the nodes, and follow their changes", async () => {
    const { people, port } = await startCluster("member1");
    const remote = await remoteTo({ member1: port });
    expect(await remote.replicas(["member1"], ONE_CPU, NONE, "web")).toEqual(new Map([["member1", 8]]));

    await people.create(pod("busy", { nodeName: "node-1" }, "3500m"));
    await eventually(async () =>
      expect(await remote.replicas(["member1"], ONE_CPU, NONE, "web")).toEqual(new Map([["member1", 4]])),
    );
    await people.delete({ apiVersion: "v1", kind: "Node", name: "node-2" });
    await people.delete({ apiVersion: "v1", kind: "Node", name: "node-1" });
    await eventually(async () =>
      expect(await remote.replicas(["member1"], undefined, NONE, "web")).toEqual(new Map([["member1", 0]])),
    );
  });

  it("hear how many sets fit, beside those on their way", async () => {
    const { port } = await startCluster("member1");
    const remote = await remoteTo({ member1: port });
    const components = [{ name: "web", replicas: 2, replicaRequirements: ONE_CPU }];
    const ask = (assumed: () => readonly { namespace: string; components: typeof components }[]) =>
      remote.sets(["member1"], { namespace: "shop", components }, assumed, "web");

    expect(await ask(NONE)).toEqual(new Map([["member1", 4]]));
    expect(await ask(() => [{ namespace: "other", components }])).toEqual(new Map([["member1", 3]]));
  });

  it("count the pods of the newest ReplicaSet that found no node for longer than the threshold", async () => {
    const { people, port, estimator } = await startCluster("member1");
    const remote = await remoteTo({ member1: port });
    const workload = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };
    const deployment = await people.create(workloadObject("Deployment", "web", "v2"));
    const [old, present] = [
      await people.create(workloadObject("ReplicaSet", "web-1", "v1", deployment)),
      await people.create(workloadObject("ReplicaSet", "web-2", "v2", deployment)),
    ];
    await addUnplaced(people, "a", present, 600);
    await addUnplaced(people, "b", present, 600);
    await addUnplaced(people, "c", present, 5);
    await addUnplaced(people, "d", old, 600);
    const ask = (thresholdMs: number) => remote.unschedulable({ cluster: "member1", workload, thresholdMs }, NEVER);

    await eventually(async () => expect(await ask(0)).toBe(3));
    expect(await ask(60_000)).toBe(2);
    expect(await ask(-1)).toBe(3);
    expect(await ask(3_600_000)).toBe(0);
    const request = { cluster: "member1", workload: { ...workload, name: "gone" }, thresholdMs: 3_600_000 };
    await expect(remote.unschedulable(request, NEVER)).rejects.toThrow("there is no Deployment default/gone");
    // In this process nobody is asked where no pod waits.
    expect(await estimator.unschedulable(request, systemClock.now(), { anyway: true, signal: NEVER })).toBe(0);
    await expect(
      remote.unschedulable({ ...request, workload: { ...workload, kind: "StatefulSet" } }, NEVER),
    ).rejects.toMatchObject({ status: "UNKNOWN" });
  });

  it("are told by the service what it cannot answer", async () => {
    const { port } = await startCluster("member1");
    const remote = await remoteTo({ member1: port, other: port });
    const answers = await remote.replicas(["member1", "other"], ONE_CPU, NONE, "web");
    expect(answers.get("member1")).toBe(8);
    expect(answers.get("other")).toMatchObject({
      status: "UNKNOWN",
      message: "cluster name does not match, got: other, desire: member1",
    });
  });
});

describe("RemoteEstimators, when something is wrong", () => {
  const hang: GrpcMethod = () => new Promise(() => {});
  const answering = (bytes: readonly number[]): ReadonlyMap<string, GrpcMethod> =>
    new Map([[METHODS.replicas, async () => Uint8Array.from(bytes)]]);

  it("say for each cluster what it answered, in the time for all together", async () => {
    const ports = {
      good: await serve(answering([0x08, 5])),
      hanging: await serve(new Map([[METHODS.replicas, hang]])),
      garbage: await serve(answering([0xff, 0xff, 0xff])),
      older: await serve(new Map()),
    };
    const remote = await remoteTo(ports, 300);
    const answers = await remote.replicas([...Object.keys(ports), "without"], ONE_CPU, NONE, "web");

    expect(Object.fromEntries(answers)).toEqual({
      good: 5,
      hanging: expect.objectContaining({ status: "DEADLINE_EXCEEDED" }),
      garbage: expect.objectContaining({ name: "ProtobufError" }),
      older: expect.objectContaining({ status: "UNIMPLEMENTED" }),
    });
  });

  it("let a call fail whose cluster goes away meanwhile", async () => {
    const remote = await remoteTo({ member1: await serve(new Map([[METHODS.replicas, hang]])) });
    const asked = remote.replicas(["member1"], ONE_CPU, NONE, "web");
    remote.delete("member1");
    expect((await asked).get("member1")).toMatchObject({ status: "CANCELLED" });
    expect(remote.has("member1")).toBe(false);
    expect(await remote.replicas(["member1"], ONE_CPU, NONE, "web")).toEqual(new Map());
  });

  it("do not count a cluster whose estimator was never found, and find it later", async () => {
    const clock = new FakeClock();
    let port = 1;
    const remote = new RemoteEstimators({
      timeoutMs: 3_000,
      resolve: async () => [`127.0.0.1:${port}`],
      tls: () => undefined,
      clock,
      logger: silentLogger,
    });
    closers.push(() => remote.close());
    remote.add("member1");
    remote.add("member1");
    expect(await remote.replicas(["member1"], ONE_CPU, NONE, "web")).toEqual(new Map());
    const unschedulable = {
      cluster: "member1",
      workload: { apiVersion: "apps/v1", kind: "Deployment", namespace: "", name: "" },
    };
    expect(await remote.unschedulable({ ...unschedulable, thresholdMs: 0 }, NEVER)).toBeUndefined();

    port = await serve(answering([0x08, 5]));
    await eventually(async () => {
      await clock.advance(10_000);
      expect(remote.has("member1")).toBe(true);
    });
  });
});

describe("LocalEstimator", () => {
  it("knows nothing of a cluster before its nodes and pods were listed", async () => {
    const clock = new FakeClock();
    const server = await createApiServer({ name: "member", clock, logger: silentLogger });
    const member = new Member({ name: "member1", transport: server.handle, clock, logger: silentLogger });
    const capacity = new CapacityWatch(member, clock, silentLogger, { arithmetic: "karmada", quotas: false });
    const estimator = new LocalEstimator({ cluster: () => capacity.estimated, assumed: false });
    const request = { cluster: "member1", requirements: ONE_CPU, assumed: [] };
    expect(estimator.replicas(request)).toBeUndefined();

    capacity.start();
    await capacity.synced();
    expect(estimator.replicas(request)).toBe(0);
    await capacity.stop();
    await server.close();
  });

  it("refuses negative replicas of a component", () => {
    const estimator = new LocalEstimator({ cluster: () => undefined, assumed: false });
    const components = [{ name: "web", replicas: -1 }];
    expect(() => estimator.sets({ cluster: "member1", namespace: "", components, assumed: [] })).toThrow(
      expect.objectContaining({ code: "estimate-invalid" }),
    );
  });

  it("has the smaller of what nodes and what quotas of the namespace allow", async () => {
    const { people, estimator } = await startCluster("member1");
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "small", namespace: "default" } };
    await people.create({ ...quota, spec: { hard: { "requests.cpu": "3" } } });
    await people.patch(
      { ...quota, namespace: "default", name: "small" },
      { status: { hard: { "requests.cpu": "3" }, used: { "requests.cpu": "1" } } },
      "merge",
      { subresource: "status" },
    );
    const replicas = (namespace: string): number | undefined =>
      estimator.replicas({ cluster: "member1", requirements: { ...ONE_CPU, namespace }, assumed: [] });

    await eventually(() => expect(replicas("default")).toBe(2));
    expect(replicas("other")).toBe(8);
    expect(replicas("")).toBe(8);
  });
});

function pod(name: string, spec: Record<string, unknown>, cpu: string): KubeObject {
  const containers = [{ name: "c", image: "i", resources: { requests: { cpu } } }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec: { ...spec, containers } };
}

function ownedBy(owner: KubeObject): Record<string, unknown> {
  const { name, uid } = owner.metadata;
  return { ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true }] };
}

function workloadObject(kind: string, name: string, image: string, owner?: KubeObject): KubeObject {
  const labels = { app: "web" };
  const metadata = { name, namespace: "default", labels, ...(owner === undefined ? {} : ownedBy(owner)) };
  const hash = owner === undefined ? {} : { "pod-template-hash": name };
  const template = { metadata: { labels: { ...labels, ...hash } }, spec: { containers: [{ name: "c", image }] } };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata,
    spec: { selector: { matchLabels: { ...labels, ...hash } }, template },
  } as KubeObject;
}

async function addUnplaced(people: KubeClient, name: string, owner: KubeObject, secondsAgo: number): Promise<void> {
  const object = pod(name, {}, "100");
  await people.create({
    ...object,
    metadata: { ...object.metadata, labels: { app: "web" }, ...ownedBy(owner) },
  } as KubeObject);
  const lastTransitionTime = new Date(systemClock.now() - secondsAgo * 1000).toISOString().replace(/\.\d+Z/, "Z");
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", lastTransitionTime }];
  const ref = { apiVersion: "v1", kind: "Pod", namespace: "default", name };
  await people.patch(ref, { status: { phase: "Pending", conditions } }, "merge", { subresource: "status" });
}
