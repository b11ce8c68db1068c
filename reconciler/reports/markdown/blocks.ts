// Blocks of a report: what stands between blank lines.
import type { Dialect } from "./dialects.ts";
import type { SafeText } from "./text.ts";
import { escapeHtml } from "./text.ts";

export type Column = { readonly title: string; readonly align?: "left" | "right" };

/** A table of cells that are Markdown already. */
export function tableBlock(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ align }) => (align === "right" ? "--:" : ":--"))),
    ...rows.map(line),
  ].join("\n");
}

/** Items that are Markdown already; those below an item are indented as all dialects want it. */
export function listBlock(items: readonly string[]): string {
  return items.map((item) => `- ${item.replaceAll("\n", "\n    ")}`).join("\n");
}

/**
 * Something that is opened by a click, where that is possible; a heading and its content elsewhere. `summary` is HTML or
 * Markdown, whichever `summaryPlace` says.
 */
export function foldedBlock(dialect: Dialect, summary: string, body: string): string {
  // Without the blank lines the body would be taken for HTML.
  if (dialect.html) return `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
  return `${summary}\n\n${body}`;
}

/** Where the text of a `foldedBlock`'s summary stands. */
export function summaryPlace(dialect: Dialect): "html" | "line" {
  return dialect.html ? "html" : "line";
}

/** Something to be seen first. `body` is one line of Markdown. */
export function alertBlock(dialect: Dialect, kind: "CAUTION" | "WARNING", body: string): string {
  return dialect.alerts ? `> [!${kind}]\n> ${body}` : `> ${body}`;
}

/** Small print where there is such a thing. */
export function smallBlock(dialect: Dialect, line: string): string {
  return dialect.html ? `<sub>${line}</sub>` : `_${line}_`;
}

/** Items, of which those after the first `shown` are folded away. */
export function longList(
  dialect: Dialect,
  items: readonly string[],
  { shown, more }: { readonly shown: number; readonly more: (count: number) => string },
): string[] {
  // A click for one or two lines is not worth it.
  if (items.length <= shown + 2 || !dialect.html) return [listBlock(items)];
  const rest = items.slice(shown);
  return [listBlock(items.slice(0, shown)), foldedBlock(dialect, escapeHtml(more(rest.length)), listBlock(rest))];
}

/** `a`, `b` and `c` as code; the first and last of many, with their number. */
export function codeNames(
  text: SafeText,
  names: readonly string[],
  place: "line" | "cell" | "html" = "line",
  most = 4,
) {
  const code = (name: string) => text.code(name, place);
  if (names.length <= most) return names.map(code).join(", ");
  return `${code(names[0] ?? "")} … ${code(names.at(-1) ?? "")} (${names.length})`;
}
