// The scenarios of examples/fleets, played from beginning to end. What each is about is in its own expectations.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringifyJson } from "../../../kube/json.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";
import { loadFleetScenario } from "./load-scenario.ts";

const FOLDER = join(import.meta.dirname, "../../../examples/fleets");
const EXAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
/** Ten fleets in a process that others share. */
const LONG = 120_000;

/** Of what is about an example only, beside its expectations. */
const SHAPES: Readonly<Record<string, { readonly clusters: number; readonly nodes: number }>> = {
  "three-clusters.yaml": { clusters: 3, nodes: 8 },
  "active-active.yaml": { clusters: 4, nodes: 16 },
  "edge-bad-links.yaml": { clusters: 40, nodes: 40 },
  "hundred-clusters.yaml": { clusters: 100, nodes: 300 },
  "provider-outage.yaml": { clusters: 6, nodes: 12 },
  "zone-loss-in-rollout.yaml": { clusters: 1, nodes: 6 },
  "region-upgrade.yaml": { clusters: 3, nodes: 12 },
  "old-backup.yaml": { clusters: 2, nodes: 6 },
  "batch-gpu.yaml": { clusters: 2, nodes: 6 },
  "flapping.yaml": { clusters: 3, nodes: 6 },
};

async function play<T>(
  name: string,
  options: { readonly seed?: number; readonly forMs?: number },
  look: (fleet: SimulatedFleet) => T,
): Promise<T> {
  const scenario = await loadFleetScenario(join(FOLDER, name));
  const { seed } = options;
  const fleet = await createFleet({ scenario, pace: "stepped", ...(seed === undefined ? {} : { seed }) });
  try {
    await fleet.clock.advance(options.forMs ?? fleet.scenario?.durationMs ?? 0);
    return look(fleet);
  } finally {
    await fleet.close();
  }
}

/** What has happened, and everything that the clusters hold, down to the last uid and time. */
function story(fleet: SimulatedFleet): string {
  const hash = createHash("sha256").update(stringifyJson(fleet.scenario?.story));
  for (const { name, server } of fleet.clusters.values()) {
    hash.update(name);
    for (const resource of server.state.resources())
      for (const { object } of server.state.list(resource)) hash.update(stringifyJson(object));
  }
  return hash.digest("hex");
}

describe("the examples of fleets", () => {
  it("are ten, each of its shape", () => {
    expect(EXAMPLES).toEqual(Object.keys(SHAPES).sort());
  });

  it.each(EXAMPLES)(
    "go as they expect: %s",
    async (name) => {
      const seen = await play(name, {}, (fleet) => ({
        problems: fleet.scenario?.problems.map(({ step, words, problem }) => `timeline[${step}] ${words}: ${problem}`),
        expectations: fleet.scenario?.story.filter(({ isExpectation }) => isExpectation).length ?? 0,
        open: fleet.scenario?.openExpectations,
        shape: {
          clusters: fleet.clusters.size,
          nodes: [...fleet.clusters.values()].reduce((sum, { server }) => sum + server.state.count("nodes"), 0),
        },
      }));

      expect(seen.problems).toEqual([]);
      expect(seen.open).toBe(0);
      expect(seen.expectations).toBeGreaterThan(1);
      expect(seen.shape).toEqual(SHAPES[name]);
    },
    LONG,
  );

  it.each(EXAMPLES)(
    "go the same way twice from one seed, and another way from another: %s",
    async (name) => {
      // Long enough for faults and for what they bring about.
      const forMs = 4 * 60_000;

      const [one, two, other] = [
        await play(name, { forMs }, story),
        await play(name, { forMs }, story),
        await play(name, { seed: 77, forMs }, story),
      ];

      expect(two).toBe(one);
      expect(other).not.toBe(one);
    },
    LONG,
  );
});
