// A scenario's story is the same however fast its clock runs, and however slow the machine is.
import { afterEach, describe, expect, it } from "vitest";
import { parseFleetScenario } from "../../../api/parse-fleet-scenario.ts";
import type { Pace } from "../clock/virtual-clock.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";
import type { StoryEntry } from "./scenario-player.ts";

const WEB = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3,
      selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}},
      spec: {containers: [{name: web, image: web}]}}}}`;
const READY = "apiVersion: apps/v1, kind: Deployment, name: web, path: .status.readyReplicas";
const SCENARIO = `apiVersion: config.flaghoist.io/v1alpha1
kind: FleetScenario
metadata: {name: paces}
clusters:
  - {names: "east-{number}", count: 2, region: east, nodes: 2}
  - {names: "west-{number}", count: 2, region: west, nodes: 2, network: {latency: {min: 20ms, max: 400ms}}}
behaviours: [{image: "*", startup: 2s, readyAfter: 3s}]
manifests: [{objects: [${WEB}]}]
timeline:
  - at: 4s
    expect: {${READY}, equals: 3, within: 10s}
  - at: 10s
    fault: {type: outage, target: {region: east}, for: 20s}
  - at: 12s
    expect: {target: {region: east}, reachable: false}
  - at: 12s
    expect: {target: {region: west}, reachable: true}
  - at: 15s
    fault: {type: partition, target: {clusters: [west-1]}, from: [control-plane], for: 25s}
  - at: 16s
    expect: {target: {clusters: [west-1]}, reachable: true, within: 60s}
  - at: 20s
    scale: {apiVersion: apps/v1, kind: Deployment, name: web, replicas: 5, target: {region: west}}
  - at: 20s
    expect: {${READY}, equals: 5, within: 30s, target: {region: west}}
  - at: 22s
    fault: {type: node-down, target: {clusters: [west-2]}, count: 1}
  - at: 90s
    every: 10s
    times: 3
    jitter: 4s
    delete: {apiVersion: v1, kind: Pod, name: nothing}
  - at: 2m
    expect: {apiVersion: v1, kind: Node, path: ".status.conditions[?(@.type=='Ready')].status", equals: "True"}
`;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(pace: Pace): Promise<SimulatedFleet> {
  const scenario = parseFleetScenario(SCENARIO, "fleet.yaml");
  const fleet = await createFleet({ scenario, pace, startMs: Date.UTC(2026, 0, 1) });
  closers.push(() => fleet.close());
  return fleet;
}

/** Resolves when a clock that runs by itself has come so far. */
async function passed(fleet: SimulatedFleet, ms: number): Promise<void> {
  await new Promise<void>((resolve) => void fleet.clock.after(ms, resolve));
}

async function storyAt(pace: Pace): Promise<readonly StoryEntry[]> {
  const fleet = await start(pace);
  const forMs = fleet.scenario?.durationMs ?? 0;
  if (pace === "stepped") await fleet.clock.advance(forMs);
  else await passed(fleet, forMs);
  return fleet.scenario?.story ?? [];
}

describe("the story of a scenario", () => {
  it.each<[Pace]>([[60], [1_000], [100_000], [Number.POSITIVE_INFINITY]])(
    "is the same at pace %d as step by step",
    async (pace) => {
      const stepped = await storyAt("stepped");

      expect(stepped.filter(({ isExpectation }) => isExpectation)).toHaveLength(6);
      expect(await storyAt(pace)).toEqual(stepped);
    },
    60_000,
  );

  it("is the same whatever is asked from outside meanwhile", async () => {
    const fleet = await start(1_000);
    const end = passed(fleet, fleet.scenario?.durationMs ?? 0);
    let isOver = false;
    void end.then(() => {
      isOver = true;
    });
    let asked = 0;
    while (!isOver) {
      for (const { client } of fleet.clusters.values()) {
        const { items } = await client.list("v1", "Pod");
        asked += items.length;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(asked).toBeGreaterThan(0);
    expect(fleet.scenario?.story).toEqual(await storyAt("stepped"));
  }, 60_000);
});
