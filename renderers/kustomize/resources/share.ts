// Finds again, in a changed copy of an object, the parts that stayed as they were.

import { LinkedScalar } from "./linked-scalars.ts";
import { FlowList, FlowMap, type Node, type NodeList, type NodeMap, Scalar } from "./node.ts";

/** Lists longer than this are compared place by place only, so that the cost stays linear. */
const MAX_SEARCHED = 64;

/**
 * Answers a node equal to `after` that uses the nodes of `before` wherever these are equal: `before` itself when nothing
 * changed. Keeps the states of an object through a build small, and lets a comparison stop at parts that are the same.
 */
export function shareNodes(before: Node | undefined, after: Node): Node {
  if (before === undefined || before === after) return after;
  if (after instanceof Scalar) return before instanceof Scalar && isSameScalar(before, after) ? before : after;
  if (Array.isArray(after)) return Array.isArray(before) ? shareLists(before, after) : after;
  return before instanceof Map ? shareMaps(before, after) : after;
}

function isSameScalar(a: Scalar, b: Scalar): boolean {
  if (a.tag !== b.tag || a.text !== b.text || a.quoted !== b.quoted || a.printed !== b.printed || a.single !== b.single)
    return false;
  const link = a instanceof LinkedScalar ? a.link : undefined;
  return link === (b instanceof LinkedScalar ? b.link : undefined);
}

function shareMaps(before: NodeMap, after: NodeMap): Node {
  let same = before.size === after.size && before instanceof FlowMap === after instanceof FlowMap;
  const keys = same ? before.keys() : undefined;
  for (const [key, value] of after) {
    // The order of the keys is part of what a map is.
    if (same && keys?.next().value !== key) same = false;
    const old = before.get(key);
    const shared = shareNodes(old, value);
    if (shared !== value) after.set(key, shared);
    if (shared !== old) same = false;
  }
  return same ? before : after;
}

function shareLists(before: NodeList, after: NodeList): Node {
  let same = before.length === after.length && before instanceof FlowList === after instanceof FlowList;
  for (const [index, item] of after.entries()) {
    let shared = shareNodes(before[index], item);
    if (shared === before[index]) {
      if (shared !== item) after[index] = shared;
      continue;
    }
    same = false;
    // Elements move when a merge puts others before them.
    if (before.length <= MAX_SEARCHED && after.length <= MAX_SEARCHED) {
      const moved = before.find((old, place) => place !== index && shareNodes(old, item) === old);
      if (moved !== undefined) shared = moved;
    }
    if (shared !== item) after[index] = shared;
  }
  return same ? before : after;
}

/** Equal texts mean equal nodes. */
export function nodeKey(node: Node): string {
  if (node instanceof Scalar) {
    const { tag, text, quoted, printed, single } = node;
    return `${tag} ${JSON.stringify(text)}${quoted ? (single ? " single" : " quoted") : ""}${printed === undefined ? "" : ` ${JSON.stringify(printed)}`}`;
  }
  if (Array.isArray(node)) return `${node instanceof FlowList ? "flow" : ""}[${[...node].map(nodeKey).join(",")}]`;
  return `${node instanceof FlowMap ? "flow" : ""}{${[...node].map(([key, value]) => `${JSON.stringify(key)}:${nodeKey(value)}`).join(",")}}`;
}
