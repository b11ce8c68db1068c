// Dotted field paths of replacements: `spec.containers.[name=main].env.0.value`.

import { emitYamlDocument } from "../../../kube/yaml-emit.ts";
import { readCoreScalar } from "../../../kube/yaml-scalars.ts";
import { checkSteps } from "../resources/limits.ts";
import {
  isListNode,
  isMapNode,
  isNullNode,
  kindOf,
  type Node,
  type NodeList,
  type NodeMap,
  Scalar,
  setField,
  toValue,
  UNTYPED,
} from "../resources/node.ts";
import { compilePattern } from "../resources/regex.ts";
import { StructuredText } from "./structured-text.ts";

/** Splits at dots that no backslash precedes and no bracket encloses; `[a.b/c]` is one key. */
export function splitDottedPath(path: string): string[] {
  const split = path.split(".");
  if (split.length > 1 && split[0] === "") split.shift();
  const parts: string[] = [];
  for (const [index, part] of split.entries()) {
    const last = parts[parts.length - 1];
    if (index > 0 && last?.endsWith("\\")) parts[parts.length - 1] = `${last.slice(0, -1)}.${part}`;
    else parts.push(part);
  }
  checkSteps(parts.length);
  return joinBrackets(parts);
}

function joinBrackets(parts: readonly string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    let part = parts[at]!;
    if (part.startsWith("[") && !part.endsWith("]")) {
      while (at + 1 < parts.length) {
        at += 1;
        part += `.${parts[at]}`;
        if (parts[at]!.endsWith("]")) break;
      }
      if (!part.includes("=")) part = part.replace(/^[[\]]+/, "").replace(/[[\]]+$/, "");
    }
    result.push(part);
  }
  return result;
}

/** One field that a path leads to; `set` replaces it. */
export interface FoundField {
  readonly node: Node;
  set(value: Node): void;
}

export type CreateKind = "nothing" | "map" | "list" | "scalar";

/** A path that does not fit the object; the message says why. */
export class PathFault extends Error {}

/** A scalar without a type of its own takes the one that its text reads as. */
export function typedByText(text: string): Scalar {
  const { tag } = readCoreScalar(text);
  return new Scalar(tag === "!!merge" ? "!!str" : tag, text);
}

/**
 * Finds one field: `-` is the last element of a list, `[key=value]` compares exactly. Answers `undefined` when it is not
 * there; throws `PathFault` when the path does not fit what is there.
 */
export function lookupField(root: Node, parts: readonly string[]): Node | undefined {
  let node: Node = root;
  for (const written of parts) {
    const part = written.trim();
    if (part === "") continue;
    const next = lookupStep(node, part);
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

function lookupStep(node: Node, part: string): Node | undefined {
  const index = indexOf(part);
  if (index !== undefined) {
    if (index < 0) throw new PathFault(`the index ${index} is negative`);
    return elementsOf(node)[index];
  }
  if (part === "-") return elementsOf(node).at(-1);
  if (part === "*") throw new PathFault("a wildcard does not lead to one field");
  if (!isFilter(part)) return fieldOf(node, part);
  const { key, value } = filterOf(part);
  return elementsOf(node).find((item) => {
    const found = key === "" ? item : isMapNode(item) ? item.get(key) : undefined;
    return found instanceof Scalar && found.text === value;
  });
}

/**
 * Finds all fields of a target, making what is missing when `create` says so: `[key=pattern]` is a regular expression,
 * `*` every element. Throws `PathFault` when the path does not fit what is there.
 *
 * As kustomize: a path that goes on inside a scalar is followed in the text of it, but what is found there is apart from
 * the object.
 */
export function matchFields(root: Node, parts: readonly string[], create: CreateKind): FoundField[] {
  const found: FoundField[] = [];
  new PathMatcher(parts, create, found).visit(root, 0, () => {});
  return found;
}

class PathMatcher {
  readonly #parts: readonly string[];
  readonly #create: CreateKind;
  readonly #found: FoundField[];

  constructor(parts: readonly string[], create: CreateKind, found: FoundField[]) {
    this.#parts = parts;
    this.#create = create;
    this.#found = found;
  }

  visit(node: Node, depth: number, set: (value: Node) => void): void {
    const part = this.#parts[depth];
    if (part === undefined) this.#found.push({ node, set });
    else if ((indexOf(part) ?? -1) >= 0) this.#visitIndex(node, indexOf(part)!, depth);
    else if (isFilter(part)) this.#visitFiltered(node, part, depth);
    else if (part === "*") {
      const list = elementsOf(node);
      for (const index of list.keys()) this.#visitElement(list, index, depth);
    } else this.#visitField(node, part, depth);
  }

  #visitElement(list: NodeList, index: number, depth: number): void {
    this.visit(list[index]!, depth + 1, (value) => {
      list[index] = value;
    });
  }

  #visitField(node: Node, part: string, depth: number): void {
    let field = fieldOf(node, part);
    if (field === undefined) {
      if (this.#create === "nothing") return;
      field = this.#made(depth);
      if (isMapNode(node)) setField(node, part, field);
    }
    if (field instanceof Scalar && depth + 1 < this.#parts.length) {
      this.#visitText(field, depth + 1);
      return;
    }
    // As kustomize: what is made inside a null is lost.
    const map: NodeMap = isMapNode(node) ? node : new Map();
    this.visit(field, depth + 1, (value) => {
      map.set(part, value);
    });
  }

  #visitText(field: Scalar, depth: number): void {
    const root = StructuredText.open(field.text)?.root;
    if (root === undefined) throw new PathFault(`the path goes on inside the text ${shown(field.text)}`);
    this.visit(root, depth, () => {});
  }

  #visitIndex(node: Node, index: number, depth: number): void {
    const list = elementsOf(node);
    if (index === list.length && this.#create !== "nothing") list.push(this.#made(depth));
    if (index >= list.length) throw new PathFault(`there is no element ${index}, the list has ${list.length}`);
    this.#visitElement(list, index, depth);
  }

  #visitFiltered(node: Node, part: string, depth: number): void {
    const list = elementsOf(node);
    const { key, value } = filterOf(part);
    const before = this.#found.length;
    this.#visitMatching(list, key, value, depth);
    if (this.#found.length > before || this.#create === "nothing") return;
    list.push(key === "" ? new Scalar(UNTYPED, value) : new Map([[key, new Scalar(UNTYPED, value)]]));
    this.#visitMatching(list, key, value, depth);
    // As kustomize, which would add elements without end.
    if (this.#found.length === before) throw new PathFault(`the element made for ${part} does not match it`);
  }

  #visitMatching(list: NodeList, key: string, pattern: string, depth: number): void {
    const matches = compilePattern(pattern);
    for (const [index, item] of list.entries()) {
      if (key === "") {
        // As kustomize: the rest of the path does not count.
        if (matches(writtenText(item))) this.visit(item, this.#parts.length, setElement(list, index));
        continue;
      }
      const value = isMapNode(item) ? item.get(key) : undefined;
      if (value !== undefined && matches(writtenText(value))) this.#visitElement(list, index, depth);
    }
  }

  #made(depth: number): Node {
    const next = this.#parts[depth + 1];
    const kind =
      next === undefined || next === "" ? this.#create : isFilter(next) || (indexOf(next) ?? -1) >= 0 ? "list" : "map";
    if (kind === "map") return new Map();
    return kind === "list" ? [] : new Scalar(UNTYPED, "");
  }
}

function setElement(list: NodeList, index: number): (value: Node) => void {
  return (value) => {
    list[index] = value;
  };
}

function fieldOf(node: Node, part: string): Node | undefined {
  if (isNullNode(node)) return undefined;
  if (part === "") {
    if (!(node instanceof Scalar)) throw new PathFault(`the path has an empty part where a ${kindOf(node)} is`);
    return node.text === "" ? node : undefined;
  }
  if (!isMapNode(node)) throw new PathFault(`${part} is looked for where a ${kindOf(node)} is`);
  return node.get(part);
}

/** The elements of a list; a null has none. */
function elementsOf(node: Node): NodeList {
  if (isListNode(node)) return node;
  if (isNullNode(node)) return [];
  throw new PathFault(`an element is looked for where a ${kindOf(node)} is`);
}

// As the tool compares elements: by the YAML that they are written as.
function writtenText(node: Node): string {
  if (!(node instanceof Scalar)) return emitYamlDocument(toValue(node), { sortKeys: false }).trim();
  return node.quoted ? `"${node.text}"` : node.text.trim();
}

function indexOf(part: string): number | undefined {
  return /^[+-]?[0-9]{1,18}$/.test(part) ? Number(part) : undefined;
}

function isFilter(part: string): boolean {
  return part.startsWith("[") && part.endsWith("]");
}

function filterOf(part: string): { readonly key: string; readonly value: string } {
  const text = part.slice(1, Math.max(part.length - 1, 1));
  const at = text.indexOf("=");
  if (at < 0) throw new PathFault(`${part} is no [key=value]`);
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
