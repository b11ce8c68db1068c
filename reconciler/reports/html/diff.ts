// Diffs of manifests: the lines, and below them who wrote them.
import type { FieldReport, ManifestDiff } from "../../../api/plan-report.ts";
import { position, writerNotes } from "../markdown/diff-block.ts";
import { count, value } from "../words.ts";
import { type Page, writerText } from "./elements.ts";
import { code, fileLine, Html, html } from "./html.ts";

/** A diff, and who wrote what changes in it. */
export function diffBlock(diff: ManifestDiff, page: Page): Html {
  const { hunks, cut = 0 } = diff;
  const { marks, writers } = writerNotes(diff);
  const lines = hunks.flatMap((hunk) => [
    // The line where a lone hunk of a new or deleted object begins says nothing.
    ...(hunks.length === 1 && (hunk.before <= 1 || hunk.after <= 1)
      ? []
      : [html`<span class="at">@@ ${position(hunk)} @@</span>\n`]),
    ...hunk.lines.map(({ op, text, writer }) => {
      const mark = writer === undefined ? undefined : marks.get(writer);
      const line = html`${op}${fileLine(text)}${mark === undefined ? undefined : html` <b>${mark}</b>`}`;
      return op === "+"
        ? html`<ins>${line}</ins>\n`
        : op === "-"
          ? html`<del>${line}</del>\n`
          : html`<span>${line}</span>\n`;
    }),
  ]);
  const more = cut === 0 ? undefined : html`<p>${count(cut, "more line")} ${cut === 1 ? "is" : "are"} not shown.</p>\n`;
  const [first] = writers;
  const by =
    first === undefined
      ? undefined
      : writers.length === 1 && first.mark === undefined
        ? html`<p class="by">← ${writerText(first.writer, page)}</p>\n`
        : html`<ul class="by">${writers.map(({ mark = "", writer }) => html`<li><b>${mark}</b> ${writerText(writer, page)}</li>`)}</ul>\n`;
  // Lines are blocks: what ends them in the source must not end them again.
  const shown =
    lines.length === 0
      ? undefined
      : html`<pre>${new Html(lines.map(({ source }) => source.trimEnd()).join(""))}</pre>\n`;
  return html`${shown}${more}${by}`;
}

/** `spec.paused`: `false` → `true`, where there is no diff in lines. */
export function fieldText({ path, before, after, writer }: FieldReport, page: Page): Html {
  const old = before === undefined ? undefined : html`${code(value(before))} → `;
  const by = writer === undefined ? undefined : html` ← ${writerText(writer, page)}`;
  return html`${code(path)}: ${old}${after === undefined ? "removed" : code(value(after))}${by}`;
}
