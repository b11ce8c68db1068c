import { describe, expect, it } from "vitest";
import { KubeClient } from "../kube/client/kube-client.ts";
import type { ResourceInfo } from "../kube/client/rest-mapper.ts";
import type { ApiResponse, Transport } from "../kube/client/transport.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { eventually } from "../test/e2e/support/eventually.ts";
import { createApiServer } from "./apiserver/server.ts";
import { CapacityWatch } from "./capacity-watch.ts";
import { apiEnablements, enablementsOf, type NodeFacts, type PodFacts, probe, summarize } from "./cluster-status.ts";
import { Member } from "./member.ts";
import { FaultyTransport } from "./simulator/faults/faulty-transport.ts";

function memberOf(transport: Transport): Member {
  return new Member({ name: "paris-1", transport, clock: new FakeClock(), logger: silentLogger });
}

function answering(statuses: Readonly<Record<string, number>>): Transport {
  return async ({ path }): Promise<ApiResponse> => ({
    status: statuses[path] ?? 404,
    headers: {},
    body: new Uint8Array(),
  });
}

describe("probe", () => {
  it.each<[string, Record<string, number>, string]>([
    ["ready", { "/readyz": 200 }, "healthy"],
    ["not ready", { "/readyz": 500 }, "unhealthy"],
    ["forbidden to ask", { "/readyz": 403 }, "unhealthy"],
    ["old, and well", { "/healthz": 200 }, "healthy"],
    ["old, and not well", { "/healthz": 503 }, "unhealthy"],
    ["without any health end point", {}, "unhealthy"],
  ])("takes a server that is %s for what it is", async (_what, statuses, expected) => {
    expect(await probe(memberOf(answering(statuses)), new AbortController().signal)).toBe(expected);
  });

  it("takes one that does not answer for offline, whether it refuses or hangs", async () => {
    const faulty = new FaultyTransport(answering({ "/readyz": 200 }), new FakeClock());
    faulty.setFault("down");
    expect(await probe(memberOf(faulty.send), new AbortController().signal)).toBe("offline");

    faulty.setFault("hang");
    const abort = new AbortController();
    const seen = probe(memberOf(faulty.send), abort.signal);
    abort.abort(new Error("the time is up"));
    expect(await seen).toBe("offline");
  });
});

describe("summarize", () => {
  const node = (cpu: string, memory: string, ready = true): NodeFacts => ({
    ready,
    allocatable: { cpu, memory, pods: "110" },
  });
  const pod = (bound: boolean, cpu?: string, finished = false): PodFacts => ({
    bound,
    finished,
    requests: cpu === undefined ? {} : { cpu },
  });

  it("adds up all nodes, ready or not", () => {
    const { nodeSummary, resourceSummary } = summarize([node("1500m", "1Gi"), node("2", "1536Mi", false)], []);

    expect(nodeSummary).toEqual({ totalNum: 2, readyNum: 1 });
    expect(resourceSummary?.allocatable).toEqual({ cpu: "3500m", memory: "2560Mi", pods: "220" });
  });

  it("counts bound pods that have not ended as allocated, and those without a node as allocating", () => {
    const { resourceSummary } = summarize(
      [],
      [pod(true, "100m"), pod(true, "400m"), pod(true, "1", true), pod(true), pod(false, "2"), pod(false, "1", true)],
    );

    expect(resourceSummary?.allocated).toEqual({ cpu: "500m", pods: "3" });
    expect(resourceSummary?.allocating).toEqual({ cpu: "3", pods: "2" });
  });

  it("is empty for an empty cluster", () => {
    expect(summarize([], [])).toEqual({
      nodeSummary: { totalNum: 0, readyNum: 0 },
      resourceSummary: { allocatable: {}, allocated: { pods: "0" }, allocating: { pods: "0" } },
    });
  });
});

describe("CapacityWatch", () => {
  it("follows nodes and pods, and keeps of them only numbers", async () => {
    const clock = new FakeClock();
    const server = await createApiServer({ name: "member", clock, logger: silentLogger });
    const people = new KubeClient(server.handle);
    const capacity = new CapacityWatch(memberOf(server.handle), clock, silentLogger);
    expect(capacity.summary()).toBeUndefined();
    capacity.start();
    await capacity.synced();
    expect(capacity.summary()?.nodeSummary).toEqual({ totalNum: 0, readyNum: 0 });

    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } };
    await people.create(node);
    await people.patch(
      { ...node, name: "node-1" },
      { status: { allocatable: { cpu: "4" }, conditions: [{ type: "Ready", status: "True" }] } },
      "merge",
      { subresource: "status" },
    );
    await people.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "default" },
      spec: {
        nodeName: "node-1",
        initContainers: [{ name: "init", image: "i", resources: { requests: { cpu: "700m", memory: "10Mi" } } }],
        containers: [
          { name: "a", image: "i", resources: { requests: { cpu: "250m", memory: "64Mi" } } },
          { name: "b", image: "i", resources: { requests: { cpu: "250m" } } },
        ],
      },
    });

    await eventually(() =>
      expect(capacity.summary()).toEqual({
        nodeSummary: { totalNum: 1, readyNum: 1 },
        resourceSummary: {
          allocatable: { cpu: "4" },
          // The largest init container asks for more processor than the containers together.
          allocated: { cpu: "700m", memory: "64Mi", pods: "1" },
          allocating: { pods: "0" },
        },
      }),
    );
    const models = [
      { grade: 0, ranges: [{ name: "cpu", min: "0", max: "3300m" }] },
      { grade: 1, ranges: [{ name: "cpu", min: "3300m", max: "4" }] },
      { grade: 2, ranges: [{ name: "cpu", min: "4", max: "9" }] },
    ];
    const grades = () => capacity.summary(models)?.resourceSummary?.allocatableModelings;
    const places = { status: { allocatable: { cpu: "4", pods: "10" } } };
    await people.patch({ ...node, name: "node-1" }, places, "merge", { subresource: "status" });
    await eventually(() =>
      expect(grades()).toEqual([
        { grade: 0, count: 0 },
        { grade: 1, count: 1 },
        { grade: 2, count: 0 },
      ]),
    );
    const pod = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web" };
    await people.patch(pod, { status: { phase: "Succeeded" } }, "merge", { subresource: "status" });
    await eventually(() => expect(grades()?.at(2)).toEqual({ grade: 2, count: 1 }));
    expect(capacity.summary()?.resourceSummary).not.toHaveProperty("allocatableModelings");
    await capacity.stop();
    await server.close();
  });
});

describe("enablementsOf", () => {
  const info = (group: string, plural: string): ResourceInfo => ({
    group,
    version: "v1",
    kind: plural,
    plural,
    namespaced: true,
    verbs: [],
    shortNames: [],
    singular: "",
    categories: [],
    subresources: [],
    preferred: true,
  });
  const resources = [info("apps", "deployments"), info("metrics.k8s.io", "pods")];
  const before = [{ groupVersion: "batch/v1", resources: [] }];

  it("are complete when everything was told", () => {
    const { apiEnablements: list, condition } = enablementsOf({ resources, stale: [] }, before);

    expect(list.map(({ groupVersion }) => groupVersion)).toEqual(["apps/v1", "metrics.k8s.io/v1"]);
    expect(condition).toMatchObject({ type: "CompleteAPIEnablements", status: "True", reason: "Complete" });
  });

  it("are partial, without the APIs of servers that do not answer", () => {
    const { apiEnablements: list, condition } = enablementsOf({ resources, stale: ["metrics.k8s.io/v1"] }, before);

    expect(list.map(({ groupVersion }) => groupVersion)).toEqual(["apps/v1"]);
    expect(condition).toMatchObject({
      status: "False",
      reason: "Partial",
      message: "might collect partial APIEnablements(1) from the cluster",
    });
  });

  it("stay what they were, as partial, when nothing was told", () => {
    expect(enablementsOf(undefined, before)).toMatchObject({
      apiEnablements: before,
      condition: { status: "False", reason: "Partial" },
    });
    expect(enablementsOf(undefined, []).condition).toMatchObject({ status: "False", reason: "Empty" });
  });
});

describe("apiEnablements", () => {
  it("lists group versions and their resources in order", () => {
    const info = (group: string, version: string, kind: string, plural: string): ResourceInfo => ({
      group,
      version,
      kind,
      plural,
      namespaced: true,
      verbs: [],
      shortNames: [],
      singular: "",
      categories: [],
      subresources: ["status"],
      preferred: true,
    });

    expect(
      apiEnablements([
        info("", "v1", "Service", "services"),
        info("", "v1", "Pod", "pods"),
        info("apps", "v1", "Deployment", "deployments"),
      ]),
    ).toEqual([
      { groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] },
      {
        groupVersion: "v1",
        resources: [
          { kind: "Pod", name: "pods" },
          { kind: "Service", name: "services" },
        ],
      },
    ]);
  });
});
