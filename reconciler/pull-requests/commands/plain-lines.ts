// Which lines of a comment are plain words of who wrote it, wherever it is shown. Hosts read Markdown each in their own
// way: what any of them could show as code, as a quote, as part of something or not at all is no plain line. Where they
// could disagree on how far such a thing reaches, nothing behind it counts.

const LINE_BREAK = /\r\n|\n|\r/;
const BLANK = /^[ \t]*$/;
/** Code that all hosts see alike: at the edge, with a plain name of its language. */
const FENCE = /^(`{3,}|~{3,})[ \t]*[\w+#.-]*[ \t]*$/;
/**
 * What may reach over blank lines: other code, also within lists and quotes, GitLab's quotes (`>>>`), math, and what Azure
 * DevOps draws (`:::`, `^^^`).
 */
const REACHES_FAR = /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*(?:```|~~~|>>>|\$\$|:::|\^\^\^)|^>[ \t]*>[ \t]*>/;
/** GitLab takes what begins a comment like this for data. */
const FRONT_MATTER = /^(?:---|\+\+\+|;;;)/;
/** Anything of HTML, addresses in angle brackets aside: it may fold, hide or strike what follows. */
const HTML = /<(?!https?:)[a-z/!?]/i;
/** What a line of words begins with: no sign of a list, quote, table, definition, footnote or rule. */
const WORDS = /^(?:[\p{L}@"'(/]|\d(?!\d{0,8}[.)])|\p{Extended_Pictographic}|:[a-z+])/u;
/** Signs that may take the next lines along into code, the title of a link, what is struck or stressed, math or a table. */
const TAKES_ALONG = /[`[\]<>$|{}\\~*]|(?<!\w)_|_(?!\w)/;

/** The plain lines of a comment, from its beginning, each whole. Linear in its length. */
export function plainLines(body: string): readonly string[] {
  const found: string[] = [];
  let fence: string | undefined;
  let isFirst = true;
  // A paragraph that holds anything but words is left alone to its end: its lines may belong to that.
  let paragraph: "words" | "other" = "words";
  for (const line of body.split(LINE_BREAK)) {
    if (fence !== undefined) {
      const end = closing(line, fence);
      if (end === "perhaps") return found;
      if (end === "yes") fence = undefined;
      continue;
    }
    if (BLANK.test(line)) {
      paragraph = "words";
      continue;
    }
    fence = FENCE.exec(line)?.[1];
    if (fence === undefined && (REACHES_FAR.test(line) || HTML.test(line) || (isFirst && FRONT_MATTER.test(line))))
      return found;
    isFirst = false;
    // Not after words: hosts differ on whether code may begin there.
    if (fence !== undefined && paragraph === "other") return found;
    if (fence !== undefined || !WORDS.test(line)) paragraph = "other";
    if (paragraph === "other") continue;
    found.push(line);
    if (TAKES_ALONG.test(line)) paragraph = "other";
  }
  return found;
}

function closing(line: string, fence: string): "yes" | "no" | "perhaps" {
  const [, indent = "", signs = ""] = /^([ \t]*)([`~]{3,})[ \t]*$/.exec(line) ?? [];
  if (signs === "" || signs[0] !== fence[0] || signs.length < fence.length) return "no";
  return indent === "" && signs === fence ? "yes" : "perhaps";
}
