// Lists whose elements a strategic merge matches by keys, with all the turns of kustomize's own way.

import { renderError } from "../../errors.ts";
import {
  isListNode,
  isMapNode,
  isNullNode,
  type Node,
  type NodeList,
  type NodeMap,
  Scalar,
} from "../resources/node.ts";
import type { MergePlace } from "./merge-place.ts";

/** Merges one element; `undefined` when it goes. */
type MergeElement = (target: Node | undefined, patch: Node | undefined, place: MergePlace) => Node | undefined;

/** Beyond this many elements, those without unique keys are refused: matching them costs the square of their number. */
const MOST_IRREGULAR = 5000;

/**
 * Merges the list `patch` into `target`, in place. Both may be one list: what a patch brings to an empty place is
 * merged with itself. What the patch names comes first, in the order of the patch; with several keys in use, elements
 * that were there keep their order behind the new ones.
 */
export function mergeAssociativeList(
  target: NodeList,
  patch: NodeList | undefined,
  place: MergePlace,
  mergeElement: MergeElement,
): void {
  const keys = place.schema?.keys ?? [];
  if (target.length === 0 && (patch === undefined || patch.length === 0)) return;
  const merged =
    (keys.length === 0 ? mergeTexts(target, patch) : undefined) ??
    mergeRegular(target, patch, keys, place, mergeElement) ??
    new IrregularMerge(target, patch, place, mergeElement).run(keys.length === 0 ? [""] : keys);
  replaceContent(target, merged);
}

function replaceContent(list: NodeList, content: NodeList): void {
  list.length = 0;
  for (const item of content) list.push(item);
}

/** Lists of plain words, in linear time: each word once, those of the patch first. */
function mergeTexts(target: NodeList, patch: NodeList | undefined): NodeList | undefined {
  const words = new Map<string, Scalar>();
  for (const list of [patch, target]) {
    for (const item of list ?? []) {
      if (!(item instanceof Scalar) || isNullNode(item)) return undefined;
      // As kustomize: a word keeps the place that the patch gives it and the form that it had.
      if (list === target || !words.has(item.text)) words.set(item.text, item);
    }
  }
  return [...words.values()];
}

/** The ordinary case, in linear time: every element is a map with values for the keys in use, no two alike. */
function mergeRegular(
  target: NodeList,
  patch: NodeList | undefined,
  allKeys: readonly string[],
  place: MergePlace,
  mergeElement: MergeElement,
): NodeList | undefined {
  if (allKeys.length === 0) return undefined;
  const keys = usedKeys(allKeys, patch === undefined ? target : [...patch, ...target]);
  const present = indexElements(target, keys);
  if (present === undefined) return undefined;
  const named = patch === undefined || patch === target ? present : indexElements(patch, keys);
  if (named === undefined) return undefined;
  const front: NodeList = [];
  const rest = new Map(present);
  const isMoved = keys.length === 1;
  const isSame = patch === target;
  if (patch !== undefined) {
    for (const [key, item] of named) {
      const old = present.get(key);
      const isReplaced = !isSame && old !== undefined && textAt(item, "$patch") === "replace";
      const element = mergeElement(old, item, place.element(key.replaceAll("\u0000", ",")));
      if (element === undefined || (isMapNode(element) && element.size === 0)) {
        rest.delete(key);
        continue;
      }
      if (old === undefined) front.push(element);
      // As kustomize: a replaced element moves to the front but keeps its content.
      else if (isMoved) front.push(isReplaced ? old : element);
      if (old !== undefined && isMoved) rest.delete(key);
    }
  }
  for (const [key, item] of rest) {
    if (patch === undefined || !named.has(key)) mergeElement(item, undefined, place.element(key));
    front.push(item);
  }
  return front;
}

function indexElements(list: NodeList, keys: readonly string[]): Map<string, NodeMap> | undefined {
  const index = new Map<string, NodeMap>();
  for (const item of list) {
    if (!isMapNode(item)) return undefined;
    let id = "";
    for (const key of keys) {
      const text = keyText(item.get(key));
      if (text === "") return undefined;
      id = id === "" ? text : `${id}\u0000${text}`;
    }
    if (index.has(id)) return undefined;
    index.set(id, item);
  }
  return index;
}

function textAt(map: NodeMap, key: string): string {
  return rawText(map.get(key));
}

/** Keys that have a value somewhere; all of them when none has. */
function usedKeys(keys: readonly string[], items: readonly Node[]): readonly string[] {
  if (keys.length === 1) return keys;
  const used = keys.filter((key) => items.some((item) => isMapNode(item) && keyText(item.get(key)) !== ""));
  return used.length === 0 ? keys : used;
}

/** The text by which a key's value counts: none for nulls, maps and lists. */
function keyText(node: Node | undefined): string {
  return node instanceof Scalar && node.tag !== "!!null" ? node.text : "";
}

/** The text of a scalar even if it means null. */
function rawText(node: Node | undefined): string {
  return node instanceof Scalar ? node.text : "";
}

function isVoid(node: Node | undefined): boolean {
  return node === undefined || isNullNode(node) || (isMapNode(node) && node.size === 0);
}

/**
 * The general case: elements without keys, with equal keys, or with only some of several keys; and lists of scalars,
 * whose only "key" is the text itself (`""`). As kustomize, step for step in effect: what follows looks odd, such as an
 * element without a key that makes those before it go, and is what the tool prints.
 */
class IrregularMerge {
  private readonly target: NodeList;
  private readonly patch: NodeList | undefined;
  private readonly place: MergePlace;
  private readonly mergeElement: MergeElement;

  constructor(target: NodeList, patch: NodeList | undefined, place: MergePlace, mergeElement: MergeElement) {
    this.target = target;
    this.patch = patch;
    this.place = place;
    this.mergeElement = mergeElement;
    const count = target.length + (patch?.length ?? 0);
    if (count > MOST_IRREGULAR) {
      const path = place.describe();
      const what = `the list ${path} has ${count} elements without unique keys; at most ${MOST_IRREGULAR} can be merged`;
      throw renderError("render-too-large", what, { path });
    }
  }

  run(keys: readonly string[]): NodeList {
    const found = this.distinctValues(keys);
    if (keys.length > 1) reconcile(found);
    const used = keys.filter((_, index) => found.some((values) => values[index] !== ""));
    const valid = used.length === 0 ? keys : used;
    const front: NodeList = [];
    for (const values of found) {
      const own = used.length === 0 ? values : values.filter((_, index) => valid.includes(keys[index]!));
      const element = this.element(valid, own);
      if (element === undefined || isVoid(element)) {
        setElement(this.target, undefined, valid, own, this.place);
        continue;
      }
      setElement(front, this.withKeys(element, valid, own), valid, own, this.place);
    }
    for (const item of [...this.target]) this.append(front, item, valid);
    return front;
  }

  /** What the elements have for the keys: those of the patch first, each once. */
  private distinctValues(keys: readonly string[]): string[][] {
    const isText = keys[0] === "";
    const seen = new Set<string>();
    const found: string[][] = [];
    for (const list of [this.patch, this.target]) {
      for (const item of list ?? []) {
        const values = isText
          ? [rawText(item)]
          : keys.map((key) => keyText(isMapNode(item) ? item.get(key) : undefined));
        const id = values.join("\u0000");
        if (seen.has(id)) continue;
        seen.add(id);
        found.push(values);
      }
    }
    return found;
  }

  private element(keys: readonly string[], values: readonly string[]): Node | undefined {
    const set = keys.filter((_, index) => values[index] !== "");
    const wanted = set.length === 0 ? keys : set;
    const texts = set.length === 0 ? values : values.filter((value) => value !== "");
    const place = this.place.element(values.join(","));
    return this.mergeElement(findElement(this.target, wanted, texts), findElement(this.patch, wanted, texts), place);
  }

  private withKeys(element: Node, keys: readonly string[], values: readonly string[]): Node {
    for (const [index, key] of keys.entries()) {
      const value = values[index]!;
      if (key === "" || value === "" || (isMapNode(element) && element.has(key))) continue;
      if (!isMapNode(element)) throw wrongKind("map", element, this.place);
      element.set(key, new Scalar("!!str", value));
    }
    return element;
  }

  private append(front: NodeList, item: Node, keys: readonly string[]): void {
    if (keys[0] === "") {
      setElement(front, item, [""], [rawText(item)], this.place);
      return;
    }
    if (!isMapNode(item) && !isNullNode(item)) throw wrongKind("map", item, this.place);
    const values: string[] = [];
    for (const key of keys) {
      const value = isMapNode(item) ? item.get(key) : undefined;
      if (value === undefined) front.push(item);
      else values.push(rawText(value));
    }
    if (keys.length > 1) setElement(front, undefined, keys, values, this.place);
    setElement(front, isNullNode(item) ? undefined : item, keys, values, this.place);
  }
}

/** Values that differ only where one of them is empty become one. As kustomize: each as it was before it met any other. */
function reconcile(found: string[][]): void {
  for (const [i, own] of found.entries()) {
    for (let j = 0; j < found.length; j++) {
      const joined = joinValues(own, found[j]!);
      if (joined === undefined) continue;
      found[i] = joined;
      found[j] = joined;
    }
  }
}

function joinValues(a: readonly string[], b: readonly string[]): string[] | undefined {
  let isCommon = false;
  const joined: string[] = [];
  for (let index = 0; index < a.length; index++) {
    const left = a[index]!;
    const right = b[index]!;
    if (left === right) isCommon = true;
    else if (left !== "" && right !== "") return undefined;
    joined.push(left === "" ? right : left);
  }
  return isCommon ? joined : undefined;
}

function findElement(list: NodeList | undefined, keys: readonly string[], values: readonly string[]): Node | undefined {
  if (keys[0] === "") return list?.find((item) => rawText(item) === values[0]);
  return list?.find((item) => {
    if (!isMapNode(item)) return false;
    return keys.every((key, index) => item.has(key) && rawText(item.get(key)) === values[index]);
  });
}

/**
 * Puts `element` in the place of those that match, or at the end; without an element removes those that match. An
 * empty value matches whatever the key has, absent values match nothing and let nothing stay.
 */
function setElement(
  list: NodeList,
  element: Node | undefined,
  keys: readonly string[],
  values: readonly string[],
  place: MergePlace,
): void {
  const content: NodeList = [];
  const areMaps = keys[0] !== "" && values.length > 0 && values[0] !== "";
  let isPlaced = false;
  for (const item of list) {
    if (isVoid(item)) continue;
    if (!isMapNode(item) && areMaps) {
      content.push(item);
      continue;
    }
    if (!matches(item, keys, values, place)) {
      if (values.length > 0) content.push(item);
      continue;
    }
    isPlaced = true;
    if (element !== undefined) content.push(element);
  }
  if (element !== undefined && !isPlaced) content.push(element);
  replaceContent(list, content);
}

function matches(item: Node, keys: readonly string[], values: readonly string[], place: MergePlace): boolean {
  if (values.length === 0) return false;
  for (const [index, key] of keys.entries()) {
    const value = values[index];
    if (value === undefined) return true;
    if (key === "") {
      if (!(item instanceof Scalar)) throw wrongKind("scalar", item, place);
      if (item.text !== value) return false;
      continue;
    }
    if (!isMapNode(item)) throw wrongKind("map", item, place);
    if (!item.has(key) || (value !== "" && rawText(item.get(key)) !== value)) return false;
  }
  return true;
}

function wrongKind(wanted: "map" | "scalar", found: Node, place: MergePlace): Error {
  const path = place.describe();
  const kind = isListNode(found) ? "list" : isMapNode(found) ? "map" : "scalar";
  return renderError("render-node-kind", `the list ${path} holds a ${kind} where a ${wanted} is expected`, { path });
}
