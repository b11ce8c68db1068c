import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { OverridePolicy } from "../../api/policy.ts";
import type { ResourceBinding, ResourceBindingSpec, Work } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { listedOverridePolicies } from "../overrides/override-policies.ts";
import { orphanWorks, worksToAwait } from "./targets.ts";
import { buildPreparedWorks, buildWorks, mergeWork, prepareWorks, type WorksPlan } from "./work.ts";

const interpreter = createInterpreter({ native: nativeLevel() });

function cluster(name: string): Cluster {
  return { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", metadata: { name }, spec: { syncMode: "Push" } };
}

function template(kind = "Deployment", spec: Record<string, unknown> = { replicas: 6 }): KubeObject {
  return {
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name: "web", namespace: "shop", uid: "u", generation: 3, resourceVersion: "7", labels: { app: "web" } },
    spec,
    status: { replicas: 1 },
  };
}

function binding(spec: Partial<ResourceBindingSpec>): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web-deployment",
      namespace: "shop",
      labels: { "resourcebinding.karmada.io/permanent-id": "id" },
    },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
      replicas: 6,
      ...spec,
    },
  };
}

function build(
  spec: Partial<ResourceBindingSpec>,
  object = template(),
  overridePolicies: OverridePolicy[] = [],
): WorksPlan {
  return buildWorks({
    binding: binding(spec),
    template: object,
    clusterOf: (name) => (name === "gone" ? undefined : cluster(name)),
    overridePolicies: listedOverridePolicies([], overridePolicies),
    interpreter,
    workIdOf: () => "work-id",
  });
}

function manifests(plan: WorksPlan): KubeObject[] {
  return plan.works.map(({ work }) => work.spec.workload?.manifests?.[0] as unknown as KubeObject);
}

function workIn(name: string): Work {
  return {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: { name: "w", namespace: `karmada-es-${name}` },
    spec: {},
  };
}

describe("buildWorks", () => {
  it("gives every cluster its own replicas, without what belongs to the control plane", () => {
    const [first, second] = manifests(
      build({
        clusters: [
          { name: "a", replicas: 2 },
          { name: "b", replicas: 4 },
        ],
      }),
    );

    expect(first?.["spec"]).toEqual({ replicas: 2 });
    expect(second?.["spec"]).toEqual({ replicas: 4 });
    expect(first).not.toHaveProperty("status");
    expect(first?.metadata).not.toHaveProperty("uid");
    expect(first?.metadata.labels).toEqual({
      app: "web",
      "karmada.io/managed": "true",
      "resourcebinding.karmada.io/permanent-id": "id",
      "work.karmada.io/permanent-id": "work-id",
    });
    expect(first?.metadata.annotations?.["resourcetemplate.karmada.io/managed-labels"]).toBe(
      "app,karmada.io/managed,resourcebinding.karmada.io/permanent-id,work.karmada.io/permanent-id",
    );
  });

  it("follows the clusters of the objects that need this one", () => {
    const plan = build({
      clusters: [{ name: "a", replicas: 1 }],
      requiredBy: [{ name: "api", namespace: "shop", clusters: [{ name: "a", replicas: 9 }, { name: "b" }] }],
    });

    expect(plan.works.map(({ work }) => work.metadata.namespace)).toEqual(["karmada-es-a", "karmada-es-b"]);
  });

  it("builds the same in parts", () => {
    const spec = { clusters: [{ name: "a", replicas: 2 }, { name: "gone" }, { name: "b", replicas: 4 }] };
    const prepared = prepareWorks({
      binding: binding(spec),
      template: template(),
      clusterOf: (name) => (name === "gone" ? undefined : cluster(name)),
      overridePolicies: listedOverridePolicies([], []),
      workIdOf: () => "work-id",
    });
    const parts = prepared.targets.map((target) => buildPreparedWorks(prepared, [target], interpreter));

    expect(parts.flatMap(({ works }) => works)).toEqual(build(spec).works);
    expect(parts.flatMap(({ failures }) => failures.map(({ cluster: name }) => name))).toEqual(["gone"]);
  });

  it("leaves the other clusters alone when one fails", () => {
    const plan = build({ clusters: [{ name: "gone" }, { name: "a" }] });

    expect(plan.works.map(({ cluster: name }) => name)).toEqual(["a"]);
    expect(plan.failures.map(({ cluster: name, error }) => [name, error.code])).toEqual([
      ["gone", "work-cluster-missing"],
    ]);
  });

  it("lets overrides win over replicas, and keeps our labels from them", () => {
    const policy: OverridePolicy = {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "OverridePolicy",
      metadata: { name: "a", namespace: "shop" },
      spec: {
        overrideRules: [
          {
            overriders: {
              plaintext: [
                { operator: "replace", path: "/spec/replicas", value: 1 },
                { operator: "add", path: "/metadata/labels", value: { "karmada.io/managed": "false" } },
              ],
            },
          },
        ],
      },
    };

    const [manifest] = manifests(build({ clusters: [{ name: "a", replicas: 5 }] }, template(), [policy]));

    expect(manifest?.["spec"]).toEqual({ replicas: 1 });
    expect(manifest?.metadata.labels?.["karmada.io/managed"]).toBe("true");
  });

  it("divides the completions of a Job by the replicas, all of them and no more", () => {
    const plan = build(
      {
        clusters: [
          { name: "a", replicas: 1 },
          { name: "b", replicas: 2 },
        ],
        placement: { replicaScheduling: { replicaSchedulingType: "Divided" } },
      },
      template("Job", { completions: 7, parallelism: 3 }),
    );

    const completions = manifests(plan).map((manifest) => (manifest["spec"] as { completions: number }).completions);
    expect(completions.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(completions).toEqual([2, 5]);
  });

  it("holds changes back where dispatching is suspended", () => {
    const plan = build({
      clusters: [{ name: "a" }, { name: "b" }],
      suspension: { dispatchingOnClusters: { clusterNames: ["b"] } },
    });

    expect(plan.works.map(({ work }) => work.spec.suspendDispatching)).toEqual([false, true]);
  });
});

describe("the place of Works", () => {
  const works = ["a", "b", "c"].map(workIn);

  it("is kept in clusters that are left once the object is well elsewhere", () => {
    const leaving = binding({
      clusters: [{ name: "a" }],
      gracefulEvictionTasks: [{ fromCluster: "b", producer: "x", reason: "X", purgeMode: "Gracefully" }],
    });

    expect(orphanWorks(leaving, works).map((work) => work.metadata.namespace)).toEqual(["karmada-es-c"]);
    expect(worksToAwait(leaving, works)).toEqual([]);
  });

  it("is given up, and its end awaited, in clusters that are left directly", () => {
    const leaving = binding({
      clusters: [{ name: "a" }],
      gracefulEvictionTasks: [{ fromCluster: "b", producer: "x", reason: "X", purgeMode: "Directly" }],
    });

    expect(orphanWorks(leaving, works).map((work) => work.metadata.namespace)).toEqual([
      "karmada-es-b",
      "karmada-es-c",
    ]);
    expect(worksToAwait(leaving, works).map((work) => work.metadata.namespace)).toEqual(["karmada-es-b"]);
  });
});

describe("mergeWork", () => {
  it("replaces the spec and only adds to the metadata", () => {
    const existing = { ...workIn("a"), metadata: { ...workIn("a").metadata, labels: { old: "1" }, finalizers: ["z"] } };
    const desired = {
      ...workIn("a"),
      metadata: { ...workIn("a").metadata, labels: { new: "2" }, finalizers: ["a"] },
      spec: { suspendDispatching: true },
    };

    const merged = mergeWork(existing, desired);

    expect(merged.metadata).toMatchObject({ labels: { old: "1", new: "2" }, finalizers: ["a", "z"] });
    expect(merged.spec).toEqual({ suspendDispatching: true });
    expect(mergeWork(merged, desired)).toEqual(merged);
  });

  it("waits for a Work that is being deleted", () => {
    const existing = {
      ...workIn("a"),
      metadata: { ...workIn("a").metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    };

    expect(() => mergeWork(existing, workIn("a"))).toThrow("is being deleted");
  });
});
