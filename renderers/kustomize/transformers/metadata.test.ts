import { describe, expect, it } from "vitest";
import { MemoryTree } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";

/** The objects of a file after the fields of a kustomization. */
function build(fields: string, objects: string, more: Readonly<Record<string, string>> = {}): readonly unknown[] {
  const files = { "kustomization.yaml": `resources: [r.yaml]\n${fields}\n`, "r.yaml": objects, ...more };
  return renderKustomization(new MemoryTree(files), "").objects.map(({ object }) => object);
}

describe("the namespace transformer", () => {
  it("renames the core Namespace alone", () => {
    const objects =
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: x/v1\nkind: Namespace\nmetadata: {name: a}\n";

    expect(build("namespace: ns", objects)).toMatchObject([
      { apiVersion: "v1", metadata: { name: "ns" } },
      { apiVersion: "x/v1", metadata: { name: "a", namespace: "ns" } },
    ]);
  });

  it("leaves admission policies without one", () => {
    const policy =
      "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: p}\n";

    expect(build("namespace: ns", policy)).toEqual([expect.objectContaining({ metadata: { name: "p" } })]);
  });

  it("refuses subjects that are no list of maps", () => {
    const binding =
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nsubjects: [text]\n";

    expect(() => build("namespace: ns", binding)).toThrow("subjects is a scalar, a list of maps is expected");
  });
});

describe("prefixes", () => {
  it("rename an APIService of another group, but not the aggregation layer's", () => {
    const service = (group: string): string => `apiVersion: ${group}/v1\nkind: APIService\nmetadata: {name: a}\n`;

    expect(build("namePrefix: p-", service("example.org"))).toMatchObject([{ metadata: { name: "p-a" } }]);
    expect(build("namePrefix: p-", service("apiregistration.k8s.io"))).toMatchObject([{ metadata: { name: "a" } }]);
  });
});

describe("labels", () => {
  it("leave a null that their spec does not create", () => {
    const policy =
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n}\nspec: {podSelector: {matchLabels: null}}\n";

    expect(build("commonLabels: {a: b}", policy)).toMatchObject([
      { metadata: { labels: { a: "b" } }, spec: { podSelector: { matchLabels: null } } },
    ]);
  });
});

describe("images", () => {
  const pod = (image: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: "${image}"}]}\n`;
  const imageAfter = (entry: string, image: string): unknown =>
    (build(`images: [${entry}]`, pod(image))[0] as { spec: { containers: { image: string }[] } }).spec.containers[0]
      ?.image;

  it.each([
    ["{name: nginx, newTag: v2}", "nginx:1", "nginx:v2"],
    ["{name: nginx, newTag: v2}", "my-nginx:1", "my-nginx:1"],
    ["{name: nginx, newTag: v2}", "nginx@sha512:abc", "nginx:v2"],
    ["{name: 'nginx|redis', newTag: v2}", "my-redis", "my-redis:v2"],
    ["{name: 'ngin?', newTag: v2}", "ngi", "ngi:v2"],
    ["{name: '[', newTag: v2}", "[", "["],
    ["{name: nginx, tagSuffix: -a}", "nginx:1@sha256:ab", "nginx:1-a-a"],
  ])("%s makes of %s %s", (entry, image, after) => {
    expect(imageAfter(entry, image)).toBe(after);
  });

  it("change the image volumes of a CronJob", () => {
    const spec = "{jobTemplate: {spec: {template: {spec: {volumes: [{name: v, image: {reference: nginx}}]}}}}}";
    const job = `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec: ${spec}\n`;

    expect(JSON.stringify(build("images: [{name: nginx, newTag: v2}]", job))).toContain('"reference":"nginx:v2"');
  });

  it("make an empty list of null containers, whatever their name", () => {
    const empty = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: null}\n";

    expect(build("images: [{name: other, newTag: v2}]", empty)).toMatchObject([{ spec: { containers: [] } }]);
  });
});

describe("variables", () => {
  const source =
    "apiVersion: v1\nkind: Src\nmetadata: {name: s}\nspec: {big: 1234567.25, flag: True, map: {a: b}, list: [x, 7]}\n";
  const holder = (text: string): string =>
    `${source}---\napiVersion: v1\nkind: Dst\nmetadata: {name: d}\nspec: ${text}\n`;
  const valuesOf = (path: string, text: string): unknown =>
    build(
      `vars: [{name: V, objref: {kind: Src, name: s, apiVersion: v1}, fieldref: {fieldPath: "${path}"}}]\nconfigurations: [c.yaml]`,
      holder(text),
      { "c.yaml": "varReference: [{path: spec, kind: Dst}]\n" },
    ).find((object) => (object as { kind: string }).kind === "Dst");

  it.each([
    ["spec.list[1]", 7, "a-7"],
    ["spec.big", 1234567.25, "a-1.23456725e+06"],
    ["spec.flag", true, "a-true"],
    ["spec.map", "$(V)", "a-$(V)"],
  ])("read %s", (path, whole, part) => {
    expect(valuesOf(path, '{whole: "$(V)", part: "a-$(V)"}')).toMatchObject({ spec: { whole, part } });
  });

  it("make text of what a replacement copied into a map", () => {
    const replacements =
      "replacements: [{source: {kind: Src, fieldPath: spec.n}, targets: [{select: {kind: Src}, fieldPaths: [metadata.labels.l], options: {create: true}}]}]";
    const object = "apiVersion: v1\nkind: Src\nmetadata: {name: s}\nspec: {n: '007'}\n";
    const vars = "vars: [{name: V, objref: {kind: Src, name: s, apiVersion: v1}}]";

    expect(build(`${replacements}\n${vars}`, object)).toMatchObject([{ metadata: { labels: { l: "007" } } }]);
  });

  it("refuse a list with something that is no text", () => {
    expect(() => valuesOf("metadata.name", "[a, 5]")).toThrow("spec holds an element that is no text");
  });
});

describe("rejects of replacements", () => {
  it("need the ids or the labels alone", () => {
    const map = (name: string, label: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: {l: ${label}}}\ndata: {v: old}\n`;
    const target = "{select: {kind: ConfigMap}, reject: [{name: a, labelSelector: l=x}], fieldPaths: [data.v]}";
    const objects = build(
      `replacements: [{sourceValue: new, targets: [${target}]}]`,
      [map("a", "other"), map("b", "x"), map("c", "other")].join("---\n"),
    );

    expect(objects).toMatchObject([{ data: { v: "old" } }, { data: { v: "old" } }, { data: { v: "new" } }]);
  });
});
