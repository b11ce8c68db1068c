import { describe, expect, it } from "vitest";
import { cluster } from "../../../test/builders.ts";
import type { AssumedWorkload } from "../options.ts";
import { type Capacity, readCapacity } from "./capacity.ts";
import { estimateBesideAssumed } from "./overcommit.ts";

const OPTIONS = { resourceModels: true };

function cores(count: number): Capacity | undefined {
  return readCapacity(cluster({ name: "a", allocatable: { cpu: String(count), pods: "100" } }));
}

function assumed(...replicas: readonly number[]): readonly AssumedWorkload[] {
  return replicas.map((count) => ({
    components: [{ replicas: count, replicaRequirements: { resourceRequest: { cpu: "1" } } }],
  }));
}

function needing(cpu: string) {
  return { requirements: { resourceRequest: { cpu } } };
}

describe("estimateBesideAssumed", () => {
  it("takes what is on its way from the room", () => {
    expect(estimateBesideAssumed(cores(10), assumed(2, 4), needing("1"), OPTIONS)).toBe(4);
    expect(estimateBesideAssumed(cores(10), assumed(12), needing("1"), OPTIONS)).toBe(0);
    expect(estimateBesideAssumed(undefined, assumed(1), needing("1"), OPTIONS)).toBe(0);
  });

  it("counts pods where nothing is required", () => {
    expect(estimateBesideAssumed(cores(10), assumed(2, 4), { requirements: undefined }, OPTIONS)).toBe(94);
  });

  it("keeps apart what is asked about one list: other requests, other components, another report of the cluster", () => {
    const list = assumed(6);
    const sets = (cpu: string) => ({
      components: [{ name: "x", replicas: 2, replicaRequirements: { resourceRequest: { cpu } } }],
    });

    const answers = [
      estimateBesideAssumed(cores(10), list, needing("1"), OPTIONS),
      estimateBesideAssumed(cores(10), list, needing("2"), OPTIONS),
      estimateBesideAssumed(cores(10), list, sets("1"), OPTIONS),
      estimateBesideAssumed(cores(20), list, needing("1"), OPTIONS),
      estimateBesideAssumed(cores(10), list, needing("1"), OPTIONS),
    ];

    expect(answers).toEqual([4, 2, 2, 14, 4]);
  });
});
