// The older variables: `$(NAME)` in the fields that varReference lists.

import { renderError } from "../../errors.ts";
import type { FieldSpec, VarEntry } from "../kustomization/kustomization.ts";
import { effectiveNamespace, type ResourceId } from "../resources/identity.ts";
import { isListNode, isMapNode, type Node, Scalar, stringNode, UNTYPED } from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { nodeKey } from "../resources/share.ts";
import { walkFieldSpec } from "../transformers/field-walk.ts";
import { indexOfSpecs, type SpecIndex } from "../transformers/transformer-config.ts";
import { lookupField, PathFault, splitDottedPath } from "./field-path.ts";

/** The variables of a build so far, by name. */
export type VarSet = Map<string, VarEntry>;

/** Takes over the variables of one kustomization and marks the objects they read. Throws `render-var`. */
export function registerVars(vars: VarSet, incoming: readonly VarEntry[], map: ResourceMap, file: string): void {
  for (const entry of incoming) {
    const name = entry.name ?? "";
    if (vars.has(name)) throw renderError("render-var", `the variable ${name} is defined twice`, { file });
    const target = targetOf(entry);
    // As kustomize: a namespace never fits a cluster-scoped object, and none fits any.
    const isHere = (id: ResourceId): boolean => target.namespace === "" || effectiveNamespace(id) === target.namespace;
    const matches = map
      .findByAnyName(target.name)
      .filter((resource) => resource.allIds.some((id) => sameKindAndName(id, target) && isHere(id)));
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
  let { group = "", version = "" } = reference;
  const parts = reference.apiVersion ? reference.apiVersion.split("/") : [];
  if (parts.length === 1) version = parts[0]!;
  else if (parts.length === 2) [group, version] = parts as [string, string];
  return {
    group,
    version,
    kind: reference.kind ?? "",
    name: reference.name ?? "",
    namespace: reference.namespace ?? "",
  };
}

function sameKindAndName(a: ResourceId, b: ResourceId): boolean {
  return a.group === b.group && a.version === b.version && a.kind === b.kind && a.name === b.name;
}

/** Replaces variables in every object. Throws `render-var` when one has no object or field to read. */
export function resolveVars(map: ResourceMap, vars: VarSet, specs: readonly FieldSpec[], file: string): void {
  if (vars.size === 0) return;
  const { resources } = map;
  const values = new Map<string, VarValue>();
  const sources = new Map<string, Resource>();
  for (const resource of resources) {
    for (const name of resource.varNames) if (!sources.has(name)) sources.set(name, resource);
  }
  for (const [name, entry] of vars) values.set(name, readVar(name, entry, sources.get(name), file));
  const index = indexOfSpecs(specs);
  const salt = [...values]
    .map(([name, value]) => `${name}=${value instanceof Scalar ? nodeKey(value) : value}`)
    .join("\n");
  for (const resource of resources) {
    if (!resource.fact("vars", () => mayChange(resource.node))) {
      // What is no text is refused even where there is nothing to replace.
      for (const spec of index.matching(resource.gvk)) {
        walkFieldSpec(resource, spec, { create: "nothing", dry: true }, (node) => refuseNonText(node, resource, spec));
      }
      continue;
    }
    map.edit(resource, (own) => expandFields(own, index, values), salt);
  }
}

function expandFields(resource: Resource, index: SpecIndex<FieldSpec>, values: ReadonlyMap<string, VarValue>): boolean {
  let written = false;
  for (const spec of index.matching(resource.gvk)) {
    walkFieldSpec(resource, spec, { create: "nothing" }, (node, set) => {
      refuseNonText(node, resource, spec);
      const expanded = expandNode(node, values);
      if (expanded === node && node instanceof Scalar) return;
      set(expanded);
      written = true;
    });
  }
  return written;
}

/** As kustomize: in maps even what holds no variable becomes text when it had no type of its own. */
function mayChange(node: Node): boolean {
  if (node instanceof Scalar) return node.tag === UNTYPED || node.text.includes("$");
  for (const child of node.values()) if (mayChange(child)) return true;
  return false;
}

/** A value as variables put it in place; maps and lists leave the variable as it stands. */
type VarValue = Scalar | "not-primitive";

function readVar(name: string, entry: VarEntry, resource: Resource | undefined, file: string): VarValue {
  if (resource === undefined) {
    throw renderError("render-var", `the variable ${name} reads an object that is not there`, { file });
  }
  const path = entry.fieldref?.fieldPath || "metadata.name";
  const node = lookup(resource.node, path);
  if (node === undefined) {
    const what = `the variable ${name} reads ${path} of ${resource.describe()}, which is not there`;
    throw renderError("render-var", what, { file, path, object: resource.describe() });
  }
  if (!(node instanceof Scalar)) return "not-primitive";
  const value = readPrimitive(node);
  if (value === undefined) {
    const what = `the variable ${name} reads ${path} of ${resource.describe()}, which is no decimal number`;
    throw renderError("render-var", what, { file, path, object: resource.describe() });
  }
  return value;
}

function lookup(root: Node, path: string): Node | undefined {
  // `ports[0]` is an element of ports.
  const parts = splitDottedPath(path).flatMap((part) => {
    const match = /^(.*)\[([0-9]+)\]$/s.exec(part);
    return match === null ? [part] : match[1] === "" ? [match[2]!] : [match[1]!, match[2]!];
  });
  try {
    return lookupField(root, parts);
  } catch (error) {
    if (error instanceof PathFault) return undefined;
    throw error;
  }
}

// As kustomize: numbers are decimal here, and all that is no number or boolean is text.
function readPrimitive({ tag, text }: Scalar): Scalar | undefined {
  switch (tag) {
    case "!!int": {
      if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
      const value = BigInt(text.replace("+", ""));
      return value >= -(2n ** 63n) && value < 2n ** 63n ? new Scalar(tag, String(value)) : undefined;
    }
    case "!!float":
      return Number.isFinite(Number(text)) && !text.includes("_") ? new Scalar(tag, String(Number(text))) : undefined;
    case "!!bool":
      return new Scalar(tag, text.toLowerCase());
    default:
      return stringNode(text);
  }
}

/** Throws `render-var` for a list that holds something that is no text. */
function refuseNonText(node: Node, resource: Resource, spec: FieldSpec): void {
  if (!isListNode(node) || node.every(isText)) return;
  const what = `${resource.describe()}: ${spec.path} holds an element that is no text, so that variables cannot be replaced`;
  throw renderError("render-var", what, {
    file: resource.origin.file,
    line: resource.origin.line,
    path: spec.path,
    object: resource.describe(),
  });
}

function expandNode(node: Node, values: ReadonlyMap<string, VarValue>): Node {
  if (isListNode(node)) return node.map((item) => (isText(item) ? expandText(item.text, values) : item));
  if (isMapNode(node)) {
    for (const [key, value] of node) if (isText(value)) node.set(key, expandText(value.text, values));
    return node;
  }
  return isText(node) && node.text.includes("$") ? expandText(node.text, values) : node;
}

function isText(node: Node): node is Scalar {
  return node instanceof Scalar && (node.tag === "!!str" || node.tag === UNTYPED);
}

/** `$(NAME)` becomes the value, `$$` a dollar sign; a text that is one variable takes over its type. */
function expandText(text: string, values: ReadonlyMap<string, VarValue>): Scalar {
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
      const isKnown = value instanceof Scalar;
      if (isKnown && at === 0 && close === text.length - 1) return value;
      result += isKnown ? printed(value) : `$(${name})`;
      at = close;
    } else {
      result += next === "$" ? "$" : `$${next}`;
      at += 1;
    }
  }
  return stringNode(result);
}

// As Go prints a value in the middle of a text: floats from a million on with an exponent.
function printed({ tag, text }: Scalar): string {
  return tag === "!!float" ? formatGoFloat(Number(text)) : text;
}

function formatGoFloat(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
