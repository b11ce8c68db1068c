import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseFleetScenario } from "../../../api/parse-fleet-scenario.ts";
import { createFleet, type FleetOptions, type SimulatedFleet } from "../simulated-fleet.ts";
import { loadFleetScenario } from "./load-scenario.ts";

const HEAD = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: test}
clusters:
  - {name: a, region: east, provider: aws, zones: [east-1, east-2], nodes: 2, labels: {tier: one}}
  - names: "b-{number}"
    count: 2
    region: west
    kubernetesVersion: v1.35.1
    nodePools:
      - name: big
        count: 1
        resources: {cpu: 32, nvidia.com/gpu: 2}
        allocatable: {cpu: 31500m}
        labels: {size: big}
        taints: [{key: big, effect: NoSchedule}]
`;
const SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {x: one}}";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(text: string, options: Partial<FleetOptions> = {}): Promise<SimulatedFleet> {
  const scenario = parseFleetScenario(`${HEAD}${text}`, "fleet.yaml");
  const fleet = await createFleet({ scenario, pace: "stepped", ...options });
  closers.push(() => fleet.close());
  return fleet;
}

function told(fleet: SimulatedFleet): string[] {
  return (fleet.scenario?.story ?? []).map(
    ({ atMs, words, problem }) => `${atMs / 1000}s ${words}${problem === undefined ? "" : `: ${problem}`}`,
  );
}

async function settings(fleet: SimulatedFleet, cluster: string): Promise<unknown> {
  const found = await fleet
    .cluster(cluster)
    .client.find({ apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "settings" });
  return found?.["data"];
}

describe("a fleet of a scenario", () => {
  it("has its clusters and nodes as the scenario says", async () => {
    const fleet = await start("");

    expect([...fleet.clusters.keys()]).toEqual(["a", "b-1", "b-2"]);
    const { items: nodes } = await fleet.cluster("a").client.list("v1", "Node");
    expect(nodes.map(({ metadata }) => metadata.labels?.["topology.kubernetes.io/zone"])).toEqual(["east-1", "east-2"]);
    const { items: big } = await fleet.cluster("b-2").client.list("v1", "Node");
    expect(big).toMatchObject([
      {
        metadata: { name: "b-2-big-0", labels: { size: "big", "topology.kubernetes.io/region": "west" } },
        spec: { taints: [{ key: "big", effect: "NoSchedule" }] },
        status: {
          capacity: { cpu: "32", "nvidia.com/gpu": "2" },
          allocatable: { cpu: "31500m" },
          nodeInfo: { kubeletVersion: "v1.35.1" },
        },
      },
    ]);
  });

  it("has its manifests before its time begins", async () => {
    const fleet = await start(`manifests: [{target: {region: west}, objects: [${SETTINGS}]}]\n`);

    expect(await settings(fleet, "b-1")).toEqual({ x: "one" });
    expect(await settings(fleet, "a")).toBeUndefined();
    expect(fleet.clock.now()).toBe(fleet.scenario?.startMs);
  });

  it("takes its objects from files beside it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "scenario-"));
    writeFileSync(join(folder, "settings.yaml"), `${SETTINGS}\n`);
    writeFileSync(join(folder, "fleet.yaml"), `${HEAD}manifests: [{files: [settings.yaml]}]\n`);

    const fleet = await createFleet({ scenario: await loadFleetScenario(join(folder, "fleet.yaml")), pace: "stepped" });
    closers.push(() => fleet.close());

    expect(await settings(fleet, "a")).toEqual({ x: "one" });
  });

  it("begins clusters as a snapshot has them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "scenario-"));
    const apiVersion = "config.flaghoist.io/v1alpha1";
    const metadata = { name: "settings", namespace: "default", uid: "11111111-2222-4333-8444-555555555555" };
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "real-1", uid: "66666666-2222-4333-8444-555555555555" },
    };
    const lines = [
      { apiVersion, kind: "FleetSnapshot", format: 1, flaghoist: "0.1.0", takenAt: "2026-01-01T00:00:00Z" },
      { source: "cluster", name: "prod" },
      { plural: "configmaps", object: { apiVersion: "v1", kind: "ConfigMap", metadata, data: { x: "real" } } },
      { plural: "nodes", object: node },
      { end: { sources: 1, objects: 2 } },
    ];
    writeFileSync(join(folder, "real.snapshot"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const head = `apiVersion: ${apiVersion}\nkind: FleetScenario\nmetadata: {name: x}\n`;
    writeFileSync(join(folder, "fleet.yaml"), `${head}clusters: [{name: prod, snapshot: real.snapshot}]\n`);
    writeFileSync(join(folder, "bad.yaml"), `${head}clusters: [{name: prod2, snapshot: real.snapshot}]\n`);

    const fleet = await createFleet({ scenario: await loadFleetScenario(join(folder, "fleet.yaml")), pace: "stepped" });
    closers.push(() => fleet.close());

    expect(await settings(fleet, "prod")).toEqual({ x: "real" });
    const { items: nodes } = await fleet.cluster("prod").client.list("v1", "Node");
    expect(nodes.map(({ metadata: { name } }) => name)).toEqual(["real-1"]);
    await expect(loadFleetScenario(join(folder, "bad.yaml"))).rejects.toThrow(
      'clusters[0].snapshot: real.snapshot has nothing of a cluster "prod2". Did you mean prod?',
    );
  });

  it("does not start when a cluster refuses an object", async () => {
    const lost = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: nowhere}}";

    const started = start(`manifests: [{objects: [${lost}]}]\n`);

    await expect(started).rejects.toThrow(/manifests\[0\]: a: .*namespaces "nowhere" not found/);
  });

  it("has no other clusters than those of the scenario", async () => {
    await expect(start("", { clusters: 2 })).rejects.toThrow("the scenario says which clusters there are");
  });

  it("begins at a steady time on a clock that is moved by hand, and where the scenario says", async () => {
    expect((await start("")).clock.now()).toBe(Date.UTC(2026, 0, 1));
    expect((await start("clock: {start: '2030-05-01T12:00:00+02:00'}\n")).clock.now()).toBe(Date.UTC(2030, 4, 1, 10));
  });
});

describe("the timeline of a fleet", () => {
  it("is played in the order of time", async () => {
    const fleet = await start(`timeline:
  - {at: 5s, comment: hello}
  - {at: 10s, apply: {target: {clusters: [a]}, objects: [${SETTINGS}]}}
  - {at: 15s, patch: {target: {clusters: [a]}, apiVersion: v1, kind: ConfigMap, name: settings, patch: {data: {x: two}}}}
  - {at: 20s, delete: {apiVersion: v1, kind: ConfigMap, name: settings}}
`);

    await fleet.clock.advance(12_000);
    expect(await settings(fleet, "a")).toEqual({ x: "one" });
    await fleet.clock.advance(5_000);
    expect(await settings(fleet, "a")).toEqual({ x: "two" });
    await fleet.clock.advance(5_000);
    expect(await settings(fleet, "a")).toBeUndefined();
    expect(told(fleet)).toEqual([
      "5s hello",
      "10s applied ConfigMap settings",
      "15s changed ConfigMap settings",
      "20s deleted ConfigMap settings",
    ]);
  });

  it("repeats steps until their time or number is over, each time up to the jitter later", async () => {
    const fleet = await start(`timeline:
  - {at: 10s, every: 20s, times: 2, comment: twice}
  - {at: 10s, every: 20s, until: 55s, comment: until}
  - {at: 30m, every: 10m, times: 3, jitter: 5m, comment: late}
`);

    await fleet.clock.advance(2 * 3_600_000);

    const times = (words: string) =>
      (fleet.scenario?.story ?? []).filter((entry) => entry.words === words).map(({ atMs }) => atMs / 1000);
    expect(times("twice")).toEqual([10, 30]);
    expect(times("until")).toEqual([10, 30, 50]);
    const late = times("late").map((at, number) => at - 1800 - number * 600);
    expect(late).toHaveLength(3);
    expect(late.every((seconds) => seconds >= 0 && seconds < 300)).toBe(true);
    expect(late.some((seconds) => seconds > 0)).toBe(true);
  });

  it("begins faults, and ends them by their name", async () => {
    const fleet = await start(`timeline:
  - {at: 10s, fault: {type: down, name: cut, target: {clusters: [a]}}}
  - {at: 20s, end: cut}
  - {at: 30s, every: 1m, fault: {type: hang, name: again, target: {clusters: [b-1]}, for: 30s}}
  - {at: 2m, end: again}
`);
    const states = () => fleet.faults.list().map(({ id, state }) => `${id} ${state}`);

    await fleet.clock.advance(15_000);
    expect(states()).toEqual(["cut active", "again waiting"]);
    await fleet.clock.advance(10_000);
    expect(states()).toEqual(["cut over", "again waiting"]);
    await fleet.clock.advance(120_000);
    expect(states()).toEqual(["cut over", "again over"]);
  });

  it("goes on when a step cannot be taken, and says so", async () => {
    const fleet = await start(`timeline:
  - {at: 1s, scale: {target: {clusters: [a]}, apiVersion: apps/v1, kind: Deployment, name: web, replicas: 2}}
  - {at: 2s, comment: next}
`);

    await fleet.clock.advance(5_000);

    expect(told(fleet)).toEqual([
      expect.stringMatching(/^1s scaled Deployment web to 2: a: .*"web" not found/),
      "2s next",
    ]);
    expect(fleet.scenario?.problems).toHaveLength(1);
  });

  it("looks at what is expected until it is so, or its time is over", async () => {
    const fleet = await start(`timeline:
  - {at: 1s, expect: {apiVersion: v1, kind: ConfigMap, name: settings, equals: 1, within: 1m}}
  - {at: 1s, expect: {apiVersion: v1, kind: Node, equals: 9, each: false, within: 10s}}
  - {at: 30s, apply: {objects: [${SETTINGS}]}}
`);

    await fleet.clock.advance(5_000);
    expect(fleet.scenario?.openExpectations).toBe(2);
    await fleet.clock.advance(60_000);

    expect(fleet.scenario?.openExpectations).toBe(0);
    expect(told(fleet)).toEqual([
      "11s expected Node: in all clusters together: the number of Node is 4, not 9",
      "30s applied ConfigMap settings",
      expect.stringMatching(/^3\d(\.\d+)?s expected ConfigMap settings$/),
    ]);
  });

  it("knows which clusters can be reached, also over links that take time", async () => {
    const fleet = await start(`timeline:
  - {at: 1s, fault: {type: hang, target: {clusters: [a]}}}
  - {at: 1s, fault: {type: slow, target: {clusters: [b-1]}, latency: {fixed: 3s}}}
  - {at: 2s, expect: {target: {clusters: [a]}, reachable: false}}
  - {at: 2s, expect: {target: {region: west}, reachable: true}}
`);

    await fleet.clock.advance(60_000);

    expect(fleet.scenario?.problems).toEqual([]);
    expect(fleet.scenario?.openExpectations).toBe(0);
  });
});
