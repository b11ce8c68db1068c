// HTML that is safe by how it is made: what is put into a template is text, unless it was made by one itself.
import { cleanContent, cleanLine, cutText } from "../clean-text.ts";
import { escapeHtml } from "../markdown/text.ts";

/** A piece of HTML whose tags are all ours. */
export class Html {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** Strings are text of anybody; `undefined` is nothing. */
export type Content = string | number | Html | undefined | readonly Content[];

const LONGEST_PROSE = 800;
const LONGEST_CODE = 240;
const LONGEST_LINE = 400;
const NOTHING = "(empty)";
/** Commands that we give: what is between the colon and the end of the text. */
const COMMAND = /(?<=^|: )((?:kubectl|flaghoist) [^`]+)$/;

/** A template whose values cannot leave their place, in text and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, at) => `${part}${sourceOf(values[at])}`).join(""));
}

function sourceOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.source;
  if (typeof content === "number") return String(content);
  if (typeof content === "string") return escapeHtml(cleanLine(content));
  return content.map(sourceOf).join("");
}

/** Pieces with something between them. */
export function join(pieces: readonly Content[], between: Content): Html {
  const separator = sourceOf(between);
  return new Html(pieces.map(sourceOf).join(separator));
}

/** A sentence; what stands between backticks, or is a command at the end, is code. */
export function prose(text: string, most = LONGEST_PROSE): Html {
  const line = cleanLine(text).trim();
  if (line === "") return html`${NOTHING}`;
  const pieces = cutText(line, most)
    .replace(COMMAND, "`$1`")
    .split(/`([^`]+)`/);
  return html`<span class="t">${pieces.map((piece, at) => (at % 2 === 1 ? code(piece, most) : piece))}</span>`;
}

/** A name, path or value; `(empty)` when there is nothing to see. */
export function code(text: string, most = LONGEST_CODE): Html {
  const content = cutText(cleanLine(text, "↵"), most);
  return content.trim() === "" ? html`${NOTHING}` : html`<code>${content}</code>`;
}

/** A line of a file, with its tabs and spaces. */
export function fileLine(text: string): Html {
  return new Html(escapeHtml(cutText(cleanContent(text), LONGEST_LINE)));
}
