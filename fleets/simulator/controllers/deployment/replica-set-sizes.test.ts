import { describe, expect, it } from "vitest";
import type { ReplicaSet } from "../replica-set/replica-set.ts";
import type { Deployment } from "./deployment.ts";
import { currentSetSize, isScaled, shrinkOldSets, sizesAfterScaling } from "./replica-set-sizes.ts";

interface Words {
  readonly maxSurge?: number | string;
  readonly maxUnavailable?: number | string;
}

function deployment(replicas: number, { maxSurge = "25%", maxUnavailable = "25%" }: Words = {}): Deployment {
  const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { replicas, strategy, template: {} },
  };
}

/** A set of `size` Pods, all available unless told otherwise, made when the Deployment had `desired` and could have `max`. */
function set(
  name: string,
  size: number,
  { available = size, desired, max }: { available?: number; desired?: number; max?: number } = {},
): ReplicaSet {
  const annotations = {
    ...(desired === undefined ? {} : { "deployment.kubernetes.io/desired-replicas": String(desired) }),
    ...(max === undefined ? {} : { "deployment.kubernetes.io/max-replicas": String(max) }),
  };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name, annotations, creationTimestamp: `2026-01-01T00:00:0${name.slice(-1)}Z` },
    spec: { replicas: size, template: {} },
    status: { replicas: size, availableReplicas: available },
  };
}

function sizes(resizes: readonly { set: ReplicaSet; size: number }[]): string[] {
  return resizes.map(({ set, size }) => `${set.metadata.name}=${size}`);
}

describe("currentSetSize", () => {
  it.each([
    { surge: "25%", size: 0, all: 10, expected: 3 },
    { surge: 1, size: 0, all: 10, expected: 1 },
    { surge: 0, size: 4, all: 10, expected: 4 },
    { surge: "100%", size: 0, all: 10, expected: 10 },
    { surge: "25%", size: 12, all: 12, expected: 10 },
  ])("with a surge of $surge makes $expected of ten, having $size of $all", ({ surge, size, all, expected }) => {
    expect(currentSetSize(deployment(10, { maxSurge: surge }), size, all)).toBe(expected);
  });
});

describe("shrinkOldSets", () => {
  it("takes what the Deployment can spare", () => {
    const sets = { current: set("new-3", 3, { available: 0 }), old: [set("old-1", 10)] };

    expect(sizes(shrinkOldSets(deployment(10), sets))).toEqual(["old-1=8"]);
  });

  it("takes Pods that are not available first, though their set is not the oldest", () => {
    const old = [set("old-1", 5), set("old-2", 3, { available: 0 })];

    const resizes = shrinkOldSets(deployment(8, { maxUnavailable: 1, maxSurge: 1 }), {
      current: set("new-3", 1, { available: 0 }),
      old,
    });

    expect(sizes(resizes)).toEqual(["old-2=2"]);
  });

  it("waits for new Pods that are not available", () => {
    const sets = { current: set("new-3", 2, { available: 0 }), old: [set("old-1", 3)] };

    expect(shrinkOldSets(deployment(4, { maxSurge: 1, maxUnavailable: 1 }), sets)).toEqual([]);
  });

  it("does nothing while a set has not followed its last change", () => {
    const sets = { current: set("new-3", 1), old: [set("old-1", 2, { available: 3 })] };

    expect(shrinkOldSets(deployment(3), sets)).toEqual([]);
  });

  it("takes one Pod where shares are too small for any", () => {
    const sets = { current: set("new-3", 0), old: [set("old-1", 2)] };

    expect(sizes(shrinkOldSets(deployment(2, { maxSurge: 0, maxUnavailable: "1%" }), sets))).toEqual(["old-1=1"]);
  });
});

describe("sizesAfterScaling", () => {
  it("gives the only set with Pods all of it", () => {
    const sets = { current: set("new-3", 0), old: [set("old-1", 5)] };

    expect(sizes(sizesAfterScaling(deployment(7), sets))).toEqual(["old-1=7"]);
  });

  it("gives the current set all of it when no set has Pods", () => {
    expect(sizes(sizesAfterScaling(deployment(7), { current: set("new-3", 0), old: [set("old-1", 0)] }))).toEqual([
      "new-3=7",
    ]);
  });

  it("lets all sets grow in proportion, what rounding leaves going to the largest", () => {
    const remembered = { desired: 10, max: 13 };
    const sets = { current: set("new-3", 5, remembered), old: [set("old-1", 8, remembered)] };

    // As in Kubernetes' documentation of proportional scaling: 10 to 15 with a surge of 3.
    const resizes = sizesAfterScaling(deployment(15, { maxSurge: 3, maxUnavailable: 2 }), sets);

    expect(sizes(resizes)).toEqual(["old-1=11", "new-3=7"]);
  });

  it("lets all sets shrink to nothing when nothing is wanted", () => {
    const remembered = { desired: 4, max: 5 };
    const sets = { current: set("new-3", 2, remembered), old: [set("old-1", 3, remembered)] };

    expect(sizes(sizesAfterScaling(deployment(0), sets))).toEqual(["old-1=0", "new-3=0"]);
  });

  it("takes all from old sets once the current one is complete", () => {
    const sets = { current: set("new-3", 4, { desired: 4 }), old: [set("old-1", 2), set("old-2", 1)] };

    expect(sizes(sizesAfterScaling(deployment(4), sets))).toEqual(["old-1=0", "old-2=0"]);
  });
});

describe("isScaled", () => {
  it("compares the size with what sets that have Pods remember of it", () => {
    const sets = { current: set("new-3", 3, { desired: 3 }), old: [set("old-1", 0, { desired: 9 })] };

    expect(isScaled(deployment(3), sets)).toBe(false);
    expect(isScaled(deployment(4), sets)).toBe(true);
  });
});
