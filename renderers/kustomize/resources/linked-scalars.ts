// Values that stand in several places of an object at once, as kustomize leaves them where it adds labels.
//
// As kustomize: what a transformer of labels or annotations adds to several maps of one object is one node. Whoever
// writes to one of these places later, a patch or another transformer, changes all of them.

import { cloneNode, isListNode, isMapNode, type Node, type NodeList, type NodeMap, Scalar } from "./node.ts";

/** A scalar that is one with all others of its link in the same object. */
export class LinkedScalar extends Scalar {
  readonly link: object;

  constructor(tag: string, text: string, link: object) {
    super(tag, text);
    this.link = link;
  }
}

/** Puts one value into several maps at a key that they have; answers whether that has linked anything. */
export function linkPlaces(maps: readonly NodeMap[], key: string, value: Scalar): boolean {
  if (maps.length < 2) return false;
  const linked = new LinkedScalar(value.tag, value.text, {});
  for (const map of maps) map.set(key, linked);
  return true;
}

/** A copy whose values are its own. */
export function cloneUnlinked(node: Node): Node {
  const copy = cloneNode(node);
  return eachScalar(copy, (scalar) => (scalar instanceof LinkedScalar ? new Scalar(scalar.tag, scalar.text) : scalar));
}

/** One place of a link. */
interface LinkedPlace {
  readonly map: NodeMap;
  readonly key: string;
  readonly value: LinkedScalar;
}

/** The places of all links in an object, to be noted before a change that happens in place. */
export function linkedPlaces(node: Node): readonly LinkedPlace[] {
  const places: LinkedPlace[] = [];
  collectPlaces(node, places);
  return places;
}

function collectPlaces(node: Node, places: LinkedPlace[]): void {
  if (isListNode(node)) for (const item of node) collectPlaces(item, places);
  if (!isMapNode(node)) return;
  // In the order in which a patch goes through maps: of several values for one link, the last one stays.
  for (const key of [...node.keys()].sort()) {
    const value = node.get(key)!;
    if (value instanceof LinkedScalar) places.push({ map: node, key, value });
    else if (!(value instanceof Scalar)) collectPlaces(value, places);
  }
}

/** Carries what a change wrote to one place of a link over to the others. Maps that gave way to others have no part. */
export function followLinks(places: readonly LinkedPlace[]): void {
  const written = new Map<object, LinkedScalar>();
  for (const { map, key, value } of places) {
    const now = map.get(key);
    if (now === value || !(now instanceof Scalar)) continue;
    if (now.tag === value.tag && now.text === value.text) map.set(key, value);
    else written.set(value.link, new LinkedScalar(now.tag, now.text, value.link));
  }
  if (written.size === 0) return;
  for (const { map, key, value } of places) {
    const linked = written.get(value.link);
    if (linked !== undefined && map.get(key) instanceof Scalar) map.set(key, linked);
  }
}

function eachScalar(node: Node, change: (scalar: Scalar) => Scalar): Node {
  if (node instanceof Scalar) return change(node);
  const children: NodeMap | NodeList = node;
  for (const [key, child] of children.entries()) {
    const changed = eachScalar(child, change);
    if (changed === child) continue;
    if (isMapNode(children)) children.set(String(key), changed);
    else children[Number(key)] = changed;
  }
  return node;
}
