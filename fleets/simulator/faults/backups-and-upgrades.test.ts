import { afterEach, describe, expect, it } from "vitest";
import {
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
  WEB,
  watch,
} from "./test-fleet.ts";

afterEach(closeFleets);

describe("backups and upgrades in a fleet", () => {
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
});
