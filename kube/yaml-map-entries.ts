// Which entries a map has: repeated keys, and those that merge keys (`<<`) bring.

import { YamlFault } from "./yaml-cursor.ts";
import type { YamlEntry, YamlScalar } from "./yaml-node.ts";

export interface MapRules {
  /** What makes keys equal. */
  readonly keyText: (key: YamlScalar) => string;
  readonly duplicateKeys: "refuse" | "last-wins" | "keep";
  /** Line of a position, from 1. */
  readonly lineOf: (offset: number) => number;
}

export function isMergeKey(key: YamlScalar): boolean {
  return key.plain && key.text === "<<" && (key.tag === undefined || key.tag === "!!merge");
}

/** A map's own entries and then what it merges; of several sources the first that has a key counts. Throws `YamlFault`. */
export function mergeEntries(
  own: YamlEntry[],
  merges: readonly YamlEntry[],
  { keyText, duplicateKeys, lineOf }: MapRules,
): YamlEntry[] {
  const seen = new Map<string, number>();
  let entries = own;
  for (const [index, { key }] of own.entries()) {
    const name = keyText(key);
    const before = seen.get(name);
    if (before !== undefined && duplicateKeys === "refuse") {
      const first = lineOf(own[before]!.key.offset);
      throw new YamlFault("yaml-duplicate-key", `the key "${name}" is already set on line ${first}`, key.offset);
    }
    seen.set(name, index);
  }
  if (seen.size < own.length && duplicateKeys !== "keep")
    entries = [...seen.values()].sort((a, b) => a - b).map((index) => own[index]!);
  for (const { key, value } of merges) {
    for (const source of value.kind === "sequence" ? value.items : [value]) {
      if (source.kind !== "map")
        throw new YamlFault("yaml-invalid", "<< takes a map or a list of maps", key.offset, MERGE_MESSAGE);
      for (const entry of source.entries) {
        const name = keyText(entry.key);
        if (seen.has(name)) continue;
        seen.set(name, entries.length);
        entries.push(entry);
      }
    }
  }
  return entries;
}

const MERGE_MESSAGE = "map merge requires map or sequence of maps as the value";
