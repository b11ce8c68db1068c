// Who wrote each field of an object, found by comparing its states before and after each step of a build.

import type { Writer } from "../../rendered.ts";
import { EMPTY, type Node, NULL, Scalar } from "./node.ts";

/** The nodes that a step wrote; everything else is as the object's source has it. */
export type FieldWriters = ReadonlyMap<Node, Writer>;

/** Adds what is new in `after`, which shares with `before` every node that stayed (see `shareNodes`). */
export function recordWriter(
  known: FieldWriters | undefined,
  before: Node,
  after: Node,
  writer: Writer,
): FieldWriters | undefined {
  if (before === after) return known;
  const old = new Set<Node>();
  walk(before, (node) => old.add(node));
  const writers = new Map(known);
  walk(after, (node) => {
    // Nulls are one shared node, which cannot tell its places apart.
    if (!old.has(node) && node !== NULL && node !== EMPTY) writers.set(node, writer);
  });
  return writers;
}

/** The writer of every scalar, empty map and empty list, by JSON pointer. */
export function fieldsByPointer(node: Node, writers: FieldWriters | undefined, source: Writer): Map<string, Writer> {
  const fields = new Map<string, Writer>();
  collect(node, "", source);
  return fields;

  function collect(current: Node, pointer: string, above: Writer): void {
    const writer = writers?.get(current) ?? (current === NULL || current === EMPTY ? above : source);
    if (current instanceof Scalar) fields.set(pointer, writer);
    else if (Array.isArray(current)) {
      if (current.length === 0) fields.set(pointer, writer);
      for (const [index, item] of current.entries()) collect(item, `${pointer}/${index}`, writer);
    } else {
      if (current.size === 0) fields.set(pointer, writer);
      for (const [key, item] of current) collect(item, `${pointer}/${escapePointer(key)}`, writer);
    }
  }
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  if (node instanceof Scalar) return;
  for (const child of node.values()) walk(child, visit);
}
