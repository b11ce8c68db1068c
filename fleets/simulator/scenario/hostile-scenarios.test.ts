// Scenario files as they go wrong: each is read, or refused with words for every problem, in little time and memory.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PlannedCluster, planClusters } from "../../../api/fleet-plan.ts";
import type { FleetScenario } from "../../../api/fleet-scenario.ts";
import { parseFleetScenario } from "../../../api/parse-fleet-scenario.ts";
import type { JsonObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { AppError } from "../../../runtime/errors.ts";
import { Random } from "../../../runtime/random.ts";
import { keysOf, mutatedScenarioText, mutatedValue } from "../../../test/random/scenario-mutations.ts";
import { testSeed } from "../../../test/seed.ts";
import { createFleet } from "../simulated-fleet.ts";
import { scenarioWithoutFiles } from "./load-scenario.ts";

const FOLDER = join(import.meta.dirname, "../../../examples/fleets");
const EXAMPLES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => readFileSync(join(FOLDER, name), "utf8"));
const VALUES = EXAMPLES.map((text) => parseYaml(text) as JsonObject);
const NAMES = [...new Set(VALUES.flatMap(keysOf))];
const CASES = Number(process.env["TEST_CASES"] ?? 1_000);
/** Of those that are accepted and small, how many are started. */
const STARTS = 20;
const SMALL = 12;

const HEAD = "apiVersion: config.flaghoist.io/v1alpha1\nkind: FleetScenario\nmetadata: {name: t}\n";
const CLUSTERS = "clusters: [{name: a}, {names: 'b-{number}', count: 3}]\n";

/** The scenario, or what its refusal says. Whatever else happens is thrown. */
function read(text: string): FleetScenario | string {
  try {
    return parseFleetScenario(text, "f.yaml");
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message;
  }
}

function repeated(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join("");
}

function size(clusters: readonly PlannedCluster[]): number {
  return clusters.reduce((sum, { nodes }) => sum + 1 + nodes.length, 0);
}

describe("a scenario file that went wrong", () => {
  it("is read and started, or refused in words, whatever was done to an example", async () => {
    const seed = testSeed();
    let starts = 0;
    for (let number = 0; number < CASES; number++) {
      const random = new Random(seed + number);
      const example = random.below(EXAMPLES.length);
      const text = random.chance(0.7)
        ? mutatedValue(random, VALUES[example]!, NAMES)
        : mutatedScenarioText(random, EXAMPLES[example]!);
      const told = `TEST_SEED=${seed + number} TEST_CASES=1`;

      const outcome = read(text);

      if (typeof outcome === "string") {
        for (const line of outcome.split("\n")) expect(line, told).toMatch(/^f\.yaml:\d+:\d+: \S/);
        continue;
      }
      const clusters = planClusters(outcome);
      const { manifests = [], timeline = [] } = outcome;
      const files = [...manifests, ...timeline.flatMap(({ apply }) => apply ?? [])].some((each) => each.files);
      if (starts >= STARTS || size(clusters) > SMALL || files) continue;
      starts++;
      try {
        const scenario = scenarioWithoutFiles(outcome);
        await (await createFleet({ scenario, level: "idle", pace: "stepped" })).close();
      } catch (error) {
        expect(error, told).toBeInstanceOf(AppError);
      }
    }
    expect(starts).toBeGreaterThan(0);
  }, 120_000);

  it.each<[string, string, string]>([
    ["no content", "", "1:1: the file must hold one object"],
    ["a list", "- a\n- b\n", "1:1: the file must hold one object"],
    ["several documents", `${HEAD}${CLUSTERS}---\n${HEAD}`, "6:1: one document was expected"],
    ["tabs", `${HEAD}clusters:\n\t- name: a\n`, "5:1: found character"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0, 0x80]).toString("utf8"), "1:3: this control character"],
    ["nesting", `${HEAD}timeline: ${"[".repeat(5_000)}`, "the nesting is deeper than 100 levels"],
    [
      "aliases that multiply",
      `${HEAD}${CLUSTERS}a: &a [x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g", "h"].map((key, index) => `${key}: &${key} [${new Array<string>(9).fill(`*${"abcdefgh"[index]}`).join(",")}]\n`).join("")}`,
      "repeat more than 100000 values",
    ],
    ["an alias of itself", `${HEAD}clusters: &a [*a]\n`, "contains itself"],
    ["a byte order mark and a mistake", `\ufeff${HEAD}seed: -1\n${CLUSTERS}`, "4:1: seed: must be at least 0"],
    [
      "line ends of old Macs and a mistake",
      `${HEAD}seed: -1\n${CLUSTERS}`.replaceAll("\n", "\r"),
      "4:1: seed: must be at least 0",
    ],
    [
      "a key that reaches the prototype",
      `${HEAD}${CLUSTERS}__proto__: {seed: 2}\n`,
      "5:1: __proto__: there is no such field",
    ],
    [
      "a kind beyond all numbers",
      `kind: 123456789012345678901\n${CLUSTERS}`,
      "1:1: kind: 123456789012345680000 is not",
    ],
    [
      "a missing target of a list",
      `${HEAD}${CLUSTERS}timeline: [{at: 1s, fault: {type: down, target: {clusters: [1]}}}]`,
      "must be text",
    ],
    [
      "a length of time beyond years",
      `${HEAD}duration: 999999999h\n${CLUSTERS}`,
      "4:1: duration: must be a duration of at most 876000h",
    ],
    ["line ends in a name", `${HEAD}clusters: [{name: "a\\nb"}]\n`, 'clusters[0].name: is "a\\nb", which'],
    ["10^9 clusters", `${HEAD}clusters: [{names: 'a-{number}', count: 1000000000}]`, "1000000000 is more than 2000"],
    [
      "groups of clusters",
      `${HEAD}clusters:\n${"  - {names: 'a-{number}', count: 2000}\n".repeat(500)}`,
      "4000 clusters of the fleet; there can be at most 2000",
    ],
    [
      "nodes",
      `${HEAD}clusters:\n${repeated(20, (index) => `  - {name: a${index}, nodes: 5000}\n`)}`,
      "55000 nodes of the fleet; there can be at most 50000",
    ],
    [
      "pools",
      `${HEAD}defaults: {nodePools: [${repeated(2_000, (index) => `{name: p${index}, count: 0},`)}]}\n${CLUSTERS}`,
      "has 2000 entries; there can be at most 100",
    ],
    [
      "placeholders",
      `${HEAD}clusters: [{names: '${"{number:99}".repeat(20_000)}', count: 2000}]`,
      "has 220000 characters",
    ],
    [
      "steps",
      `${HEAD}${CLUSTERS}timeline:\n${repeated(5_001, () => "  - {at: 1s, comment: x}\n")}`,
      "timeline[5000]: is one too many",
    ],
    [
      "faults",
      `${HEAD}${CLUSTERS}timeline:\n${repeated(1_001, (index) => `  - {at: ${index}s, fault: {type: down, target: {clusters: [a]}, for: 1ms}}\n`)}`,
      "a scenario has at most 1000 faults",
    ],
    [
      "times",
      `${HEAD}duration: 876000h\n${CLUSTERS}timeline: [{at: 0s, every: 1ms, comment: x}]\n`,
      "timeline[0].every: is taken 3153600000001 times until the end; at most 100000 are possible",
    ],
    [
      "unknown fields",
      `${HEAD}${CLUSTERS}${repeated(5_000, (index) => `x${index}: 1\n`)}`,
      "5:1: x0: there is no such field",
    ],
  ])("says so of %s", (_, text, words) => {
    expect(read(text)).toContain(words);
  });
});
