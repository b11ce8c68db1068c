// Finds the fields that a field spec names, and makes them where the spec says so.

import { renderError } from "../../errors.ts";
import type { FieldSpec } from "../kustomization/kustomization.ts";
import { checkSteps } from "../resources/limits.ts";
import {
  EMPTY,
  isListNode,
  isMapNode,
  isNullNode,
  kindOf,
  type Node,
  type NodeMap,
  Scalar,
  setField,
} from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";

/** What to do at the end of a path. `set` replaces the node in its parent. */
export type Visit = (node: Node, set: (value: Node) => void) => void;

export interface WalkOptions {
  /** What a missing leaf becomes when the spec creates it. */
  readonly create: "map" | "scalar" | "nothing";
  /** Leave the object as it is; visits must not set anything either. */
  readonly dry?: boolean;
}

const paths = new Map<string, string[]>();

/** Splits `spec/a\/b/c[]` at slashes that no backslash precedes. */
export function splitFieldPath(path: string): readonly string[] {
  let parts = paths.get(path);
  if (parts === undefined) {
    parts = [];
    const split = path.split("/");
    if (split.length > 1 && split[0] === "") split.shift();
    for (const [index, part] of split.entries()) {
      const last = parts[parts.length - 1];
      if (index > 0 && last?.endsWith("\\")) parts[parts.length - 1] = `${last.slice(0, -1)}/${part}`;
      else parts.push(part);
    }
    checkSteps(parts.length);
    if (paths.size > 10_000) paths.clear();
    paths.set(path, parts);
  }
  return parts;
}

/** Visits every place of an object that the spec names. Lists on the way are entered element by element. */
export function walkFieldSpec(resource: Resource, spec: FieldSpec, options: WalkOptions, visit: Visit): void {
  const parts = splitFieldPath(spec.path ?? "");
  const create = spec.create === true ? options.create : "nothing";
  const place: Place = { parts, create, visit, resource, path: spec.path ?? "", dry: options.dry === true };
  walk(resource.node, 0, place, () => {});
}

const IS_ELEMENT = /^(?:[+-]?[0-9]+|-|\*|\[.*\])$/;

interface Place {
  readonly parts: readonly string[];
  readonly create: WalkOptions["create"];
  readonly visit: Visit;
  readonly resource: Resource;
  readonly path: string;
  readonly dry: boolean;
}

function walk(node: Node, depth: number, place: Place, set: (value: Node) => void): void {
  if (depth === place.parts.length) {
    place.visit(node, set);
    return;
  }
  if (isListNode(node)) {
    for (const [index, item] of node.entries()) {
      walk(item, depth, place, (value) => {
        node[index] = value;
      });
    }
    return;
  }
  if (isNullNode(node)) return;
  if (!isMapNode(node)) {
    throw fieldFault(place, `${place.parts.slice(0, depth).join("/")} is a scalar where a map or list is expected`);
  }
  enterMap(node, depth, place);
}

function enterMap(map: NodeMap, depth: number, place: Place): void {
  const part = place.parts[depth]!;
  const insistsOnList = part.endsWith("[]");
  const key = insistsOnList ? part.slice(0, -2) : part;
  if (key === "") throw fieldFault(place, "the path has an empty part");
  if (IS_ELEMENT.test(key)) throw fieldFault(place, `${key} means an element, where a map is`);
  const isLeaf = depth + 1 === place.parts.length;
  const mayCreate = place.create !== "nothing" && !insistsOnList;
  let field = map.get(key);
  if (field === undefined || (isNullNode(field) && mayCreate)) {
    if (!mayCreate) {
      if (field === undefined) return;
    } else {
      // As kustomize: a null that becomes a scalar keeps its text.
      const made = field instanceof Scalar ? new Scalar("!!str", field.text) : EMPTY;
      field = isLeaf && place.create === "scalar" ? made : new Map();
      setField(map, key, field);
    }
  }
  if (field === undefined) return;
  if (insistsOnList && isNullNode(field)) {
    // As kustomize: a null where the path says list becomes an empty list.
    if (!place.dry) map.set(key, []);
    return;
  }
  walk(field, depth + 1, place, (value) => {
    map.set(key, value);
  });
}

function fieldFault(place: Place, what: string): Error {
  return renderError("render-fieldspec", `${place.resource.describe()}: ${what} (configured field ${place.path})`, {
    file: place.resource.origin.file,
    line: place.resource.origin.line,
    path: place.path,
    object: place.resource.describe(),
  });
}

/** An error about a node of the wrong kind, naming the object. */
export function nodeKindFault(resource: Resource, path: string, node: Node, wanted: string): Error {
  const what = `${resource.describe()}: ${path} is a ${kindOf(node)}, ${wanted} is expected`;
  return renderError("render-node-kind", what, {
    file: resource.origin.file,
    line: resource.origin.line,
    path,
    object: resource.describe(),
  });
}
