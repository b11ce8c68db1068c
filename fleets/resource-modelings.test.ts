import { describe, expect, it } from "vitest";
import { defaultResourceModels } from "../api/admission/cluster.ts";
import { allocatableModelings, type NodeUse } from "./resource-modelings.ts";

function node(cpu: string, memory: string, pods: readonly (readonly [string, string])[] = [], places = "110"): NodeUse {
  return {
    allocatable: { cpu, memory, pods: places },
    requests: pods.map(([podCpu, podMemory]) => [{ cpu: podCpu, memory: podMemory }, 1] as const),
  };
}

function counts(nodes: readonly NodeUse[]): number[] {
  return allocatableModelings(defaultResourceModels(), nodes).map(({ count }) => count);
}

describe("allocatableModelings", () => {
  it("has every grade of the models, in their order", () => {
    expect(allocatableModelings(defaultResourceModels(), []).map(({ grade }) => grade)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  it.each([
    [node("500m", "2Gi"), 0],
    [node("1", "4Gi"), 1],
    [node("1999m", "64Gi"), 1],
    [node("4", "8Gi"), 1],
    [node("4", "33Gi"), 3],
    [node("200", "2Ti"), 8],
  ])("puts a node into the grade that its scarcest resource allows: %o", (each, grade) => {
    expect(counts([each]).indexOf(1)).toBe(grade);
  });

  it("counts what pods leave", () => {
    expect(counts([node("8", "64Gi", [["3", "10Gi"]])])).toEqual(counts([node("5", "54Gi")]));
  });

  it("counts pods that ask for the same together", () => {
    const { allocatable } = node("8", "64Gi");
    const each = { cpu: "1", memory: "4Gi" };

    expect(counts([{ allocatable, requests: [[each, 4]] }])).toEqual(counts([node("4", "48Gi")]));
  });

  it("leaves out a node that takes no more pods, and that one alone", () => {
    expect(counts([node("8", "64Gi", [["1", "1Gi"]], "1"), node("1", "4Gi")])).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("leaves out a node below the first grade", () => {
    const models = [{ grade: 1, ranges: [{ name: "cpu", min: "2", max: "4" }] }];

    expect(allocatableModelings(models, [node("1", "4Gi"), node("3", "1Gi")])).toEqual([{ grade: 1, count: 1 }]);
  });

  it("counts a resource that a node does not have as none", () => {
    const models = [
      { grade: 0, ranges: [{ name: "example.com/gpu", min: "0", max: "1" }] },
      { grade: 1, ranges: [{ name: "example.com/gpu", min: "1", max: "8" }] },
    ];

    expect(allocatableModelings(models, [node("1", "4Gi")]).map(({ count }) => count)).toEqual([1, 0]);
  });
});
