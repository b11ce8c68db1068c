import { describe, expect, it } from "vitest";
import type { Cluster, ClusterSpec } from "../cluster.ts";
import type { ClusterTaintPolicy } from "../taint-policy.ts";
import { defaultCluster, validateCluster, validateClusterTaintPolicy } from "./cluster.ts";
import type { AdmissionContext } from "./context.ts";

function cluster(spec: Partial<ClusterSpec> = {}, name = "paris-1"): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push", ...spec },
  };
}

function context(operation: AdmissionContext["operation"]): AdmissionContext {
  return { operation, requestNamespace: "", nowMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), newUuid: () => "" };
}

const KEY = { key: "maintenance" };

describe("defaults of a Cluster", () => {
  it("date the taints that drive workloads out", () => {
    const taints = [
      { ...KEY, effect: "NoExecute" } as const,
      { ...KEY, effect: "NoSchedule" } as const,
      { key: "old", effect: "NoExecute", timeAdded: "2025-01-01T00:00:00Z" } as const,
    ];

    expect(defaultCluster(cluster({ taints }), context("UPDATE")).spec.taints).toEqual([
      { ...taints[0], timeAdded: "2026-01-02T03:04:05Z" },
      taints[1],
      taints[2],
    ]);
  });

  it("turn the superseded zone into zones, unless there are some", () => {
    expect(defaultCluster(cluster({ zone: "a" }), context("UPDATE")).spec).toEqual({ syncMode: "Push", zones: ["a"] });
    expect(defaultCluster(cluster({ zone: "a", zones: ["b"] }), context("UPDATE")).spec).toEqual({
      syncMode: "Push",
      zone: "a",
      zones: ["b"],
    });
  });

  it("give a new cluster nine grades of nodes that leave no gap", () => {
    const created = defaultCluster(cluster(), context("CREATE"));

    expect(created.spec.resourceModels).toHaveLength(9);
    expect(created.spec.resourceModels?.[3]).toEqual({
      grade: 3,
      ranges: [
        { name: "cpu", min: "4", max: "8" },
        { name: "memory", min: "32Gi", max: "64Gi" },
      ],
    });
    expect(validateCluster(created)).toEqual([]);
    expect(defaultCluster(cluster(), context("UPDATE")).spec.resourceModels).toBeUndefined();
  });

  it("order given grades, from nothing to without bound", () => {
    const resourceModels = [
      {
        grade: 1,
        ranges: [
          { name: "memory", min: "4Gi", max: "8Gi" },
          { name: "cpu", min: 2, max: 4 },
        ],
      },
      {
        grade: 0,
        ranges: [
          { name: "cpu", min: 1, max: 2 },
          { name: "memory", min: "1Gi", max: "4Gi" },
        ],
      },
    ];

    const stored = defaultCluster(cluster({ resourceModels }), context("UPDATE"));

    expect(stored.spec.resourceModels).toEqual([
      {
        grade: 0,
        ranges: [
          { name: "cpu", min: "0", max: 2 },
          { name: "memory", min: "0", max: "4Gi" },
        ],
      },
      {
        grade: 1,
        ranges: [
          { name: "cpu", min: 2, max: "9223372036854775807" },
          { name: "memory", min: "4Gi", max: "9223372036854775807" },
        ],
      },
    ]);
    expect(validateCluster(stored)).toEqual([]);
  });
});

describe("a Cluster", () => {
  it.each<[string, Cluster, string[]]>([
    ["a name of 49 characters", cluster({}, "a".repeat(49)), ["metadata.name"]],
    ["a name with dots", cluster({}, "paris.eu"), ["metadata.name"]],
    ["an address that is none", cluster({ apiEndpoint: "paris" }), ["spec.apiEndpoint"]],
    ["an odd proxy", cluster({ proxyURL: "ftp://proxy" }), ["spec.proxyURL"]],
    [
      "the same taint twice",
      cluster({
        taints: [
          { ...KEY, effect: "NoSchedule", value: "a" },
          { ...KEY, effect: "NoSchedule", value: "b" },
        ],
      }),
      ["spec.taints[1]"],
    ],
    [
      "a taint that is no key",
      cluster({ taints: [{ key: "no spaces", effect: "NoSchedule" }] }),
      ["spec.taints[0].key"],
    ],
    [
      "a gap between grades",
      cluster({
        resourceModels: [
          { grade: 0, ranges: [{ name: "cpu", min: 0, max: 1 }] },
          { grade: 1, ranges: [{ name: "cpu", min: 2, max: 4 }] },
        ],
      }),
      ["spec.resourceModels[1].ranges[0].min"],
    ],
    [
      "a grade that holds nothing",
      cluster({ resourceModels: [{ grade: 0, ranges: [{ name: "cpu", min: 0, max: 0 }] }] }),
      ["spec.resourceModels[0].ranges[0]"],
    ],
  ])("is refused for %s", (_, refused, fields) => {
    expect(validateCluster(refused).map(({ field }) => field)).toEqual(fields);
  });

  it("may have a name of 48 characters and a proxy", () => {
    expect(validateCluster(cluster({ proxyURL: "socks5://proxy:1080" }, "a".repeat(48)))).toEqual([]);
  });
});

describe("a ClusterTaintPolicy", () => {
  const policy: ClusterTaintPolicy = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterTaintPolicy",
    metadata: { name: "dns" },
    spec: {
      taints: [
        { key: "dns", effect: "NoExecute" },
        { key: "dns", effect: "NoExecute" },
      ],
    },
  };

  it("drives workloads out only where that is allowed, and names a taint once", () => {
    expect(validateClusterTaintPolicy(policy).map(({ field }) => field)).toEqual([
      "spec.taints[0]",
      "spec.taints[0]",
      "spec.taints[1]",
    ]);
    expect(validateClusterTaintPolicy(policy, true).map(({ field }) => field)).toEqual(["spec.taints[0]"]);
  });
});
