import { describe, expect, it } from "vitest";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBinding, ResourceBindingStatus } from "../../api/work.ts";
import { BindingIndex } from "./binding-index.ts";

function binding(placement: Placement | undefined, status: ResourceBindingStatus = {}): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: "b", namespace: "n", generation: 3 },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name: "b" },
      ...(placement === undefined ? {} : { placement: structuredClone(placement) }),
    },
    status,
  } as ResourceBinding;
}

const EVERYWHERE: Placement = {};
const ON_A: Placement = { clusterAffinity: { clusterNames: ["a"] } };
const GROUPS: Placement = { clusterAffinities: [{ affinityName: "x" }, { affinityName: "y" }] };

function groups(index: BindingIndex): [affinityName: string, observed: boolean, keys: string[]][] {
  return [...index.groups()].map(({ affinityName, observed, keys }) => [affinityName, observed, [...keys]]);
}

describe("BindingIndex", () => {
  it("puts bindings of equal placements together, whichever object holds them", () => {
    const index = new BindingIndex();
    index.set("1", binding(ON_A));
    index.set("2", binding(ON_A));
    index.set("3", binding(EVERYWHERE));

    expect(groups(index).map(([, , keys]) => keys)).toEqual([["1", "2"], ["3"]]);
    expect(index.find("2")?.placement).toEqual(ON_A);
    expect(index.size).toBe(3);
  });

  it("tells affinity groups in use apart, and what the scheduler has yet to deal with", () => {
    const index = new BindingIndex();
    index.set("1", binding(GROUPS));
    index.set("2", binding(GROUPS, { schedulerObservingAffinityName: "x", schedulerObservedGeneration: 3 }));
    index.set("3", binding(GROUPS, { schedulerObservingAffinityName: "y", schedulerObservedGeneration: 3 }));
    index.set("4", binding(GROUPS, { schedulerObservingAffinityName: "y", schedulerObservedGeneration: 2 }));

    expect(groups(index)).toEqual([
      ["", false, ["1"]],
      ["x", true, ["2"]],
      ["y", true, ["3"]],
      ["y", false, ["4"]],
    ]);
  });

  it("does not ask about generations where there are no groups", () => {
    const index = new BindingIndex();
    index.set("1", binding(ON_A, { schedulerObservedGeneration: 1, schedulerObservingAffinityName: "old" }));
    index.set("2", binding(ON_A, { schedulerObservedGeneration: 3 }));

    expect(groups(index)).toEqual([["", true, ["1", "2"]]]);
  });

  it("moves a binding whose placement changes, and keeps nothing of those that go", () => {
    const index = new BindingIndex();
    index.set("1", binding(ON_A));
    index.set("1", binding(EVERYWHERE));
    expect(groups(index)).toEqual([["", true, ["1"]]]);

    index.set("2", binding(ON_A));
    index.set("2", binding(undefined));
    index.delete("1");

    expect(groups(index)).toEqual([]);
    expect(index.size).toBe(0);
    expect(index.find("1")).toBeUndefined();
  });
});
