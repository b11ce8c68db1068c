// Transformers of names, namespaces, labels and annotations.

import { renderError } from "../../errors.ts";
import type { FieldSpec } from "../kustomization/kustomization.ts";
import { type Gvk, isClusterScoped, matchesGvk } from "../resources/identity.ts";
import { linkPlaces } from "../resources/linked-scalars.ts";
import {
  ensureMap,
  isListNode,
  isMapNode,
  isNullNode,
  type Node,
  type NodeMap,
  Scalar,
  setField,
  stringNode,
  textOf,
  textOver,
} from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { nodeKindFault, walkFieldSpec } from "./field-walk.ts";
import { indexOfSpecs, SpecIndex } from "./transformer-config.ts";

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  readonly unsetOnly: boolean;
  /** Which subjects of role bindings get the namespace. */
  readonly subjects: "default-only" | "all-service-accounts" | "none";
}

/** Puts every namespaced object into the namespace. */
export function setNamespaces(map: ResourceMap, options: NamespaceOptions): void {
  if (options.namespace === "") return;
  const index = indexOf(options);
  const value = stringNode(options.namespace);
  for (const resource of map.resources) {
    if (resource.fromHelm) continue;
    map.edit(resource, (own) => {
      own.rememberName();
      return setNamespace(own, options, index, value);
    });
  }
  map.assertUnique(`the namespace ${options.namespace}`);
}

// metadata/namespace is decided by scope, never by table.
function indexOf(options: NamespaceOptions): SpecIndex<FieldSpec> {
  return new SpecIndex(options.specs.filter((spec) => spec.path !== "metadata/namespace"));
}

/** Puts one object into the namespace without remembering where it was. */
export function writeNamespace(resource: Resource, options: NamespaceOptions): void {
  setNamespace(resource, options, indexOf(options), stringNode(options.namespace));
}

function setNamespace(
  resource: Resource,
  options: NamespaceOptions,
  index: SpecIndex<FieldSpec>,
  value: Node,
): boolean {
  const { gvk } = resource;
  let written = false;
  if (!isClusterScoped(gvk)) {
    const metadata = ensureMap(resource.node, "metadata");
    const present = metadata.get("namespace");
    if (isMapNode(present) || isListNode(present)) {
      throw nodeKindFault(resource, "metadata/namespace", present, "a scalar");
    }
    // As kustomize: a null that is spelled counts as set.
    if (!options.unsetOnly || present === undefined || present.text === "") {
      setField(metadata, "namespace", value);
      written = true;
    }
  }
  if (setSubjects(resource, options, value)) written = true;
  for (const spec of index.matching(gvk)) {
    if (isHandledElsewhere(spec, resource)) continue;
    walkFieldSpec(resource, spec, { create: "scalar" }, (node, set) => {
      if (isMapNode(node) || isListNode(node)) throw nodeKindFault(resource, spec.path ?? "", node, "a scalar");
      if (options.unsetOnly && (textOf(node) ?? "") !== "") return;
      set(value);
      written = true;
    });
  }
  return written;
}

function isHandledElsewhere(spec: FieldSpec, { apiVersion, kind }: Resource): boolean {
  // As kustomize: only the core Namespace is renamed, a custom resource of that kind is not.
  if (spec.path === "metadata/name") return apiVersion !== "v1";
  return spec.path === "subjects/namespace" && isRoleBinding(kind) && isRoleBinding(spec.kind ?? "");
}

function setSubjects(resource: Resource, options: NamespaceOptions, value: Node): boolean {
  if (options.subjects === "none" || !isRoleBinding(resource.kind)) return false;
  const subjects = resource.node.get("subjects");
  if (subjects === undefined || isNullNode(subjects)) return false;
  if (!isListNode(subjects)) throw nodeKindFault(resource, "subjects", subjects, "a list");
  const [field, wanted] =
    options.subjects === "all-service-accounts" ? ["kind", "ServiceAccount"] : ["name", "default"];
  let written = false;
  for (const subject of subjects) {
    if (isNullNode(subject)) continue;
    if (!isMapNode(subject)) throw nodeKindFault(resource, "subjects", subject, "a list of maps");
    if (scalarAt(resource, subject, field)?.text !== wanted) continue;
    const present = scalarAt(resource, subject, "namespace");
    if (options.unsetOnly && (textOf(present) ?? "") !== "") continue;
    setField(subject, "namespace", value);
    written = true;
  }
  return written;
}

function scalarAt(resource: Resource, subject: NodeMap, field: string): Scalar | undefined {
  const node = subject.get(field);
  if (node === undefined || node instanceof Scalar) return node;
  throw nodeKindFault(resource, `subjects/${field}`, node, "a scalar");
}

function isRoleBinding(kind: string): boolean {
  return kind === "RoleBinding" || kind === "ClusterRoleBinding";
}

/** Puts a prefix before, or a suffix after, the names that the specs cover. */
export function addAffix(
  map: ResourceMap,
  affix: string,
  where: "prefix" | "suffix",
  specs: readonly FieldSpec[],
): void {
  if (affix === "") return;
  const index = indexOfSpecs(specs);
  for (const resource of map.resources) {
    const original = resource.originalId;
    if (isNeverRenamed(original)) continue;
    const matching = index.matching(original);
    if (matching.length > 0) map.edit(resource, (own) => renameFields(own, affix, where, matching));
  }
}

function renameFields(
  resource: Resource,
  affix: string,
  where: "prefix" | "suffix",
  specs: readonly FieldSpec[],
): boolean {
  const { gvk } = resource;
  let written = false;
  for (const spec of specs) {
    if (spec.path === "metadata/name") {
      if (where === "prefix") resource.prefixes.push(affix);
      else resource.suffixes.push(affix);
      resource.rememberName();
    }
    if (!matchesGvk(spec, gvk)) continue;
    walkFieldSpec(resource, spec, { create: "scalar" }, (node, set) => {
      if (isMapNode(node) || isListNode(node)) throw nodeKindFault(resource, spec.path ?? "", node, "a scalar");
      // As kustomize: a null is its text.
      set(textOver(node, where === "prefix" ? affix + node.text : node.text + affix));
      written = true;
    });
  }
  return written;
}

function isNeverRenamed({ group, kind }: Gvk): boolean {
  if (kind === "APIService") return group === "apiregistration.k8s.io";
  return kind === "CustomResourceDefinition" || kind === "Namespace";
}

/** Sets pairs in every map that the specs name: labels and annotations alike. */
export function setPairs(
  map: ResourceMap,
  pairs: Readonly<Record<string, string>> | undefined,
  specs: readonly FieldSpec[],
): void {
  const entries = Object.entries(pairs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return;
  const values = entries.map(([key, value]) => [key, stringNode(value)] as const);
  const index = indexOfSpecs(specs);
  for (const resource of map.resources) {
    const matching = index.matching(resource.gvk);
    if (matching.length > 0) map.edit(resource, (own) => setPairsOf(own, values, matching));
  }
}

function setPairsOf(
  resource: Resource,
  values: readonly (readonly [string, Scalar])[],
  specs: readonly FieldSpec[],
): boolean {
  const filled = new Set<NodeMap>();
  const added = new Map<string, NodeMap[]>();
  for (const spec of specs) {
    walkFieldSpec(resource, spec, { create: "map" }, (node) => {
      // As kustomize: a null that the spec does not create stays one.
      if (isNullNode(node)) return;
      if (!isMapNode(node)) {
        const what = `${resource.describe()}: ${spec.path} is not a map, so no key can be set in it`;
        throw renderError("render-fieldspec", what, {
          file: resource.origin.file,
          line: resource.origin.line,
          path: spec.path,
          object: resource.describe(),
        });
      }
      if (filled.has(node)) return;
      filled.add(node);
      for (const [key, value] of values) {
        if (!node.has(key)) added.set(key, [...(added.get(key) ?? []), node]);
        setField(node, key, value);
      }
    });
  }
  for (const [key, value] of values) if (linkPlaces(added.get(key) ?? [], key, value)) resource.hasLinks = true;
  return filled.size > 0;
}

/** Sets replica counts. Throws `render-replica-target` when no object has the name. */
export function setReplicas(map: ResourceMap, name: string, count: number, specs: readonly FieldSpec[]): void {
  const value: Node = numberNode(count);
  const index = indexOfSpecs(specs);
  let found = false;
  for (const resource of map.findByAnyName(name)) {
    const specsById = new Set<FieldSpec>();
    for (const id of resource.allIds) if (id.name === name) for (const spec of index.matching(id)) specsById.add(spec);
    if (specsById.size === 0) continue;
    found = true;
    map.edit(resource, (own) => {
      for (const spec of specsById) {
        if (!matchesGvk(spec, own.gvk)) continue;
        walkFieldSpec(own, spec, { create: "scalar" }, (node, set) => {
          if (isMapNode(node) || isListNode(node)) throw nodeKindFault(own, spec.path ?? "", node, "a scalar");
          set(value);
        });
      }
    });
  }
  if (!found) {
    const kinds = [...new Set(specs.map((spec) => spec.kind ?? "any kind"))].join(", ");
    const what = `replicas are set for ${name}, but there is no ${kinds} of that name`;
    throw renderError("render-replica-target", what, { path: "replicas" });
  }
}

function numberNode(count: number): Node {
  return new Scalar("!!int", String(count));
}
