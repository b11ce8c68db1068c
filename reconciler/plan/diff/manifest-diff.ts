// How a manifest changes, in the lines in which people write it.
import type { DiffLine, LineWriter, ManifestDiff } from "../../../api/plan-report.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { cutText } from "../../reports/clean-text.ts";
import { diffLines, type LineEdit } from "./line-diff.ts";
import { type ManifestLine, manifestLines } from "./manifest-lines.ts";
import type { Mask } from "./mask.ts";

/** Who wrote the field at a JSON pointer; undefined when nobody is known. */
export type WriterOf = (pointer: string) => LineWriter | undefined;

export interface ManifestDiffOptions {
  readonly mask: Mask;
  /** Lines shown around each change. */
  readonly context?: number;
  readonly before?: WriterOf | undefined;
  readonly after?: WriterOf | undefined;
  /** Lines shown at most, those around changes included. */
  readonly most?: number;
}

const CONTEXT = 3;
const MOST_LINES = 400;
/** An object of an API server has at most about 1.5 MB. */
const MOST_COMPARED = 100_000;
const LONGEST_LINE = 2_000;
/** Of two long lines no more is said of what they begin with than this. */
const LONGEST_SAME_START = 120;
const SHOWN_START = 60;

/**
 * Both are masked first. An object that comes or goes is shown whole, as far as there is room; what is left out is
 * counted.
 */
export function diffManifests(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  options: ManifestDiffOptions,
): ManifestDiff {
  const { mask, context = CONTEXT, most = MOST_LINES } = options;
  const linesOf = (object: KubeObject | undefined): ManifestLine[] =>
    object === undefined ? [] : manifestLines(mask.object(object), MOST_COMPARED);
  const [old, fresh] = [linesOf(before), linesOf(after)];
  const edits = diffLines(
    old.map(({ text }) => text),
    fresh.map(({ text }) => text),
  );
  const writers = new Writers();
  const starts = sameStarts(edits, old, fresh);
  const lineOf = (edit: LineEdit): DiffLine => {
    const line = edit.op === "-" ? old[edit.before] : fresh[edit.after];
    const writerOf = edit.op === " " ? undefined : edit.op === "-" ? options.before : options.after;
    const writer = writers.indexOf(line === undefined ? undefined : writerOf?.(line.pointer));
    return {
      op: edit.op,
      text: cutText(fromDifference(line?.text ?? "", starts.get(edit) ?? 0), LONGEST_LINE),
      ...(writer === undefined ? {} : { writer }),
    };
  };
  const hunks: ManifestDiff["hunks"] = [];
  let room = most;
  let cut = 0;
  for (const run of runsAround(edits, context)) {
    const shown = run.edits.slice(0, room);
    room -= shown.length;
    cut += run.edits.length - shown.length;
    if (shown.length > 0) hunks.push({ before: run.before, after: run.after, lines: shown.map(lineOf) });
  }
  const count = (op: LineEdit["op"]): number => edits.reduce((sum, edit) => (edit.op === op ? sum + 1 : sum), 0);
  return {
    hunks,
    writers: writers.list,
    added: count("+"),
    removed: count("-"),
    ...(cut === 0 ? {} : { cut }),
  };
}

/** How many characters each changed line has in common with the one that takes its place. */
function sameStarts(
  edits: readonly LineEdit[],
  old: readonly ManifestLine[],
  fresh: readonly ManifestLine[],
): ReadonlyMap<LineEdit, number> {
  const starts = new Map<LineEdit, number>();
  let removed: LineEdit[] = [];
  let paired = 0;
  for (const edit of edits) {
    if (edit.op === "+") {
      const gone = removed[paired++];
      if (gone?.op !== "-") continue;
      const [before, after] = [old[gone.before]?.text ?? "", fresh[edit.after]?.text ?? ""];
      let start = 0;
      while (start < before.length && before[start] === after[start]) start++;
      starts.set(gone, start).set(edit, start);
      continue;
    }
    if (edit.op === " " || paired > 0) removed = [];
    paired = 0;
    if (edit.op === "-") removed.push(edit);
  }
  return starts;
}

/** A change far into a long line would be cut off with the end of it. */
function fromDifference(text: string, sameStart: number): string {
  if (sameStart <= LONGEST_SAME_START) return text;
  return `${cutText(text, SHOWN_START)} ${text.slice(sameStart - SHOWN_START / 2).toWellFormed()}`;
}

/** Each writer once. */
class Writers {
  readonly list: LineWriter[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(writer: LineWriter | undefined): number | undefined {
    if (writer === undefined) return undefined;
    const key = JSON.stringify(writer);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.list.length);
    return this.list.push(writer) - 1;
  }
}

interface Run {
  /** Place of its first line on either side, from 1; 0 when that side has no lines. */
  readonly before: number;
  readonly after: number;
  readonly edits: LineEdit[];
}

/** Changes with the lines around them; those whose surroundings meet are one. */
function runsAround(edits: readonly LineEdit[], context: number): Run[] {
  const runs: Run[] = [];
  let [passed, old, fresh] = [0, 0, 0];
  const pass = (to: number): void => {
    for (; passed < to; passed++) {
      const op = edits[passed]?.op;
      if (op !== "+") old++;
      if (op !== "-") fresh++;
    }
  };
  const hasOld = edits.some(({ op }) => op !== "+");
  const hasFresh = edits.some(({ op }) => op !== "-");
  for (let at = 0; at < edits.length; at++) {
    if (edits[at]?.op === " ") continue;
    const from = Math.max(passed, at - context);
    const joins = runs.length > 0 && from === passed;
    let last = at;
    for (let next = at; next < edits.length && next <= last + context; next++) if (edits[next]?.op !== " ") last = next;
    const to = Math.min(edits.length, last + context + 1);
    pass(from);
    const lines = edits.slice(from, to);
    if (joins) runs.at(-1)?.edits.push(...lines);
    else runs.push({ before: hasOld ? old + 1 : 0, after: hasFresh ? fresh + 1 : 0, edits: lines });
    pass(to);
    at = to - 1;
  }
  return runs;
}
