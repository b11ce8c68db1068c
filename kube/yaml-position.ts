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

/** Where a field stands, or what is nearest around it: the key of a map's entry, the beginning of a list's item. */
export function positionOfField(text: string, root: YamlNode, field: string): TextPosition {
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
  return positionAt(text, offset);
}

/** The place of an offset in UTF-16 units. */
export function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
