import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import { cluster } from "../../../test/builders.ts";
import { hasMoreRoom } from "./room.ts";

function reporting(summary: NonNullable<Cluster["status"]>["resourceSummary"]): Cluster {
  const made = cluster({ name: "a" });
  return { ...made, status: { ...made.status, resourceSummary: summary } };
}

const FULL = reporting({ allocatable: { cpu: "10", pods: "100" }, allocated: { cpu: "10", pods: "20" } });

describe("hasMoreRoom", () => {
  it.each<[what: string, after: Cluster, more: boolean]>([
    ["the same report", structuredClone(FULL), false],
    [
      "the same amounts in other words",
      reporting({ allocatable: { cpu: "10000m", pods: "100" }, allocated: { cpu: "10", pods: "20" } }),
      false,
    ],
    ["less", reporting({ allocatable: { cpu: "9", pods: "100" }, allocated: { cpu: "10", pods: "21" } }), false],
    [
      "more of one resource",
      reporting({ allocatable: { cpu: "10", pods: "100" }, allocated: { cpu: "9500m", pods: "30" } }),
      true,
    ],
    ["more pods", reporting({ allocatable: { cpu: "10", pods: "101" }, allocated: { cpu: "10", pods: "20" } }), true],
    [
      "a resource that was not there",
      reporting({ allocatable: { cpu: "10", pods: "100", gpu: 1 }, allocated: { cpu: "10", pods: "20" } }),
      true,
    ],
    ["no report", cluster({ name: "a" }), false],
  ])("%s", (_what, after, more) => {
    expect(hasMoreRoom(FULL, after)).toBe(more);
  });

  it("is what a cluster has that comes, or reports for the first time", () => {
    expect(hasMoreRoom(undefined, FULL)).toBe(true);
    expect(hasMoreRoom(cluster({ name: "a" }), FULL)).toBe(true);
  });

  it("may lie in other virtual nodes", () => {
    const spec = { ...FULL.spec, resourceModels: [{ grade: 0, ranges: [{ name: "cpu", min: "1", max: "2" }] }] };
    const summary = FULL.status?.resourceSummary;
    const withNodes = (count: number): Cluster => ({
      ...FULL,
      spec,
      status: { ...FULL.status, resourceSummary: { ...summary, allocatableModelings: [{ grade: 0, count }] } },
    });

    expect(hasMoreRoom(withNodes(1), withNodes(2))).toBe(true);
    expect(hasMoreRoom(withNodes(1), withNodes(1))).toBe(false);
  });
});
