import { describe, expect, it } from "vitest";
import { MemoryTree, type TreeFiles } from "../memory-tree.ts";
import type { Writer } from "../rendered.ts";
import { type KustomizeResult, renderKustomization } from "./render.ts";

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - {name: main, image: "app:v1"}
`;

function build(files: TreeFiles, path = ""): KustomizeResult {
  return renderKustomization(new MemoryTree(files), path, { fieldOrigins: true });
}

/** `by file:line field patch` of a writer, as a test reads best. */
function told(writer: Writer | undefined): string {
  if (writer === undefined) return "nobody";
  const { by, file, line, field, patch } = writer;
  return [by, line === undefined ? file : `${file}:${line}`, field, patch]
    .filter((part) => part !== undefined)
    .join(" ");
}

describe("origins of rendered objects", () => {
  it("name the file of an object and then every entry that changed it, in order", () => {
    const { origins } = build(
      {
        "base/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: b-\n",
        "base/web.yaml": DEPLOYMENT,
        "prod/kustomization.yaml":
          "resources: [../base]\nimages: [{name: app, newTag: v2}, {name: other, newTag: v3}]\npatches: [{path: p.yaml}]\n",
        "prod/p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
      },
      "prod",
    );

    expect(origins[0]?.writers.map(told)).toEqual([
      "File base/web.yaml:1",
      "PrefixTransformer base/kustomization.yaml:2 namePrefix",
      "PatchTransformer prod/kustomization.yaml:3 patches[0] prod/p.yaml",
      "ImageTagTransformer prod/kustomization.yaml:2 images[0]",
    ]);
  });

  it("name for every field the last that wrote it", () => {
    const { origins } = build({
      "kustomization.yaml":
        "resources: [web.yaml]\nnamespace: team\nlabels: [{pairs: {a: b}}]\nimages: [{name: app, newTag: v2}]\npatches: [{path: p.yaml}]\n",
      "web.yaml": DEPLOYMENT,
      "p.yaml":
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: side, image: 'side:v1'}]}}}\n",
    });

    const fields = [...(origins[0]?.fields ?? [])].map(([pointer, writer]) => [pointer, told(writer)]);
    const file = "File web.yaml:1";
    const patch = "PatchTransformer kustomization.yaml:5 patches[0] p.yaml";
    expect(Object.fromEntries(fields)).toEqual({
      "/apiVersion": file,
      "/kind": file,
      "/metadata/name": file,
      "/metadata/namespace": "NamespaceTransformer kustomization.yaml:2 namespace",
      "/metadata/labels/a": "LabelTransformer kustomization.yaml:3 labels[0]",
      "/spec/replicas": file,
      "/spec/template/spec/containers/0/name": patch,
      "/spec/template/spec/containers/0/image": patch,
      // It moved down when the patch put its own before it, and is still the file's.
      "/spec/template/spec/containers/1/name": file,
      "/spec/template/spec/containers/1/image": "ImageTagTransformer kustomization.yaml:4 images[0]",
    });
  });

  it("name the generator of a generated object, and the one that added to it", () => {
    const { origins } = build({
      "base/kustomization.yaml": "configMapGenerator: [{name: conf, literals: [a=1, b=1]}]\n",
      "kustomization.yaml": "resources: [base]\nconfigMapGenerator: [{name: conf, behavior: merge, literals: [b=2]}]\n",
    });

    const fields = origins[0]?.fields;
    expect(origins[0]?.writers.map(told).slice(0, 2)).toEqual([
      "ConfigMapGenerator base/kustomization.yaml:1 configMapGenerator[0]",
      "ConfigMapGenerator kustomization.yaml:2 configMapGenerator[0]",
    ]);
    expect(told(fields?.get("/data/a"))).toBe("ConfigMapGenerator base/kustomization.yaml:1 configMapGenerator[0]");
    expect(told(fields?.get("/data/b"))).toBe("ConfigMapGenerator kustomization.yaml:2 configMapGenerator[0]");
    expect(told(fields?.get("/metadata/name"))).toBe("HashTransformer kustomization.yaml");
  });

  it("name a reference that followed a renamed object", () => {
    const { objects, origins } = build({
      "kustomization.yaml": "resources: [pod.yaml]\nsecretGenerator: [{name: key, literals: [a=b]}]\n",
      "pod.yaml":
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: v, secret: {secretName: key}}]}\n",
    });

    const pod = objects.findIndex(({ object }) => object.kind === "Pod");
    expect(told(origins[pod]?.fields?.get("/spec/volumes/0/secret/secretName"))).toBe(
      "NameReferenceTransformer kustomization.yaml",
    );
  });
});
