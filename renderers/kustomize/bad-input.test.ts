import { describe, expect, it } from "vitest";
import { AppError } from "../../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "../memory-tree.ts";
import { renderKustomization } from "./render.ts";

const CONF = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n";
const WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n";

function failureOf(files: TreeFiles, path = ""): AppError {
  try {
    renderKustomization(new MemoryTree(files), path);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it was built");
}

/** One kustomization with objects beside it. */
function kustomization(text: string, others: TreeFiles = {}): TreeFiles {
  return { "kustomization.yaml": text, "conf.yaml": CONF, "web.yaml": WEB, ...others };
}

interface Expected {
  readonly code: string;
  readonly file?: string;
  readonly line?: number;
  readonly path?: string;
  readonly object?: string;
  /** What the message says of the way out. */
  readonly says: RegExp;
}

const TABLE: readonly (readonly [string, TreeFiles, Expected, string?])[] = [
  [
    "no kustomization file",
    { "a/x.yaml": CONF },
    { code: "render-missing-kustomization", file: "a", says: /a has no kustomization\.yaml/ },
    "a",
  ],
  [
    "two kustomization files",
    kustomization("resources: [conf.yaml]\n", { Kustomization: "resources: []\n" }),
    { code: "render-multiple-kustomizations", file: "kustomization.yaml", says: /keep one/ },
  ],
  [
    "an unknown field",
    kustomization("# resorces\nresources: [conf.yaml]\nimages:\n- name: a\n  newtagg: b\n"),
    { code: "render-unknown-field", line: 5, path: "images[0].newtagg", says: /did you mean newTag\?/ },
  ],
  [
    "a circle",
    { "a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "# ../a\nresources:\n- ../a\n" },
    { code: "render-cycle", file: "b/kustomization.yaml", line: 3, path: "resources[0]", says: /a -> b/ },
    "a",
  ],
  [
    "a file out of the root",
    { "o/kustomization.yaml": "resources:\n- ../x.yaml\n", "x.yaml": CONF },
    {
      code: "render-outside-root",
      file: "o/kustomization.yaml",
      line: 2,
      path: "resources[0]",
      says: /make it a base/,
    },
    "o",
  ],
  [
    "a link out of the source",
    kustomization("resources:\n- conf.yaml\n- out\n", { out: { link: "/etc/passwd" } }),
    { code: "render-outside-root", line: 3, path: "resources[1]", says: /symbolic link/ },
  ],
  [
    "a text that stands in the file before",
    kustomization("namePrefix: gone.yaml\nresources:\n- conf.yaml\ncrds:\n- gone.yaml\n"),
    { code: "render-missing-file", line: 5, path: "crds[0]", says: /"gone\.yaml" is named here/ },
  ],
  [
    "an entry of the older name",
    kustomization("bases: [gone]\nresources: [conf.yaml]\n"),
    { code: "render-missing-file", line: 1, path: "bases[0]", says: /not in the source/ },
  ],
  [
    "two objects of one identity",
    kustomization("resources: [conf.yaml, b.yaml]\n", { "b.yaml": `# second\n${CONF}` }),
    { code: "render-duplicate-id", file: "b.yaml", line: 2, object: "v1 ConfigMap conf", says: /from conf\.yaml:1/ },
  ],
  [
    "a patch without a target",
    kustomization("resources: [web.yaml]\npatches:\n- path: p.yaml\n", { "p.yaml": WEB.replace("web", "wbe") }),
    {
      code: "render-patch-no-target",
      file: "p.yaml",
      line: 1,
      says: /there is apps\/v1 Deployment web \(web\.yaml:1\)/,
    },
  ],
  [
    "an inline patch without a target",
    kustomization("resources: [web.yaml]\npatches:\n- patch: |-\n    kind: Job\n    metadata: {name: web}\n"),
    { code: "render-patch-no-target", line: 3, path: "patches[0].patch", says: /there is apps\/v1 Deployment web/ },
  ],
  [
    "an operation that does not apply",
    kustomization(
      'resources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: \'[{"op": "remove", "path": "/spec/x"}]\'\n',
    ),
    { code: "render-patch-operation", line: 4, object: "apps/v1 Deployment web", says: /\/spec\/x/ },
  ],
  [
    "an operation of a patch's file that does not apply",
    kustomization("resources: [web.yaml]\npatches:\n- {path: p.yaml, target: {kind: Deployment}}\n", {
      "p.yaml": "- {op: remove, path: /spec/replicas}\n- op: remove\n  path: /spec/x\n",
    }),
    {
      code: "render-patch-operation",
      file: "p.yaml",
      line: 2,
      path: "/spec/x",
      says: /operations\[1\], remove \/spec\/x: there is no "x"/,
    },
  ],
  [
    "an operation that there is not",
    kustomization(
      "resources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: '- {op: put, path: /spec}'\n",
    ),
    { code: "render-wrong-kind-or-version", line: 4, path: "patches[0].patch", says: /operations\[0\], put \/spec/ },
  ],
  [
    "neither an object nor operations",
    kustomization("resources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: nothing\n"),
    { code: "render-patch-unparsable", says: /neither an object .* nor a list of operations/ },
  ],
  [
    "a selector that is no expression",
    kustomization(
      'resources: [web.yaml]\npatches:\n- target: {kind: \'(\'}\n  patch: \'[{"op": "remove", "path": "/spec"}]\'\n',
    ),
    { code: "render-selector", line: 3, path: "patches[0].target.kind", says: /missing closing \)/ },
  ],
  [
    "a file under nearly that name",
    kustomization("resources: [./sub/dpeloyment.yaml]\n", { "sub/deployment.yml": WEB, "sub/deployment.yaml": WEB }),
    { code: "render-missing-file", line: 1, says: /did you mean \.\/sub\/deployment\.yaml\?$/ },
  ],
  [
    "a base in a directory under nearly that name",
    { "bases/web/kustomization.yaml": "resources: []\n", ...kustomization("resources: [base/web]\n") },
    { code: "render-missing-file", line: 1, says: /did you mean bases\/web\?$/ },
  ],
  [
    "an order that is only one of the command line",
    kustomization("resources: [web.yaml]\nsortOptions:\n  order: none\n"),
    { code: "render-sort-options", line: 3, path: "sortOptions.order", says: /legacy or fifo, not "none"/ },
  ],
  [
    "a file that a generator wants",
    kustomization("configMapGenerator:\n- name: a\n- name: b\n  files:\n  - k=gone.txt\n"),
    { code: "render-missing-file", line: 5, path: "configMapGenerator[1].files[0]", says: /not in the source/ },
  ],
  [
    "a generator that merges into nothing",
    kustomization("configMapGenerator:\n- name: gone\n  behavior: merge\n"),
    { code: "render-generator-missing-base", line: 2, says: /not there/ },
  ],
  [
    "a secret that is no pair",
    kustomization("secretGenerator:\n- name: s\n  literals:\n  - hunter2\n"),
    { code: "render-generator-data", line: 4, path: "secretGenerator[0].literals[0]", says: /^(?!.*hunter2)/ },
  ],
  [
    "text that is not UTF-8",
    { "kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": Uint8Array.from([0x61, 0x0a, 0xff]) },
    { code: "render-invalid-resource", file: "a.yaml", says: /UTF-8/ },
  ],
  [
    "aliases that multiply",
    kustomization("resources: [bomb.yaml]\n", { "bomb.yaml": bomb(12) }),
    { code: "render-invalid-resource", file: "bomb.yaml", says: /alias/ },
  ],
  [
    "nesting without end",
    kustomization("resources: [deep.yaml]\n", { "deep.yaml": `a: ${"[".repeat(50_000)}` }),
    { code: "render-invalid-resource", file: "deep.yaml", line: 1, says: /nest|deep/ },
  ],
  [
    "a number that JSON lacks",
    kustomization("resources: [x.yaml]\n", { "x.yaml": "kind: X\nmetadata: {name: x}\nspec: {a: [1, .inf]}\n" }),
    { code: "render-unrepresentable-value", file: "x.yaml", path: "spec.a[1]", says: /no number that JSON has/ },
  ],
  [
    "too many objects",
    kustomization("resources: [many.yaml]\n", {
      "many.yaml": Array.from({ length: 50_001 }, (_, i) => `kind: X\nmetadata: {name: x${i}}\n`).join("---\n"),
    }),
    { code: "render-too-large", says: /more than 50000 objects/ },
  ],
];

describe("bad input", () => {
  it.each(TABLE.map(([name, files, expected, path = ""]) => ({ name, files, expected, path })))(
    "of $name says what, where and what to do",
    ({ files, expected: { code, says, ...place }, path }) => {
      const error = failureOf(files, path);

      expect(error.code).toBe(code);
      expect(error.message).toMatch(says);
      expect(error.details).toMatchObject({ file: "kustomization.yaml", ...place });
    },
  );

  it("names the fault that comes first in a build, whatever stands first in the file", () => {
    const broken = "replicas: [{name: gone}]\npatches: [{path: gone.yaml}]\nresources: [web.yaml]\n";

    expect(failureOf(kustomization(broken)).code).toBe("render-missing-file");
    expect(failureOf(kustomization(`${broken}crds: [gone.json]\n`)).message).toContain("gone.json");
  });

  it("answers an expression that would take others forever", () => {
    const text = `resources: [web.yaml]\npatches:\n- target: {name: "(a*)*(a*)*b"}\n  patch: '[{"op":"remove","path":"/spec"}]'\n`;
    const files = kustomization(text, { "web.yaml": WEB.replace("web", "a".repeat(5_000)) });

    expect(renderKustomization(new MemoryTree(files), "").objects).toHaveLength(1);
  });

  it.each([
    [
      "operations that copy an object into itself",
      `patches:\n- target: {kind: ConfigMap}\n  patch: |-\n${"    - {op: copy, from: /data, path: /data/-x}\n    - {op: copy, from: /data, path: /data/y}\n".repeat(30)}`,
    ],
    [
      "replacements that copy an object into itself",
      `replacements:\n${"- {source: {kind: ConfigMap, fieldPath: data}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x], options: {create: true}}]}\n- {source: {kind: ConfigMap, fieldPath: data}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.y], options: {create: true}}]}\n".repeat(30)}`,
    ],
    [
      "a path of ten thousand fields to create",
      `replacements:\n- {source: {kind: ConfigMap}, targets: [{select: {kind: ConfigMap}, fieldPaths: [${"a.".repeat(10_000)}a], options: {create: true}}]}\n`,
    ],
    [
      "a label in ten thousand maps",
      `labels:\n- pairs: {a: b}\n  fields: [{path: ${"a/".repeat(10_000)}a, create: true}]\n`,
    ],
  ])("refuses %s", (_, fields) => {
    const files = kustomization(`resources: [conf.yaml]\n${fields}`, { "conf.yaml": `${CONF}data: {a: b}\n` });

    expect(failureOf(files).code).toBe("render-too-large");
  });

  it("refuses ten thousand overlays on one another", () => {
    const files = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, level) => [`o${level}/kustomization.yaml`, `resources: [../o${level + 1}]\n`]),
    );

    expect(failureOf(files, "o0").code).toMatch(/^render-too-/);
  });
});

function bomb(levels: number): string {
  const lines = ["kind: X", "metadata: {name: x}", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level <= levels; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]`);
  }
  return `${lines.join("\n")}\n`;
}
