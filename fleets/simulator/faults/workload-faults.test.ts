// What faults do to the workloads of a whole fleet, and how these come back when they end.
import { afterEach, describe, expect, it } from "vitest";
import { parseFleetScenario } from "../../../api/parse-fleet-scenario.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { SimulatedFleet } from "../simulated-fleet.ts";
import { closeFleets, deployment, get, json, member1, nodesOf, ready, start, WEB } from "./test-fleet.ts";

afterEach(closeFleets);

interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  readonly containerStatuses?: readonly {
    readonly restartCount: number;
    readonly state: { readonly waiting?: { readonly reason: string } };
    readonly lastState: { readonly terminated?: { readonly exitCode: number } };
  }[];
}

function pods(fleet: SimulatedFleet, cluster = "member1"): { readonly node: string | undefined; status: PodStatus }[] {
  return fleet
    .cluster(cluster)
    .server.state.list("pods")
    .map(({ object }) => ({
      node: (object["spec"] as { nodeName?: string }).nodeName,
      status: object["status"] as PodStatus,
    }));
}

/** Why the first container of each Pod waits. */
function waits(fleet: SimulatedFleet): (string | undefined)[] {
  return pods(fleet).map(({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason);
}

function readyNodes(fleet: SimulatedFleet, cluster = "member1"): (string | undefined)[] {
  return nodesOf(fleet, cluster).map((node) => {
    const { conditions } = node["status"] as { conditions: { type: string; status: string }[] };
    return conditions.find(({ type }) => type === "Ready")?.status;
  });
}

function taints(fleet: SimulatedFleet, cluster = "member1"): string[] {
  return nodesOf(fleet, cluster).flatMap((node) =>
    ((node["spec"] as { taints?: { key: string; effect: string }[] }).taints ?? []).map(
      ({ key, effect }) => `${node.metadata.name} ${key.replace("node.kubernetes.io/", "")}:${effect}`,
    ),
  );
}

/** How long a Deployment of the fleet's first cluster takes until all of it is ready. */
async function timeToReady(fleet: SimulatedFleet, object: KubeObject, replicas: number): Promise<number> {
  const begin = fleet.clock.now();
  await fleet.cluster("member1").client.create(object);
  expect(await fleet.clock.runUntil(async () => (await ready(fleet)) === replicas, 600_000)).toBe(true);
  return fleet.clock.now() - begin;
}

describe("faults of workloads in a fleet", () => {
  it("slow disks make containers start late, and only where they are slow", async () => {
    const usual = await timeToReady(await start(), deployment(3), 3);
    const slow = await start();
    const id = slow.faults.begin({ type: "slow-disk", target: member1, factor: 50 });
    expect(await timeToReady(slow, deployment(3), 3)).toBeGreaterThan(20 * usual);

    slow.faults.end(id);
    const { client } = slow.cluster("member1");
    await client.delete(WEB);
    await slow.clock.advance(60_000);
    expect(await timeToReady(slow, deployment(3), 3)).toBe(usual);

    const partly = await start();
    const target = { clusters: ["member1"], nodes: ["*-node-0"] };
    partly.faults.begin({ type: "slow-disk", target, factor: 1_000 });
    await partly.cluster("member1").client.create(deployment(3));
    await partly.clock.advance(30_000);
    const late = pods(partly).filter(({ status }) => status.phase !== "Running");
    expect(late.map(({ node }) => node)).toEqual(["member1-node-0"]);
  });

  it("a crash loop restarts containers with a growing pause, and ends with it", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("member1");
    const id = fleet.faults.begin({ type: "crash-loop", target: member1, images: ["web:*"] });
    await client.create(deployment(2));
    await fleet.clock.advance(120_000);

    expect(await ready(fleet)).toBe(0);
    expect(waits(fleet)).toEqual(["CrashLoopBackOff", "CrashLoopBackOff"]);
    for (const { status } of pods(fleet)) {
      expect(status.containerStatuses?.[0]?.restartCount).toBeGreaterThan(2);
      expect(status.containerStatuses?.[0]?.lastState.terminated?.exitCode).not.toBe(0);
    }

    fleet.faults.end(id);
    await fleet.clock.advance(300_000);
    expect(await ready(fleet)).toBe(2);
    expect(waits(fleet)).toEqual([undefined, undefined]);
  });

  it("images that cannot be pulled hold back what starts, and nothing that runs", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("member1");
    await client.create(deployment(2));
    await fleet.clock.advance(30_000);

    const id = fleet.faults.begin({ type: "image-pull-failure", target: member1, images: ["*:2"] });
    await client.patch(WEB, deployment(2, "web:2"), "merge");
    await fleet.clock.advance(120_000);
    expect(await ready(fleet)).toBe(2);
    expect(waits(fleet).filter((reason) => reason !== undefined)).toEqual(["ImagePullBackOff"]);

    fleet.faults.end(id);
    await fleet.clock.advance(300_000);
    expect(await client.get(WEB)).toMatchObject({ status: { updatedReplicas: 2, readyReplicas: 2, replicas: 2 } });
  });

  it("an unhealthy server says so, and does everything", async () => {
    const fleet = await start();
    const id = fleet.faults.begin({ type: "unhealthy", target: member1, check: "poststarthook/x" });

    for (const path of ["/readyz", "/healthz"]) {
      const answer = await get(fleet, path);
      expect(answer.status).toBe(500);
      expect(Buffer.from(answer.body as Uint8Array).toString("utf8")).toContain("[-]poststarthook/x failed");
    }
    expect((await get(fleet, "/readyz", "member2")).status).toBe(200);
    expect(await json(await get(fleet, "/api/v1/nodes"))).toMatchObject({ kind: "NodeList" });
    await timeToReady(fleet, deployment(2), 2);

    fleet.faults.end(id);
    expect((await get(fleet, "/readyz")).status).toBe(200);
  });

  it("kubelets that are cut off make their nodes Unknown; afterwards they are Ready and without taints", async () => {
    const fleet = await start();
    const target = { clusters: ["member1"], nodes: ["*-node-1"] };
    await fleet.cluster("member1").client.create(deployment(3));
    await fleet.clock.advance(60_000);

    fleet.faults.begin({ type: "partition", target, from: ["nodes"], for: "2m" });
    await fleet.clock.advance(90_000);
    expect(readyNodes(fleet)).toEqual(["True", "Unknown", "True"]);
    expect(taints(fleet)).toEqual(
      expect.arrayContaining(["member1-node-1 unreachable:NoSchedule", "member1-node-1 unreachable:NoExecute"]),
    );
    expect(await ready(fleet)).toBe(2);

    await fleet.clock.advance(60_000);
    expect(readyNodes(fleet)).toEqual(["True", "True", "True"]);
    expect(taints(fleet)).toEqual([]);
    expect(await ready(fleet)).toBe(3);
  });

  it("shrunken nodes keep what runs there and take nothing more until they are as before", async () => {
    const fleet = await start({ nodesPerCluster: 2 });
    const { client } = fleet.cluster("member1");
    const large = deployment(4);
    const { template } = large["spec"] as { template: { spec: { containers: Record<string, unknown>[] } } };
    template.spec.containers[0]!["resources"] = { requests: { cpu: "4" } };
    await client.create(large);
    await fleet.clock.advance(30_000);
    expect(await ready(fleet)).toBe(4);

    const id = fleet.faults.begin({ type: "capacity-shrink", target: member1, by: { cpu: "75%" } });
    await client.patch(WEB, { spec: { replicas: 6 } }, "merge");
    await fleet.clock.advance(120_000);
    expect(await ready(fleet)).toBe(4);
    const pending = pods(fleet).filter(({ node }) => node === undefined);
    expect(pending).toHaveLength(2);
    for (const { status } of pending) {
      expect(status.phase).toBe("Pending");
      expect(status.conditions).toContainEqual(expect.objectContaining({ reason: "Unschedulable", status: "False" }));
    }

    fleet.faults.end(id);
    await fleet.clock.advance(60_000);
    expect(await ready(fleet)).toBe(6);
  });
});

const PLACES = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: places}
clusters:
  - {name: tokyo, region: asia, provider: aws, zones: [asia-a, asia-b], nodes: 4}
  - {name: osaka, region: asia, provider: gcp, zones: [asia-b], nodes: 2}
  - {name: paris, region: europe, provider: gcp, zones: [europe-a], nodes: 2}
`;

describe("an outage in a fleet", () => {
  async function places(): Promise<SimulatedFleet> {
    const fleet = await start({ scenario: parseFleetScenario(PLACES, "fleet.yaml") });
    await fleet.clock.advance(60_000);
    return fleet;
  }

  async function reachable(fleet: SimulatedFleet): Promise<string[]> {
    const names: string[] = [];
    for (const name of fleet.clusters.keys()) {
      const answers = await get(fleet, "/version", name).then(
        () => true,
        () => false,
      );
      if (answers) names.push(name);
    }
    return names;
  }

  it.each([
    [{ region: "asia" }, ["paris"]],
    [{ provider: "gcp" }, ["tokyo"]],
    [{ region: "asia", provider: "gcp" }, ["tokyo", "paris"]],
  ])("of %o takes the clusters there, until it is over", async (target, left) => {
    const fleet = await places();
    fleet.faults.begin({ type: "outage", target, for: "10m" });
    await fleet.clock.advance(300_000);
    expect(await reachable(fleet)).toEqual(left);

    await fleet.clock.advance(420_000);
    expect(await reachable(fleet)).toEqual(["tokyo", "osaka", "paris"]);
    for (const name of fleet.clusters.keys())
      expect(readyNodes(fleet, name).every((status) => status === "True")).toBe(true);
  });

  it("of a zone takes the nodes there, and clusters that are nowhere else", async () => {
    const fleet = await places();
    await fleet.cluster("tokyo").client.create(deployment(4));
    await fleet.clock.advance(30_000);
    fleet.faults.begin({ type: "outage", target: { zone: "asia-b" }, for: "10m" });
    await fleet.clock.advance(120_000);

    expect(await reachable(fleet)).toEqual(["tokyo", "paris"]);
    const inZone = nodesOf(fleet, "tokyo").map(
      ({ metadata }) => metadata.labels?.["topology.kubernetes.io/zone"] === "asia-b",
    );
    expect(readyNodes(fleet, "tokyo")).toEqual(inZone.map((isThere) => (isThere ? "Unknown" : "True")));
    expect(readyNodes(fleet, "paris")).toEqual(["True", "True"]);

    await fleet.clock.advance(600_000);
    expect(await reachable(fleet)).toEqual(["tokyo", "osaka", "paris"]);
    expect(readyNodes(fleet, "tokyo")).toEqual(["True", "True", "True", "True"]);
    expect(await ready(fleet, "tokyo")).toBe(4);
  });
});
