// The tree that kustomize edits: scalars keep their text and type until the end, so "007" stays text and 007 an octal.

import type { YamlNode } from "../../kube/yaml-node.ts";
import { readCoreScalar, readFloat, readInteger } from "../../kube/yaml-scalars.ts";
import { renderError } from "../errors.ts";

export class Scalar {
  /** `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!timestamp`, `!!binary` or a tag of the file's own. */
  readonly tag: string;
  readonly text: string;
  /** True for what stands in quotes or as a block. As kustomize: what later takes its place becomes text as well. */
  readonly quoted: boolean;

  constructor(tag: string, text: string, quoted = false) {
    this.tag = tag;
    this.text = text;
    this.quoted = quoted;
  }

  /**
   * This scalar as it reads in the place of another. As kustomize: the older one's quotes stay, so that a number
   * written over `"1"` is text, and what is written over a plain word is not.
   */
  inPlaceOf(older: Node | undefined): Scalar {
    if (!(older instanceof Scalar) || older.quoted === this.quoted) return this;
    return older.quoted ? new Scalar("!!str", this.text, true) : new Scalar(this.tag, this.text);
  }
}

export type NodeMap = Map<string, Node>;
export type NodeList = Node[];
/** Maps and lists are edited in place; scalars are immutable and shared. */
export type Node = Scalar | NodeMap | NodeList;

export const NULL = new Scalar("!!null", "null");

/** A null that is written as nothing at all (`key:`), which strategic merges drop where they keep a written `null`. */
export const EMPTY = new Scalar("!!null", "");

export function stringNode(text: string): Scalar {
  return new Scalar("!!str", text);
}

export function isMapNode(node: Node | undefined): node is NodeMap {
  return node instanceof Map;
}

export function isListNode(node: Node | undefined): node is NodeList {
  return Array.isArray(node);
}

export function isNullNode(node: Node | undefined): boolean {
  return node instanceof Scalar && node.tag === "!!null";
}

/** The text of a scalar; `undefined` for null, maps and lists. */
export function textOf(node: Node | undefined): string | undefined {
  return node instanceof Scalar && node.tag !== "!!null" ? node.text : undefined;
}

export function kindOf(node: Node): "map" | "list" | "scalar" {
  if (node instanceof Map) return "map";
  return Array.isArray(node) ? "list" : "scalar";
}

export function cloneNode(node: Node): Node {
  if (node instanceof Map) {
    const copy: NodeMap = new Map();
    for (const [key, value] of node) copy.set(key, value instanceof Scalar ? value : cloneNode(value));
    return copy;
  }
  return Array.isArray(node) ? node.map(cloneNode) : node;
}

/** Walks maps by key; `undefined` when a step is missing or no map. */
export function getAt(node: Node | undefined, ...path: readonly string[]): Node | undefined {
  let current = node;
  for (const key of path) {
    if (!(current instanceof Map)) return undefined;
    current = current.get(key);
  }
  return current;
}

/** The map at a key, made if it is absent or null. Throws `render-node-kind` when something else is there. */
export function ensureMap(parent: NodeMap, key: string): NodeMap {
  const found = parent.get(key);
  if (found instanceof Map) return found;
  if (found !== undefined && !isNullNode(found)) {
    throw renderError("render-node-kind", `the field ${key} is a ${kindOf(found)} where a map is expected`, {
      path: key,
    });
  }
  const made: NodeMap = new Map();
  setField(parent, key, made);
  return made;
}

/**
 * Sets a field. As kustomize: a new key that reads as a number, boolean or null in YAML is refused, since its output
 * could not be turned into JSON.
 */
export function setField(map: NodeMap, key: string, value: Node): void {
  if (!map.has(key) && readCoreScalar(key).tag !== "!!str") {
    throw renderError("render-unrepresentable-value", `the key ${JSON.stringify(key)} is not text in YAML`, {
      path: key,
    });
  }
  map.set(key, value);
}

/** Converts parsed YAML. `fail` reports a key that is no text. */
export function fromYaml(node: YamlNode, fail: (offset: number, what: string) => Error): Node {
  switch (node.kind) {
    case "scalar": {
      if (node.tag !== undefined && node.tag !== "!") return new Scalar(node.tag, node.text, !node.plain);
      if (!node.plain) return new Scalar("!!str", node.text, true);
      const tag = readCoreScalar(node.text).tag;
      if (tag === "!!null") return node.text === "" ? EMPTY : node.text === "null" ? NULL : new Scalar(tag, node.text);
      return new Scalar(tag === "!!merge" ? "!!str" : tag, node.text);
    }
    case "sequence":
      return node.items.map((item) => fromYaml(item, fail));
    case "map": {
      const map: NodeMap = new Map();
      for (const { key, value } of node.entries) {
        const isText = key.tag === "!!str" || (key.tag === undefined && (!key.plain || isTextKey(key.text)));
        if (!isText) throw fail(key.offset, `the key ${key.text} is not text`);
        map.set(key.text, fromYaml(value, fail));
      }
      return map;
    }
  }
}

function isTextKey(text: string): boolean {
  const { tag } = readCoreScalar(text);
  return tag === "!!str" || tag === "!!merge";
}

/** Converts plain JSON, with integers as numbers or bigint. */
export function fromValue(value: unknown): Node {
  if (Array.isArray(value)) return value.map(fromValue);
  switch (typeof value) {
    case "string":
      return new Scalar("!!str", value);
    case "boolean":
      return new Scalar("!!bool", String(value));
    case "bigint":
      return new Scalar("!!int", String(value));
    case "number":
      // Larger integers come from doubles and may exceed what an integer scalar can hold.
      return new Scalar(Number.isSafeInteger(value) ? "!!int" : "!!float", String(value));
    case "object":
      if (value !== null) {
        const map: NodeMap = new Map();
        for (const [key, item] of Object.entries(value)) if (item !== undefined) map.set(key, fromValue(item));
        return map;
      }
      return NULL;
    default:
      return NULL;
  }
}

/** Converts to plain JSON, as the final output reads every scalar. Throws `render-unrepresentable-value`. */
export function toValue(node: Node): unknown {
  if (node instanceof Scalar) return scalarValue(node);
  if (Array.isArray(node)) return node.map(toValue);
  const object: Record<string, unknown> = {};
  for (const [key, value] of node) {
    if (UNREADABLE.test(key)) throw unrepresentable(key);
    if (key !== "__proto__") object[key] = toValue(value);
    else Object.defineProperty(object, key, { value: toValue(value), enumerable: true, writable: true });
  }
  return object;
}

// What the tool's own YAML reader refuses inside a string that reaches it unescaped.
const UNREADABLE = /[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

/** The JSON value of a scalar under its tag. Throws `render-unrepresentable-value`. */
export function scalarValue(node: Scalar): string | number | bigint | boolean | null {
  const { tag, text } = node;
  switch (tag) {
    case "!!str":
      if (UNREADABLE.test(text)) throw unrepresentable(text);
      return text;
    case "!!null":
      if (text === "" || readCoreScalar(text).tag === "!!null") return null;
      break;
    case "!!bool":
      if (/^(?:true|True|TRUE)$/.test(text)) return true;
      if (/^(?:false|False|FALSE)$/.test(text)) return false;
      break;
    case "!!int": {
      const integer = readInteger(text.includes("_") ? text.replaceAll("_", "") : text);
      if (integer !== undefined) return integer;
      break;
    }
    case "!!float": {
      const value = readFloat(text.replaceAll("_", "")) ?? readInteger(text);
      if (value !== undefined) return value;
      break;
    }
    case "!!timestamp": {
      const { tag: found, value } = readCoreScalar(text);
      if (found === "!!timestamp") return value;
      break;
    }
    case "!!binary":
      return Buffer.from(text, "base64").toString("utf8");
    default:
      return text;
  }
  throw renderError("render-unrepresentable-value", `${JSON.stringify(text)} cannot be written as ${tag}`);
}

function unrepresentable(text: string): Error {
  return renderError("render-unrepresentable-value", `${JSON.stringify(text)} holds a character that YAML forbids`);
}
