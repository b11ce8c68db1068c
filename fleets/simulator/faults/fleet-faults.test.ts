import { afterEach, describe, expect, it } from "vitest";
import type { Fault } from "../../../api/fleet-faults.ts";
import type { WatchEvent } from "../../../kube/client/kube-client.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ApiResponse } from "../../../kube/client/transport.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { createFleet, type FleetOptions, type SimulatedFleet } from "../simulated-fleet.ts";

const START = Date.UTC(2026, 0, 1);
const member1 = { clusters: ["member1"] };
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: Partial<FleetOptions> = {}): Promise<SimulatedFleet> {
  const fleet = await createFleet({ clusters: 2, pace: "stepped", startMs: START, ...options });
  closers.push(() => fleet.close());
  return fleet;
}

/** Asks a cluster as the control plane does. */
function get(fleet: SimulatedFleet, path: string, cluster = "member1"): Promise<ApiResponse> {
  return fleet.cluster(cluster).transport({ method: "GET", path });
}

async function json(answer: ApiResponse): Promise<Record<string, unknown>> {
  return JSON.parse(Buffer.from(answer.body as Uint8Array).toString("utf8")) as Record<string, unknown>;
}

function deployment(replicas: number, image = "web:1"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
    },
  };
}

const WEB: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };

async function ready(fleet: SimulatedFleet, cluster = "member1"): Promise<number> {
  const { status = {} } = (await fleet.cluster(cluster).client.get(WEB)) as { status?: { readyReplicas?: number } };
  return status.readyReplicas ?? 0;
}

function configMap(name: string): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } };
}

function nodesOf(fleet: SimulatedFleet, cluster = "member1"): KubeObject[] {
  return fleet
    .cluster(cluster)
    .server.state.list("nodes")
    .map(({ object }) => object);
}

function allocatable(node: KubeObject): Record<string, string> {
  return (node["status"] as { allocatable: Record<string, string> }).allocatable;
}

/** A watch of ConfigMaps through the faults, with what it told and how it ended. */
async function watch(fleet: SimulatedFleet, from?: string) {
  const client = new KubeClient(fleet.cluster("member1").transport);
  const events: WatchEvent<KubeObject>[] = [];
  const opened = Promise.withResolvers<void>();
  const resourceVersion = from ?? (await client.list("v1", "ConfigMap")).resourceVersion;
  const watched = { events, end: "open" as string };
  void (async () => {
    try {
      for await (const event of client.watch("v1", "ConfigMap", { resourceVersion, onOpen: () => opened.resolve() }))
        events.push(event);
      watched.end = events.at(-1)?.type === "ERROR" ? "expired" : "ended";
    } catch (error) {
      watched.end = (error as { code?: string }).code ?? String(error);
    }
  })();
  await opened.promise;
  return watched;
}

describe("faults of a fleet", () => {
  it.each<[Fault, string, number, string]>([
    [{ type: "errors", target: member1, status: 503 }, "/version", 503, "ServiceUnavailable"],
    [{ type: "throttle", target: member1, retryAfter: "7s" }, "/version", 429, "TooManyRequests"],
    [{ type: "expired-credentials", target: member1 }, "/version", 401, "Unauthorized"],
  ])("answer in place of the cluster: %o", async (fault, path, status, reason) => {
    const fleet = await start();
    const id = fleet.faults.begin(fault);

    const answer = await get(fleet, path);
    expect(answer.status).toBe(status);
    expect(await json(answer)).toMatchObject({ kind: "Status", code: status, reason });
    if (status === 429) expect(answer.headers["retry-after"]).toBe("7");
    expect((await get(fleet, path, "member2")).status).toBe(200);

    fleet.faults.end(id);
    expect((await get(fleet, path)).status).toBe(200);
  });

  it("fail as many requests of a hundred as they say, the same ones from the same seed", async () => {
    async function story(seed: number): Promise<number[]> {
      const fleet = await start({ seed });
      fleet.faults.begin({ type: "errors", target: member1, percent: 25 });
      const answers: number[] = [];
      for (let i = 0; i < 400; i++) answers.push((await get(fleet, "/version")).status);
      return answers;
    }

    const answers = await story(3);
    const failed = answers.filter((status) => status === 500).length;

    expect(failed).toBeGreaterThan(70);
    expect(failed).toBeLessThan(130);
    expect(await story(3)).toEqual(answers);
  });

  it("delay answers by a distribution", async () => {
    const fleet = await start();
    fleet.faults.begin({ type: "slow", target: member1, latency: { p50: "100ms", p99: "1s" } });
    const times: number[] = [];
    const asking = Array.from({ length: 200 }, async () => {
      await get(fleet, "/version");
      times.push(fleet.clock.now() - START);
    });

    await fleet.clock.advance(60_000);
    await Promise.all(asking);

    times.sort((a, b) => a - b);
    expect(times[100]).toBeGreaterThan(60);
    expect(times[100]).toBeLessThan(160);
    expect(times.at(-1)).toBeGreaterThan(400);
  });

  it("let a group go missing from paths and discovery, and come back", async () => {
    const fleet = await start();
    const aggregated = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };
    const discover = async (): Promise<{ names: string[]; status: number }> => {
      const answer = await fleet.cluster("member1").transport({ method: "GET", path: "/apis", headers: aggregated });
      const { items } = (await json(answer)) as { items: { metadata: { name: string } }[] };
      return { names: items.map(({ metadata }) => metadata.name), status: answer.status };
    };

    const id = fleet.faults.begin({ type: "api-group-missing", target: member1, group: "apps" });
    expect((await get(fleet, "/apis/apps/v1/deployments")).status).toBe(404);
    expect((await get(fleet, "/apis/apps")).status).toBe(404);
    expect((await discover()).names).not.toContain("apps");
    const { groups } = (await json(await get(fleet, "/apis"))) as { groups: { name: string }[] };
    expect(groups.map(({ name }) => name)).not.toContain("apps");
    expect((await get(fleet, "/apis/batch/v1/jobs")).status).toBe(200);

    fleet.faults.end(id);
    expect((await get(fleet, "/apis/apps/v1/deployments")).status).toBe(200);
    expect((await discover()).names).toContain("apps");
  });

  it.each([
    ["reset", "api-unreachable"],
    ["end", "ended"],
    ["expired", "expired"],
  ] as const)("drop watches by %s", async (ending, end) => {
    const fleet = await start();
    const early = await watch(fleet);
    fleet.faults.begin({ type: "watch-drop", target: member1, interval: "10s", ending });
    const late = await watch(fleet);

    // Watches that were open when it began have a lease as well.
    await fleet.clock.advance(16_000);

    expect([early.end, late.end]).toEqual([end, end]);
  });

  it("come and go by their schedule", async () => {
    const fleet = await start();
    fleet.faults.begin({ type: "down", target: member1, at: "10s", for: "5s", every: "20s", times: 2, name: "flap" });
    const isUp = async (): Promise<boolean> =>
      get(fleet, "/version").then(
        () => true,
        () => false,
      );
    const story: boolean[] = [];
    for (let second = 0; second < 60; second += 4) {
      story.push(await isUp());
      await fleet.clock.advance(4_000);
    }

    // Down from 10 to 15 and from 30 to 35.
    expect(story.map((up) => (up ? "+" : "-")).join("")).toBe("+++-++++-++++++");
    expect(fleet.faults.list()).toMatchObject([{ id: "flap", state: "over", strikes: 2 }]);
  });

  it("restore exactly what was when several are there at once", async () => {
    const fleet = await start();
    const before = nodesOf(fleet).map((node) => [node.metadata.name, allocatable(node)]);
    const node = { clusters: ["member1"], nodes: ["*-node-0"] };

    const half = fleet.faults.begin({ type: "capacity-shrink", target: member1, by: { cpu: "50%" } });
    const more = fleet.faults.begin({ type: "capacity-shrink", target: node, by: { cpu: "2", memory: "1Gi" } });
    await fleet.clock.settled();
    expect(nodesOf(fleet).map((each) => allocatable(each)["cpu"])).toEqual(["6", "8", "8"]);
    expect(allocatable(nodesOf(fleet)[0]!)["memory"]).toBe("63Gi");

    fleet.faults.end(half);
    await fleet.clock.settled();
    expect(nodesOf(fleet).map((each) => allocatable(each)["cpu"])).toEqual(["14", "16", "16"]);

    fleet.faults.end(more);
    await fleet.clock.settled();
    expect(nodesOf(fleet).map((each) => [each.metadata.name, allocatable(each)])).toEqual(before);
  });

  it("refuse what contradicts a fault that is there, naming both", async () => {
    const fleet = await start();
    fleet.faults.begin({ type: "down", target: member1, name: "cable" });

    expect(() => fleet.faults.begin({ type: "slow", target: { clusters: ["*"] } })).toThrow(
      "slow-1 contradicts cable (down): cluster member1 cannot both refuse connections and answer late",
    );
    expect(() => fleet.faults.begin({ type: "hang", target: member1, name: "cable" })).toThrow(
      "there is a fault cable already (down); end it first",
    );
    expect(() => fleet.faults.end("cabel")).toThrow("there is no fault cabel; did you mean cable?");

    fleet.faults.end("cable");
    fleet.faults.begin({ type: "slow", target: { clusters: ["*"] } });
  });

  it("part chosen parties only, in both directions", async () => {
    const fleet = await start();
    const reach = (from: "users" | "control-plane" | `cluster:${string}`, to: string): Promise<string> =>
      fleet
        .cluster(to)
        .transportFor(from)({ method: "GET", path: "/version" })
        .then(
          ({ status }) => String(status),
          (error: Error) => error.message.replace(/.*: /, ""),
        );
    const from = ["control-plane", "cluster:member2"];
    fleet.faults.begin({ type: "partition", target: member1, from, mode: "reject", for: "1m" });

    expect(await reach("control-plane", "member1")).toBe("connection refused");
    expect(await reach("cluster:member2", "member1")).toBe("connection refused");
    expect(await reach("cluster:member1", "member2")).toBe("connection refused");
    expect(await reach("users", "member1")).toBe("200");
    expect(await reach("control-plane", "member2")).toBe("200");

    await fleet.clock.advance(60_000);
    expect(await reach("control-plane", "member1")).toBe("200");
  });

  it("part kubelets from their server: nodes become Unknown, and the server answers others", async () => {
    const fleet = await start();
    const target = { clusters: ["member1"], nodes: ["*-node-1"] };
    const readyOf = (): (string | undefined)[] =>
      nodesOf(fleet).map((node) => {
        const { conditions } = node["status"] as { conditions: { type: string; status: string }[] };
        return conditions.find(({ type }) => type === "Ready")?.status;
      });
    await fleet.clock.advance(60_000);

    fleet.faults.begin({ type: "partition", target, from: ["nodes"] });
    await fleet.clock.advance(60_000);
    expect(readyOf()).toEqual(["True", "Unknown", "True"]);
    expect((await get(fleet, "/version")).status).toBe(200);
  });

  it("keep a cluster's agents from a control plane that it is parted from", async () => {
    const fleet = await start();
    const plane = fleet.cluster("member2").server.handle;
    const agent = fleet.cluster("member1").link.outward("control-plane", plane);
    const ask = (): Promise<number> =>
      agent({ method: "GET", path: "/version" }).then(
        ({ status }) => status,
        () => 0,
      );

    const down = fleet.faults.begin({ type: "down", target: member1 });
    expect(await ask()).toBe(200);
    fleet.faults.end(down);

    fleet.faults.begin({ type: "partition", target: member1, from: ["control-plane"], mode: "reject", name: "cut" });
    expect(await ask()).toBe(0);
    fleet.faults.end("cut");
    expect(await ask()).toBe(200);
  });

  it("hold back what a watch would tell behind a partition, until it is over or the client gives up", async () => {
    const fleet = await start();
    const part = (): string => fleet.faults.begin({ type: "partition", target: member1, from: ["control-plane"] });
    const short = await watch(fleet);
    let id = part();

    await fleet.cluster("member1").client.create(configMap("unheard"));
    await fleet.clock.advance(20_000);
    expect(short).toEqual({ events: [], end: "open" });
    fleet.faults.end(id);
    await fleet.clock.settled();
    expect(short.events.map((event) => (event.type === "ERROR" ? event.type : event.object.metadata.name))).toEqual([
      "unheard",
    ]);

    id = part();
    const asking = get(fleet, "/version").catch((error: Error) => error.message);
    await fleet.clock.advance(60_000);
    expect(short.end).toBe("api-unreachable");
    expect(await asking).toBe("no answer to GET /version: i/o timeout");
  });

  it("skew the clock of the control plane", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("member1");
    const id = fleet.faults.begin({ type: "clock-skew", target: member1, by: "-5m" });

    const skewed = await client.create(configMap("skewed"));
    fleet.faults.end(id);
    const right = await client.create(configMap("right"));

    expect(skewed.metadata.creationTimestamp).toBe("2025-12-31T23:55:00Z");
    expect(right.metadata.creationTimestamp).toBe("2026-01-01T00:00:00Z");
  });

  it("put a cluster back to a backup: its objects, its revisions, its controllers", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("member1");
    await client.create(deployment(2));
    await fleet.clock.advance(30_000);
    fleet.faults.begin({ type: "backup", target: member1, name: "nightly" });
    const kept = await client.get(WEB);
    const { resourceVersion: then = "" } = await client.list("v1", "ConfigMap");
    const watched = await watch(fleet);

    await client.patch(WEB, { spec: { replicas: 5 } }, "merge");
    await client.create(configMap("later"));
    await fleet.clock.advance(30_000);
    expect(await ready(fleet)).toBe(5);
    fleet.faults.begin({ type: "restore", target: member1, backup: "nightly" });
    await fleet.clock.settled();

    expect(watched.end).toBe("api-unreachable");
    expect(await client.get(WEB)).toEqual(kept);
    expect(fleet.cluster("member1").server.state.count("pods")).toBe(2);
    expect(Number((await client.list("v1", "ConfigMap")).resourceVersion)).toBeLessThan(Number(then) + 20);
    expect((await client.list("v1", "ConfigMap")).items.map(({ metadata }) => metadata.name)).not.toContain("later");

    await client.patch(WEB, { spec: { replicas: 3 } }, "merge");
    await fleet.clock.advance(30_000);
    expect(await ready(fleet)).toBe(3);
  });

  it("reset revisions, so that what clients remember lies in the future", async () => {
    const fleet = await start();
    const { client, transport } = fleet.cluster("member1");
    for (let i = 0; i < 200; i++)
      await client.apply({ ...configMap(`busy-${i % 5}`), data: { round: String(i) } }, { fieldManager: "busy" });
    const { resourceVersion = "" } = await client.list("v1", "ConfigMap");

    fleet.faults.begin({ type: "revision-reset", target: member1 });
    await fleet.clock.settled();

    const now = await client.list("v1", "ConfigMap");
    expect(Number(now.resourceVersion)).toBeLessThan(Number(resourceVersion));
    expect(now.items.filter(({ metadata }) => metadata.name?.startsWith("busy"))).toHaveLength(5);
    const path = `/api/v1/configmaps?resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`;
    const asking = transport({ method: "GET", path });
    await fleet.clock.advance(5_000);
    expect((await asking).status).toBe(504);
  });

  it("upgrade a cluster node by node and the server first", async () => {
    const fleet = await start({ nodesPerCluster: 3 });
    const cordoned: number[] = [];
    const versions = (): string[] =>
      nodesOf(fleet).map(
        (node) => (node["status"] as { nodeInfo: { kubeletVersion: string } }).nodeInfo.kubeletVersion,
      );

    fleet.faults.begin({ type: "upgrade", target: member1, to: "v1.37.0", nodePause: "30s" });
    await fleet.clock.runUntil(() => {
      cordoned.push(
        nodesOf(fleet).filter((node) => (node["spec"] as { unschedulable?: boolean }).unschedulable).length,
      );
      return fleet.faults.list()[0]?.state === "over";
    }, 3_600_000);

    expect(versions()).toEqual(["v1.37.0", "v1.37.0", "v1.37.0"]);
    expect(Math.max(...cordoned)).toBe(1);
    expect(fleet.clock.now() - START).toBeGreaterThanOrEqual(90_000);
    expect(await json(await get(fleet, "/version"))).toMatchObject({ gitVersion: "v1.37.0", minor: "37" });
    expect(
      nodesOf(fleet).every((node) =>
        Object.keys(node.metadata.annotations ?? {}).every((key) => !key.includes("upgrade")),
      ),
    ).toBe(true);
  });

  it("upgrade a cluster without taking more of a workload away than its budget allows", async () => {
    const fleet = await start({ nodesPerCluster: 3 });
    const { client, server } = fleet.cluster("member1");
    await client.create(deployment(6));
    await client.create({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "web", namespace: "default" },
      spec: { minAvailable: 5, selector: { matchLabels: { app: "web" } } },
    });
    await fleet.clock.advance(30_000);
    const old = new Set(server.state.list("pods").map(({ uid }) => uid));
    const counts: number[] = [];

    fleet.faults.begin({ type: "upgrade", target: member1, to: "v1.37.0", nodePause: "10s" });
    const done = await fleet.clock.runUntil(async () => {
      counts.push(await ready(fleet));
      return fleet.faults.list()[0]?.state === "over";
    }, 3_600_000);
    await fleet.clock.advance(30_000);

    expect(done).toBe(true);
    expect(Math.min(...counts)).toBe(5);
    expect(await ready(fleet)).toBe(6);
    expect(server.state.list("pods").filter(({ uid }) => old.has(uid))).toEqual([]);
  });

  it("go the same way twice from the same seed", async () => {
    async function story(seed: number): Promise<unknown[]> {
      const fleet = await start({ seed, nodesPerCluster: 4 });
      await fleet.cluster("member1").client.create(deployment(4));
      fleet.faults.begin({ type: "node-down", target: member1, count: 2, at: "5s", for: "2m", jitter: "30s" });
      fleet.faults.begin({ type: "backup", target: member1, at: "1m" });
      fleet.faults.begin({ type: "upgrade", target: member1, to: "v1.37.0", at: "3m", nodePause: "5s" });
      fleet.faults.begin({ type: "capacity-shrink", target: member1, by: { cpu: "25%" }, at: "4m", for: "1m" });
      fleet.faults.begin({ type: "restore", target: member1, at: "10m" });
      await fleet.clock.advance(900_000);
      const { state } = fleet.cluster("member1").server;
      return state.resources().flatMap((resource) => state.list(resource).map(({ object }) => object));
    }

    const one = await story(7);

    expect(await story(7)).toEqual(one);
    expect(await story(8)).not.toEqual(one);
  });

  it("leave a cluster without power as it was, and let it go on afterwards", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("member1");
    fleet.faults.begin({ type: "outage", target: member1, for: "10m" });

    await expect(get(fleet, "/version")).rejects.toMatchObject({ code: "api-unreachable" });
    await client.create(deployment(2));
    await fleet.clock.advance(300_000);
    expect(await ready(fleet)).toBe(0);

    await fleet.clock.advance(330_000);
    expect(await ready(fleet)).toBe(2);
    expect((await get(fleet, "/version")).status).toBe(200);
  });

  it("lose as many nodes as told, by the fleet's chance", async () => {
    async function lost(seed: number): Promise<readonly string[]> {
      const fleet = await start({ seed, nodesPerCluster: 10 });
      fleet.faults.begin({ type: "node-down", target: { clusters: ["*"] }, count: 3 });
      const nodes = fleet.faults.list()[0]?.nodes ?? [];
      const { disturbances } = fleet.cluster("member1");
      for (const node of nodes.filter((each) => each.startsWith("member1")))
        expect(disturbances.isNodeDown(node)).toBe(true);
      return nodes;
    }

    expect(await lost(1)).toHaveLength(3);
    expect(await lost(1)).toEqual(await lost(1));
    expect(await lost(2)).not.toEqual(await lost(1));
  });
});
