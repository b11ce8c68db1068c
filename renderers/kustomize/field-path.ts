// Dotted field paths of replacements: `spec.containers.[name=main].env.0.value`.

import { readCoreScalar } from "../../kube/yaml-scalars.ts";
import {
  isListNode,
  isMapNode,
  isNullNode,
  type Node,
  type NodeList,
  type NodeMap,
  Scalar,
  setField,
  stringNode,
  textOf,
} from "./node.ts";
import { compileAnchored } from "./regex.ts";

/** Splits at dots that no backslash precedes and no bracket encloses; `[a.b/c]` is one key. */
export function splitDottedPath(path: string): string[] {
  const parts: string[] = [];
  let current = "";
  let depth = 0;
  for (let at = 0; at < path.length; at++) {
    const char = path[at]!;
    if (char === "\\" && path[at + 1] === ".") {
      current += ".";
      at += 1;
    } else if (char === "." && depth === 0) {
      parts.push(current);
      current = "";
    } else {
      if (char === "[") depth += 1;
      if (char === "]") depth = Math.max(0, depth - 1);
      current += char;
    }
  }
  parts.push(current);
  return parts
    .filter((part) => part !== "")
    .map((part) => (part.startsWith("[") && part.endsWith("]") && !part.includes("=") ? part.slice(1, -1) : part));
}

/** One field that a path leads to; `set` replaces it. */
export interface FoundField {
  readonly node: Node;
  /** True for a scalar that this search has made: it has no type of its own yet. */
  readonly created: boolean;
  set(value: Node): void;
}

export type CreateKind = "nothing" | "map" | "list" | "scalar";

/** A path that does not fit the object; the message says why. */
export class PathFault extends Error {}

/**
 * Finds the single field of a source. `-` is the last element of a list. Answers `undefined` when it is not there;
 * throws `PathFault` for a wildcard.
 */
export function lookupField(root: Node, parts: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const part of parts) {
    if (part === "*") throw new PathFault("a source cannot have a wildcard");
    if (isMapNode(node)) node = node.get(part);
    else if (isListNode(node)) node = lookupElement(node, part);
    else return undefined;
  }
  return node;
}

function lookupElement(list: NodeList, part: string): Node | undefined {
  if (part === "-") return list[list.length - 1];
  const filter = filterOf(part);
  if (filter !== undefined) {
    return list.find((item) => {
      const value = filter.key === "" ? item : isMapNode(item) ? item.get(filter.key) : undefined;
      return value instanceof Scalar && value.text === filter.value;
    });
  }
  return /^[0-9]+$/.test(part) ? list[Number(part)] : undefined;
}

/**
 * Finds all fields of a target, making what is missing when `create` says so. A path that goes on inside a scalar is
 * handed to `inside` with the rest of the path.
 */
export function matchFields(
  root: Node,
  parts: readonly string[],
  create: CreateKind,
  inside: (field: FoundField, rest: readonly string[]) => void,
): FoundField[] {
  const found: FoundField[] = [];
  const visit = (node: Node, depth: number, created: boolean, set: (value: Node) => void): void => {
    const part = parts[depth];
    if (part === undefined) {
      found.push({ node, created, set });
      return;
    }
    if (isMapNode(node)) visitMap(node, part, depth);
    else if (isListNode(node)) visitList(node, part, depth);
    else if (!isNullNode(node)) inside({ node, created, set }, parts.slice(depth));
  };
  const made = (depth: number): Node => emptyNode(depth + 1 < parts.length ? kindFor(parts[depth + 1]!) : create);
  const visitMap = (map: NodeMap, part: string, depth: number): void => {
    if (part === "*") throw new PathFault("the wildcard * stands where a map is");
    let value = map.get(part);
    const created = value === undefined || isNullNode(value);
    if (created && create !== "nothing") {
      value = made(depth);
      setField(map, part, value);
    }
    if (value === undefined) return;
    visit(value, depth + 1, created, (replacement) => {
      map.set(part, replacement);
    });
  };
  const visitList = (list: NodeList, part: string, depth: number): void => {
    const indexes = elementsOf(list, part);
    if (indexes.length === 0 && create !== "nothing") {
      const added = newElement(list, part, made(depth));
      if (added !== undefined) indexes.push(list.push(added) - 1);
    }
    for (const index of indexes) {
      visit(list[index]!, depth + 1, false, (replacement) => {
        list[index] = replacement;
      });
    }
  };
  visit(root, 0, false, () => {});
  return found;
}

function elementsOf(list: NodeList, part: string): number[] {
  if (part === "*") return list.map((_, index) => index);
  const filter = filterOf(part);
  if (filter === undefined) {
    if (!/^[0-9]+$/.test(part)) throw new PathFault(`${part} is no index and no [key=value], where a list is`);
    return Number(part) < list.length ? [Number(part)] : [];
  }
  // As kustomize: the value is a regular expression that may match anywhere.
  const matches = compileAnchored(`(?s:.*)(?:${filter.value})(?s:.*)`);
  const result: number[] = [];
  for (const [index, item] of list.entries()) {
    const value = filter.key === "" ? item : isMapNode(item) ? item.get(filter.key) : undefined;
    const text = textOf(value);
    if (text !== undefined && matches(text)) result.push(index);
  }
  return result;
}

function newElement(list: NodeList, part: string, empty: Node): Node | undefined {
  const filter = filterOf(part);
  if (filter !== undefined) {
    // As kustomize: the value is written plain, so that it may be a number.
    const value = new Scalar(readCoreScalar(filter.value).tag, filter.value);
    return filter.key === "" ? value : new Map([[filter.key, value]]);
  }
  return Number(part) === list.length ? empty : undefined;
}

function filterOf(part: string): { key: string; value: string } | undefined {
  const match = /^\[([^=]*)=(.*)\]$/s.exec(part);
  return match === null ? undefined : { key: match[1]!, value: match[2]! };
}

function kindFor(next: string): CreateKind {
  return next === "*" || filterOf(next) !== undefined || /^[0-9]+$/.test(next) ? "list" : "map";
}

function emptyNode(kind: CreateKind): Node {
  if (kind === "map") return new Map();
  return kind === "list" ? [] : stringNode("");
}
