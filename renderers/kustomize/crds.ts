// What OpenAPI fragments of custom resources say of references, labels and annotations.

import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { wrapYamlError } from "../errors.ts";
import { gvkFrom } from "./identity.ts";
import type { FieldSpec } from "./kustomization.ts";
import type { NameReferenceSpec, TransformerConfig } from "./transformer-config.ts";

/** Derives configuration from one file of `crds`. */
export function decodeCrds(text: string, file: string): Partial<TransformerConfig> {
  let definitions: unknown;
  try {
    definitions = parseYaml(text, { file, duplicateKeys: "last-wins" });
  } catch (error) {
    throw wrapYamlError(error, "render-invalid-kustomization", file);
  }
  const collected: Collected = { commonAnnotations: [], commonLabels: [], namePrefix: [], nameReference: [] };
  if (!isObject(definitions)) return collected;
  for (const [name, definition] of Object.entries(definitions)) {
    const gvk = gvkOfDefinition(name, definition);
    if (gvk !== undefined) collect(definition, definitions, gvk, [], new Set([name]), collected);
  }
  return collected;
}

interface Collected {
  readonly commonAnnotations: FieldSpec[];
  readonly commonLabels: FieldSpec[];
  readonly namePrefix: FieldSpec[];
  readonly nameReference: NameReferenceSpec[];
}

interface KindFilter {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
}

function propertiesOf(definition: unknown): Record<string, unknown> | undefined {
  if (!isObject(definition)) return undefined;
  const schema = isObject(definition["Schema"])
    ? definition["Schema"]
    : isObject(definition["schema"])
      ? definition["schema"]
      : definition;
  return isObject(schema["properties"]) ? schema["properties"] : undefined;
}

// A definition that has apiVersion, kind and metadata is a kind; its name ends in version and kind.
function gvkOfDefinition(name: string, definition: unknown): KindFilter | undefined {
  const properties = propertiesOf(definition);
  if (properties === undefined) return undefined;
  if (!("apiVersion" in properties) || !("kind" in properties) || !("metadata" in properties)) return undefined;
  const kind = name.slice(name.lastIndexOf(".") + 1);
  return kind === "" ? undefined : { kind };
}

function collect(
  definition: unknown,
  all: Record<string, unknown>,
  gvk: KindFilter,
  path: readonly string[],
  seen: ReadonlySet<string>,
  result: Collected,
): void {
  const properties = propertiesOf(definition);
  if (properties === undefined) return;
  for (const [name, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    const here = [...path, name];
    const spec = { ...gvk, path: here.join("/") };
    if ("x-kubernetes-annotation" in property) result.commonAnnotations.push({ ...spec, create: false });
    if ("x-kubernetes-label-selector" in property) result.commonLabels.push({ ...spec, create: false });
    if ("x-kubernetes-identity" in property) result.namePrefix.push(spec);
    addReference(property, spec, result);
    const reference = property["$ref"];
    if (typeof reference !== "string") continue;
    const target = reference.replace("#/definitions/", "");
    if (seen.has(target)) continue;
    collect(all[target], all, gvk, here, new Set([...seen, target]), result);
  }
}

function addReference(property: Record<string, unknown>, spec: FieldSpec, result: Collected): void {
  const apiVersion = property["x-kubernetes-object-ref-api-version"];
  const kind = property["x-kubernetes-object-ref-kind"];
  if (typeof apiVersion !== "string" || typeof kind !== "string") return;
  const key = property["x-kubernetes-object-ref-name-key"];
  const target = gvkFrom(apiVersion, kind);
  const path = `${spec.path}/${typeof key === "string" && key !== "" ? key : "name"}`;
  result.nameReference.push({ ...target, fieldSpecs: [{ ...spec, path, create: false }] });
}
