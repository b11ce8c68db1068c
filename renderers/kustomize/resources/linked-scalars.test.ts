import { describe, expect, it } from "vitest";
import { MemoryTree } from "../../memory-tree.ts";
import { type KustomizeOptions, renderKustomization } from "../render.ts";
import { RenderCache } from "../render-cache.ts";

const DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n";

/** The values of `env` in the object's labels, its selector and its template, after an overlay's fields. */
function envOf(overlay: string, base = "commonLabels: {env: prod}", options: KustomizeOptions = {}): unknown {
  const files = {
    "b/kustomization.yaml": `resources: [d.yaml]\n${base}\n`,
    "b/d.yaml": DEPLOYMENT,
    "kustomization.yaml": `resources: [b]\n${overlay}\n`,
  };
  const [rendered] = renderKustomization(new MemoryTree(files), "", options).objects;
  const { metadata, spec } = rendered!.object as unknown as {
    metadata: { labels?: { env?: string } };
    spec: {
      selector?: { matchLabels: { env: string } };
      template?: { metadata: { labels?: { env: string } } };
    };
  };
  return [metadata.labels?.env, spec.selector?.matchLabels.env, spec.template?.metadata.labels?.env];
}

function mergePatch(labels: string): string {
  return `patches: [{patch: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: ${labels}}}"}]`;
}

describe("values that one transformer adds to several maps", () => {
  it("change together, as in the real tool", () => {
    expect(envOf("labels: [{pairs: {env: a}}]")).toEqual(["a", "a", "a"]);
    expect(envOf(mergePatch("{env: b}"))).toEqual(["b", "b", "b"]);
    expect(
      envOf("replacements: [{sourceValue: r, targets: [{select: {}, fieldPaths: [metadata.labels.env]}]}]"),
    ).toEqual(["r", "r", "r"]);
  });

  it("change together when states are kept", () => {
    const cache = new RenderCache();

    for (const env of ["a", "b", "a"]) {
      expect(envOf(`labels: [{pairs: {env: ${env}}}]`, undefined, { cache })).toEqual([env, env, env]);
    }
  });

  it("stay apart where they were there before", () => {
    const base =
      "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: {env: x}}}'}]\ncommonLabels: {env: prod}";

    expect(envOf("labels: [{pairs: {env: a}}]", base)).toEqual(["a", "prod", "prod"]);
  });

  it("come apart when a JSON patch makes the object anew, or a patch the map", () => {
    const jsonPatch = `patches: [{target: {kind: Deployment}, patch: '[{"op": "add", "path": "/metadata/labels/env", "value": "j"}]'}]`;

    expect(envOf(jsonPatch)).toEqual(["j", "prod", "prod"]);
    expect(envOf(mergePatch("{$patch: replace, env: z}"))).toEqual(["z", "prod", "prod"]);
  });

  it("keep the last of several values that one patch writes", () => {
    const patch = `patches: [{patch: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: {env: m}}, spec: {template: {metadata: {labels: {env: t}}}}}"}]`;

    expect(envOf(patch)).toEqual(["t", "t", "t"]);
  });
});
