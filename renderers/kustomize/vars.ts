// The older variables: `$(NAME)` in the fields that varReference lists.

import { renderError } from "../errors.ts";
import { walkFieldSpec } from "./field-walk.ts";
import { effectiveNamespace, gvkFrom, isClusterScoped, type ResourceId } from "./identity.ts";
import type { FieldSpec, VarEntry } from "./kustomization.ts";
import { fromValue, isListNode, isMapNode, type Node, Scalar, scalarValue, stringNode } from "./node.ts";
import type { Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
import { nodeKey } from "./share.ts";
import { SpecIndex } from "./transformer-config.ts";

/** The variables of a build so far, by name. */
export type VarSet = Map<string, VarEntry>;

/** Takes over the variables of one kustomization and marks the objects they read. Throws `render-var`. */
export function registerVars(vars: VarSet, incoming: readonly VarEntry[], map: ResourceMap, file: string): void {
  const { resources } = map;
  for (const entry of incoming) {
    const name = entry.name ?? "";
    if (vars.has(name)) throw renderError("render-var", `the variable ${name} is defined twice`, { file });
    const target = targetOf(entry);
    const anyNamespace = target.namespace === "" && !isClusterScoped(target);
    const matches = resources.filter((resource) => {
      return resource.allIds.some(
        (id) => sameKindAndName(id, target) && (anyNamespace || effectiveNamespace(id) === effectiveNamespace(target)),
      );
    });
    if (matches.length > 1) {
      const what = `the variable ${name} could read any of ${matches.map((resource) => resource.describe()).join(", ")}`;
      throw renderError("render-var", what, { file });
    }
    const [match] = matches;
    if (match !== undefined) {
      map.edit(
        match,
        (own) => {
          own.varNames.push(name);
          return false;
        },
        name,
      );
    }
    vars.set(name, entry);
  }
}

function targetOf(entry: VarEntry): ResourceId {
  const reference = entry.objref ?? {};
  const gvk = reference.apiVersion
    ? gvkFrom(reference.apiVersion, reference.kind ?? "")
    : { group: reference.group ?? "", version: reference.version ?? "", kind: reference.kind ?? "" };
  return { ...gvk, name: reference.name ?? "", namespace: reference.namespace ?? "" };
}

function sameKindAndName(a: ResourceId, b: ResourceId): boolean {
  return a.group === b.group && a.version === b.version && a.kind === b.kind && a.name === b.name;
}

/** Replaces variables in every object. Throws `render-var` when one has no object or field to read. */
export function resolveVars(map: ResourceMap, vars: VarSet, specs: readonly FieldSpec[], file: string): void {
  if (vars.size === 0) return;
  const { resources } = map;
  const values = new Map<string, Scalar>();
  for (const [name, entry] of vars) values.set(name, readVar(name, entry, resources, file));
  const index = new SpecIndex(specs);
  const salt = [...values].map(([name, value]) => `${name}=${nodeKey(value)}`).join("\n");
  for (const resource of resources) {
    if (!resource.fact("dollar", () => holdsDollar(resource.node))) continue;
    map.edit(resource, (own) => expandFields(own, index, values), salt);
  }
}

function expandFields(resource: Resource, index: SpecIndex<FieldSpec>, values: ReadonlyMap<string, Scalar>): boolean {
  let written = false;
  for (const spec of index.matching(resource.gvk)) {
    walkFieldSpec(resource, spec, { create: "nothing" }, (node, set) => {
      const expanded = expandNode(node, values);
      if (expanded === node && node instanceof Scalar) return;
      set(expanded);
      written = true;
    });
  }
  return written;
}

function holdsDollar(node: Node): boolean {
  if (node instanceof Scalar) return node.text.includes("$");
  for (const child of node.values()) if (holdsDollar(child)) return true;
  return false;
}

function readVar(name: string, entry: VarEntry, resources: readonly Resource[], file: string): Scalar {
  const resource = resources.find((candidate) => candidate.varNames.includes(name));
  if (resource === undefined) {
    throw renderError("render-var", `the variable ${name} reads an object that is not there`, { file });
  }
  const path = entry.fieldref?.fieldPath || "metadata.name";
  let node: Node | undefined = resource.node;
  for (const part of path.replaceAll(/\[([^\]]*)\]/g, ".$1").split(".")) {
    if (part === "") continue;
    if (isMapNode(node)) node = node.get(part);
    else if (isListNode(node)) node = /^[0-9]+$/.test(part) ? node[Number(part)] : undefined;
    else node = undefined;
  }
  if (!(node instanceof Scalar)) {
    const what = `the variable ${name} reads ${path} of ${resource.describe()}, which is not there`;
    throw renderError("render-var", what, { file, path, object: resource.describe() });
  }
  return node;
}

function expandNode(node: Node, values: ReadonlyMap<string, Scalar>): Node {
  if (isListNode(node)) return node.map((item) => (item instanceof Scalar ? expandNode(item, values) : item));
  if (isMapNode(node)) {
    for (const [key, value] of node) if (value instanceof Scalar) node.set(key, expandNode(value, values));
    return node;
  }
  if (node.tag !== "!!str" || !node.text.includes("$")) return node;
  return expandText(node.text, values);
}

/** `$(NAME)` becomes the value, `$$` a dollar sign; a text that is one variable takes over its type. */
function expandText(text: string, values: ReadonlyMap<string, Scalar>): Scalar {
  let result = "";
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1];
    if (text[at] !== "$" || next === undefined) {
      result += text[at];
      continue;
    }
    const close = next === "(" ? text.indexOf(")", at + 2) : -1;
    if (close >= 0) {
      const name = text.slice(at + 2, close);
      const value = values.get(name);
      if (value !== undefined && at === 0 && close === text.length - 1) return typed(value);
      result += value === undefined ? `$(${name})` : plainText(value);
      at = close;
    } else {
      result += next === "$" ? "$" : `$${next}`;
      at += 1;
    }
  }
  return stringNode(result);
}

function typed(value: Scalar): Scalar {
  const node = fromValue(scalarValue(value));
  return node instanceof Scalar ? node : value;
}

function plainText(value: Scalar): string {
  return String(scalarValue(value));
}
