import { describe, expect, it } from "vitest";
import type { Cluster, ResourceSummary } from "../../../api/cluster.ts";
import { readCapacity } from "./capacity.ts";
import { estimateReplicas, estimateSets } from "./estimator.ts";
import { estimateBesideAssumed } from "./overcommit.ts";
import { readComponents, readRequest } from "./requirements.ts";

function cluster(resourceSummary: ResourceSummary, change: Partial<Cluster["spec"]> = {}): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name: "paris-1" },
    spec: { syncMode: "Push", ...change },
    status: { resourceSummary },
  };
}

const MODELS = { resourceModels: true };

/** Two nodes with at least 2 cpus and 4 GiB, one with 8 cpus and 16 GiB. */
const GRADED = cluster(
  {
    allocatable: { cpu: "100", memory: "100Gi", pods: "1000" },
    allocatableModelings: [
      { grade: 1, count: 1 },
      { grade: 0, count: 2 },
    ],
  },
  {
    resourceModels: [
      {
        grade: 1,
        ranges: [
          { name: "cpu", min: "8", max: "100" },
          { name: "memory", min: "16Gi", max: "100Gi" },
        ],
      },
      {
        grade: 0,
        ranges: [
          { name: "cpu", min: "2", max: "8" },
          { name: "memory", min: "4Gi", max: "16Gi" },
        ],
      },
    ],
  },
);

function replicas(one: Cluster, resourceRequest?: Record<string, string>): number {
  return estimateReplicas(
    readCapacity(one),
    resourceRequest === undefined ? undefined : readRequest({ resourceRequest }),
    MODELS,
  );
}

describe("estimateReplicas", () => {
  const plain = cluster({
    allocatable: { cpu: "10", memory: "10Gi", pods: "50" },
    allocated: { cpu: "1500m", memory: "2Gi", pods: "10" },
    allocating: { cpu: "500m", pods: "5" },
  });

  it.each([
    ["without requirements, what pods allow", undefined, 35],
    ["with empty requirements, what pods allow", {}, 35],
    ["in thousandths of a cpu", { cpu: "300m" }, 26],
    ["by the scarcest resource", { cpu: "300m", memory: "1Gi" }, 8],
    ["nothing of a resource the cluster does not have", { "nvidia.com/gpu": "1" }, 0],
    ["ignoring requests of nothing", { cpu: "1", "nvidia.com/gpu": "0" }, 8],
  ])("counts %s", (_, request, expected) => {
    expect(replicas(plain, request)).toBe(expected);
  });

  it("finds no room where nothing is reported, or pods are used up", () => {
    expect(estimateReplicas(undefined, undefined, MODELS)).toBe(0);
    expect(replicas(cluster({ allocatable: { pods: "5" }, allocated: { pods: "7" } }))).toBe(0);
  });

  it("counts node by node where the cluster grades its nodes", () => {
    expect(replicas(GRADED, { cpu: "3" })).toBe(2);
    expect(replicas(GRADED, { cpu: "1", memory: "4Gi" })).toBe(6);
    expect(replicas(GRADED, { cpu: "1m" })).toBe(330);
    expect(
      estimateReplicas(readCapacity(GRADED), readRequest({ resourceRequest: { cpu: "3" } }), { resourceModels: false }),
    ).toBe(33);
  });

  it("does without an amount that makes no sense", () => {
    const odd = cluster({ allocatable: { cpu: "many", memory: "4Gi", pods: "10" } });

    expect(replicas(odd, { memory: "1Gi" })).toBe(4);
    expect(replicas(odd, { cpu: "1" })).toBe(0);
  });
});

describe("estimateSets", () => {
  const components = readComponents([
    { name: "master", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "4" } } },
    { name: "worker", replicas: 2, replicaRequirements: { resourceRequest: { cpu: "2" } } },
  ]);

  it("counts whole sets", () => {
    expect(estimateSets(readCapacity(cluster({ allocatable: { cpu: "20", pods: "100" } })), components, MODELS)).toBe(
      2,
    );
    expect(estimateSets(readCapacity(cluster({ allocatable: { cpu: "99", pods: "10" } })), components, MODELS)).toBe(3);
  });

  it("puts every part of a set on some node", () => {
    expect(estimateSets(readCapacity(GRADED), components, MODELS)).toBe(1);
  });
});

describe("estimateBesideAssumed", () => {
  const assumed = [{ components: [{ replicas: 2, replicaRequirements: { resourceRequest: { cpu: "2" } } }] }];
  const wanted = { requirements: { resourceRequest: { cpu: "1" } } };

  it("takes off what is on its way", () => {
    const plain = readCapacity(cluster({ allocatable: { cpu: "10", pods: "7" } }));

    expect(estimateBesideAssumed(plain, [], wanted, MODELS)).toBe(7);
    expect(estimateBesideAssumed(plain, assumed, wanted, MODELS)).toBe(5);
  });

  it("puts it on the nodes it would run on", () => {
    expect(estimateBesideAssumed(readCapacity(GRADED), [], wanted, MODELS)).toBe(12);
    expect(estimateBesideAssumed(readCapacity(GRADED), assumed, wanted, MODELS)).toBe(8);
  });
});
