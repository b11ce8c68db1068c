import { describe, expect, it } from "vitest";
import { MemoryTree, type TreeFiles } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";

interface Built {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

function build(files: TreeFiles, path = ""): Built[] {
  // Objects of a build have a kind and a name.
  return renderKustomization(new MemoryTree(files), path).objects.map(({ object }) => object as unknown as Built);
}

function configMap(name: string, namespace = ""): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${namespace && `, namespace: ${namespace}`}}\n`;
}

function pod(name: string, reference: string, namespace = ""): string {
  const metadata = `{name: ${name}${namespace && `, namespace: ${namespace}`}}`;
  return `apiVersion: v1\nkind: Pod\nmetadata: ${metadata}\nspec: {volumes: [{name: v, configMap: {name: ${reference}}}]}\n`;
}

/** The name to which each pod refers. */
function references(objects: readonly Built[]): Record<string, string> {
  const pods = objects.filter(({ kind }) => kind === "Pod");
  return Object.fromEntries(
    pods.map(({ metadata, spec }) => {
      const { volumes } = spec as { volumes: { configMap: { name: string } }[] };
      return [metadata.name, volumes[0]!.configMap.name];
    }),
  );
}

describe("fixNameReferences", () => {
  it("follows a name through every level", () => {
    const files = {
      "b/kustomization.yaml": "resources: [r.yaml]\nnamePrefix: b-\n",
      "b/r.yaml": [configMap("c"), pod("p", "c")].join("---\n"),
      "kustomization.yaml": "resources: [b, q.yaml]\nnameSuffix: -o\n",
      "q.yaml": pod("q", "b-c"),
    };

    expect(references(build(files))).toEqual({ "b-p-o": "b-c-o", "q-o": "b-c-o" });
  });

  it("leads to the copy that has the referrer's own prefixes", () => {
    const files = {
      "b/kustomization.yaml": "resources: [r.yaml]\n",
      "b/r.yaml": [configMap("c"), pod("p", "c")].join("---\n"),
      "x/kustomization.yaml": "resources: [../b]\nnamePrefix: x-\n",
      "z/kustomization.yaml": "resources: [../b]\nnamePrefix: z-\n",
      "kustomization.yaml": "resources: [x, z]\n",
    };

    expect(references(build(files))).toEqual({ "x-p": "x-c", "z-p": "z-c" });
  });

  it("stays within the namespace", () => {
    const files = {
      "kustomization.yaml": "resources: [r.yaml]\nnamePrefix: a-\n",
      "r.yaml": [configMap("c", "one"), pod("p", "c", "one"), pod("q", "c", "two")].join("---\n"),
    };

    expect(references(build(files))).toEqual({ "a-p": "a-c", "a-q": "c" });
  });

  it("refuses a name that could be of several objects", () => {
    const files = {
      "x/kustomization.yaml": "resources: [r.yaml]\nnamePrefix: x-\n",
      "x/r.yaml": configMap("c"),
      "z/kustomization.yaml": "resources: [r.yaml]\nnamePrefix: z-\n",
      "z/r.yaml": configMap("c"),
      "kustomization.yaml": "resources: [x, z, r.yaml]\nnamePrefix: o-\n",
      "r.yaml": pod("p", "c"),
    };

    expect(() => build(files)).toThrow("refers to c, which could be any of v1 ConfigMap o-x-c, v1 ConfigMap o-z-c");
  });

  it("takes objects that are not printed as sources of names", () => {
    const local =
      "apiVersion: local/v1\nkind: Host\nmetadata: {name: h, annotations: {config.kubernetes.io/local-config: 'true'}}\n";
    const files = {
      "kustomization.yaml": "resources: [r.yaml]\nnamePrefix: a-\nconfigurations: [c.yaml]\n",
      "c.yaml": "nameReference: [{kind: Host, fieldSpecs: [{kind: Ingress, path: spec/rules/host}]}]\n",
      "r.yaml": `${local}---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {rules: [{host: h}]}\n`,
    };

    expect(build(files)).toMatchObject([{ metadata: { name: "a-i" }, spec: { rules: [{ host: "a-h" }] } }]);
  });

  it("sets name and namespace of a role binding's subjects", () => {
    const account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s, namespace: old}\n";
    const binding =
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects: [{kind: ServiceAccount, name: s, namespace: old}]\n";
    const files = {
      "kustomization.yaml": "resources: [r.yaml]\nnamespace: new\nnamePrefix: a-\n",
      "r.yaml": [account, binding].join("---\n"),
    };

    expect(build(files)[1]).toMatchObject({ subjects: [{ name: "a-s", namespace: "new" }] });
  });

  it("looks a former namespace up among all that came from it, as the real tool does", () => {
    const widget = "apiVersion: x/v1\nkind: W\nmetadata: {name: w, namespace: one}\nref: {name: c, namespace: two}\n";
    const files = {
      "b/kustomization.yaml": "resources: [r.yaml]\nnamespace: two\nnamePrefix: a-\n",
      "b/r.yaml": configMap("c", "one"),
      "kustomization.yaml": "resources: [b, r.yaml, other.yaml]\nconfigurations: [c.yaml]\nnamespace: two\n",
      "c.yaml": "nameReference: [{kind: ConfigMap, version: v1, fieldSpecs: [{kind: W, path: ref}]}]\n",
      "r.yaml": widget,
    };

    // Nothing came from two: the present namespace counts.
    expect(build({ ...files, "other.yaml": configMap("x", "one") }).at(-1)).toMatchObject({ ref: { name: "a-c" } });
    expect(build({ ...files, "other.yaml": configMap("x", "two") }).at(-1)).toMatchObject({ ref: { name: "c" } });
  });

  it("refuses a subject whose namespace is no text", () => {
    const binding =
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nsubjects: [{kind: ServiceAccount, name: s, namespace: }]\n";

    expect(() => build({ "kustomization.yaml": "resources: [r.yaml]\n", "r.yaml": binding })).toThrow(
      "subjects[0].namespace is no text",
    );
  });
});
