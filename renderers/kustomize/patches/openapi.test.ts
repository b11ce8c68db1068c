import { describe, expect, it } from "vitest";
import { MemoryTree } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";

const SCHEMA = JSON.stringify({
  definitions: {
    "com.example.Widget": {
      type: "object",
      "x-kubernetes-group-version-kind": [{ group: "example.com", version: "v1", kind: "Widget" }],
      properties: { spec: { $ref: "#/definitions/com.example.Spec" } },
    },
    "com.example.Spec": {
      properties: {
        parts: {
          type: "array",
          items: { type: "object" },
          "x-kubernetes-patch-strategy": "merge",
          "x-kubernetes-patch-merge-key": "id",
        },
        pod: { $ref: "#/definitions/io.k8s.api.core.v1.PodSpec" },
      },
    },
  },
});
const head = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n";
const WIDGET = `${head}spec: {parts: [{id: 1}, {id: 2}], pod: {containers: [{name: a}, {name: b}]}}\n`;
const CHANGE = `${head}spec: {parts: [{id: 2, new: x}], pod: {containers: [{name: b}]}}\n`;
const POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}, {name: b}]}\n";
const POD_CHANGE = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: b}]}\n";

/** How many parts and containers the widget has in the end, and how many containers the pod. */
function counts(files: Record<string, string>): readonly (number | undefined)[] {
  const { objects } = renderKustomization(new MemoryTree(files), "");
  const specOf = (kind: string) =>
    objects.find(({ object }) => object.kind === kind)?.object["spec"] as
      | { parts?: unknown[]; pod?: { containers: unknown[] }; containers?: unknown[] }
      | undefined;
  return [specOf("Widget")?.parts?.length, specOf("Widget")?.pod?.containers.length, specOf("Pod")?.containers?.length];
}

const FILES = { "w.yaml": WIDGET, "p.yaml": POD, "c.yaml": CHANGE, "d.yaml": POD_CHANGE, "s.json": SCHEMA };
const PATCHES = "patches: [{path: c.yaml}, {path: d.yaml}]\n";

describe("openapi", () => {
  it("leaves lists of unknown kinds to be replaced", () => {
    expect(counts({ ...FILES, "kustomization.yaml": `resources: [w.yaml, p.yaml]\n${PATCHES}` })).toEqual([1, 1, 2]);
  });

  it("replaces the built-in schema by a document of the root", () => {
    const kustomization = `resources: [w.yaml, p.yaml]\nopenapi: {path: s.json}\n${PATCHES}`;

    expect(counts({ ...FILES, "kustomization.yaml": kustomization })).toEqual([2, 1, 1]);
  });

  it("joins a base's document with the built-in schema after an object of an unknown kind", () => {
    const base = { "b/kustomization.yaml": "resources: [p.yaml]\nopenapi: {path: s.json}\n", "b/p.yaml": POD };
    const files = { ...FILES, ...base, "b/s.json": SCHEMA };

    const widgetFirst = counts({ ...files, "kustomization.yaml": `resources: [w.yaml, b]\n${PATCHES}` });
    const baseFirst = counts({ ...files, "kustomization.yaml": `resources: [b, w.yaml]\n${PATCHES}` });

    expect(widgetFirst).toEqual([2, 2, 2]);
    expect(baseFirst).toEqual([2, 1, 1]);
  });

  it("lets the root's choice stand against a base's", () => {
    const files = {
      ...FILES,
      "b/kustomization.yaml": "resources: [p.yaml]\nopenapi: {path: s.json}\n",
      "b/p.yaml": POD,
      "b/s.json": SCHEMA,
      "kustomization.yaml": `resources: [b, w.yaml]\nopenapi: {version: v1.21.2}\n${PATCHES}`,
    };

    expect(counts(files)).toEqual([1, 1, 2]);
  });

  it("reads a document only when a schema is needed", () => {
    const files = { ...FILES, "s.json": "{", "kustomization.yaml": "resources: [p.yaml]\nopenapi: {path: s.json}\n" };

    expect(counts(files)).toEqual([undefined, undefined, 2]);
    expect(() =>
      counts({ ...files, "kustomization.yaml": `${files["kustomization.yaml"]}patches: [{path: d.yaml}]\n` }),
    ).toThrow("the OpenAPI document cannot be read");
  });

  it("knows cluster-scoped kinds by the paths of a document", () => {
    const gvk = { group: "example.com", version: "v1", kind: "Widget" };
    const paths = { "/apis/example.com/v1/widgets": { get: { "x-kubernetes-group-version-kind": gvk } } };
    const files = { "w.yaml": WIDGET, "s.json": JSON.stringify({ definitions: {}, paths }) };
    const kustomization = "resources: [w.yaml]\nnamespace: team\n";
    const namespaceOf = (text: string) =>
      renderKustomization(new MemoryTree({ ...files, "kustomization.yaml": text }), "").objects[0]?.object.metadata
        .namespace;

    expect(namespaceOf(`${kustomization}openapi: {path: s.json}\n`)).toBeUndefined();
    expect(namespaceOf(kustomization)).toBe("team");
  });
});
