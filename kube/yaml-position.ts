// Finds the place of a field in a YAML text, once something is wrong with it.
import type { YamlNode } from "./yaml-node.ts";

/** A place in a text; both numbers from 1, columns in UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** The steps of a field's path as text: `spec.ports[0].name`, `metadata.labels[example.org/team]`. */
export function fieldSteps(field: string): string[] {
  return [...field.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([whole, inner]) => inner ?? whole);
}

/** Finds the places of many fields in one text, whose lines are counted once. */
export class TextPositions {
  readonly #text: string;
  /** Where each line begins. */
  #starts: number[] | undefined;

  constructor(text: string) {
    // Offsets count from after a byte order mark.
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  at(offset: number): TextPosition {
    this.#starts ??= [0, ...[...this.#text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }

  ofField(root: YamlNode, field: string): TextPosition {
    return this.at(offsetOfField(root, field));
  }
}

/** Where a field stands, or what is nearest around it: the key of a map's entry, the beginning of a list's item. */
export function positionOfField(text: string, root: YamlNode, field: string): TextPosition {
  return positionAt(text, offsetOfField(root, field));
}

function offsetOfField(root: YamlNode, field: string): number {
  let node = root;
  let offset = root.offset;
  for (const step of fieldSteps(field)) {
    if (node.kind === "scalar") break;
    if (node.kind === "sequence") {
      const item: YamlNode | undefined = node.items[Number(step)];
      if (item === undefined) break;
      node = item;
      offset = item.offset;
    } else {
      const entry = node.entries.find(({ key }) => key.text === step);
      if (entry === undefined) break;
      node = entry.value;
      offset = entry.key.offset;
    }
  }
  return offset;
}

/** The place of an offset in UTF-16 units. */
export function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
