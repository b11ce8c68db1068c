import { describe, expect, it } from "vitest";
import type { AppError } from "../../../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  template: {spec: {containers: [{name: a, image: nginx}, {name: b, image: "1"}]}}
`;
const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data: {path: /a/b, plain: v}
`;

function plugin(kind: string, body = "", name = "p"): string {
  return `apiVersion: builtin\nkind: ${kind}\nmetadata: {name: ${name}}\n${body}`;
}

function prefix(text: string, name: string): string {
  return plugin("PrefixTransformer", `prefix: ${text}-\nfieldSpecs: [{path: metadata/name}]\n`, name);
}

function inline(text: string): string {
  return `- |\n${text.replace(/^/gm, "  ")}\n`;
}

interface Made {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly data: Record<string, string>;
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly Record<string, string>[] } };
  };
}

function build(files: TreeFiles): Made[] {
  const tree = new MemoryTree({ "web.yaml": DEPLOYMENT, "cm.yaml": CONFIG, ...files });
  // The objects of these tests have the fields of Made as far as they are looked at.
  return renderKustomization(tree, "").objects.map(({ object }) => object as unknown as Made);
}

function buildWith(role: "transformers" | "generators" | "validators", text: string, files: TreeFiles = {}): Made[] {
  return build({
    "kustomization.yaml": `resources: [web.yaml, cm.yaml]\n${role}: [p.yaml]\n`,
    "p.yaml": text,
    ...files,
  });
}

function failure(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return `${(error as AppError).code}: ${(error as AppError).message}`;
  }
  throw new Error("it did not fail");
}

describe("plugins in files of their own", () => {
  it("run in the order of inline text, then files", () => {
    const [made] = build({
      "kustomization.yaml": `resources: [cm.yaml]\ntransformers:\n- a.yaml\n${inline(prefix("i", "i"))}- b.yaml\n${inline(prefix("j", "j"))}`,
      "a.yaml": prefix("a", "a"),
      "b.yaml": prefix("b", "b"),
    });

    expect(made!.metadata.name).toBe("b-a-j-i-cm");
  });

  it("are objects of a kustomization, whose transformers apply to them", () => {
    const [made] = build({
      "kustomization.yaml": "resources: [cm.yaml]\ntransformers: [folder]\n",
      "folder/kustomization.yaml":
        'resources: [p.yaml]\npatches: [{target: {kind: Prefix.*}, patch: \'[{"op": "replace", "path": "/prefix", "value": "patched-"}]\'}]\n',
      "folder/p.yaml": prefix("a", "a"),
    });

    expect(made!.metadata.name).toBe("patched-cm");
  });

  it("are refused twice under one name", () => {
    const files = { "a.yaml": prefix("a", "same"), "b.yaml": prefix("b", "same") };

    const told = failure(() =>
      build({ "kustomization.yaml": "resources: [cm.yaml]\ntransformers: [a.yaml, b.yaml]\n", ...files }),
    );

    expect(told).toMatch(/^render-duplicate-id: /);
  });

  it("tell what is wrong with inline text that is no file either", () => {
    const told = failure(() =>
      build({
        "kustomization.yaml": `resources: [cm.yaml]\ntransformers:\n${inline("apiVersion: builtin\nkind: [x")}`,
      }),
    );

    expect(told).toContain("render-missing-file: kustomization.yaml:3:3: the entry is neither a path nor");
  });

  it("pass over fields that they do not know", () => {
    const [, made] = buildWith(
      "transformers",
      plugin(
        "LabelTransformer",
        "labels: {a: 1}\nmore: 1\nfieldSpecs: [{path: metadata/labels, create: true, more: 2}]\n",
      ),
    );

    expect(made!.metadata.labels).toEqual({ a: "1" });
  });

  it.each([
    ["an external one", "apiVersion: example.org/v1\nkind: X\nmetadata: {name: x}\n"],
    [
      "a function",
      "apiVersion: example.org/v1\nkind: X\nmetadata: {name: x, annotations: {config.kubernetes.io/function: 'container: {image: x}'}}\n",
    ],
    ["an unknown kind", plugin("NoSuchTransformer")],
    ["the order of objects", plugin("SortOrderTransformer")],
    ["a generator", plugin("ConfigMapGenerator", "literals: [a=b]\n")],
    ["a prefix without fieldSpecs", plugin("PrefixTransformer", "prefix: a-\n")],
    ["fieldSpecs in another case", plugin("SuffixTransformer", "suffix: -a\nFieldSpecs: []\n")],
    ["subjects that are no mode", plugin("NamespaceTransformer", "setRoleBindingSubjects: some\n")],
    ["a list for a map", plugin("LabelTransformer", "labels: [a]\n")],
    ["a number inside a selector", plugin("PatchTransformer", "target: {kind: 1}\npatch: '[]'\n")],
    ["a value without targets", plugin("ValueAddTransformer", "value: a\n")],
    [
      "a negative position",
      plugin("ValueAddTransformer", "value: a\ntargets: [{fieldPath: a, filePathPosition: -1}]\n"),
    ],
  ])("refuse %s as a transformer", (_what, text) => {
    expect(failure(() => buildWith("transformers", text))).toMatch(/^render-plugin: p\.yaml/);
  });

  it("refuse a transformer as a generator", () => {
    expect(failure(() => buildWith("generators", prefix("a", "a")))).toContain("PrefixTransformer is no generator");
  });

  it("generate without the options of the kustomization", () => {
    const [made] = build({
      "kustomization.yaml": "generatorOptions: {disableNameSuffixHash: true, labels: {a: b}}\ngenerators: [p.yaml]\n",
      "p.yaml": plugin("ConfigMapGenerator", "literals: [a=b]\nenv: never.env\n"),
    });

    expect(made!.metadata).toEqual({ name: "p-4h2mbtbbt6" });
  });

  it("select the objects of a JSON patch by patterns, and none is enough", () => {
    const operations = 'jsonOp: \'[{"op": "replace", "path": "/spec/replicas", "value": 7}]\'\n';

    const some = buildWith("transformers", plugin("PatchJson6902Transformer", `target: {name: w.*}\n${operations}`));
    const none = buildWith("transformers", plugin("PatchJson6902Transformer", `target: {name: x}\n${operations}`));

    expect([some, none].map((objects) => objects.find(({ kind }) => kind === "Deployment")?.spec.replicas)).toEqual([
      7, 1,
    ]);
  });

  it("hash names where they stand, and once more in the end", () => {
    const [made] = build({
      "kustomization.yaml": "configMapGenerator: [{name: g, literals: [a=b]}]\ntransformers: [p.yaml]\n",
      "p.yaml": plugin("HashTransformer"),
    });

    expect(made!.metadata.name).toMatch(/^g-[a-z0-9]{10}-[a-z0-9]{10}$/);
  });
});

describe("a ValueAddTransformer", () => {
  function written(target: string): Made[] {
    return buildWith("transformers", plugin("ValueAddTransformer", `value: X\ntargets: [${target}]\n`));
  }

  it.each([
    [1, "/X/a/b"],
    [2, "/a/X/b"],
    [9, "/a/b/X"],
    [0, "X"],
  ])("puts its value at position %i of a path", (position, expected) => {
    const [made] = written(`{fieldPath: data/path, filePathPosition: ${position}, selector: {kind: ConfigMap}}`);

    expect(made!.data.path).toBe(expected);
  });

  it("picks elements by key, index and end, and makes one by key", () => {
    const containers = "spec/template/spec/containers";
    const [, made] = written(
      [
        `"${containers}/[name=a]/image"`,
        `"${containers}/[name=new]/image"`,
        `"${containers}/1/tag"`,
        `"${containers}/-/last"`,
      ]
        .map((path) => `{fieldPath: ${path}, selector: {kind: Deployment}}`)
        .join(", "),
    );

    expect(made!.spec.template.spec.containers).toEqual([
      { name: "a", image: "X" },
      { name: "b", image: "1", tag: "X" },
      { name: "new", image: "X", last: "X" },
    ]);
  });

  it("moves objects by metadata/namespace, but none that are in no namespace", () => {
    const made = build({
      "kustomization.yaml": "resources: [cm.yaml, ns.yaml]\ntransformers: [p.yaml]\n",
      "ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
      "p.yaml": plugin("ValueAddTransformer", "value: X\ntargets: [{fieldPath: metadata/namespace}]\n"),
    });

    expect(made.map(({ metadata }) => metadata.namespace)).toEqual([undefined, "X"]);
  });

  it("takes further targets from a file", () => {
    const [made] = buildWith("transformers", plugin("ValueAddTransformer", "value: X\ntargetFilePath: t.yaml\n"), {
      "t.yaml": "targets: [{fieldPath: data/plain, selector: {kind: ConfigMap}}]\n",
    });

    expect(made!.data.plain).toBe("X");
  });
});

describe("an IAMPolicyGenerator", () => {
  it("ties a service account to one of the cloud", () => {
    const [made] = build({
      "kustomization.yaml": "generators: [p.yaml]\n",
      "p.yaml": plugin(
        "IAMPolicyGenerator",
        "cloud: gke\nkubernetesService: {name: k, namespace: n}\nserviceAccount: {name: s, projectId: p}\n",
      ),
    });

    expect(made!.metadata).toEqual({
      annotations: { "iam.gke.io/gcp-service-account": "s@p.iam.gserviceaccount.com" },
      name: "k",
      namespace: "n",
    });
  });

  it("knows no other cloud", () => {
    const text = plugin("IAMPolicyGenerator", "cloud: other\n");

    expect(failure(() => buildWith("generators", text))).toContain("the cloud other is not supported, gke is");
  });
});

describe("validators", () => {
  const label = (pair: string, path = "metadata/labels") =>
    plugin("LabelTransformer", `labels: {${pair}}\nfieldSpecs: [{path: ${path}, create: true}]\n`);

  it("may look", () => {
    const text = plugin(
      "ReplacementTransformer",
      "replacements: [{source: {kind: ConfigMap, fieldPath: data.plain}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.plain]}]}]\n",
    );

    expect(buildWith("validators", text)).toHaveLength(2);
  });

  it("may leave their mark on objects without labels", () => {
    expect(buildWith("validators", label("validated-by: me")).map(({ metadata }) => metadata.labels)).toEqual([
      { "validated-by": "me" },
      { "validated-by": "me" },
    ]);
  });

  it.each([
    ["in the order of their names", "labels: [{pairs: {a: x, b: x}}]", undefined],
    ["in another order", "labels: [{pairs: {b: x}}, {pairs: {a: x}}]", "render-plugin"],
    ["before annotations", "labels: [{pairs: {a: x}}]\ncommonAnnotations: {a: x}", "render-plugin"],
    [
      "from a patch",
      "patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {a: x}}}'}]",
      "render-plugin",
    ],
  ])("may leave their mark behind labels that the build made %s", (_, fields, code) => {
    const tree = new MemoryTree({
      "kustomization.yaml": `resources: [a.yaml]\n${fields}\nvalidators: [p.yaml]\n`,
      "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
      "p.yaml": label("validated-by: me"),
    });
    const build = () => renderKustomization(tree, ".");

    if (code === undefined) expect(build).not.toThrow();
    else expect(build).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ["a label", label("a: b")],
    ["a patch", plugin("PatchTransformer", `patch: |\n${CONFIG.replace(/^/gm, "  ")}`)],
    [
      "a deletion",
      plugin(
        "PatchTransformer",
        "patch: |\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: cm}\n  $patch: delete\n",
      ),
    ],
    ["a name", prefix("a", "a")],
  ])("may not change anything: %s", (_what, text) => {
    expect(failure(() => buildWith("validators", text))).toMatch(
      /^render-plugin: p\.yaml:1: the validator .* changes /,
    );
  });

  it("refuse by failing", () => {
    const text = plugin(
      "PatchTransformer",
      'target: {kind: ConfigMap}\npatch: \'[{"op": "test", "path": "/data/plain", "value": "w"}]\'\n',
    );

    expect(failure(() => buildWith("validators", text))).toMatch(/^render-patch-operation: /);
  });
});
