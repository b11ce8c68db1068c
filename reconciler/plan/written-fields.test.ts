import { describe, expect, it } from "vitest";
import { renderKustomization } from "../../renderers/kustomize/render.ts";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { writerText } from "../reports/writer-words.ts";
import type { FieldChange } from "./changes.ts";
import type { OverriddenField } from "./overridden-fields.ts";
import { withWriters, writtenFields } from "./written-fields.ts";

const FILES = {
  "kustomization.yaml": `resources: [web.yaml]
images: [{name: web, newTag: v2}]
commonAnnotations: {team: shop, tier: gold}
patches: [{path: limits.yaml}]
`,
  "limits.yaml":
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: main, resources: {limits: {cpu: 1}}}]}}}\n",
  "web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template: {spec: {containers: [{name: main, image: web}]}}
`,
};
const REF = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const IMAGE = "spec.template.spec.containers[main].image";

interface Situation {
  readonly overrides?: readonly string[];
  readonly isGone?: boolean;
}

/** The words for each changed path. */
function told(paths: readonly string[], { overrides = [], isGone = false }: Situation = {}): unknown[] {
  const { objects, origins } = renderKustomization(new MemoryTree(FILES), "", { fieldOrigins: true });
  const written = new Map([["apps/v1/Deployment//web", writtenFields(objects[0]!, origins[0]!)]]);
  const fields = paths.map((path): FieldChange => ({ path, before: "old", after: isGone ? undefined : "new" }));
  // Only the path of an overridden field is looked at.
  const overridden = overrides.map((path) => ({ path }) as OverriddenField);
  const [change] = withWriters([{ object: REF, fields }], written, () => overridden);
  return change!.fields.map(({ writer }) => writer && writerText(writer));
}

describe("withWriters", () => {
  it("names the entry of the kustomization that wrote a changed field", () => {
    expect(told([IMAGE, "metadata.annotations.team"])).toEqual([
      "← kustomization.yaml:2 images[0]",
      "← kustomization.yaml:3 commonAnnotations",
    ]);
  });

  it("names the file of a patch, also for a map that is new as a whole", () => {
    expect(told(["spec.template.spec.containers[main].resources"])).toEqual([
      "← kustomization.yaml:4 patches[0] (limits.yaml)",
    ]);
  });

  it("says nothing of what the object's own file wrote, nor of a field that is gone", () => {
    expect(told(["spec.replicas"])).toEqual([undefined]);
    expect(told([IMAGE], { isGone: true })).toEqual([undefined]);
  });

  it("leaves to an override what the override changed", () => {
    expect(told([IMAGE, "metadata.annotations.team"], { overrides: [IMAGE] })).toEqual([
      undefined,
      "← kustomization.yaml:3 commonAnnotations",
    ]);
  });
});
