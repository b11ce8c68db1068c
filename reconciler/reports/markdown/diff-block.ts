// Diffs of manifests: a code block, and below it who wrote the lines.
import type { DiffLine, FieldReport, LineWriter, ManifestDiff } from "../../../api/plan-report.ts";
import { cutText } from "../clean-text.ts";
import { count, value } from "../words.ts";
import { type Style, writerCode } from "./style.ts";

/** Leaves room for a mark in the longest line of a code block. */
export const LONGEST_CONTENT = 380;

/** A diff, and who wrote what changes in it. */
export function diffBlocks(diff: ManifestDiff, style: Style): string[] {
  const notes = writerNotes(diff);
  const { detail, leftOut, text } = style;
  const hunks = diff.hunks.flatMap(({ before, after, lines }) =>
    linesAround(lines, detail.context).map((run) => {
      const passed = lines.slice(0, run.from);
      return { before: before + countOf(passed, "+"), after: after + countOf(passed, "-"), lines: run.lines };
    }),
  );
  const lines = hunks.flatMap((hunk) => [
    // The line where a lone hunk of a new or deleted object begins says nothing.
    ...(hunks.length === 1 && (hunk.before <= 1 || hunk.after <= 1) ? [] : [`@@ ${position(hunk)} @@`]),
    ...hunk.lines.map(({ op, text: content, writer }) => {
      const mark = writer === undefined ? undefined : notes.marks.get(writer);
      return `${op}${cutText(content, LONGEST_CONTENT)}${mark === undefined ? "" : `   ${mark}`}`;
    }),
  ]);
  const context = hunkLength(diff.hunks) - hunkLength(hunks);
  if (context > 0) leftOut.note("lines around changes");
  const cut = diff.cut ?? 0;
  return [
    ...(lines.length === 0 ? [] : [text.fence(lines, "diff")]),
    ...(cut === 0 ? [] : [`${count(cut, "more line")} ${cut === 1 ? "is" : "are"} not shown.`]),
    ...(notes.writers.length === 0 ? [] : [writersLine(notes.writers, style)]),
  ];
}

/** What changes, field by field, where there is no diff in lines. */
export function fieldItems(fields: readonly FieldReport[], style: Style): string[] {
  const { text } = style;
  return fields.map(({ path, before, after, writer }) => {
    const by = writer === undefined ? "" : ` ← ${writerCode(writer, style)}`;
    const old = before === undefined ? "" : `${text.code(value(before))} → `;
    return `${text.code(path)}: ${old}${after === undefined ? "removed" : text.code(value(after))}${by}`;
  });
}

export interface MarkedWriter {
  readonly mark: string | undefined;
  readonly writer: LineWriter;
}

/** Marks for the lines of each writer; none where all lines have the same one. */
export function writerNotes({ hunks, writers }: ManifestDiff) {
  const changed = hunks.flatMap(({ lines }) => lines.filter(({ op }) => op !== " "));
  // Two writers of one place look the same.
  const byText = new Map<string, { readonly writer: LineWriter; readonly indexes: Set<number> }>();
  for (const { writer: index } of changed) {
    const writer = index === undefined ? undefined : writers[index];
    if (index === undefined || writer === undefined) continue;
    const key = JSON.stringify([writer.name, writer.place]);
    const known = byText.get(key) ?? { writer, indexes: new Set() };
    known.indexes.add(index);
    byText.set(key, known);
  }
  const used = [...byText.values()];
  const single = used.length === 1 && changed.every(({ writer }) => writer !== undefined);
  const marked = used.map(({ writer, indexes }, at) => ({ writer, indexes, mark: single ? undefined : markOf(at) }));
  return {
    marks: new Map(marked.flatMap(({ indexes, mark }) => [...indexes].map((index) => [index, mark] as const))),
    writers: marked.map(({ mark, writer }): MarkedWriter => ({ mark, writer })),
  };
}

/** ① to ⑳, then (21). */
function markOf(at: number): string {
  return at < 20 ? String.fromCodePoint(0x2460 + at) : `(${at + 1})`;
}

function writersLine(writers: readonly MarkedWriter[], style: Style): string {
  const [first] = writers;
  if (writers.length === 1 && first?.mark === undefined && first !== undefined)
    return `← ${writerCode(first.writer, style)}`;
  return writers.map(({ mark = "", writer }) => `${mark} ${writerCode(writer, style)}`).join(" · ");
}

/** Runs of lines of which each is a change or at most `context` lines away from one. */
function linesAround(lines: readonly DiffLine[], context: number): { from: number; lines: DiffLine[] }[] {
  const runs: { from: number; lines: DiffLine[] }[] = [];
  let kept = -1;
  const changes = lines.flatMap(({ op }, at) => (op === " " ? [] : [at]));
  for (const at of changes) {
    const from = Math.max(kept + 1, at - context);
    const run = runs.at(-1);
    const end = Math.min(lines.length, at + context + 1);
    if (run !== undefined && from === kept + 1) run.lines.push(...lines.slice(from, end));
    else runs.push({ from, lines: lines.slice(from, end) });
    kept = Math.max(kept, end - 1);
  }
  return runs;
}

/** Where a hunk is in the manifest, before and after. */
export function position({ before, after }: { readonly before: number; readonly after: number }): string {
  return before === after || after === 0
    ? `line ${before}`
    : before === 0
      ? `line ${after}`
      : `line ${before} → ${after}`;
}

function countOf(lines: readonly DiffLine[], without: "+" | "-"): number {
  return lines.filter(({ op }) => op !== without).length;
}

function hunkLength(hunks: readonly { readonly lines: readonly DiffLine[] }[]): number {
  return hunks.reduce((sum, { lines }) => sum + lines.length, 0);
}
