import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAULT_TYPES } from "./fleet-faults.ts";
import { fleetScenarioReference, withReference } from "./fleet-scenario-reference.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../examples/fleets/README.md"), "utf8");

describe("the reference of scenarios", () => {
  it("says something of every field", () => {
    const silent = fleetScenarioReference()
      .split("\n")
      .filter((line) => /^\| `[^`]+` \|\s*(Required\.)?\s*\|$/.test(line) || /^- `[^`]+`:\s*$/.test(line));

    expect(silent).toEqual([]);
  });

  it("has every fault", () => {
    for (const type of FAULT_TYPES) expect(fleetScenarioReference()).toContain(`**${type}**: `);
  });

  it("stands in the page of the examples", () => {
    expect(withReference(PAGE)).toBe(PAGE);
  });

  it("needs its place there", () => {
    expect(() => withReference("# Scenarios\n")).toThrow(/needs the lines/);
  });
});
