import { describe, expect, it } from "vitest";
import type { ReportFinding } from "../../api/plan-report.ts";
import { refOf } from "../../kube/object.ts";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { deployment } from "../../test/builders.ts";
import type { ObjectChange } from "./changes.ts";
import { FieldPlaces } from "./field-places.ts";
import type { OverriddenField } from "./overridden-fields.ts";

const IMAGE = "spec.template.spec.containers[web].image";
const WEB = `# our shop
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    spec:
      containers:
        - name: web
          image: web:2
`;
const POLICY = `apiVersion: policy.karmada.io/v1alpha1
kind: OverridePolicy
metadata: {name: registry}
spec:
  overrideRules:
    - overriders:
        imageOverrider:
          - {component: Registry, operator: replace, value: eu.example}
`;
const head = new MemoryTree({ "web.yaml": WEB, "policy.yaml": POLICY });
const web = deployment();
const written = new Map([
  [IMAGE, { by: "ImageTagTransformer", file: "prod/kustomization.yaml", line: 7, field: "images[0]" }],
]);

const finding: ReportFinding = {
  rule: "image-latest",
  severity: "warning",
  object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
  field: IMAGE,
  place: { file: "web.yaml", line: 2 },
  message: "x",
};

function override(words: Partial<OverriddenField> = {}): OverriddenField {
  return {
    path: IMAGE,
    old: "web:2",
    value: "eu.example/web:2",
    policy: { kind: "OverridePolicy", namespace: "shop", name: "registry" },
    rule: 1,
    field: "spec.overrideRules[0].overriders.imageOverrider[0]",
    origin: { file: "policy.yaml:1" },
    ...words,
  };
}

function copyIn(cluster: string, overrides: readonly OverriddenField[]): ObjectChange {
  return {
    cluster,
    object: refOf(web),
    change: "created",
    replicasBefore: undefined,
    replicasAfter: 1,
    fields: [],
    overrides,
  };
}

function placeOf(given: Partial<ReportFinding>, changes: readonly ObjectChange[] = [], byWhom = false) {
  const rendered = [{ object: web, rendered: web, origin: "web.yaml:2", ...(byWhom ? { written } : {}) }];
  const places = new FieldPlaces({ rendered, trees: { head, base: undefined } }, changes);
  return places.place({ ...finding, ...given }).place;
}

describe("the place of a finding", () => {
  it("is the line of the field", () => {
    expect(placeOf({})).toEqual({ file: "web.yaml", line: 11 });
    expect(placeOf({ field: "spec.replicas" })).toEqual({ file: "web.yaml", line: 5 });
    expect(placeOf({ field: "apiVersion" })).toEqual({ file: "web.yaml", line: 2 });
  });

  it("is the entry of a kustomization that wrote the field", () => {
    expect(placeOf({}, [], true)).toEqual({ file: "prod/kustomization.yaml", line: 7 });
    expect(placeOf({ field: "spec.selector" }, [], true)).toEqual({ file: "web.yaml", line: 6 });
  });

  it("is the rule of an override where all the clusters have the field from that", () => {
    const changes = [copyIn("a", [override()]), copyIn("b", [override()]), copyIn("c", [])];

    expect(placeOf({ clusters: ["a", "b"] }, changes)).toEqual({ file: "policy.yaml", line: 8 });
    expect(placeOf({ clusters: ["a", "c"] }, changes)).toEqual({ file: "web.yaml", line: 11 });
    const earlier = [copyIn("a", [override({ origin: { file: "policy.yaml:1", revision: "main@sha1:abc" } })])];
    expect(placeOf({ clusters: ["a"] }, earlier)).toEqual({ file: "policy.yaml", line: 1, commit: "abc" });
  });

  it("stays where a finding has a place of its own, or there is no field", () => {
    const own = { file: "policy.yaml", line: 3 };

    expect(placeOf({ place: own })).toEqual(own);
    const { field: _, ...without } = finding;
    const places = new FieldPlaces({ rendered: [], trees: undefined }, []);
    expect(places.place(without)).toBe(without);
    expect(places.place(finding)).toBe(finding);
  });
});
