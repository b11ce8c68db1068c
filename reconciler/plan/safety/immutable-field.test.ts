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
  const changed = (path: string, ...[old, fresh]: readonly unknown[]) => [{ path, before: old, after: fresh }];

  it.each([
    [of("apps/v1", "StatefulSet"), "spec.volumeClaimTemplates[0].spec.storageClassName", ["spec.volumeClaimTemplates"]],
    [of("apps/v1", "StatefulSet"), "spec.template.spec.containers[web].image", []],
    [of("apps/v1", "StatefulSet"), "spec.replicas", []],
    [of("batch/v1", "Job"), "spec.template.spec.containers[web].image", ["spec.template"]],
    [of("batch/v1", "Job"), "spec.parallelism", []],
    [of("batch/v1", "Job"), "spec.podReplacementPolicy", []],
    [of("batch/v1", "Job"), "spec.completions", ["spec.completions"]],
    [of("batch/v1", "Job", { spec: { completionMode: "Indexed" } }), "spec.completions", []],
    [of("batch/v1", "Job"), "spec.template.spec.nodeSelector.zone", ["spec.template"]],
    [of("batch/v1", "Job", { spec: { suspend: true } }), "spec.template.spec.nodeSelector.zone", []],
    [of("v1", "PersistentVolume"), "spec.nfs.path", ["spec.nfs"]],
    [of("v1", "PersistentVolumeClaim"), "spec.resources.limits.storage", ["spec.resources"]],
    [of("v1", "Pod"), "spec.terminationGracePeriodSeconds", ["spec.terminationGracePeriodSeconds"]],
    [of("v1", "ResourceQuota"), "spec.scopes[0]", ["spec.scopes"]],
    [of("v1", "Service", { spec: { type: "ExternalName" } }), "spec.clusterIP", []],
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
    expect(immutableAmong(object, changed(path, 1, 2), [])).toEqual(expected);
  });

  it("lets a field be given that was not there, but none that the server has given already", () => {
    const given = (kind: string, path: string, after: unknown) =>
      immutableAmong(of("v1", kind), changed(path, undefined, after), []);

    expect(given("PersistentVolumeClaim", "spec.volumeName", "a")).toEqual([]);
    expect(given("Service", "spec.clusterIP", "10.0.0.7")).toEqual([]);
    expect(given("Service", "spec.clusterIP", "None")).toEqual(["spec.clusterIP"]);
  });

  it("lets a Service go outside, and have no address there", () => {
    const fields = [...changed("spec.clusterIP", "10.0.0.7", undefined), ...changed("spec.clusterIP", "a", "b")];
    const outside = changed("spec.type", "ClusterIP", "ExternalName");

    expect(immutableAmong(of("v1", "Service"), fields, [])).toEqual(["spec.clusterIP"]);
    expect(immutableAmong(of("v1", "Service"), [...fields, ...outside], [])).toEqual([]);
  });

  it("takes no default for a change", () => {
    const set = of("apps/v1", "StatefulSet");

    expect(immutableAmong(set, changed("spec.podManagementPolicy", undefined, "OrderedReady"), [])).toEqual([]);
    expect(immutableAmong(set, changed("spec.podManagementPolicy", "OrderedReady", undefined), [])).toEqual([]);
    expect(immutableAmong(set, changed("spec.podManagementPolicy", undefined, "Parallel"), [])).toEqual([
      "spec.podManagementPolicy",
    ]);
  });

  it("lets a volume grow, and not shrink", () => {
    const claim = of("v1", "PersistentVolumeClaim");
    const path = "spec.resources.requests.storage";

    expect(immutableAmong(claim, changed(path, "1Gi", "2000Mi"), [])).toEqual([]);
    expect(immutableAmong(claim, changed(path, "2Gi", "1900Mi"), [])).toEqual([path]);
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

    expect(immutableAmong(database, changed("spec.region", 1, 2), [definition])).toEqual(["spec.region"]);
    expect(immutableAmong(database, changed("spec.size", 1, 2), [definition])).toEqual([]);
  });
});
