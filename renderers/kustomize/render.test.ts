import { describe, expect, it } from "vitest";
import { AppError } from "../../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "../memory-tree.ts";
import { type KustomizeOptions, renderKustomization } from "./render.ts";
import { emitYaml } from "./resources/emit.ts";

const CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {mode: plain}\n";

function build(files: TreeFiles, path = "", options: KustomizeOptions = {}): string {
  return emitYaml(renderKustomization(new MemoryTree(files), path, options).objects.map(({ object }) => object));
}

function failureOf(files: TreeFiles, path = ""): AppError {
  try {
    build(files, path);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

describe("renderKustomization", () => {
  it("says for every object which file and line it is from", () => {
    const files = {
      "base/kustomization.yaml": "resources: [a.yaml]\nconfigMapGenerator: [{name: made}]\n",
      "base/a.yaml": `# first\n---\n${CONFIG}`,
      "kustomization.yaml": "resources: [base]\nnamePrefix: p-\n",
    };

    const { objects } = renderKustomization(new MemoryTree(files), "");

    expect(objects.map(({ object, origin }) => [object.metadata.name?.slice(0, 6), origin])).toEqual([
      ["p-conf", { file: "base/a.yaml", line: 3 }],
      ["p-made", { file: "base/kustomization.yaml" }],
    ]);
  });

  it("warns of deprecated fields and names the field to use", () => {
    const files = { "kustomization.yaml": "resources: [a.yaml]\ncommonLabels: {a: b}\n", "a.yaml": CONFIG };

    expect(renderKustomization(new MemoryTree(files), "").warnings).toEqual([
      {
        code: "deprecated-field",
        message:
          "'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        file: "kustomization.yaml",
      },
    ]);
  });

  it("gives equal output for equal input, and leaves its input alone", () => {
    const tree = new MemoryTree({
      "kustomization.yaml":
        "resources: [a.yaml]\nnamespace: team\npatches:\n- patch: '{kind: ConfigMap, apiVersion: v1, metadata: {name: conf}, data: {x: y}}'\n",
      "a.yaml": CONFIG,
    });

    expect(renderKustomization(tree, "")).toEqual(renderKustomization(tree, ""));
  });

  it("gives a list without metadata an empty one, as kustomize does", () => {
    const files = { "kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": "kind: ThingList\n" };

    expect(build(files)).toBe("kind: ThingList\nmetadata: {}\n");
    expect(build({ ...files, "a.yaml": "kind: ThingList\nmetadata:\n" })).toBe("kind: ThingList\nmetadata: null\n");
  });

  it("keeps integers beyond 2^53 exact", () => {
    const files = {
      "kustomization.yaml": "resources: [a.yaml]\n",
      "a.yaml": `${CONFIG.slice(0, -1)}\nbig: 9007199254740993\n`,
    };

    expect(build(files)).toContain("big: 9007199254740993\n");
  });

  it("follows links inside the source", () => {
    const files = {
      "app/kustomization.yaml": "resources: [linked.yaml, base]\n",
      "app/linked.yaml": { link: "real.yaml" },
      "app/real.yaml": CONFIG,
      "app/base": { link: "../elsewhere" },
      "elsewhere/kustomization.yaml": "namePrefix: e-\nresources: [c.yaml]\n",
      "elsewhere/c.yaml": CONFIG,
    };

    expect(renderKustomization(new MemoryTree(files), "app").objects).toHaveLength(2);
  });

  it.each<[string, TreeFiles, string, Record<string, unknown>]>([
    ["a missing file", { "kustomization.yaml": "resources:\n- a.yaml\n" }, "render-missing-file", { line: 2 }],
    ["an escape", { "kustomization.yaml": "resources: [../../a.yaml]\n" }, "render-outside-root", { line: 1 }],
    [
      "a link out of the source",
      { "kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": { link: "../secret" } },
      "render-outside-root",
      {},
    ],
    [
      "a link round in a circle",
      { "kustomization.yaml": "resources: [a]\n", a: { link: "b" }, b: { link: "a" } },
      "render-missing-file",
      {},
    ],
    [
      "a remote base",
      { "kustomization.yaml": "resources: [https://example.org/x.yaml]\n" },
      "render-remote-refused",
      {},
    ],
    [
      "a remote base in short form",
      { "kustomization.yaml": "resources: ['github.com/o/r//path?ref=v1']\n" },
      "render-remote-refused",
      {},
    ],
    [
      "an alias bomb",
      {
        "kustomization.yaml": "resources: [a.yaml]\n",
        "a.yaml": `${[..."abcdefgh"].map((key, i, all) => `${key}: &${key} [${Array(10).fill(i === 0 ? "x" : `*${all[i - 1]}`)}]`).join("\n")}\n`,
      },
      "render-invalid-resource",
      { file: "a.yaml", line: 5 },
    ],
    [
      "a repeated key",
      { "kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": `${CONFIG}kind: Secret\n` },
      "render-invalid-resource",
      { file: "a.yaml", line: 5, column: 1 },
    ],
    [
      "an unknown field",
      { "kustomization.yaml": "resorces: []\n" },
      "render-unknown-field",
      { path: "resorces", line: 1 },
    ],
    [
      "a wrong type",
      { "kustomization.yaml": "resources: []\nimages:\n- name: x\n  newTag: 1\n" },
      "render-invalid-kustomization",
      { path: "images[0].newTag", line: 4 },
    ],
    [
      "an external plugin",
      { "kustomization.yaml": "transformers: ['{apiVersion: x/v1, kind: K, metadata: {name: k}}']\n" },
      "render-plugin",
      {},
    ],
    ["a chart", { "kustomization.yaml": "helmCharts: [{name: x}]\n" }, "render-plugin", {}],
    [
      "bytes that are no text",
      { "kustomization.yaml": new Uint8Array([0xc3, 0x28]) },
      "render-invalid-kustomization",
      {},
    ],
  ])("refuses %s", (_what, files, code, details) => {
    const error = failureOf(files);

    expect(error.code).toBe(code);
    expect(error.recovery).toBe("stall");
    expect(error.details).toMatchObject({ file: "kustomization.yaml", ...details });
  });

  it("names the object and the patch when a patch does not fit", () => {
    const error = failureOf({
      "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
      "a.yaml": CONFIG,
      "p.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: [1]\n",
    });

    expect(error.message).toBe(
      "p.yaml:1: the patch of v1 ConfigMap conf does not apply: the patch has a list at data, where the object has a map",
    );
    expect(error.details).toMatchObject({ file: "p.yaml", object: "v1 ConfigMap conf", path: "data" });
  });

  it("stops at the number of objects it may make", () => {
    const files = {
      "kustomization.yaml": "resources: [a.yaml]\n",
      "a.yaml": `${CONFIG}---\n${CONFIG.replace("conf", "two")}`,
    };

    expect(() => build(files, "", { maxObjects: 1 })).toThrow("there are more than 1 objects");
  });

  it("takes time in proportion to the objects when all of them are renamed and refer to one another", () => {
    const docs: string[] = [];
    for (let i = 0; i < 2000; i++) {
      docs.push(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\n`);
      docs.push(`apiVersion: v1\nkind: Pod\nmetadata: {name: p${i}}\nspec: {volumes: [{configMap: {name: c${i}}}]}\n`);
    }
    const files = { "kustomization.yaml": "namePrefix: x-\nresources: [a.yaml]\n", "a.yaml": docs.join("---\n") };

    const { objects } = renderKustomization(new MemoryTree(files), "");

    expect(objects).toHaveLength(4000);
    expect(objects.find(({ object }) => object.metadata.name === "x-p1999")?.object["spec"]).toEqual({
      volumes: [{ configMap: { name: "x-c1999" } }],
    });
  });
});
