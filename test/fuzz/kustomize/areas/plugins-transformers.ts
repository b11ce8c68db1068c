// Configurations of the built-in transformers: all fields, unknown ones, and a few that are refused.
import type { Random } from "../../../../runtime/random.ts";
import type { YamlValue } from "../support/yaml-writer.ts";

type Fields = { [key: string]: YamlValue | undefined };

const SOURCES: readonly Fields[] = [
  { kind: "ConfigMap", name: "conf" },
  { kind: "Deployment", name: "web" },
  { kind: "Bee" },
];
const KINDS = ["Deployment", "ConfigMap", "Service", "Bee", "Namespace"];

/** One configuration; `addFile` takes files that it names. */
export function randomTransformer(random: Random, name: string, addFile: (name: string, text: string) => void): Fields {
  const kind = random.pick(Object.keys(MAKERS));
  const config: Fields = {
    apiVersion: random.chance(0.995) ? "builtin" : "example.org/v1",
    kind,
    metadata: {
      name,
      namespace: kind === "NamespaceTransformer" && random.chance(0.95) ? random.pick(["three", "one"]) : undefined,
      annotations: random.chance(0.05) ? { "config.kubernetes.io/function": "container: {image: x}" } : undefined,
    },
    ...MAKERS[kind]!(random, addFile, name),
  };
  if (random.chance(0.1)) config["unknown"] = random.pick<YamlValue>([1, [], { a: "b" }]);
  // A field of the wrong type fails in every kind that knows it.
  if (random.chance(0.01)) config["fieldSpecs"] = "text";
  return config;
}

const MAKERS: Readonly<
  Record<string, (random: Random, addFile: (name: string, text: string) => void, name: string) => Fields>
> = {
  PrefixTransformer: (random) => ({ prefix: "x-", fieldSpecs: affixSpecs(random) }),
  SuffixTransformer: (random) => ({ suffix: random.pick(["-y", "-1"]), fieldSpecs: affixSpecs(random) }),
  PrefixSuffixTransformer: (random) => ({ prefix: "x-", suffix: "-y", fieldSpecs: affixSpecs(random) }),
  NamespaceTransformer: (random) => ({
    unsetOnly: random.chance(0.4) ? random.chance(0.7) : undefined,
    setRoleBindingSubjects: random.chance(0.5)
      ? random.pick(["defaultOnly", "allServiceAccounts", "none", ...(random.chance(0.05) ? ["all"] : [])])
      : undefined,
    fieldSpecs: random.chance(0.6)
      ? [
          { path: "metadata/namespace", create: true },
          { path: "metadata/name", kind: "Namespace" },
          { path: "spec/home", kind: "Bee", create: random.chance(0.5) },
        ]
      : undefined,
  }),
  LabelTransformer: (random) => ({ labels: pairs(random), fieldSpecs: mapSpecs(random, "labels") }),
  AnnotationsTransformer: (random) => ({ annotations: pairs(random), fieldSpecs: mapSpecs(random, "annotations") }),
  ImageTagTransformer: (random) => ({
    imageTag: {
      name: random.pick(["nginx", "registry.example:5000/team/app", "none"]),
      newName: random.chance(0.3) ? "other" : undefined,
      newTag: random.chance(0.5) ? random.pick<YamlValue>(["2", 3, "1.10"]) : undefined,
      digest: random.chance(0.2) ? "sha256:abc" : undefined,
      tagSuffix: random.chance(0.1) ? "-s" : undefined,
    },
    fieldSpecs: random.chance(0.5) ? [{ path: "spec/image", kind: "Bee" }] : undefined,
  }),
  ReplicaCountTransformer: (random) => ({
    replica: { name: random.pick(["web", "bee"]), count: random.below(5) },
    fieldSpecs: [
      { path: "spec/replicas", kind: "Deployment", create: true },
      { path: "spec/replicas", kind: "Bee" },
    ],
  }),
  PatchTransformer: (random, addFile, name) => {
    const [target, text] = random.chance(0.5) ? jsonPatch(random) : mergePatch(random);
    const inFile = random.chance(0.4);
    if (inFile) addFile(`${name}-patch.yaml`, text);
    return {
      target,
      ...(inFile ? { path: `${name}-patch.yaml` } : { patch: text }),
      options: random.chance(0.1) ? { allowNameChange: true, unknown: 1 } : undefined,
    };
  },
  PatchJson6902Transformer: (random) => {
    const [target, text] = jsonPatch(random);
    return { target: { ...target, name: random.pick([".*", "web", "conf|bee", "none"]) }, jsonOp: text };
  },
  PatchStrategicMergeTransformer: (random, addFile, name) => {
    const text = identityPatch(random);
    if (random.chance(0.4)) return { patches: text };
    if (random.chance(0.5)) return { paths: [text] };
    addFile(`${name}-merge.yaml`, text);
    return { paths: [`${name}-merge.yaml`] };
  },
  ReplacementTransformer: (random, addFile, name) => {
    const replacement: Fields = {
      source: { ...random.pick(SOURCES), fieldPath: "metadata.name" },
      targets: [
        {
          select: { kind: random.pick(KINDS) },
          fieldPaths: [random.pick(["metadata.annotations.from", "metadata.labels.from"])],
          options: { create: true },
          unknown: random.chance(0.1) ? 1 : undefined,
        },
      ],
    };
    if (random.chance(0.7)) return { replacements: [replacement] };
    addFile(`${name}-replacement.yaml`, JSON.stringify(random.chance(0.5) ? [replacement] : replacement));
    return { replacements: [{ path: `${name}-replacement.yaml` }] };
  },
  ValueAddTransformer: (random, addFile, name) => {
    const targets = Array.from({ length: 1 + random.below(2) }, () => valueTarget(random));
    // No numbers: what they become in a label hangs on the patches that come later.
    const value = random.chance(0.8) ? random.pick(["V", "a/b", " padded "]) : undefined;
    if (random.chance(0.8)) return { value, targets };
    addFile(`${name}-targets.yaml`, JSON.stringify({ targets }));
    return { value, targetFilePath: `${name}-targets.yaml` };
  },
  HashTransformer: () => ({}),
};

function affixSpecs(random: Random): YamlValue | undefined {
  if (random.chance(0.02)) return undefined;
  if (random.chance(0.05)) return [];
  const specs: Fields[] = [{ path: "metadata/name", kind: random.chance(0.2) ? random.pick(KINDS) : undefined }];
  if (random.chance(0.3)) specs.push({ path: random.pick(["data/plain", "spec/owner", "metadata/annotations/note"]) });
  return specs;
}

function mapSpecs(random: Random, field: string): YamlValue | undefined {
  if (random.chance(0.1)) return undefined;
  const specs: Fields[] = [
    { path: `metadata/${field}`, create: true, kind: random.chance(0.2) ? random.pick(KINDS) : undefined },
  ];
  if (random.chance(0.4))
    specs.push({ path: `spec/template/metadata/${field}`, create: random.chance(0.5), kind: "Deployment" });
  if (random.chance(0.3)) specs.push({ path: "spec/labels", kind: "Bee", version: random.pick(["v1", "v2", ""]) });
  return specs;
}

function pairs(random: Random): Fields {
  return { [random.pick(["env", "app", "x.org/y"])]: random.pick<YamlValue>(["prod", 5, true, 1.5, "yes"]), more: "m" };
}

function jsonPatch(random: Random): [Fields, string] {
  const operations = [{ op: "add", path: random.pick(["/metadata/annotations", "/added"]), value: { p: "q" } }];
  return [{ kind: random.pick(KINDS) }, JSON.stringify(operations)];
}

function mergePatch(random: Random): [Fields | undefined, string] {
  if (random.chance(0.4)) return [undefined, identityPatch(random)];
  const text = "kind: Any\nmetadata:\n  name: any\n  annotations: {patched: 'yes'}\n";
  return [{ kind: random.pick(KINDS), labelSelector: random.chance(0.2) ? "app=a" : undefined }, text];
}

function identityPatch(random: Random): string {
  return random.pick([
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {plain: patched, rel: null}\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 9}\n",
    "apiVersion: example.org/v1\nkind: Bee\nmetadata: {name: bee}\nspec: {owner: $patch, labels: null}\n",
  ]);
}

function valueTarget(random: Random): Fields {
  const [kind, fieldPath] = random.pick([
    ["ConfigMap", "data/path"],
    ["ConfigMap", "data/rel"],
    ["ConfigMap", "data/number"],
    ["ConfigMap", "data/fresh"],
    ["ConfigMap", "metadata/annotations/x.org\\/y"],
    ["Deployment", "spec/template/spec/containers/[name=a]/image"],
    ["Deployment", "spec/template/spec/containers/[name=new]/image"],
    ["Deployment", "spec/template/spec/containers/1/image"],
    ["Deployment", "spec/template/spec/containers/-/tag"],
    ["Deployment", "spec/list/0/x"],
    ["Bee", "spec/deep/er/x"],
    ["Bee", "spec/list/[=v]"],
    [".*", "metadata/namespace"],
    [".*", "metadata/labels/added"],
  ] as const);
  return {
    selector: kind === ".*" && random.chance(0.5) ? undefined : { kind },
    fieldPath,
    filePathPosition: random.chance(0.3) ? random.pick([1, 2, 3, 9]) : undefined,
    notSelector: random.chance(0.1) ? { kind: "Bee" } : undefined,
  };
}
