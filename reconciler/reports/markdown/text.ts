// Text that others wrote, put into Markdown so that it stays text.
//
// Backslashes do not help: GitHub reads `\@name` as a mention and `\#1` as a reference all the same. What all hosts leave
// alone is code. So a word that could mean anything to any of them (mentions, references, commits, links, tags, emphasis,
// emoji, tasks, math, quick actions, domains) becomes a code span, and other words stay as they are.
import { cleanContent, cleanLine, cutText } from "../clean-text.ts";
import type { Dialect } from "./dialects.ts";

/**
 * Where a text stands. line: a paragraph, heading or item of a list; cell: in a table; html: within a tag that we wrote,
 * where no Markdown is read.
 */
export type TextPlace = "line" | "cell" | "html";

const NOTHING = "(empty)";
const LONGEST_PROSE = 800;
const LONGEST_CODE = 160;
const LONGEST_LINE = 400;

/** Signs that may stand before and after a word without meaning anything: opening ones, and those that close or end. */
const AROUND_WORD = /^([("'“‘„«]*)(.*?)([)"'”’»“.,;:!?…]*)$/su;
/** Without an opening sign before the word, a closing one belongs to it: `f(x)`. */
const ENDING = /[.,;:!?…]*$/u;
/** Commands that we give: what is between the colon and the end of the text. */
const COMMAND = /(?<=^|: )((?:kubectl|flaghoist) [^`]+)$/;
const WORD = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’\-–/·][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*$/u;
const NUMBER = /^[+−-]?\d+(?:[.,]\d+)*\s?%?$/;
const SIGN = /^(?:[→←·–—−…%]|->)?$/u;
/** Hosts link what looks like a commit, and keys as of Jira. */
const REFERENCE = /(?<!\w)(?:[0-9a-f]{7,}|[A-Z][A-Z0-9]*-\d+)(?!\w)/;
/** `e.g.` */
const ABBREVIATION = /^\p{L}(?:\.\p{L})+$/u;

export class SafeText {
  readonly #dialect: Dialect;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** A sentence in one line; `(empty)` when there is nothing to see. What stands between backticks, or is a command at the end, is one code span. */
  prose(text: string, place: TextPlace = "line", most = LONGEST_PROSE): string {
    const line = cleanLine(text).trim();
    // An item of a list without content would be the underline of a heading.
    if (line === "") return NOTHING;
    const pieces = cutText(line, most)
      .replace(COMMAND, "`$1`")
      .split(/`([^`]+)`/);
    return pieces
      .flatMap((piece, index) => {
        if (index % 2 === 1) return [this.code(piece, place, most)];
        return piece
          .split(" ")
          .filter((word) => word !== "")
          .map((word, at) => this.#word(word, index === 0 && at === 0, place));
      })
      .join(" ");
  }

  #word(word: string, first: boolean, place: TextPlace): string {
    if (first && beginsBlock(word)) return this.code(word, place);
    const [opening, core, ending] = partsOf(word);
    const safe = isHarmless(core) ? (place === "html" ? escapeHtml(core) : core) : this.code(core, place);
    return place === "html" ? `${escapeHtml(opening)}${safe}${escapeHtml(ending)}` : `${opening}${safe}${ending}`;
  }

  /** A name, path or value as a code span; `(empty)` when there is nothing to see. */
  code(text: string, place: TextPlace = "line", most = LONGEST_CODE): string {
    const content = cutText(this.#unmarked(cleanLine(text, "↵")), most);
    if (content === "") return NOTHING;
    if (place === "html") return `<code>${escapeHtml(content)}</code>`;
    const safe = place === "cell" ? this.#withoutPipes(content) : content;
    const ticks = "`".repeat(longestRun(safe, "`") + 1);
    // One space on both sides is taken away again.
    const pad = /^[` ]|[` ]$/.test(safe) && safe.trim() !== "" ? " " : "";
    return `${ticks}${pad}${safe}${pad}${ticks}`;
  }

  /** Lines as a code block, between fences that no line of them ends. */
  fence(lines: readonly string[], language: string): string {
    const safe = lines.map((line) => cutText(this.#unmarked(cleanContent(line)), LONGEST_LINE));
    const ticks = "`".repeat(Math.max(2, ...safe.map((line) => longestRun(line, "`"))) + 1);
    return `${ticks}${language}\n${safe.map((line) => `${line}\n`).join("")}${ticks}`;
  }

  /** `label`, which is Markdown already, as a link where the address is one of the web. */
  link(label: string, address: string | undefined, place: TextPlace = "line"): string {
    const href = address === undefined ? undefined : safeAddress(address);
    if (href === undefined) return label;
    return place === "html" ? `<a href="${href}">${label}</a>` : `[${label}](${href})`;
  }

  /** Also in code, what programs look for in the source of comments must not be found. */
  #unmarked(text: string): string {
    const plain = text.replaceAll("<!--", "<\\!--").replaceAll("[//]:", "[//\\]:");
    // Azure DevOps does not document that it looks for mentions outside of code only.
    return this.#dialect.name === "azure-devops" ? plain.replaceAll("@<", "@‹") : plain;
  }

  #withoutPipes(text: string): string {
    if (!text.includes("|")) return text;
    // Renderers differ on a backslash before an escaped pipe.
    return text.replaceAll("|", text.includes("\\|") ? "│" : this.#dialect.cellPipe);
  }
}

/** A word, and what stands before and after it. */
function partsOf(word: string): readonly [opening: string, core: string, ending: string] {
  const [, opening = "", core = word, closing = ""] = AROUND_WORD.exec(word) ?? [];
  if (opening !== "" || core === "") return [opening, core, closing];
  const ending = ENDING.exec(word)?.[0] ?? "";
  return ["", word.slice(0, word.length - ending.length), ending];
}

/** Whether a word means nothing but itself wherever it stands. */
function isHarmless(core: string): boolean {
  const bare = AROUND_WORD.exec(core)?.[2] ?? core;
  if (SIGN.test(bare) || NUMBER.test(bare) || ABBREVIATION.test(bare)) return true;
  return WORD.test(bare) && !REFERENCE.test(bare);
}

/** Whether a word could be, at the beginning of a line, that of a list, a rule or a block of its own. */
function beginsBlock(word: string): boolean {
  return /^\d{1,9}[.)]$/.test(word) || !/[\p{L}\p{N}]/u.test(word);
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** An address of the web in which nothing ends a link, with its `&` escaped; undefined for any other. */
export function safeAddress(address: string): string | undefined {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.username = "";
  url.password = "";
  return url.href
    .replace(/[^\w\-.~:/?#@!$&+,;=%]/g, (char) => encodeURIComponent(char).replace(/[!'()*]/g, hexOf))
    .replaceAll("&", "&amp;");
}

function hexOf(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

function longestRun(text: string, char: string): number {
  let longest = 0;
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    run = text[at] === char ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}
