import { afterEach, describe, expect, it } from "vitest";
import type { Fault } from "../../../api/fleet-faults.ts";
import {
  allocatable,
  closeFleets,
  configMap,
  deployment,
  get,
  json,
  member1,
  nodesOf,
  ready,
  START,
  start,
  watch,
} from "./test-fleet.ts";

afterEach(closeFleets);

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
