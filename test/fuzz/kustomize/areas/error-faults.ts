// Ways to break a kustomization, each at one place.
import type { YamlValue } from "../support/yaml-writer.ts";
import { RawYaml } from "../support/yaml-writer.ts";
import type { FaultyRepository } from "./errors.ts";

/** Breaks the kustomization in `directory`, or a file that it names. */
export type Fault = (repository: FaultyRepository, directory: string) => void;

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap" };

function add(field: string, ...items: readonly YamlValue[]): Fault {
  return ({ kustomizations, random }, directory) => {
    const fields = kustomizations[directory];
    if (fields === undefined) return;
    const before = (fields[field] as readonly YamlValue[] | undefined) ?? [];
    fields[field] = random.chance(0.5) ? [...before, ...items] : [...items, ...before];
  };
}

function set(field: string, value: YamlValue): Fault {
  return ({ kustomizations }, directory) => {
    const fields = kustomizations[directory];
    if (fields !== undefined) fields[field] = value;
  };
}

/** Adds a file, and its name to a list of the kustomization. */
function addFile(field: string, text: string, entry: (name: string) => YamlValue = (name) => name): Fault {
  return (repository, directory) => {
    const name = `x${repository.counter++}.yaml`;
    repository.files[`${directory}/${name}`] = text;
    add(field, entry(name))(repository, directory);
  };
}

function patch(text: string, target?: YamlValue): Fault {
  return add("patches", { ...(target !== undefined && { target }), patch: text });
}

function replacement(source: YamlValue | undefined, ...targets: readonly YamlValue[]): Fault {
  const entry = { ...(source !== undefined && { source }), ...(targets.length > 0 && { targets }) };
  return add("replacements", entry);
}

function plugin(field: string, config: { readonly [key: string]: YamlValue }): Fault {
  const text = JSON.stringify({ apiVersion: "builtin", metadata: { name: "t" }, ...config });
  return add(field, `${text}\n`);
}

const DECODING: readonly Fault[] = [
  set("unknownField", 1),
  set("aaa", 1),
  set("zzz", 1),
  set("nameSuffix", 5),
  set("commonAnnotations", { a: true }),
  set("resources", "deployment.yaml"),
  set("labels", { a: "b" }),
  set("apiVersion", "v1"),
  set("kind", "Other"),
  add("resources", true),
  add("images", { name: "nginx", newTagg: "1" }),
  add("patches", { path: "a", options: { other: true } }),
  add("replicas", { name: "web", count: 1.5 }),
  add("configMapGenerator", { name: "a", type: "Opaque" }),
  set("broken", new RawYaml("[")),
  ({ kustomizations }, directory) => {
    delete kustomizations[directory];
  },
  ({ kustomizations }, directory) => {
    kustomizations[directory] = {};
  },
  ({ files }, directory) => {
    files[`${directory}/kustomization.yml`] = "namePrefix: second-\n";
  },
];

const RESOURCES: readonly Fault[] = [
  add("resources", "absent.yaml"),
  add("resources", "absent/"),
  add("resources", "/absolute"),
  add("resources", "a..b/c"),
  add("resources", "../outside.yaml"),
  add("resources", "../overlay"),
  add("resources", "."),
  add("resources", ".."),
  add("resources", ""),
  add("resources", "../component"),
  add("components", "../base"),
  add("components", "conf.yaml"),
  add("components", "absent"),
  addFile("resources", "a: b: c\n"),
  addFile("resources", "\ta: b\n"),
  addFile("resources", "metadata: {name: x}\n"),
  addFile("resources", "kind: X\napiVersion: v1\n"),
  addFile("resources", "kind: X\nmetadata: {name: [x]}\n"),
  addFile("resources", "kind: X\nmetadata: {name: x}\na: 1\na: 2\n"),
  addFile("resources", "kind: X\nmetadata: {name: x}\n--- junk\nkind: X\nmetadata: {name: y}\n"),
  addFile("resources", "kind: X\nmetadata: {name: x}\n---\nkind: X\nmetadata: {name: x}\n"),
  addFile("resources", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n"),
  addFile("resources", "kind: X\nmetadata: {name: x}\na: *b\n"),
  addFile("resources", "kind: XList\nitems: text\n"),
  addFile("resources", "kind: XList\nitems: [{kind: Y}]\n"),
  addFile("resources", "- a\n"),
  addFile("resources", "text\n"),
  addFile("resources", "kind: X\nmetadata: {name: x}\nspec: {a: .inf}\n"),
  addFile("resources", 'kind: X\nmetadata: {name: x}\nspec: {a: "\\x7f"}\n'),
  addFile("resources", "kind: X\nmetadata: {name: x}\nspec: {1: a}\n"),
];

const CONFIGURATIONS: readonly Fault[] = [
  add("configurations", "absent.yaml"),
  addFile("configurations", "nmaePrefix: []\n"),
  addFile("configurations", "namePrefix: [{paths: a}]\n"),
  addFile("configurations", "namePrefix: text\n"),
  addFile("configurations", "commonLabels: [{path: metadata/labels, create: false}]\n"),
  addFile("configurations", "a: [\n"),
  add("crds", "absent.json"),
  addFile("crds", "a: [\n"),
];

const GENERATORS: readonly Fault[] = [
  add("configMapGenerator", { name: "g", literals: ["novalue"] }),
  add("secretGenerator", { name: "g", literals: ["=novalue"] }),
  add("configMapGenerator", { literals: ["a=b"] }),
  add("configMapGenerator", { name: "g", literals: ["a=b", "a=c"] }),
  add("configMapGenerator", { name: "g", literals: ["a b=c"] }),
  add("configMapGenerator", { name: "g", files: ["absent.txt"] }),
  add("configMapGenerator", { name: "g", files: ["a=b=c"] }),
  add("configMapGenerator", { name: "g", files: ["=x"] }),
  add("configMapGenerator", { name: "g", files: ["../outside.yaml"] }),
  add("configMapGenerator", { name: "g", envs: ["absent.env"] }),
  add("configMapGenerator", { name: "g", env: "absent.env" }),
  add("configMapGenerator", { name: "absent", behavior: "merge", literals: ["a=b"] }),
  add("secretGenerator", { name: "absent", behavior: "replace", literals: ["a=b"] }),
  add("configMapGenerator", { name: "twice" }, { name: "twice" }),
  add("configMapGenerator", { name: "conf", literals: ["a=b"] }),
  addFile("configMapGenerator", "a b=c\n", (name) => ({ name: "g", envs: [name] })),
  add("helmCharts", { name: "chart" }),
  add("generators", "absent.yaml"),
  add("generators", "../component"),
  plugin("generators", { kind: "NoSuchGenerator" }),
  plugin("generators", { kind: "ConfigMapGenerator", literals: ["novalue"] }),
  plugin("generators", { apiVersion: "example.org/v1", kind: "External" }),
];

const PATCHES: readonly Fault[] = [
  add("patchesStrategicMerge", "absent.yaml"),
  add("patchesStrategicMerge", "../outside.yaml"),
  addFile("patchesStrategicMerge", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: absent}\n"),
  addFile("patchesStrategicMerge", "a: b\n"),
  addFile("patchesStrategicMerge", "# nothing\n"),
  add("patches", { path: "a.yaml", patch: "b" }),
  add("patches", { target: { kind: "Deployment" } }),
  add("patches", { path: "absent.yaml" }),
  add("patches", { path: "../outside.yaml" }),
  addFile("patches", "not: a patch\n", (path) => ({ path })),
  patch("just text", { kind: "Deployment" }),
  patch("[{op: replace, path: /spec}]", { kind: "Deployment" }),
  patch("- {op: replace, path: /absent/field, value: 1}", { kind: "Deployment" }),
  patch("- {op: test, path: /metadata/name, value: other}", { kind: "Deployment" }),
  patch("- {op: remove, path: /absent}", { kind: "Service" }),
  patch("- {op: add, path: /spec/ports/9, value: 1}", { kind: "Service" }),
  patch("- {op: add, path: /a/b/c, value: 1}", { kind: "Service" }),
  patch("- {op: frobnicate, path: /a}", { kind: "Service" }),
  patch("- {op: remove, path: /spec}"),
  patch("- {op: remove, path: /spec}", { kind: "(" }),
  patch("- {op: remove, path: /spec}", { kind: "Absent", labelSelector: "a in (" }),
  patch("- {op: remove, path: /spec}", { kind: "Deployment", labelSelector: "a in (" }),
  patch(JSON.stringify({ ...CONFIG_MAP, metadata: { name: "absent" } })),
  patch(JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports: { a: 1 } } })),
  patch(JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: [1] })),
  patch(JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, $patch: "other" })),
  patch("kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n", { kind: "Deployment" }),
  add("patchesJson6902", { target: { version: "v1", kind: "ConfigMap" }, patch: "[]" }),
  add("patchesJson6902", { target: { version: "v1", kind: "ConfigMap", name: "conf" } }),
  add("patchesJson6902", { target: { version: "v1", kind: "ConfigMap", name: "conf" }, path: "a", patch: "b" }),
  add("patchesJson6902", { target: { version: "v1", kind: "ConfigMap", name: "conf" }, path: "absent.yaml" }),
  add("patchesJson6902", { target: { version: "v1", kind: "ConfigMap", name: "conf" }, patch: "[]" }),
  add("patchesJson6902", {
    target: { version: "v1", kind: "ConfigMap", name: ".*" },
    patch: "- {op: remove, path: /absent}",
  }),
];

const TRANSFORMERS: readonly Fault[] = [
  add("labels", { pairs: { a: "b" }, fields: [{ path: "metadata/labels", create: false }] }),
  add("labels", { pairs: { a: "b" }, fields: [{ path: "kind/x", create: true }] }),
  add("replicas", { name: "absent", count: 1 }),
  add("images", { name: "(", newTag: "1" }),
  add("transformers", "absent.yaml"),
  add("transformers", "../component"),
  add("transformers", "../outside.yaml"),
  plugin("transformers", { kind: "NoSuchTransformer" }),
  plugin("transformers", { apiVersion: "example.org/v1", kind: "External" }),
  plugin("transformers", { kind: "PatchTransformer" }),
  plugin("transformers", { kind: "PatchTransformer", path: "absent.yaml" }),
  plugin("transformers", { kind: "NamespaceTransformer", setRoleBindingSubjects: "other" }),
  plugin("transformers", { kind: "ReplicaCountTransformer", replica: { name: "absent", count: 1 }, fieldSpecs: [] }),
  plugin("transformers", { kind: "PatchJson6902Transformer", target: { name: "conf" } }),
  plugin("transformers", { kind: "PatchStrategicMergeTransformer", paths: ["absent.yaml"] }),
  plugin("transformers", { kind: "ReplacementTransformer", replacements: [{ path: "absent.yaml" }] }),
  add("validators", "absent.yaml"),
  plugin("validators", { kind: "NoSuchTransformer" }),
];

const SELECT = { select: { kind: "Deployment" } };
const REPLACEMENTS: readonly Fault[] = [
  replacement({ kind: "Absent" }, SELECT),
  replacement({ kind: "Service" }, SELECT),
  replacement({ kind: "Deployment" }),
  replacement(undefined, SELECT),
  replacement({ kind: "Deployment" }, { fieldPaths: ["a"] }),
  replacement({ kind: "Deployment", fieldPath: "spec.absent" }, SELECT),
  replacement({ kind: "Deployment", fieldPath: "spec.*" }, SELECT),
  replacement({ kind: "Deployment", fieldPath: "metadata", options: { delimiter: "," } }, SELECT),
  replacement({ kind: "Deployment", options: { delimiter: "e", index: 9 } }, SELECT),
  replacement({ kind: "Deployment" }, { ...SELECT, fieldPaths: ["spec.absent"] }),
  replacement({ kind: "Deployment" }, { select: { kind: "(" } }),
  add("replacements", { path: "absent.yaml" }),
  add("replacements", { path: "absent.yaml", source: { kind: "Deployment" } }),
  addFile("replacements", "text\n", (path) => ({ path })),
  addFile("replacements", "- source: {kind: Absent}\n  targets: [{select: {kind: X}}]\n", (path) => ({ path })),
];

const ROOT: readonly Fault[] = [
  add("vars", { name: "V", objref: { apiVersion: "v1", kind: "ConfigMap", name: "absent" } }),
  add("vars", {
    name: "V",
    objref: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    fieldref: { fieldPath: "spec.absent" },
  }),
  add("vars", { name: "W", objref: { kind: "A", name: "a" } }, { name: "W", objref: { kind: "B", name: "b" } }),
  set("sortOptions", { order: "other" }),
  set("sortOptions", { order: "none" }),
  set("sortOptions", {}),
  set("sortOptions", { order: "fifo", legacySortOptions: { orderFirst: ["A"] } }),
  set("openapi", { version: "v0.1" }),
  set("openapi", { path: "absent.json" }),
  set("openapi", { path: "conf.yaml", version: "v1.21.2" }),
];

export const FAULTS: readonly Fault[] = [
  ...DECODING,
  ...RESOURCES,
  ...CONFIGURATIONS,
  ...GENERATORS,
  ...PATCHES,
  ...TRANSFORMERS,
  ...REPLACEMENTS,
  ...ROOT,
];
