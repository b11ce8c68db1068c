import { describe, expect, it } from "vitest";
import type { KubeObject } from "../kube/object.ts";
import { checkManifest } from "./validate-manifest.ts";

function manifest(apiVersion: string, kind: string, spec?: unknown, namespace?: string): KubeObject {
  const metadata = namespace === undefined ? { name: "web" } : { name: "web", namespace };
  return { apiVersion, kind, metadata, ...(spec !== undefined && { spec }) };
}

function policy(spec: Record<string, unknown>, namespace?: string): KubeObject {
  const resourceSelectors = [{ apiVersion: "apps/v1", kind: "Deployment", name: "web" }];
  return manifest("policy.karmada.io/v1alpha1", "PropagationPolicy", { resourceSelectors, ...spec }, namespace);
}

function messages(object: KubeObject): string[] {
  return checkManifest(object).map(({ message }) => message);
}

describe("checkManifest of a kind", () => {
  it.each([
    ["apps.karmada.io/v1alpha1", "PropagationPolicy", "policy.karmada.io/v1alpha1"],
    ["policy.karmada.io/v1", "OverridePolicy", "policy.karmada.io/v1alpha1"],
    ["work.karmada.io/v1alpha1", "ResourceBinding", "work.karmada.io/v1alpha2"],
    ["policy.karmada.io/v1alpha1", "PropogationPolicy", "PropagationPolicy"],
    ["apps.karmada.io/v1alpha1", "ClusterPropogationPolicy", "policy.karmada.io/v1alpha1 ClusterPropagationPolicy"],
    ["gitops.flaghoist.io/v1alpha1", "GitRepositroy", "GitRepository"],
    ["v1", "Deployment", "apps/v1"],
    ["extensions/v1beta1", "Ingress", "networking.k8s.io/v1"],
    ["networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1"],
    ["apps/v1", "Deploymnet", "Deployment"],
  ])("says of %s %s what is meant", (apiVersion, kind, meant) => {
    expect(messages(manifest(apiVersion, kind))).toEqual([
      `there is no kind ${kind} in ${apiVersion}. Did you mean ${meant}?`,
    ]);
  });

  it.each([
    ["source.toolkit.fluxcd.io/v1", "GitRepository"],
    ["cluster.x-k8s.io/v1beta1", "Cluster"],
    ["search.karmada.io/v1alpha1", "ResourceRegistry"],
    ["operator.karmada.io/v1alpha1", "Karmada"],
    ["apps/v1", "Deployment"],
    ["autoscaling/v1", "HorizontalPodAutoscaler"],
    ["v1", "ComponentStatus"],
    ["example.com/v1", "Deployment"],
  ])("lets %s %s pass", (apiVersion, kind) => {
    expect(messages(manifest(apiVersion, kind))).toEqual([]);
  });

  it("knows that Karmada has no such kind even when none is near", () => {
    expect(messages(manifest("policy.karmada.io/v1alpha1", "Workflow"))).toEqual([
      "there is no kind Workflow in policy.karmada.io/v1alpha1",
    ]);
  });
});

describe("checkManifest of metadata", () => {
  it.each<[Record<string, unknown>, string]>([
    [{ labels: { version: 1.2 } }, "metadata.labels.version: must be text, not 1.2; put it in quotes"],
    [{ lables: {} }, "metadata.lables: there is no such field. Did you mean labels?"],
    [{ annotations: { "no spaces": "" } }, 'metadata.annotations: "no spaces" name part must consist of'],
    [{ namespace: "a.b" }, 'metadata.namespace: "a.b" a lowercase RFC 1123 label must consist of'],
    [{ labels: { app: "a b" } }, 'metadata.labels[app]: "a b" a valid label must be an empty string or consist of'],
  ])("says of %j, for any kind, what is wrong", (metadata, text) => {
    const deployment = { ...manifest("apps/v1", "Deployment"), metadata: { name: "web", ...metadata } };

    expect(messages(deployment)).toHaveLength(1);
    expect(messages(deployment)[0]).toContain(text);
  });

  it("wants names as Kubernetes does for our kinds", () => {
    expect(messages({ ...policy({}), metadata: { name: "Web" } })[0]).toContain(
      'metadata.name: "Web" a lowercase RFC 1123',
    );
    expect(messages({ ...policy({}), metadata: { generateName: "web-" } })).toEqual([]);
  });
});

describe("checkManifest of fields", () => {
  it("takes a policy as people write it", () => {
    expect(messages(policy({ placement: { clusterAffinity: { clusterNames: ["a"] } }, priority: null }))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      "a misspelt field",
      { placement: { clusterAfinity: {} } },
      "spec.placement.clusterAfinity: there is no such field. Did you mean clusterAffinity?",
    ],
    [
      "a misspelt field without a value",
      { placment: null },
      "spec.placment: there is no such field. Did you mean placement?",
    ],
    [
      "a field at the wrong place",
      { clusterAffinity: {} },
      "spec.clusterAffinity: there is no such field. Did you mean spec.placement.clusterAffinity?",
    ],
    [
      "a missing field",
      { resourceSelectors: [{ apiVersion: "apps/v1" }] },
      "spec.resourceSelectors[0].kind: is required",
    ],
    ["an empty list", { resourceSelectors: [] }, "spec.resourceSelectors: must not be empty"],
    ["a wrong type", { priority: "high" }, 'spec.priority: must be a whole number, not "high"'],
    [
      "a single value for a list",
      { placement: { clusterTolerations: {} } },
      "spec.placement.clusterTolerations: must be a list, not an object",
    ],
    [
      "a value that was renamed",
      { failover: { cluster: { purgeMode: "Immediately" } } },
      'spec.failover.cluster.purgeMode: "Immediately" is not one of Directly, Gracefully. Did you mean Directly?',
    ],
    [
      "a value in the wrong case",
      { conflictResolution: "overwrite" },
      'spec.conflictResolution: "overwrite" is not one of Abort, Overwrite. Did you mean Overwrite?',
    ],
    [
      "a number out of range",
      {
        placement: {
          replicaScheduling: { weightPreference: { staticWeightList: [{ targetCluster: {}, weight: 0 }] } },
        },
      },
      "spec.placement.replicaScheduling.weightPreference.staticWeightList[0].weight: must be at least 1",
    ],
    [
      "a rule of admission",
      { placement: { spreadConstraints: [{ spreadByField: "cluster", minGroups: 2, maxGroups: 1 }] } },
      "spec.placement.spreadConstraints[0]: maxGroups 1 is lower than minGroups 2",
    ],
  ])("explains %s", (_, spec, text) => {
    expect(messages(policy(spec))).toEqual([text]);
  });

  it("asks for a name, and for durations and quantities that are some", () => {
    const repository = manifest("gitops.flaghoist.io/v1alpha1", "GitRepository", { url: "https://x", interval: "5" });
    const quota = manifest("policy.karmada.io/v1alpha1", "FederatedResourceQuota", {
      overall: { "requests.cpu": "1 core" },
    });

    expect(messages({ ...repository, metadata: {} })).toEqual([
      "metadata.name: is required",
      'spec.interval: must be a duration such as 30s or 5m, not "5"',
    ]);
    expect(messages(quota)).toEqual([
      'spec.overall[requests.cpu]: must be a quantity such as 500m or 1Gi, not "1 core"',
    ]);
  });

  it("minds the namespace of selectors only where the policy states its own", () => {
    const resourceSelectors = [{ apiVersion: "v1", kind: "ConfigMap", namespace: "bank" }];

    expect(checkManifest(policy({ resourceSelectors }, "shop")).map(({ field }) => field)).toEqual([
      "spec.resourceSelectors[0].namespace",
    ]);
    expect(checkManifest(policy({ resourceSelectors }))).toEqual([]);
  });

  it("allows taint policies to drive workloads out where the operator does", () => {
    const drain = manifest("policy.karmada.io/v1alpha1", "ClusterTaintPolicy", {
      taints: [{ key: "a", effect: "NoExecute" }],
    });

    expect(checkManifest(drain)).toHaveLength(1);
    expect(checkManifest(drain, { allowNoExecuteTaintPolicy: true })).toEqual([]);
  });
});

describe("warnings of checkManifest", () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      "kinds a namespaced policy never selects",
      { resourceSelectors: [{ apiVersion: "v1", kind: "Namespace" }] },
      "spec.resourceSelectors[0].kind",
    ],
    [
      "labels beside a name",
      { resourceSelectors: [{ apiVersion: "v1", kind: "ConfigMap", name: "a", labelSelector: {} }] },
      "spec.resourceSelectors[0].labelSelector",
    ],
    ["the superseded association", { association: true }, "spec.association"],
    [
      "spreading beside fixed weights",
      {
        placement: {
          spreadConstraints: [{ spreadByField: "cluster", minGroups: 2 }],
          replicaScheduling: {
            replicaSchedulingType: "Divided",
            weightPreference: { staticWeightList: [{ targetCluster: {}, weight: 1 }] },
          },
        },
      },
      "spec.placement.spreadConstraints",
    ],
  ])("point at %s", (_, spec, field) => {
    expect(checkManifest(policy(spec)).map((problem) => [problem.severity, problem.field])).toEqual([
      ["warning", field],
    ]);
  });

  it("never repeat a password", () => {
    const repository = manifest("gitops.flaghoist.io/v1alpha1", "GitRepository", {
      url: "https://me:hunter2@git.example/shop.git",
      timeZone: "UTC",
    });

    const found = checkManifest(repository);

    expect(found.map(({ severity, field }) => [severity, field])).toEqual([
      ["warning", "spec.url"],
      ["warning", "spec.timeZone"],
    ]);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });
});

describe("checkManifest against what is stored", () => {
  const stored = {
    ...policy({
      schedulerName: "mine",
      resourceSelectors: [{ apiVersion: "v1", kind: "ConfigMap", namespace: "shop" }],
    }),
    metadata: { name: "web", namespace: "shop", labels: { "propagationpolicy.karmada.io/permanent-id": "id-1" } },
  };
  const errors = (spec: Record<string, unknown>): string[] =>
    checkManifest({ ...policy(spec), metadata: { name: "web", namespace: "shop" } }, { stored })
      .filter(({ severity }) => severity === "error")
      .map(({ field }) => field);

  it("finds what cannot change", () => {
    expect(errors({ schedulerName: "other" })).toEqual(["spec.schedulerName"]);
  });

  it("takes what the manifest leaves out as it is", () => {
    expect(errors({ schedulerName: "mine" })).toEqual([]);
    expect(errors({})).toEqual([]);
  });
});
