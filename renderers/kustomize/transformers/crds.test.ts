import { describe, expect, it } from "vitest";
import { decodeCrds } from "./crds.ts";

const KIND = { apiVersion: {}, kind: {}, metadata: {} };

/** Definitions of a kind Bee whose spec has these properties. */
function bee(properties: object, more: object = {}): string {
  return JSON.stringify({
    "pkg.v1.Bee": { Schema: { properties: { ...KIND, spec: { $ref: "pkg.v1.BeeSpec" } } } },
    "pkg.v1.BeeSpec": { Schema: { properties } },
    ...more,
  });
}

const TO_CONFIG_MAP = { "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap" };

function referencesOf(text: string): unknown {
  return decodeCrds(text, "crd.json").nameReference;
}

describe("decodeCrds", () => {
  it("finds references to names", () => {
    expect(referencesOf(bee({ ref: TO_CONFIG_MAP }))).toEqual([
      { version: "v1", kind: "ConfigMap", fieldSpecs: [{ kind: "Bee", path: "spec/ref/name", create: false }] },
    ]);
  });

  it("knows another key of the name", () => {
    const text = bee({ ref: { ...TO_CONFIG_MAP, "x-kubernetes-object-ref-name-key": "named" } });

    expect(referencesOf(text)).toMatchObject([{ fieldSpecs: [{ path: "spec/ref/named" }] }]);
  });

  it("finds fields of labels, annotations and names", () => {
    const found = decodeCrds(
      bee({
        a: { "x-kubernetes-label-selector": "" },
        b: { "x-kubernetes-annotation": "" },
        c: { "x-kubernetes-identity": "" },
      }),
      "crd.json",
    );

    const paths = [found.commonLabels, found.commonAnnotations, found.namePrefix].map((specs) => specs?.[0]?.path);
    expect(paths).toEqual(["spec/a", "spec/b", "spec/c"]);
  });

  it("passes over extensions that are no text or in another case", () => {
    expect(decodeCrds(bee({ a: { "X-Kubernetes-Identity": "" } }), "crd.json").namePrefix).toEqual([]);
    expect(decodeCrds(bee({ a: { "x-kubernetes-label-selector": true } }), "crd.json").commonLabels).toEqual([]);
  });

  it("follows references by their full name only", () => {
    const deeper = { "pkg.v1.Deep": { Schema: { properties: { ref: TO_CONFIG_MAP } } } };

    expect(referencesOf(bee({ deep: { $ref: "pkg.v1.Deep" } }, deeper))).toHaveLength(1);
    expect(referencesOf(bee({ deep: { $ref: "#/definitions/pkg.v1.Deep" } }, deeper))).toEqual([]);
  });

  it("does not follow a circle", () => {
    const text = bee({ again: { $ref: "pkg.v1.BeeSpec" }, ref: TO_CONFIG_MAP });

    expect(referencesOf(text)).toHaveLength(1);
  });

  it("gives up where definitions multiply", () => {
    const layer = (below: string) => ({
      Schema: { properties: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, { $ref: below }])) },
    });
    const layers = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`l${i}`, layer(`l${i + 1}`)]));

    expect(() => decodeCrds(bee({ deep: { $ref: "l0" } }, layers), "crd.json")).toThrow("more than 100000 fields");
  });

  it("reads YAML, and nothing out of an empty file", () => {
    const text =
      "pkg.Bee:\n  schema:\n    properties:\n      apiVersion: {}\n      kind: {}\n      metadata: {}\n      a: {x-kubernetes-identity: ''}\n";

    expect(decodeCrds(text, "crd.yaml").namePrefix).toEqual([{ kind: "Bee", path: "a", create: false }]);
    expect(decodeCrds("# nothing\n", "crd.yaml").namePrefix).toEqual([]);
  });

  it.each([
    [
      "a whole definition",
      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
      "apiVersion must be a map of fields; a whole definition",
    ],
    ["a list", "- a\n", "the file must be a map"],
    ["JSON with more behind it", '{"a": {}} # comment\n', "no valid JSON"],
    ["properties that are a list", '{"a": {"Schema": {"properties": []}}}', "a.Schema.properties must be a map"],
    ["a type that is a number", bee({ a: { type: 3 } }), "type must be a list of texts"],
  ])("refuses %s", (_what, text, message) => {
    expect(() => decodeCrds(text, "crd.yaml")).toThrow(message);
  });
});
