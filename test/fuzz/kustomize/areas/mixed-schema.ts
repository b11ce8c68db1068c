// Schemas of custom resources and validators in whole repositories.
import type { Random } from "../../../../runtime/random.ts";
import { randomStyle, writeYaml, type YamlValue } from "../support/yaml-writer.ts";
import type { Directory, Repository } from "./mixed.ts";
import { file } from "./mixed-fields.ts";
import type { Fields } from "./mixed-patches.ts";

/** A schema that gives the Widget's parts a merge key, in place of the built-in one or named by its version. */
export function addOpenapi(directory: Directory, repository: Repository): void {
  const { random, files } = repository;
  if (!random.chance(0.08)) return;
  if (random.chance(0.1)) {
    directory.fields["openapi"] = { version: "v1.21.2" };
    return;
  }
  const document = { definitions: { "org.example.v1.Widget": widgetSchema(random) } };
  if (random.chance(0.5)) {
    directory.fields["openapi"] = {
      path: file(directory, repository, writeYaml(document, random, randomStyle(random))),
    };
    return;
  }
  const name = `schema${repository.counter++}.json`;
  files[`${directory.path}/${name}`] = JSON.stringify(document);
  directory.fields["openapi"] = { path: name };
}

function widgetSchema(random: Random): Fields {
  const part = { type: "object", properties: { name: { type: "string" }, value: { type: "string" } } };
  const merging: Fields = {
    "x-kubernetes-patch-strategy": random.chance(0.8) ? "merge" : "replace",
    "x-kubernetes-patch-merge-key": random.chance(0.9) ? "name" : "value",
    "x-kubernetes-list-map-keys": random.chance(0.2) ? ["name"] : undefined,
  };
  return {
    type: "object",
    "x-kubernetes-group-version-kind": [{ group: "example.org", version: "v1", kind: "Widget" }],
    properties: {
      metadata: random.chance(0.3)
        ? { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }
        : undefined,
      spec: {
        type: "object",
        properties: { parts: { type: "array", items: part, ...merging }, size: { type: "integer" } },
      },
    },
  };
}

/** A validator that looks, leaves its mark, or now and then changes what it should not. */
export function addValidators(directory: Directory, repository: Repository): void {
  const { random } = repository;
  if (!random.chance(0.05)) return;
  const head = (kind: string): Fields => ({ apiVersion: "builtin", kind, metadata: { name: "check" } });
  const everywhere = [{ path: "metadata/labels", create: true }];
  const validator = random.pick<() => Fields>([
    () => ({ ...head("LabelTransformer"), labels: { "validated-by": "check" }, fieldSpecs: everywhere }),
    () => ({ ...head("LabelTransformer"), labels: { changed: "yes" }, fieldSpecs: everywhere }),
    () => ({
      ...head("PatchTransformer"),
      target: { kind: "Nothing" },
      patch: '[{"op": "remove", "path": "/spec"}]',
    }),
    () => ({
      ...head("PatchTransformer"),
      target: { kind: random.pick(["ConfigMap", "Widget"]) },
      patch: '[{"op": "test", "path": "/metadata/name", "value": "app"}]',
    }),
  ])();
  const text = writeYaml(validator satisfies YamlValue, random, randomStyle(random));
  directory.fields["validators"] = [random.chance(0.5) ? text : file(directory, repository, text)];
}
