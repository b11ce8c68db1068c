// The tree that kustomize edits: scalars keep their text and type until the end, so "007" stays text and 007 an octal.

import { setOwn } from "../../../kube/object.ts";
import type { YamlNode, YamlScalar, YamlSequence } from "../../../kube/yaml-node.ts";
import { readCoreScalar } from "../../../kube/yaml-scalars.ts";
import { renderError } from "../../errors.ts";
import { readJsonKey, readJsonText, readTagged, reprintBlock, unrepresentable } from "./reprint.ts";

export class Scalar {
  /** `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!timestamp`, `!!binary` or a tag of the file's own. */
  readonly tag: string;
  readonly text: string;
  /** True for what stands in quotes or as a block. As kustomize: what later takes its place becomes text as well. */
  readonly quoted: boolean;
  /**
   * What the output has instead. As kustomize: it prints an object and reads that again, which changes some texts;
   * null for one that cannot be read again.
   */
  readonly printed: string | null | undefined;
  /** True for what stands in single quotes, which they stay where a text in YAML takes the scalar in. */
  readonly single: boolean;

  constructor(tag: string, text: string, quoted = false, printed?: string | null, single = false) {
    this.tag = tag;
    this.text = text;
    this.quoted = quoted;
    this.printed = printed;
    this.single = single;
  }

  /**
   * This scalar as it reads in the place of another. As kustomize: the older one's quotes stay, so that a number
   * written over `"1"` is text, and what is written over a plain word is not.
   */
  inPlaceOf(older: Node | undefined): Scalar {
    if (!(older instanceof Scalar) || older.quoted === this.quoted) return this;
    return older.quoted
      ? new Scalar("!!str", this.text, true, undefined, older.single)
      : new Scalar(this.tag, this.text);
  }
}

/**
 * What cannot be converted to JSON. As kustomize: it is carried along, and only an error where an object is converted,
 * if it is still there by then.
 */
export class Unprintable extends Scalar {
  readonly error: Error;

  constructor(error: Error) {
    super("!!unprintable", error.message);
    this.error = error;
  }
}

/** A key that is there again; what it has is lost but where labels are read as text. */
export class Repeated extends Unprintable {
  readonly value: Node;

  constructor(error: Error, value: Node) {
    super(error);
    this.value = value;
  }
}

/** Adds something that cannot be printed beside the fields of a map, where no field of a file can be. */
function addUnprintable(map: NodeMap, key: string, mark: Unprintable): void {
  map.set(`\u0000${key}`, mark);
}

export type NodeMap = Map<string, Node>;
export type NodeList = Node[];
/** A map in braces, which it keeps where a text in YAML takes it in. */
export class FlowMap extends Map<string, Node> {}

/** A list in brackets, as `FlowMap`. */
export class FlowList extends Array<Node> {
  /** What is made of its elements is an ordinary list. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

function flowList(items: NodeList): FlowList {
  const list = new FlowList();
  for (const item of items) list.push(item);
  return list;
}

/** Maps and lists are edited in place; scalars are immutable and shared. */
export type Node = Scalar | NodeMap | NodeList;

/** The tag of scalars that have no type of their own: they are what their text reads as. */
export const UNTYPED = "";

/** What stands in the place of a scalar after its text was set: text if it was in quotes, else what it reads as. */
export function textOver(older: Scalar, text: string): Scalar {
  return older.quoted ? new Scalar("!!str", text, true, undefined, older.single) : new Scalar(UNTYPED, text);
}

export const NULL = new Scalar("!!null", "null");

/** A null that is written as nothing at all (`key:`), which strategic merges drop where they keep a written `null`. */
export const EMPTY = new Scalar("!!null", "");

/** Nothing where a value should be, in braces or brackets. */
const EMPTY_IN_FLOW = new Scalar("!!null", "", false, "");

export function stringNode(text: string): Scalar {
  return new Scalar("!!str", text);
}

/** Text that is printed as a block when it has several lines. */
export function textNode(text: string): Scalar {
  return new Scalar("!!str", text, false, text.includes("\n") ? reprintBlock(text, "literal") : undefined);
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
    const copy: NodeMap = node instanceof FlowMap ? new FlowMap() : new Map();
    for (const [key, value] of node) copy.set(key, value instanceof Scalar ? value : cloneNode(value));
    return copy;
  }
  if (!Array.isArray(node)) return node;
  const list = node.map(cloneNode);
  return node instanceof FlowList ? flowList(list) : list;
}

/** A copy of a map that has the same values. */
export function copyMap(map: NodeMap): NodeMap {
  return map instanceof FlowMap ? new FlowMap(map) : new Map(map);
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
 * Sets a field. As kustomize: an object with a new key that reads as a number, boolean or null in YAML cannot be
 * printed, since its output could not be turned into JSON.
 */
export function setField(map: NodeMap, key: string, value: Node): void {
  if (!map.has(key) && (key === "<<" || !isTextKey(key))) {
    const what = `the key ${JSON.stringify(key)} is not text in YAML; use another`;
    addUnprintable(map, key, new Unprintable(renderError("render-unrepresentable-value", what, { path: key })));
  }
  map.set(key, value);
}

/** Makes the error of a key that is no text, or is there twice. */
export type KeyFault = (problem: "no-text" | "repeated", key: YamlScalar) => Error;

/** Converts parsed YAML. */
export function fromYaml(node: YamlNode, fault: KeyFault, inFlow = false): Node {
  switch (node.kind) {
    case "scalar":
      return fromYamlScalar(node, inFlow);
    case "sequence":
      return fromYamlList(node, fault, inFlow);
    case "map": {
      const map: NodeMap = node.flow ? new FlowMap() : new Map();
      for (const { key, value } of node.entries) {
        const { tag, plain, text } = key;
        const isText = tag === "!!str" || ((tag === undefined || tag === "!") && (!plain || isTextKey(text)));
        const converted = fromYaml(value, fault, inFlow || node.flow);
        if (!isText) addUnprintable(map, text, new Unprintable(fault("no-text", key)));
        else if (map.has(text)) addUnprintable(map, text, new Repeated(fault("repeated", key), converted));
        // As kustomize: until then the first of a repeated key is the one that is found.
        if (!map.has(text)) map.set(text, converted);
      }
      return map;
    }
  }
}

function fromYamlList({ items, flow }: YamlSequence, fault: KeyFault, inFlow: boolean): NodeList {
  const list = items.map((item) => fromYaml(item, fault, inFlow || flow));
  return flow ? flowList(list) : list;
}

function fromYamlScalar({ tag, text, plain, block, single }: YamlScalar, inFlow: boolean): Scalar {
  const printed = block === undefined || inFlow ? undefined : reprintBlock(text, block);
  // What a tag makes of a text, it makes of the text as it is read again.
  if (tag !== undefined && tag !== "!")
    return new Scalar(tag, printed ?? text, !plain, printed === null ? null : undefined);
  if (!plain) return new Scalar("!!str", text, true, printed, single);
  const found = readCoreScalar(text).tag;
  switch (found) {
    case "!!null":
      if (text === "") return inFlow ? EMPTY_IN_FLOW : EMPTY;
      return text === "null" ? NULL : new Scalar(found, text);
    case "!!timestamp":
      // In brackets a text with a colon gets quotes when it is printed, and is no time any more.
      return new Scalar(found, text, false, inFlow && text.includes(":") ? text : undefined);
    case "!!merge":
      return new Scalar("!!str", text);
    default:
      return new Scalar(found, text);
  }
}

/** Whether a key without quotes is text. As kustomize: nothing at all before a colon is printed as an empty text. */
export function isTextKey(text: string): boolean {
  const { tag } = readCoreScalar(text);
  return tag === "!!str" || tag === "!!merge" || text === "";
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
      if (Number.isSafeInteger(value)) return new Scalar("!!int", String(value));
      // Larger integers come from doubles and may exceed what an integer scalar can hold.
      return new Scalar(readCoreScalar(String(value)).tag, String(value));
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

/** Converts to plain JSON, as kustomize does between steps. Throws `render-unrepresentable-value`. */
export function toValue(node: Node): unknown {
  return convert(node, SAME);
}

/** What is left of a node that the tool writes as JSON and reads again without printing it first. Throws as `toOutput`. */
export function throughJson(node: Node): unknown {
  return convert(node, OUTPUT, false);
}

/** Converts to plain JSON as the output has it. Throws `render-unrepresentable-value`. */
export function toOutput(node: Node): unknown {
  return convert(node, OUTPUT);
}

/** The steps to the first part of a node that has no output. */
export function pathOfUnprintable(node: Node): readonly (string | number)[] {
  if (node instanceof Scalar) return [];
  for (const [step, item] of node.entries()) {
    try {
      toOutput(item);
    } catch {
      return [step, ...pathOfUnprintable(item)];
    }
  }
  return [];
}

/** What becomes of texts. */
interface TextRules {
  key(text: string): string;
  value(text: string): string;
}

const SAME: TextRules = { key: (text) => text, value: (text) => text };
// The tool writes JSON and reads that as YAML.
const OUTPUT: TextRules = { key: readJsonKey, value: readJsonText };

function convert(node: Node, rules: TextRules, reprints = true): unknown {
  if (node instanceof Scalar) {
    const value = reprints ? scalarValue(node) : readScalar(node);
    return typeof value === "string" ? rules.value(value) : value;
  }
  if (Array.isArray(node)) return node.map((item) => convert(item, rules, reprints));
  const object: Record<string, unknown> = {};
  for (const [key, value] of node) setOwn(object, rules.key(key), convert(value, rules, reprints));
  return object;
}

/** The JSON value of a scalar under its tag. Throws `render-unrepresentable-value`. */
export function scalarValue(node: Scalar): string | number | bigint | boolean | null {
  if (node instanceof Unprintable) throw node.error;
  const { printed } = node;
  if (printed === null) throw unrepresentable("begins with a tab and has several lines");
  return printed === undefined ? readScalar(node) : printed;
}

function readScalar(node: Scalar): string | number | bigint | boolean | null {
  if (node instanceof Unprintable) throw node.error;
  const { tag, text } = node;
  const value = tag === "!!str" ? text : readTagged(tag, text);
  if (value === undefined) throw unrepresentable(`is no valid ${tag}`);
  if (typeof value === "number" && !Number.isFinite(value)) throw unrepresentable("is no number that JSON has");
  return value;
}
