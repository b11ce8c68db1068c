// What OpenAPI definitions of custom resources say of references, labels, annotations and names.

import { isObject } from "../../../kube/object.ts";
import { parseYamlDocuments } from "../../../kube/yaml.ts";
import { renderError, wrapYamlError } from "../../errors.ts";
import { firstDocument } from "../kustomization/first-document.ts";
import type { FieldSpec } from "../kustomization/kustomization.ts";
import type { NameReferenceSpec, TransformerConfig } from "./transformer-config.ts";

type Properties = Readonly<Record<string, unknown>>;

/** The properties of each definition by its name. */
type Definitions = ReadonlyMap<string, Properties>;

/** Fields that one file may lead to. */
const MAX_FIELDS = 100_000;

/**
 * Derives configuration from one file of `crds`: a map of definitions, each with the schema of a type under `Schema`.
 * Throws `render-invalid-kustomization`.
 *
 * As kustomize: a whole CustomResourceDefinition is no such map and fails; a definition is one of a kind when it has
 * apiVersion, kind and metadata, and its name after the last dot is the kind in whatever group and version.
 */
export function decodeCrds(text: string, file: string): Partial<TransformerConfig> {
  const definitions = readDefinitions(text, file);
  const collector = new Collector(definitions, file);
  for (const [name, properties] of definitions) {
    if (!("apiVersion" in properties && "kind" in properties && "metadata" in properties)) continue;
    collector.collect(name, { kind: name.slice(name.lastIndexOf(".") + 1) }, [], [name]);
  }
  return collector;
}

class Collector {
  readonly commonAnnotations: FieldSpec[] = [];
  readonly commonLabels: FieldSpec[] = [];
  readonly namePrefix: FieldSpec[] = [];
  readonly nameReference: NameReferenceSpec[] = [];
  readonly #definitions: Definitions;
  readonly #file: string;
  #fields = 0;

  constructor(definitions: Definitions, file: string) {
    this.#definitions = definitions;
    this.#file = file;
  }

  /** Follows the fields of a definition. `above` are the definitions on the way, since definitions may be circular. */
  collect(name: string, kind: { readonly kind: string }, path: readonly string[], above: readonly string[]): void {
    for (const [field, property] of Object.entries(this.#definitions.get(name) ?? {})) {
      if (!isObject(property)) continue;
      this.#fields += 1;
      if (this.#fields > MAX_FIELDS) {
        const what = `the definitions lead to more than ${MAX_FIELDS} fields`;
        throw renderError("render-too-large", what, { file: this.#file });
      }
      const here = [...path, field];
      this.#addSpecs(property, { ...kind, path: here.join("/"), create: false });
      const reference = property["$ref"];
      // As kustomize: what is referred to is named in full, without `#/definitions/`.
      if (typeof reference !== "string" || above.includes(reference)) continue;
      this.collect(reference, kind, here, [...above, reference]);
    }
  }

  #addSpecs(property: Properties, spec: FieldSpec): void {
    const extensions = extensionsOf(property);
    if (extensions.has("x-kubernetes-annotation")) this.commonAnnotations.push(spec);
    if (extensions.has("x-kubernetes-label-selector")) this.commonLabels.push(spec);
    if (extensions.has("x-kubernetes-identity")) this.namePrefix.push(spec);
    const version = extensions.get("x-kubernetes-object-ref-api-version");
    const kind = extensions.get("x-kubernetes-object-ref-kind");
    if (version === undefined || kind === undefined) return;
    const key = extensions.get("x-kubernetes-object-ref-name-key") ?? "name";
    // As kustomize: the apiVersion counts as version, so that kinds of a group are never found.
    this.nameReference.push({ version, kind, fieldSpecs: [{ ...spec, path: `${spec.path}/${key}` }] });
  }
}

/** The extensions with text. As kustomize: only names in lower case count. */
function extensionsOf(property: Properties): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(property)) {
    if (typeof value === "string" && name.startsWith("x-kubernetes-")) found.set(name, value);
  }
  return found;
}

function readDefinitions(text: string, file: string): Definitions {
  const raw = parse(text, file);
  const definitions = new Map<string, Properties>();
  for (const [name, definition] of entriesOf(raw, "the file", file)) {
    let properties: Properties = {};
    for (const [key, value] of entriesOf(definition, name, file)) {
      if (key.toLowerCase() === "dependencies") checkTexts(value, `${name}.${key}`, file);
      if (key.toLowerCase() === "schema") properties = propertiesOf(value, `${name}.${key}`, file);
    }
    definitions.set(name, properties);
  }
  return definitions;
}

function parse(text: string, file: string): unknown {
  try {
    // As kustomize: what starts with a brace has to be JSON.
    return text.startsWith("{")
      ? JSON.parse(text)
      : (parseYamlDocuments(firstDocument(text), { file })[0]?.value ?? null);
  } catch (error) {
    if (error instanceof SyntaxError) throw fault(`the file is no valid JSON: ${error.message}`, file);
    throw wrapYamlError(error, "render-invalid-kustomization", file);
  }
}

function propertiesOf(schema: unknown, path: string, file: string): Properties {
  const fields = Object.fromEntries(entriesOf(schema, path, file));
  const { type } = fields;
  if (type !== undefined && type !== null && typeof type !== "string") checkTexts(type, `${path}.type`, file);
  const properties = Object.fromEntries(entriesOf(fields["properties"], `${path}.properties`, file));
  for (const [name, property] of Object.entries(properties)) propertiesOf(property, `${path}.${name}`, file);
  return properties;
}

function entriesOf(value: unknown, path: string, file: string): [string, unknown][] {
  if (value === null || value === undefined) return [];
  if (isObject(value)) return Object.entries(value);
  const hint = path === "apiVersion" ? "; a whole definition of a resource cannot stand here" : "";
  throw fault(`${path} must be a map of fields${hint}`, file, path);
}

function checkTexts(value: unknown, path: string, file: string): void {
  if (value === null || (Array.isArray(value) && value.every((item) => typeof item === "string"))) return;
  throw fault(`${path} must be a list of texts`, file, path);
}

function fault(what: string, file: string, path?: string): Error {
  return renderError("render-invalid-kustomization", what, { file, path });
}
