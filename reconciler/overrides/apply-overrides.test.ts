import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy, Overriders, OverrideSpec } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";
import { applyOverrides } from "./apply-overrides.ts";
import type { OverrideResult } from "./override-result.ts";

const paris: Cluster = {
  apiVersion: "cluster.karmada.io/v1alpha1",
  kind: "Cluster",
  metadata: { name: "paris-1" },
  spec: { syncMode: "Push" },
};

function deployment(): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
    spec: {
      replicas: 2,
      template: {
        spec: {
          containers: [
            { name: "app", image: "nginx:1.19", args: ["-v"] },
            { name: "side", image: "side" },
          ],
        },
      },
    },
  };
}

function namespaced(name: string, overriders: Overriders, spec: Partial<OverrideSpec> = {}): OverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name, namespace: "shop" },
    spec: { overrideRules: [{ overriders }], ...spec },
  };
}

function clusterWide(name: string, overriders: Overriders): ClusterOverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterOverridePolicy",
    metadata: { name },
    spec: { overrideRules: [{ overriders }] },
  };
}

function override(
  overridePolicies: readonly OverridePolicy[],
  clusterOverridePolicies: readonly ClusterOverridePolicy[] = [],
  object: KubeObject = deployment(),
): OverrideResult {
  return applyOverrides({ object, cluster: paris, overridePolicies, clusterOverridePolicies });
}

function label(value: string): Overriders {
  return { labelsOverrider: [{ operator: "add", value: { by: value } }] };
}

function errorOf(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("no AppError was thrown");
}

describe("applyOverrides", () => {
  it("gives the very object back when no policy changes it", () => {
    const object = deployment();

    const result = override(
      [namespaced("other", label("x"), { resourceSelectors: [{ apiVersion: "v1", kind: "Pod" }] })],
      [],
      object,
    );

    expect(result.object).toBe(object);
    expect(result.applied).toEqual([]);
    expect(result.appliedAnnotations).toEqual({});
  });

  it("never changes its input, and shares what stays", () => {
    const object = Object.freeze(deployment());
    const before = structuredClone(object);

    const result = override(
      [namespaced("a", { plaintext: [{ operator: "replace", path: "/spec/replicas", value: 5 }] })],
      [],
      object,
    );

    expect(object).toEqual(before);
    expect(result.object).toMatchObject({ spec: { replicas: 5 } });
    expect((result.object["spec"] as { template: unknown }).template).toBe(
      (object["spec"] as { template: unknown }).template,
    );
  });

  it("lets the namespace's policies have the last word, then the more specific, then the later name", () => {
    const named = { resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web" }] };

    expect(
      override([namespaced("z", label("z")), namespaced("b", label("b"), named)]).object.metadata.labels?.["by"],
    ).toBe("b");
    expect(override([namespaced("z", label("z")), namespaced("b", label("b"))]).object.metadata.labels?.["by"]).toBe(
      "z",
    );
    expect(
      override([namespaced("a", label("a"))], [clusterWide("z", label("cop"))]).object.metadata.labels?.["by"],
    ).toBe("a");
  });

  it("matches the namespace's policies against what the cluster-wide ones made of the object", () => {
    const onLabel = {
      resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment", labelSelector: { matchLabels: { by: "cop" } } }],
    };
    const policy = namespaced("a", { annotationsOverrider: [{ operator: "add", value: { seen: "yes" } }] }, onLabel);

    expect(override([policy], [clusterWide("z", label("cop"))]).object.metadata.annotations).toEqual({ seen: "yes" });
    expect(override([policy]).object.metadata.annotations).toBeUndefined();
  });

  it("passes over policies of other namespaces", () => {
    const policy = { ...namespaced("a", label("a")), metadata: { name: "a", namespace: "other" } };

    expect(override([policy]).applied).toEqual([]);
  });

  it("applies the rules that target the cluster only, and says which", () => {
    const policy = namespaced(
      "a",
      {},
      {
        overrideRules: [
          { targetCluster: { clusterNames: ["tokyo-1"] }, overriders: label("tokyo") },
          { targetCluster: { clusterNames: ["paris-1"] }, overriders: label("paris") },
        ],
      },
    );

    const { applied, object } = override([policy]);

    expect(object.metadata.labels?.["by"]).toBe("paris");
    expect(applied).toEqual([
      { policy: { kind: "OverridePolicy", namespace: "shop", name: "a" }, rule: 1, overriders: label("paris") },
    ]);
  });

  it("says of every field who changed it, from what and to what", () => {
    const image: Overriders = { imageOverrider: [{ component: "Registry", operator: "add", value: "eu.example" }] };
    const more: Overriders = {
      argsOverrider: [{ containerName: "app", operator: "add", value: ["-x"] }],
      plaintext: [{ operator: "add", path: "/spec/template/spec/containers/-", value: { name: "new" } }],
    };

    const { provenance } = override([namespaced("registry", image), namespaced("z-more", more)]);

    expect(
      provenance.map(({ path, policy, overrider, old, value }) => [path, policy.name, overrider, old, value]),
    ).toEqual([
      ["/spec/template/spec/containers/0/image", "registry", "imageOverrider", "nginx:1.19", "eu.example/nginx:1.19"],
      ["/spec/template/spec/containers/1/image", "registry", "imageOverrider", "side", "eu.example/side"],
      ["/spec/template/spec/containers/0/args", "z-more", "argsOverrider", ["-v"], ["-v", "-x"]],
      ["/spec/template/spec/containers/2", "z-more", "plaintext", undefined, { name: "new" }],
    ]);
  });

  it("keeps earlier changes of a field in the provenance and finds the one that stands", () => {
    const { provenance } = override([namespaced("a", label("a")), namespaced("b", label("b"))]);

    expect(provenance.filter(({ path }) => path === "/metadata/labels/by")).toHaveLength(2);
    expect(provenance.at(-1)).toMatchObject({ old: "a", value: "b", policy: { name: "b" } });
  });

  it("names policy, rule, overrider and path of an override that cannot be carried out", () => {
    const policy = namespaced("a", {
      plaintext: [
        { operator: "replace", path: "/spec/replicas", value: 1 },
        { operator: "remove", path: "/metadata/labels/none" },
      ],
    });

    const error = errorOf(() => override([policy]));

    expect(error.code).toBe("override-failed");
    expect(error.details).toMatchObject({
      policy: { kind: "OverridePolicy", namespace: "shop", name: "a" },
      rule: 0,
      overrider: "plaintext[1]",
      path: "/metadata/labels/none",
      cluster: "paris-1",
    });
    expect(error.message).toContain(
      "OverridePolicy shop/a, spec.overrideRules[0].overriders.plaintext[1], cannot be carried out for cluster paris-1",
    );
  });

  it.each<[string, Overriders, string]>([
    [
      "an image that is none",
      { imageOverrider: [{ component: "Tag", operator: "remove", predicate: { path: "/kind" } }] },
      "Deployment",
    ],
    [
      "a predicate that leads nowhere",
      { imageOverrider: [{ component: "Tag", operator: "remove", predicate: { path: "/spec/none/image" } }] },
      "image",
    ],
    [
      "a document in no text",
      { fieldOverrider: [{ fieldPath: "/spec", yaml: [{ operator: "remove", subPath: "/a" }] }] },
      "text",
    ],
    [
      "a text that is no document",
      { fieldOverrider: [{ fieldPath: "/kind", json: [{ operator: "remove", subPath: "/a" }] }] },
      "",
    ],
  ])("fails for %s", (_, overriders, text) => {
    expect(errorOf(() => override([namespaced("a", overriders)])).message).toContain(text);
  });

  it("changes labels only where they are, except to add them", () => {
    const overriders: Overriders = {
      labelsOverrider: [
        { operator: "replace", value: { none: "x", app: "shop" } },
        { operator: "remove", value: { none: "x" } },
      ],
      annotationsOverrider: [{ operator: "remove", value: { none: "x" } }],
    };

    const { object } = override([namespaced("a", overriders)]);

    expect(object.metadata).toEqual({ name: "web", namespace: "shop", labels: { app: "shop" } });
  });

  it("patches a YAML document in a field and sorts its keys", () => {
    const config: KubeObject = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "shop" },
      data: { "app.yaml": "log:\n  level: info\nb10: y\nb9: [1]\n" },
    };
    const policy = namespaced("a", {
      fieldOverrider: [
        { fieldPath: "/data/app.yaml", yaml: [{ operator: "replace", subPath: "/log/level", value: "debug" }] },
      ],
    });

    expect(override([policy], [], config).object["data"]).toEqual({
      "app.yaml": "b9:\n- 1\nb10: true\nlog:\n  level: debug\n",
    });
  });

  it("patches a JSON document in a field and keeps the spelling of its numbers", () => {
    const config: KubeObject = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "shop" },
      data: { "app.json": '{ "z": 1.0, "id": 9007199254740993, "a": "<b>" }' },
    };
    const policy = namespaced("a", {
      fieldOverrider: [{ fieldPath: "/data/app.json", json: [{ operator: "add", subPath: "/n", value: 1 }] }],
    });

    expect(override([policy], [], config).object["data"]).toEqual({
      "app.json": '{"z":1.0,"id":9007199254740993,"a":"\\u003cb\\u003e","n":1}',
    });
  });

  it("records the applied rules as Karmada does, by name of the policy", () => {
    const { appliedAnnotations } = override(
      [namespaced("b", { plaintext: [{ operator: "remove", path: "/metadata/labels" }] }), namespaced("a", label("a"))],
      [clusterWide("c", label("c"))],
    );

    expect(appliedAnnotations).toEqual({
      "policy.karmada.io/applied-cluster-overrides":
        '[{"policyName":"c","overriders":{"labelsOverrider":[{"operator":"add","value":{"by":"c"}}]}}]',
      "policy.karmada.io/applied-overrides":
        '[{"policyName":"a","overriders":{"labelsOverrider":[{"operator":"add","value":{"by":"a"}}]}},' +
        '{"policyName":"b","overriders":{"plaintext":[{"path":"/metadata/labels","operator":"remove","value":null}]}}]',
    });
  });
});
