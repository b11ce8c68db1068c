import { describe, expect, it } from "vitest";
import type { ResourceBinding, Work } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { standardInterpreter } from "../interpreter/standard-interpreter.ts";
import { aggregateBindingStatus, aggregateTemplateStatus, collectStatus, healthOf, manifestStatus } from "./status.ts";

const now = "2026-01-01T00:00:00Z";
const later = "2026-01-01T00:05:00Z";
const interpreter = createInterpreter({ native: nativeLevel() });
const config: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: "shop" } };

function binding(...clusters: string[]): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: "c-configmap", namespace: "shop" },
    spec: {
      resource: { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "c" },
      clusters: clusters.map((name) => ({ name })),
    },
  };
}

function work(cluster: string, applied: "True" | "False" | undefined, manifest: KubeObject = config): Work {
  return {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: { name: "w", namespace: `karmada-es-${cluster}` },
    spec: { workload: { manifests: [{ ...manifest }] } },
    status: {
      conditions:
        applied === undefined
          ? []
          : [{ type: "Applied", status: applied, reason: "R", message: `applied ${applied}`, lastTransitionTime: now }],
      manifestStatuses: [manifestStatus(config, "configmaps", interpreter)],
    },
  };
}

describe("collectStatus", () => {
  it("has an item for every Work, by name of the cluster, and believes only applied ones", () => {
    expect(collectStatus(binding(), [work("c", "False"), work("b", undefined), work("a", "True")])).toEqual([
      { clusterName: "a", applied: true, health: "Healthy" },
      { clusterName: "b", health: "Unknown" },
      { clusterName: "c", appliedMessage: "applied False", health: "Unknown" },
    ]);
  });

  it("passes over Works that are being deleted", () => {
    const leaving = work("a", "True");
    leaving.metadata.deletionTimestamp = now;

    expect(collectStatus(binding(), [leaving])).toEqual([]);
  });

  it("fails for a Work that holds another object", () => {
    const other = { ...config, metadata: { name: "other", namespace: "shop" } };

    expect(() => collectStatus(binding(), [work("a", "True", other)])).toThrow("does not hold v1 ConfigMap shop/c");
  });
});

describe("aggregateBindingStatus", () => {
  it.each([
    ["every cluster has its copy", ["a", "b"], [work("a", "True"), work("b", "True")], "True"],
    ["a Work is missing", ["a", "b"], [work("a", "True")], "False"],
    ["a Work is not applied", ["a", "b"], [work("a", "True"), work("b", "False")], "False"],
    ["a Work is left over elsewhere", ["a"], [work("a", "True"), work("z", "True")], "False"],
    ["there are no clusters", [], [], "False"],
  ])("when %s", (_, clusters, works, expected) => {
    const { status } = aggregateBindingStatus(binding(...clusters), works, now);

    expect(status?.conditions?.map(({ type, status: value }) => [type, value])).toEqual([["FullyApplied", expected]]);
  });

  it("keeps other conditions, and the time of transition while nothing changes", () => {
    const scheduled = {
      type: "Scheduled",
      status: "True",
      reason: "Success",
      message: "",
      lastTransitionTime: now,
    } as const;
    const first = aggregateBindingStatus(
      { ...binding("a"), status: { conditions: [scheduled] } },
      [work("a", "True")],
      now,
    );

    expect(aggregateBindingStatus(first, [work("a", "True")], later)).toEqual(first);
    expect(first.status?.conditions).toHaveLength(2);
  });
});

describe("aggregateTemplateStatus", () => {
  const web: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", generation: 1 },
    spec: { replicas: 2 },
  };
  const item = (clusterName: string, availableReplicas: number) => ({
    clusterName,
    applied: true,
    status: { replicas: 2, availableReplicas, specReplicas: 2 },
  });
  const statusFor = (spec: Partial<ResourceBinding["spec"]>) => {
    const of = binding("a", "b");
    const items = [item("a", 2), item("b", 0)];
    return aggregateTemplateStatus(
      web,
      { ...of, spec: { ...of.spec, ...spec } },
      items,
      standardInterpreter("flaghoist"),
      now,
    )?.["status"];
  };

  it("shows the copy that lags most where every cluster is to have a whole one", () => {
    expect(statusFor({})).not.toMatchObject({ availableReplicas: 2 });
  });

  it("adds up what is divided, and what serves where it is leaving", () => {
    const divided = { replicaScheduling: { replicaSchedulingType: "Divided" as const } };
    const leaving = { fromCluster: "a", producer: "TaintManager", reason: "TaintUntolerated" };

    expect(statusFor({ placement: divided })).toMatchObject({ replicas: 4, availableReplicas: 2 });
    expect(statusFor({ gracefulEvictionTasks: [leaving] })).toMatchObject({ replicas: 4, availableReplicas: 2 });
  });
});

describe("healthOf", () => {
  it("is Healthy for kinds without a rule and Unknown for what cannot be read", () => {
    const odd: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, status: "up" };

    expect(healthOf(config, interpreter)).toBe("Healthy");
    expect(healthOf(odd, interpreter)).toBe("Unknown");
  });
});
