// Names, namespaces, labels, annotations, images, replicas and the order of objects: every row of the built-in tables.
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { apiVersionOf, CLUSTER_SCOPED, fillSpec, kindFor, randomSpec, type Spec } from "../support/spec-objects.ts";
import { PLAIN_STYLE, RawYaml, randomStyle, writeYaml, type YamlValue } from "../support/yaml-writer.ts";

export const metadata: Area = { name: "metadata", generate };

type Fields = { [key: string]: YamlValue | undefined };

const NAMES = ["a", "b", "web", "a-1", "a-10", "B"];
const NAMESPACES = ["one", "two", "default", "kube-system"];
const IMAGES = [
  ...["nginx", "nginx:1.7", "example/app:v1", "registry.example:5000/team/app:1.2", "registry.example:5000/team/app"],
  ...["redis:6@sha256:24a0c4b4", "busybox@sha256:24a0c4b4", "app@sha512:abc", "nginx:{{tag}}", "my-nginx:1", "nginx-x"],
];

function generate(random: Random): GeneratedKustomization {
  const files: Record<string, TreeFiles[string]> = {};
  const count = 2 + random.below(6);
  const objects: Fields[] = [];
  const ids = new Set<string>();
  for (let i = 0; i < count; i++) {
    const object = anObject(random, ids);
    if (object !== undefined) objects.push(object);
  }
  const style = random.chance(0.7) ? PLAIN_STYLE : randomStyle(random);
  files["b/r.yaml"] = objects.map((object) => writeYaml(object, random, style)).join("---\n");
  files["b/kustomization.yaml"] = writeYaml(
    { resources: ["r.yaml"], ...steps(random, files, "b", objects) },
    random,
    PLAIN_STYLE,
  );
  const top: Fields = { resources: ["../b"], ...steps(random, files, "o", objects) };
  if (random.chance(0.3)) top["sortOptions"] = sortOptions(random);
  files["o/kustomization.yaml"] = writeYaml(top, random, PLAIN_STYLE);
  const args = random.chance(0.1) ? ["--reorder", "none"] : undefined;
  return { path: "o", files, ...(args && { args }) };
}

function anObject(random: Random, ids: Set<string>): Fields | undefined {
  const spec = randomSpec(random, [
    ...([
      "commonLabels",
      "commonLabels",
      "commonAnnotations",
      "templateLabels",
      "images",
      "replicas",
      "namespace",
    ] as const),
    ...(["varReference", "volumeClaimTemplateLabels"] as const),
  ]);
  const kind = random.chance(0.2)
    ? random.pick(["RoleBinding", "ClusterRoleBinding", "Widget", "APIService"])
    : kindFor(spec, random);
  const apiVersion = apiVersionOf(kind, random, spec);
  const name = random.pick(NAMES);
  const scoped = CLUSTER_SCOPED.has(kind);
  const namespace: YamlValue | undefined =
    scoped && !random.chance(0.1)
      ? undefined
      : random.chance(0.5)
        ? random.pick(NAMESPACES)
        : random.chance(0.05)
          ? ""
          : undefined;
  const id = `${apiVersion} ${kind} ${name} ${scoped ? "" : namespace || "default"}`;
  if (ids.has(id)) return undefined;
  ids.add(id);
  const object: Fields = {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      labels: random.chance(0.3) ? { app: "web", ...(random.chance(0.3) && { env: "old" }) } : undefined,
      annotations: random.chance(0.2)
        ? { note: "n", ...(random.chance(0.3) && { env: random.pick<YamlValue>(["x", ""]) }) }
        : undefined,
    },
  };
  if (!spec.path.startsWith("metadata/")) fill(random, object, spec);
  if (kind === "RoleBinding" || kind === "ClusterRoleBinding") fillBinding(random, object);
  if (random.chance(0.25)) addContainers(random, object);
  return object;
}

function fill(random: Random, object: Fields, spec: Spec): void {
  const last = spec.path.split("/").at(-1)!;
  fillSpec(object, spec, random, () => {
    if (last === "image" || last === "reference") return random.chance(0.05) ? null : random.pick(IMAGES);
    if (last === "replicas") return random.below(5);
    if (last === "labels" || last === "annotations" || last === "matchLabels" || last === "selector") {
      return random.pick<YamlValue>([{ app: "web" }, {}, { env: "old", "example.org/x": "1" }, null]);
    }
    if (last === "namespace") return random.pick(NAMESPACES);
    return "text";
  });
}

function fillBinding(random: Random, object: Fields): void {
  object["roleRef"] = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: random.pick(NAMES) };
  object["subjects"] = random.list(3, () => ({
    kind: random.pick(["ServiceAccount", "ServiceAccount", "User", "Group"]),
    name: random.pick(["default", "a", "b"]),
    namespace: random.chance(0.6) ? random.pick(NAMESPACES) : undefined,
  }));
}

/** Containers at odd places, as custom resources have them. */
function addContainers(random: Random, object: Fields): void {
  const list = (): YamlValue =>
    random.list(3, () => ({ name: "c", image: random.chance(0.9) ? random.pick(IMAGES) : undefined }));
  object["extra"] = random.pick<YamlValue>([
    { containers: list() },
    { deep: [{ initContainers: list() }, { pod: { containers: list(), image: "nginx" } }] },
    { containers: { image: "nginx" } },
    { containers: null },
  ]);
}

function steps(
  random: Random,
  files: Record<string, TreeFiles[string]>,
  path: string,
  objects: readonly Fields[],
): Fields {
  const fields: Fields = {};
  if (random.chance(0.3)) fields["namePrefix"] = random.pick(["p-", "1", "x.", "yes-"]);
  if (random.chance(0.2)) fields["nameSuffix"] = random.pick(["-s", "-v2"]);
  if (random.chance(0.3)) fields["namespace"] = random.pick(NAMESPACES);
  if (random.chance(0.3)) fields["commonLabels"] = pairs(random);
  if (random.chance(0.3)) fields["commonAnnotations"] = pairs(random);
  if (random.chance(0.35)) fields["labels"] = Array.from({ length: 1 + random.below(2) }, () => labelEntry(random));
  if (random.chance(0.4)) fields["images"] = Array.from({ length: 1 + random.below(2) }, () => imageEntry(random));
  if (random.chance(0.25)) addReplicas(random, fields, objects);
  if (random.chance(0.2)) addPlugin(random, files, path, fields);
  if (random.chance(0.15)) addConfiguration(random, files, path, fields);
  return fields;
}

function pairs(random: Random): Fields {
  return {
    [random.pick(["env", "app", "example.org/x", "tier"])]: random.pick(["prod", "5", "true", "a b", ""]),
    ...(random.chance(0.3) && { more: "m" }),
  };
}

function labelEntry(random: Random): Fields {
  return {
    pairs: pairs(random),
    includeSelectors: random.chance(0.3) ? random.chance(0.8) : undefined,
    includeTemplates: random.chance(0.4) ? random.chance(0.8) : undefined,
    includeVolumeClaimTemplates: random.chance(0.2) ? true : undefined,
    fields: random.chance(0.2)
      ? [
          random.pick<Fields>([
            { path: "spec/own/labels", create: true },
            { path: "spec/own/labels", kind: "Widget", create: random.chance(0.5) },
            { path: "spec/list[]/labels", kind: "Deployment" },
            { path: "spec/template/metadata/labels", create: true, group: "apps" },
            { path: "metadata/labels", create: random.chance(0.8) },
          ]),
        ]
      : undefined,
  };
}

function imageEntry(random: Random): Fields {
  return {
    name: random.pick([
      ...["nginx", "nginx", "example/app", "registry.example:5000/team/app", "redis", "busybox", "app"],
      ...["nginx|redis", ".*", "(example/)?app", "ngin.", "[", "^nginx", "nginx.*"],
    ]),
    newName: random.chance(0.5) ? random.pick(["apache", "reg.example:80/x/nginx", "new-nginx"]) : undefined,
    newTag: random.chance(0.5) ? random.pick(["v2", "1.0", new RawYaml('"2"')]) : undefined,
    digest: random.chance(0.2) ? "sha256:25a0d4" : undefined,
    tagSuffix: random.chance(0.2) ? "-alpine" : undefined,
  };
}

function addReplicas(random: Random, fields: Fields, objects: readonly Fields[]): void {
  const scalable = objects.filter(
    ({ kind }) => kind === "Deployment" || kind === "StatefulSet" || kind === "ReplicaSet",
  );
  const chosen = scalable.length > 0 && random.chance(0.9) ? random.pick(scalable) : undefined;
  const name = chosen === undefined ? "a" : (chosen["metadata"] as { name: string }).name;
  fields["replicas"] = [{ name, count: random.below(9) }];
}

function addPlugin(random: Random, files: Record<string, TreeFiles[string]>, path: string, fields: Fields): void {
  const fieldSpecs = random.pick<YamlValue>([
    [{ path: "metadata/name" }],
    [
      { path: "metadata/name", kind: "Deployment" },
      { path: "spec/own", create: true },
    ],
    [
      { path: "metadata/labels", create: true },
      { path: "spec/template/metadata/labels", kind: "Deployment" },
    ],
  ]);
  const own = random.pick<Fields>([
    {
      kind: "NamespaceTransformer",
      metadata: { name: "n", namespace: random.pick(NAMESPACES) },
      unsetOnly: random.chance(0.5),
    },
    {
      kind: "NamespaceTransformer",
      metadata: { name: "n", namespace: "set" },
      setRoleBindingSubjects: random.pick(["none", "allServiceAccounts", "defaultOnly"]),
      fieldSpecs: [{ path: "spec/service/namespace", create: true }],
      unsetOnly: random.chance(0.3),
    },
    {
      kind: "LabelTransformer",
      metadata: { name: "l" },
      labels: pairs(random),
      fieldSpecs: [
        { path: "metadata/labels", create: random.chance(0.7) },
        { path: "spec/selector/matchLabels", kind: "Deployment" },
      ],
    },
    {
      kind: "AnnotationsTransformer",
      metadata: { name: "l" },
      annotations: pairs(random),
      fieldSpecs: [{ path: "metadata/annotations", create: true }],
    },
    { kind: random.pick(["PrefixTransformer"]), metadata: { name: "p" }, prefix: "pt-", fieldSpecs },
    { kind: "SuffixTransformer", metadata: { name: "p" }, suffix: "-st", fieldSpecs },
    {
      kind: "ImageTagTransformer",
      metadata: { name: "i" },
      imageTag: imageEntry(random),
      fieldSpecs: [{ path: "spec/image" }, { path: "extra/image" }],
    },
  ]);
  // Labels in the place of a name are no map.
  if (own["kind"] === "PrefixTransformer" || own["kind"] === "SuffixTransformer")
    own["fieldSpecs"] = [{ path: "metadata/name" }];
  files[`${path}/plugin.yaml`] = writeYaml({ apiVersion: "builtin", ...own }, random, PLAIN_STYLE);
  fields["transformers"] = ["plugin.yaml"];
}

function addConfiguration(
  random: Random,
  files: Record<string, TreeFiles[string]>,
  path: string,
  fields: Fields,
): void {
  const table = random.pick([
    "commonLabels",
    "commonAnnotations",
    "labels",
    "templateLabels",
    "images",
    "namespace",
    "replicas",
  ]);
  const leaf = { images: "image", namespace: "namespace", replicas: "replicas" }[table] ?? "labels";
  const spec = random.pick<Fields>([
    { path: `spec/own/${leaf}`, create: true, kind: "Widget" },
    { path: `spec/own/${leaf}`, create: table !== "images" && random.chance(0.5) },
    { path: `spec/list[]/${leaf}`, kind: "Deployment" },
    { path: `spec/a\\/b/${leaf}`, create: true, group: "apps" },
    { path: `/spec/own/${leaf}`, create: true, version: "v1" },
  ]);
  files[`${path}/config.yaml`] = writeYaml({ [table]: [spec] }, random, PLAIN_STYLE);
  fields["configurations"] = ["config.yaml"];
}

function sortOptions(random: Random): Fields {
  const order = random.pick(["legacy", "legacy", "fifo"]);
  if (order === "fifo" || random.chance(0.5)) return { order };
  const kinds = ["Deployment", "ConfigMap", "Widget", "StatefulSet"];
  return {
    order,
    legacySortOptions: {
      // With Namespaces of several groups among other kinds, kustomize's comparison is at odds with itself.
      orderFirst: ["Namespace", ...random.list(3, () => random.pick(kinds))],
      orderLast: random.chance(0.7) ? random.list(3, () => random.pick(kinds)) : undefined,
    },
  };
}
