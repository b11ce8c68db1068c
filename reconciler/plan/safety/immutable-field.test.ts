import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { claimed, cluster, configMap, deployment, policy, world } from "../../../test/builders.ts";
import { immutableAmong, immutableField } from "./immutable-field.ts";
import { review } from "./testing/review.ts";

const owner = policy({ name: "p", clusters: ["a", "b"] });
const fleet = [cluster({ name: "a" }), cluster({ name: "b" })];
const web = claimed(deployment(), owner);
const before = world({ clusters: fleet, policies: [owner], templates: [web] });

function withSelector(annotations: Record<string, string> = {}): KubeObject {
  const spec = web["spec"] as Record<string, unknown>;
  return {
    ...web,
    metadata: { ...web.metadata, annotations: { ...web.metadata.annotations, ...annotations } },
    spec: { ...spec, selector: { matchLabels: { app: "other" } } },
  };
}

describe("immutable-field", () => {
  it("is an error that names the field, the clusters and the annotation that replaces", () => {
    expect(immutableField(review({ world: before, put: [withSelector()] }))).toEqual([
      {
        rule: "immutable-field",
        severity: "error",
        object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
        place: { file: "apps/web.yaml", line: 1 },
        field: "spec.selector",
        clusters: ["a", "b"],
        message: "Deployment shop/web stays as it is: its clusters refuse to change spec.selector",
        advice: expect.stringContaining("gitops.flaghoist.io/replace=true"),
      },
    ]);
  });

  it("is a warning when the object is to be replaced", () => {
    const put = [withSelector({ "gitops.flaghoist.io/replace": "true" })];

    expect(immutableField(review({ world: before, put }))).toMatchObject([
      { severity: "warning", message: expect.stringContaining("is deleted and made anew") },
    ]);
  });

  it("says nothing of other fields", () => {
    const put = [claimed(deployment({ image: "shop/web:2" }), owner)];

    expect(immutableField(review({ world: before, put }))).toEqual([]);
  });
});

describe("immutableAmong", () => {
  const of = (apiVersion: string, kind: string, rest: Record<string, unknown> = {}): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: "x", namespace: "shop" },
    ...rest,
  });
  const changed = (path: string, old: unknown = 1, fresh: unknown = 2) => [{ path, before: old, after: fresh }];

  it.each([
    [of("apps/v1", "StatefulSet"), "spec.volumeClaimTemplates[0].spec.storageClassName", ["spec.volumeClaimTemplates"]],
    [of("apps/v1", "StatefulSet"), "spec.template.spec.containers[web].image", []],
    [of("apps/v1", "StatefulSet"), "spec.replicas", []],
    [of("batch/v1", "Job"), "spec.template.spec.containers[web].image", ["spec.template"]],
    [of("batch/v1", "Job"), "spec.parallelism", []],
    [of("v1", "PersistentVolumeClaim"), "spec.storageClassName", ["spec.storageClassName"]],
    [of("v1", "PersistentVolumeClaim"), "spec.resources.requests.storage", []],
    [of("v1", "Service"), "spec.clusterIP", ["spec.clusterIP"]],
    [of("v1", "Pod"), "spec.containers[web].image", []],
    [of("v1", "Pod"), "spec.nodeName", ["spec.nodeName"]],
    [of("rbac.authorization.k8s.io/v1", "RoleBinding"), "roleRef.name", ["roleRef"]],
    [of("v1", "ConfigMap"), "data.a", []],
    [of("v1", "ConfigMap", { immutable: true }), "data.a", ["data"]],
    // Another group's kind of the same name.
    [of("example.io/v1", "Deployment"), "spec.selector", []],
  ])("%o: %s", (object, path, expected) => {
    expect(immutableAmong(object, changed(path), [])).toEqual(expected);
  });

  it("lets a field be given that was not there", () => {
    expect(
      immutableAmong(of("v1", "Service"), [{ path: "spec.clusterIP", before: undefined, after: "None" }], []),
    ).toEqual([]);
  });

  it("knows what the definition of a custom resource fixes", () => {
    const rules = [{ rule: "self == oldSelf" }];
    const schema = {
      properties: { spec: { properties: { region: { "x-kubernetes-validations": rules }, size: {} } } },
    };
    const definition: KubeObject = {
      ...configMap("databases.example.io"),
      kind: "CustomResourceDefinition",
      spec: {
        group: "example.io",
        names: { kind: "Database" },
        versions: [{ name: "v1", schema: { openAPIV3Schema: schema } }],
      },
    };
    const database = of("example.io/v1", "Database");

    expect(immutableAmong(database, changed("spec.region"), [definition])).toEqual(["spec.region"]);
    expect(immutableAmong(database, changed("spec.size"), [definition])).toEqual([]);
  });
});
