// Plugins in every form: built-in transformers, generators and validators, beside `configurations` and `crds`.
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { PLAIN_STYLE, writeYaml, type YamlValue } from "../support/yaml-writer.ts";
import { randomTransformer } from "./plugins-transformers.ts";

export const plugins: Area = { name: "plugins", generate };

type Fields = { [key: string]: YamlValue | undefined };
type Files = Record<string, string>;
type Role = "transformers" | "generators" | "validators";

const OBJECTS: readonly Fields[] = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "conf", labels: { app: "a" }, annotations: { note: "n" } },
    data: { path: "/a/b/c", rel: "a/b", plain: "v", number: "7", host: "x.y.z" },
  },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bare" } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "a" } },
      template: {
        metadata: { labels: { app: "a" } },
        spec: {
          serviceAccountName: "robot",
          containers: [
            { name: "a", image: "nginx:1.0", envFrom: [{ configMapRef: { name: "conf" } }] },
            { name: "b", image: "registry.example:5000/team/app@sha256:24a0c4b4" },
          ],
        },
      },
    },
  },
  { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "one" }, spec: { selector: { app: "a" } } },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "one" } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "rb" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    subjects: [
      { kind: "ServiceAccount", name: "default" },
      { kind: "ServiceAccount", name: "robot" },
      { kind: "User", name: "default" },
    ],
  },
  {
    apiVersion: "example.org/v1",
    kind: "Bee",
    metadata: { name: "bee" },
    spec: { ref: { name: "conf" }, named: "conf", labels: { app: "a" }, image: "nginx:1.0", replicas: 2, owner: "o" },
  },
];

function generate(random: Random): GeneratedKustomization {
  const files: Files = {};
  const objects = OBJECTS.filter(() => random.chance(0.97));
  if (objects.length === 0) objects.push(OBJECTS[0]!);
  files["base/r.yaml"] = objects.map((object) => writeYaml(object, random, PLAIN_STYLE)).join("---\n");
  const base: Fields = { resources: ["r.yaml"], ...configuration(random, files, "base") };
  if (random.chance(0.4)) addPlugins(random, files, "base", base);
  addFields(random, base);
  files["base/kustomization.yaml"] = writeYaml(base, random, PLAIN_STYLE);
  const top: Fields = { resources: ["../base"], ...configuration(random, files, "top") };
  addPlugins(random, files, "top", top);
  addFields(random, top);
  if (random.chance(0.2)) {
    const component: Fields = { apiVersion: "kustomize.config.k8s.io/v1alpha1", kind: "Component" };
    addPlugins(random, files, "part", component);
    files["part/kustomization.yaml"] = writeYaml(component, random, PLAIN_STYLE);
    top["components"] = ["../part"];
  }
  if (random.chance(0.15)) top["buildMetadata"] = ["originAnnotations", "transformerAnnotations"];
  files["top/kustomization.yaml"] = writeYaml(top, random, PLAIN_STYLE);
  return { path: "top", files };
}

function addFields(random: Random, fields: Fields): void {
  if (random.chance(0.2)) fields["namePrefix"] = "k-";
  if (random.chance(0.15)) fields["namespace"] = "two";
  if (random.chance(0.15)) fields["commonLabels"] = { k: "l" };
  if (random.chance(0.1)) fields["generatorOptions"] = { labels: { opt: "ion" }, disableNameSuffixHash: true };
  if (random.chance(0.15)) {
    const name = `made-${random.below(1000)}`;
    fields["configMapGenerator"] = [{ name, literals: ["a=b"] }];
  }
}

function addPlugins(random: Random, files: Files, folder: string, fields: Fields): void {
  const made: Fields[] = Array.from({ length: 1 + random.below(3) }, (_, index) => {
    return randomTransformer(random, `t${index}`, (name, text) => {
      files[`${folder}/${name}`] = text;
    });
  });
  // Two of one name are refused.
  if (random.chance(0.03)) made.push(...made.slice(0, 1));
  fields["transformers"] = entries(random, files, folder, "transformers", made);
  if (random.chance(0.3)) {
    const generators = [randomGenerator(random, files, folder)];
    fields["generators"] = entries(random, files, folder, "generators", generators);
  }
  if (random.chance(0.07)) fields["validators"] = entries(random, files, folder, "validators", [validator(random)]);
}

/** The configurations as entries: inline, in files of one or several, or as the objects of a kustomization. */
function entries(random: Random, files: Files, folder: string, role: Role, configs: readonly Fields[]): string[] {
  const inFolder: string[] = [];
  const result: string[] = [];
  let listed = "";
  for (const [index, config] of configs.entries()) {
    const text = random.chance(0.2) ? JSON.stringify(config) : writeYaml(config, random, PLAIN_STYLE);
    const name = `${role}-${index}.yaml`;
    switch (random.below(4)) {
      case 0:
        result.push(text);
        break;
      case 1:
        listed += `${listed === "" ? "" : "---\n"}${text}\n`;
        break;
      case 2:
        files[`${folder}/${role}/${name}`] = text;
        inFolder.push(name);
        break;
      default:
        files[`${folder}/${name}`] = text;
        result.push(name);
    }
  }
  if (listed !== "") {
    files[`${folder}/${role}-list.yaml`] = listed;
    result.push(`${role}-list.yaml`);
  }
  if (inFolder.length > 0) {
    const own: Fields = { resources: inFolder };
    // What these do to the configurations themselves.
    if (random.chance(0.2)) own["namespace"] = "from-folder";
    if (random.chance(0.2)) own["namePrefix"] = "f-";
    if (random.chance(0.1)) own["commonAnnotations"] = { of: "config" };
    files[`${folder}/${role}/kustomization.yaml`] = writeYaml(own, random, PLAIN_STYLE);
    result.push(role);
  }
  return result;
}

function randomGenerator(random: Random, files: Files, folder: string): Fields {
  const metadata: Fields = { name: `gen-${folder}`, namespace: random.chance(0.3) ? "one" : undefined };
  if (random.chance(0.25)) {
    return {
      apiVersion: "builtin",
      kind: "IAMPolicyGenerator",
      metadata,
      cloud: random.chance(0.95) ? "gke" : "other",
      kubernetesService: {
        name: random.pick(["robot", "12", "true"]),
        namespace: random.chance(0.5) ? "one" : undefined,
      },
      serviceAccount: { name: "s", projectId: "p" },
      more: random.chance(0.1) ? 1 : undefined,
    };
  }
  files[`${folder}/text.txt`] = "text\n";
  const changes = random.chance(0.3);
  return {
    apiVersion: "builtin",
    kind: changes ? "ConfigMapGenerator" : random.pick(["ConfigMapGenerator", "SecretGenerator"]),
    metadata: changes ? { name: "gen" } : metadata,
    name: changes ? random.pick(["conf", "bare"]) : random.chance(0.5) ? `own-${folder}` : undefined,
    namespace: !changes && random.chance(0.1) ? "one" : undefined,
    behavior: changes ? random.pick(["merge", "replace"]) : random.chance(0.2) ? "create" : undefined,
    literals: random.chance(0.8) ? ["a=b", "path=c"] : undefined,
    files: random.chance(0.2) ? ["text.txt"] : undefined,
    env: random.chance(0.1) ? "never.env" : undefined,
    options: random.chance(0.3)
      ? {
          labels: { g: "o" },
          annotations: { g: "a" },
          disableNameSuffixHash: random.chance(0.5),
          immutable: random.chance(0.3),
        }
      : undefined,
    type: random.chance(0.1) ? "example.org/type" : undefined,
  };
}

// Which writes of a present value kustomize notices depends on where the value came from, so none is written twice.
function validator(random: Random): Fields {
  const head = { apiVersion: "builtin", metadata: { name: "check" } };
  const test = [{ op: "test", path: "/kind", value: random.pick(["Bee", "Wasp"]) }];
  switch (random.below(5)) {
    case 0:
      return {
        ...head,
        kind: "LabelTransformer",
        labels: { "validated-by": "me" },
        fieldSpecs: [labelsOf("Namespace")],
      };
    case 1:
      return { ...head, kind: "LabelTransformer", labels: { fresh: "x" }, fieldSpecs: [labelsOf("Deployment")] };
    case 2:
      return { ...head, kind: "PatchTransformer", target: { kind: "Bee" }, patch: JSON.stringify(test) };
    case 3:
      return { ...head, kind: "ImageTagTransformer", imageTag: { name: "nothing", newTag: "2" } };
    default:
      return { ...head, kind: "PatchTransformer", target: { kind: "Nothing" }, patch: JSON.stringify(test) };
  }
}

function labelsOf(kind: string): Fields {
  return { path: "metadata/labels", kind, create: true };
}

function configuration(random: Random, files: Files, folder: string): Fields {
  const fields: Fields = {};
  if (random.chance(0.3)) {
    files[`${folder}/config.yaml`] = writeYaml(randomConfig(random), random, PLAIN_STYLE);
    fields["configurations"] = ["config.yaml"];
  }
  if (random.chance(0.2)) {
    const definitions = JSON.stringify(randomDefinitions(random), null, 2);
    files[`${folder}/crd.json`] = random.chance(0.5) ? definitions : `# YAML\n${definitions}\n`;
    fields["crds"] = ["crd.json"];
  }
  return fields;
}

function randomConfig(random: Random): Fields {
  // The same field with and without create is refused, wherever the two stand.
  const differs = random.chance(0.05);
  const spec = (path: string, create = false): Fields => ({
    path,
    kind: "Bee",
    create: create !== differs ? true : undefined,
    group: random.chance(0.2) ? "example.org" : undefined,
    version: random.chance(0.2) ? random.pick(["v1", "v2"]) : undefined,
  });
  const all: Fields = {
    namePrefix: [spec("spec/owner")],
    nameSuffix: [spec("spec/owner")],
    namespace: [spec("spec/home", true)],
    commonLabels: [spec("spec/labels")],
    labels: [spec("spec/labels", false)],
    templateLabels: [spec("spec/labels")],
    volumeClaimTemplateLabels: [spec("spec/labels")],
    commonAnnotations: [spec("spec/notes", true)],
    images: [spec("spec/image")],
    replicas: [spec("spec/replicas")],
    varReference: [spec("spec/owner", false)],
    nameReference: [
      { kind: "ConfigMap", version: "v1", fieldSpecs: [spec("spec/ref/name", false), spec("spec/named", false)] },
    ],
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.3)));
}

function randomDefinitions(random: Random): Fields {
  const reference: Fields = {
    "x-kubernetes-object-ref-api-version": random.pick(["v1", "v1", "apps/v1"]),
    "x-kubernetes-object-ref-kind": "ConfigMap",
    "x-kubernetes-object-ref-name-key": random.chance(0.2) ? "name" : undefined,
  };
  const properties: Fields = {
    ref: random.chance(0.7) ? reference : { $ref: "pkg.Ref" },
    labels: random.chance(0.4) ? { "x-kubernetes-label-selector": "" } : { type: "object" },
    owner: random.chance(0.4) ? { "x-kubernetes-identity": "" } : { type: "string" },
    notes: random.chance(0.3) ? { "x-kubernetes-annotation": "" } : undefined,
  };
  const wrap = random.pick(["Schema", "schema"]);
  const kind = {
    apiVersion: {},
    kind: {},
    metadata: {},
    spec: { $ref: random.pick(["pkg.BeeSpec", "#/definitions/pkg.BeeSpec"]) },
  };
  return {
    "pkg.Bee": { [wrap]: { properties: kind } },
    "pkg.BeeSpec": { [wrap]: { properties } },
    "pkg.Ref": { [wrap]: { properties: { deep: reference } } },
  };
}
