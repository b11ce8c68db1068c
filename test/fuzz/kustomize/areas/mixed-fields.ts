// The fields of a kustomization file, each filled with what fits the objects that it works on.
import type { Random } from "../../../../runtime/random.ts";
import { WORKLOADS } from "../support/objects.ts";
import { RawYaml, randomStyle, writeYaml, type YamlValue } from "../support/yaml-writer.ts";
import type { Directory, KnownObject, Repository } from "./mixed.ts";
import { addGenerators } from "./mixed-generators.ts";
import { type Fields, jsonOperations, mergePatch, selectorFor } from "./mixed-patches.ts";
import { addOpenapi, addValidators } from "./mixed-schema.ts";
import { addReplacements, addVars } from "./mixed-values.ts";

/** Adds random fields; files that they name are written. */
export function addFields(directory: Directory, repository: Repository): void {
  const { random } = repository;
  const { fields } = directory;
  addGenerators(directory, repository);
  if (random.chance(0.35)) fields["namePrefix"] = random.pick(["dev-", "p-", "my-", "a.b-"]);
  if (random.chance(0.2)) fields["nameSuffix"] = random.pick(["-v1", "-x", "-2"]);
  if (random.chance(0.25)) fields["namespace"] = random.pick(["one", "two", "prod"]);
  if (random.chance(0.2)) fields["commonLabels"] = { env: random.pick(["dev", "prod", "007"]), app: "labelled" };
  if (random.chance(0.25))
    fields["labels"] = random.pick([1, 2]) === 1 ? [labels(random)] : [labels(random), labels(random)];
  if (random.chance(0.2))
    fields["commonAnnotations"] = { note: random.pick(["new", "1", "a: b"]), "example.org/by": "us" };
  if (random.chance(0.3)) fields["images"] = [image(random), ...(random.chance(0.4) ? [image(random)] : [])];
  if (random.chance(0.03)) fields["imageTags"] = [{ name: "busybox", newTag: "1" }];
  addReplicas(directory, random);
  addPatches(directory, repository);
  addReplacements(directory, repository);
  addVars(directory, repository);
  addConfigurations(directory, repository);
  addTransformers(directory, repository);
  addOpenapi(directory, repository);
  addValidators(directory, repository);
  if (random.chance(0.05)) fields["metadata"] = { name: "this", labels: { a: "b" } };
  if (Object.keys(fields).every((key) => key === "kind" || key === "apiVersion")) fields["namePrefix"] = "only-";
}

/** Fields that count at the root alone; elsewhere they must be without effect. */
export function addRootFields({ fields }: Directory, { random }: Repository): void {
  if (random.chance(0.2)) {
    const all = ["originAnnotations", "transformerAnnotations", "managedByLabel"];
    fields["buildMetadata"] = all.filter(() => random.chance(0.5));
  }
  if (random.chance(0.15)) {
    const legacy = { orderFirst: ["Secret", "Deployment"], orderLast: ["Namespace", "ConfigMap"] };
    fields["sortOptions"] = random.pick<YamlValue>([
      { order: "fifo" },
      { order: "legacy" },
      { order: "legacy", legacySortOptions: legacy },
    ]);
  }
}

function labels(random: Random): Fields {
  return {
    pairs: { [random.pick(["team", "env", "app"])]: random.pick(["a", "b", "1"]) },
    includeSelectors: random.chance(0.4) ? true : undefined,
    includeTemplates: random.chance(0.4) ? random.chance(0.9) : undefined,
    includeVolumeClaimTemplates: random.chance(0.2) ? true : undefined,
    fields: random.chance(0.2)
      ? [{ path: "spec/selector/matchLabels", kind: "Widget", create: random.chance(0.5) }]
      : undefined,
  };
}

function image(random: Random): Fields {
  const digest = "sha256:11a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3";
  return {
    name: random.pick(["nginx", "example/app", "registry.example:5000/team/app", "busybox", "redis", "absent"]),
    newName: random.chance(0.4) ? random.pick(["mirror.example/nginx", "other", "h:1/x/y"]) : undefined,
    newTag: random.chance(0.5) ? random.pick(["2.0", "v2", "1e3", new RawYaml('"8"')]) : undefined,
    digest: random.chance(0.2) ? digest : undefined,
    tagSuffix: random.chance(0.1) ? "-fips" : undefined,
  };
}

function addReplicas({ fields, objects }: Directory, random: Random): void {
  const scalable = objects.filter(({ kind }) =>
    ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"].includes(kind),
  );
  if (scalable.length === 0 || !random.chance(0.2)) return;
  fields["replicas"] = [{ name: random.pick(scalable).name, count: random.below(6) }];
}

function addPatches(directory: Directory, repository: Repository): void {
  const { random } = repository;
  const { fields, objects } = directory;
  if (objects.length === 0) return;
  if (random.chance(0.4)) {
    fields["patches"] = Array.from({ length: 1 + random.below(3) }, () => patchEntry(directory, repository));
  }
  if (random.chance(0.08)) {
    const texts = Array.from({ length: 1 + random.below(2) }, () => smpText(random.pick(objects), repository));
    fields["patchesStrategicMerge"] = texts.map((text) =>
      random.chance(0.5) ? text : file(directory, repository, text),
    );
  }
  if (random.chance(0.08)) {
    const object = random.pick(objects);
    const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : undefined;
    // It runs after prefix and suffix, but the first name counts as well.
    const target = { group, version: object.apiVersion.split("/").at(-1), kind: object.kind, name: object.name };
    const patch = writeYaml(jsonOperations(random, object.kind), random, { flow: 0.3, comments: 0 });
    fields["patchesJson6902"] = [
      { target, ...(random.chance(0.5) ? { patch } : { path: file(directory, repository, patch) }) },
    ];
  }
}

function patchEntry(directory: Directory, repository: Repository): Fields {
  const { random } = repository;
  const object = random.pick(directory.objects);
  if (random.chance(0.45)) {
    const operations = jsonOperations(random, object.kind);
    const text = random.chance(0.25)
      ? `${JSON.stringify(operations)}\n`
      : writeYaml(operations, random, randomStyle(random));
    return { target: selectorFor(object, random), ...source(directory, repository, text) };
  }
  const withTarget = random.chance(0.5);
  const allow = random.chance(0.1) ? { [random.pick(["allowNameChange", "allowKindChange"])]: true } : undefined;
  return {
    target: withTarget ? selectorFor(object, random) : undefined,
    ...source(directory, repository, smpText(object, repository)),
    options: allow,
  };
}

function smpText(object: KnownObject, { random }: Repository): string {
  return writeYaml(mergePatch(random, object), random, randomStyle(random));
}

function source(directory: Directory, repository: Repository, text: string): Fields {
  return repository.random.chance(0.6) ? { patch: text } : { path: file(directory, repository, text) };
}

/** Writes a file beside the kustomization, sometimes in a folder of its own; answers its entry. */
export function file({ path }: Directory, repository: Repository, text: string): string {
  const name = `${repository.random.chance(0.2) ? "parts/" : ""}x${repository.counter++}.yaml`;
  repository.files[`${path}/${name}`] = text;
  return name;
}

function addConfigurations(directory: Directory, repository: Repository): void {
  const { random } = repository;
  if (random.chance(0.12)) {
    const config: Fields = {
      nameReference: random.chance(0.6)
        ? [{ kind: "ConfigMap", version: "v1", fieldSpecs: [{ kind: "Widget", path: "spec/configRef/name" }] }]
        : undefined,
      images: random.chance(0.4) ? [{ kind: "Widget", path: "spec/image" }] : undefined,
      commonLabels: random.chance(0.3)
        ? [{ kind: "Widget", path: "spec/selector/matchLabels", create: true }]
        : undefined,
      commonAnnotations: random.chance(0.2) ? [{ kind: "Widget", path: "spec/annotations", create: true }] : undefined,
      varReference: random.chance(0.4) ? [{ kind: "Widget", path: "spec/parts/value" }] : undefined,
      namePrefix: random.chance(0.2) ? [{ kind: "Widget", path: "spec/parts/name" }] : undefined,
      replicas: random.chance(0.2) ? [{ kind: "Widget", path: "spec/size", create: true }] : undefined,
      namespace: random.chance(0.2) ? [{ kind: "Widget", path: "spec/namespace", create: true }] : undefined,
    };
    directory.fields["configurations"] = [file(directory, repository, writeYaml(config, random, randomStyle(random)))];
  }
  if (random.chance(0.06)) {
    const definition = {
      "example.org/v1.Widget": {
        Schema: {
          properties: {
            apiVersion: { type: "string" },
            kind: { type: "string" },
            metadata: { type: "object" },
            spec: { $ref: "example.org/v1.WidgetSpec" },
          },
        },
        Dependencies: ["example.org/v1.WidgetSpec"],
      },
      "example.org/v1.WidgetSpec": {
        Schema: {
          properties: {
            configRef: {
              "x-kubernetes-object-ref-api-version": "v1",
              "x-kubernetes-object-ref-kind": "ConfigMap",
              $ref: "example.org/v1.Ref",
            },
            selector: { "x-kubernetes-label-selector": "", $ref: "example.org/v1.Ref" },
          },
        },
        Dependencies: [],
      },
      "example.org/v1.Ref": { Schema: { properties: { name: { type: "string" } } } },
    };
    const name = `crd${repository.counter++}.json`;
    repository.files[`${directory.path}/${name}`] = JSON.stringify(definition, null, 1);
    directory.fields["crds"] = [name];
  }
}

function addTransformers(directory: Directory, repository: Repository): void {
  const { random } = repository;
  if (!random.chance(0.15)) return;
  const texts = Array.from({ length: 1 + random.below(2) }, () =>
    transformer(directory, random, repository.counter++),
  ).map((value) => writeYaml(value, random, randomStyle(random)));
  const entries = texts.map((text) => (random.chance(0.4) ? text : file(directory, repository, text)));
  if (random.chance(0.2)) {
    const folder = `plugins${repository.counter++}`;
    repository.files[`${directory.path}/${folder}/kustomization.yaml`] = "resources:\n- t.yaml\n";
    repository.files[`${directory.path}/${folder}/t.yaml`] = texts[0]!;
    entries[0] = folder;
  }
  directory.fields["transformers"] = entries;
}

function transformer(directory: Directory, random: Random, count: number): Fields {
  const head = (kind: string): Fields => ({ apiVersion: "builtin", kind, metadata: { name: `t${count}` } });
  const everywhere = { path: "metadata/annotations", create: true };
  const workload = random.pick(WORKLOADS);
  return random.pick<() => Fields>([
    () => ({
      ...head("PrefixTransformer"),
      prefix: "t-",
      fieldSpecs: [{ path: "metadata/name", kind: random.chance(0.5) ? workload : undefined }],
    }),
    () => ({ ...head("SuffixTransformer"), suffix: "-t", fieldSpecs: [{ path: "metadata/name" }] }),
    () => ({ ...head("AnnotationsTransformer"), annotations: { by: "plugin" }, fieldSpecs: [everywhere] }),
    () => ({
      ...head("LabelTransformer"),
      labels: { by: "plugin" },
      fieldSpecs: [{ path: "metadata/labels", create: true }],
    }),
    () => ({
      ...head("ImageTagTransformer"),
      imageTag: { name: "nginx", newTag: "9" },
      fieldSpecs: [{ path: "spec/template/spec/containers[]/image" }],
    }),
    () => ({
      ...head("NamespaceTransformer"),
      metadata: { name: "n", namespace: "three" },
      unsetOnly: random.chance(0.5) ? true : undefined,
      setRoleBindingSubjects: random.chance(0.5)
        ? random.pick(["none", "defaultOnly", "allServiceAccounts"])
        : undefined,
      fieldSpecs: [{ path: "metadata/name", kind: "Namespace", create: true }],
    }),
    () => ({
      ...head("PatchTransformer"),
      target: directory.objects.length > 0 ? selectorFor(random.pick(directory.objects), random) : { kind: "Nothing" },
      patch: '- op: add\n  path: /metadata/annotations\n  value: {patched: "yes"}\n',
    }),
  ])();
}
