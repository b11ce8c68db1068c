// A unified diff of two values, as a few messages of the reference carry it.
import type { Json } from "../../../kube/object.ts";

const CONTEXT = 3;

type Edit = readonly [mark: " " | "-" | "+", line: string];

function edits(before: readonly string[], after: readonly string[]): Edit[] {
  // Lengths of the longest common subsequences of all suffixes.
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const skip = Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
      common[i * width + j] = before[i] === after[j] ? common[(i + 1) * width + j + 1]! + 1 : skip;
    }
  }
  const out: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      out.push([" ", before[i]!]);
      i++;
      j++;
    } else if (
      i < before.length &&
      (j === after.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      out.push(["-", before[i++]!]);
    } else {
      out.push(["+", after[j++]!]);
    }
  }
  return out;
}

/** Hunks with three lines of context, each line ended. Empty for equal values. */
export function diffValues(before: Json, after: Json): string {
  const all = edits(JSON.stringify(before, null, 1).split("\n"), JSON.stringify(after, null, 1).split("\n"));
  const changed = all.flatMap(([mark], index) => (mark === " " ? [] : [index]));
  let text = "";
  let index = 0;
  while (index < changed.length) {
    const first = Math.max(0, changed[index]! - CONTEXT);
    let last = changed[index]!;
    while (index < changed.length && changed[index]! <= last + 2 * CONTEXT) last = changed[index++]!;
    text += hunk(all, first, Math.min(all.length, last + CONTEXT + 1));
  }
  return text;
}

function hunk(all: readonly Edit[], first: number, end: number): string {
  const count = (from: number, to: number, mark: string): number =>
    all.slice(from, to).filter(([each]) => each === " " || each === mark).length;
  const lines = all.slice(first, end).map(([mark, line]) => `${mark}${line}\n`);
  const from = `-${count(0, first, "-") + 1},${count(first, end, "-")}`;
  const to = `+${count(0, first, "+") + 1},${count(first, end, "+")}`;
  return `@@ ${from} ${to} @@\n${lines.join("")}`;
}
