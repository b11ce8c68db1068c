// Text of repositories, clusters and users made fit to be seen: nothing in it is invisible, reorders what is around it, or
// is half a character. What a format means by its own signs is for that format's file.

/** Everything that ends a line somewhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const LINE_BREAK = /\r\n|[\n\r\u000B\f\u0085\u2028\u2029]/g;

// Controls, and what is not drawn: bidi controls, zero width, tags, separators, annotations. The joiner and the two
// selectors of emoji are looked at one by one.
const UNSEEN = /[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\uFFF9-\uFFFB\uFFFE\uFFFF]/gu;

const PICTURE = /\p{Extended_Pictographic}|\p{Emoji_Modifier}/u;

/** The lines of a text, without what ends them. */
export function linesOf(text: string): string[] {
  return text.split(LINE_BREAK);
}

/** One line of a text: line breaks become `breaks`, tabs a space, and what nobody can see a name for it (`\u202E`). */
export function cleanLine(text: string, breaks = " "): string {
  return cleanContent(text.replace(LINE_BREAK, breaks)).replaceAll("\t", " ");
}

/** As `cleanLine`, but tabs stay, and what ends a line has a name (`␍`), so that it ends none. */
export function cleanContent(text: string): string {
  // Most texts are plain.
  if (/^[\t\x20-\x7E]*$/.test(text)) return text;
  return text.toWellFormed().replace(UNSEEN, (unseen, at: number, whole: string) => {
    if (unseen === "\t" || unseen === "\uFE0F" || unseen === "\uFE0E") return unseen;
    if (unseen === "\u200D" && joins(whole, at)) return unseen;
    const code = unseen.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    const digits = code.toString(16).toUpperCase();
    return code > 0xffff ? `\\u{${digits}}` : `\\u${digits.padStart(4, "0")}`;
  });
}

/** Whether a joiner stands between two pictures: 👩‍🚒. */
function joins(text: string, at: number): boolean {
  const after = String.fromCodePoint(text.codePointAt(at + 1) ?? 0);
  const before = [...text.slice(Math.max(0, at - 4), at)].filter((char) => char !== "\uFE0F").at(-1) ?? "";
  return PICTURE.test(before) && PICTURE.test(after);
}

const characters = new Intl.Segmenter("en", { granularity: "grapheme" });
// Longer than any character that people write.
const LONGEST_CHARACTER = 64;

/** The beginning of a text, `most` UTF-16 units at most, ending with `…` when something is left out; whole characters. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.max(0, most - 1);
  const from = Math.max(0, end - LONGEST_CHARACTER);
  const start = isLowSurrogate(text, from) ? from - 1 : from;
  let kept = start;
  for (const { index, segment } of characters.segment(text.slice(start, end + LONGEST_CHARACTER))) {
    if (start + index + segment.length > end) break;
    kept = start + index + segment.length;
  }
  // One character after another with no end to them: at least no half of one.
  if (kept === start) kept = isLowSurrogate(text, end) ? end - 1 : end;
  return `${text.slice(0, kept)}…`;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
