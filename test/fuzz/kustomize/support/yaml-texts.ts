// Texts that readers and writers of YAML trip over, and ways to write a text so that it means itself.
import type { Random } from "../../../../runtime/random.ts";

/** Words that mean a number, a time, a boolean or nothing to some reader of YAML, and words that only look so. */
export const LOADED_WORDS: readonly string[] = [
  ..."yes no y n Y N on off On true True TRUE tRue false null Null NULL nil ~ << = ! - + . .. ... --- ?".split(" "),
  ..."0 1 -1 +1 -0 +0 00 007 08 0o17 0O17 0x1F 0X1f -0x1f 0b101 -0b11 -0o7 0x 0b 0o 0b2 1_000 1__0 _1 0_7".split(" "),
  ..."9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616".split(" "),
  ..."-9223372036854775808 -9223372036854775809 123456789012345678901234567890 9007199254740993".split(" "),
  ..."1e3 1E3 1e+3 1e-7 1. 1.0 .5 -.5 +.5 1.5 1.5e300 0.1 0. 0e0 1e20 1e21 1e22 2.5e-8 5e-324 09.5 1e400".split(" "),
  ..."1:30 12:30:45 190:20:30.15 2020-01-02 2020-1-2 2020-02-30 2020-13-01 10000-01-01 0001-01-01".split(" "),
  ..."2020-01-02T03:04:05Z 2020-01-02t03:04:05.123456789Z 2020-01-02T03:04:05+02:00".split(" "),
  "2020-01-02 03:04:05",
  "2020-01-02 3:4:5.5",
  "2020-01-02 03:04:05 +2",
  "",
];

const FRAGMENTS: readonly string[] = [
  ...LOADED_WORDS,
  ...[".inf", "-.Inf", ".NAN", "a", "B", "word", "a:b", "a: b", "a:", ": a", ":a", "#a", "a #b", "a#b", "- a", "-a"],
  ...["? a", "?a", "[a", "]", "{a", "}", ",", "a,b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "'a", "it's", '"a'],
  ...["\\", "a\\b", "$(X)", "{{ x }}", "<html>&", "http://x:80/y?z=1#f", "é", "日本語", "🦑", "\u00a0", "\ufffd", "$"],
  ...[
    "\u2028",
    "\u2029",
    "\u0085",
    "\ufeff",
    "\u001b",
    "\u0001",
    "\u0000",
    "\t",
    "\r",
    "\r\n",
    "  ",
    " ",
    "\n",
    "\n\n",
  ],
  ...["x".repeat(100), "word ".repeat(25), `${"é".repeat(70)} x y z`, `${"a".repeat(79)} b  c`],
];

/** A text of one to five parts. */
export function nastyText(random: Random): string {
  if (random.chance(0.3)) return random.pick(FRAGMENTS);
  let text = "";
  for (let parts = 1 + random.below(4); parts >= 0; parts--) {
    text += random.pick(FRAGMENTS);
    if (random.chance(0.4)) text += random.pick([" ", " ", "\n", "  ", "\n\n", "\n  ", " \n", ":", "-"]);
  }
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const ESCAPED = /[\u0000-\u001f\u007f-\u009f"\\\u2028\u2029\ufeff\ufffe\uffff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  "\0": "\\0",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u001b": "\\e",
};

/** In double quotes on one line. */
export function quoted(text: string): string {
  const escaped = text.replace(ESCAPED, (char) => {
    const code = char.charCodeAt(0);
    const hex = code.toString(16);
    return SHORT_ESCAPES[char] ?? (code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`);
  });
  return `"${escaped}"`;
}

/** In double quotes, sometimes over several lines. `indent` is that of what holds the text. */
export function doubleQuoted(text: string, random: Random, indent: string): string {
  const written = quoted(text);
  if (!random.chance(0.2)) return written;
  // A break for a single space between words, or one that is no content at all.
  return written
    .replace(/(?<=\w) (?=\w)/g, () => (random.chance(0.3) ? `\n${indent}  ` : " "))
    .replace(/(?<=[G-Zg-z])(?=[G-Zg-z])/g, () => (random.chance(0.05) ? `\\\n${indent}  ` : ""));
}

/** What neither single quotes nor blocks can hold as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const NEEDS_ESCAPES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

/** In single quotes; `undefined` when these cannot hold the text. */
export function singleQuoted(text: string, random: Random, indent: string): string | undefined {
  if (NEEDS_ESCAPES.test(text) || /[\t ]\n|\n[\t ]/.test(text)) return undefined;
  const quoted = text.replaceAll("'", "''").replaceAll("\n", `\n\n${indent}  `);
  return random.chance(0.2) ? `'${quoted.replace(/(?<=\w) (?=\w)/, `\n${indent}   `)}'` : `'${quoted}'`;
}

/** As a literal or folded block that ends the line; what a folded one means is up to its reader. */
export function block(text: string, random: Random, indent: string): string | undefined {
  if (NEEDS_ESCAPES.test(text) || text.trim() === "") return undefined;
  const width = 1 + random.below(4);
  // Lines that begin with a blank hide where the block begins.
  const hint = /^[\s]/.test(text) || random.chance(0.1) ? String(width) : "";
  if (text.startsWith("\t") && hint === "") return undefined;
  const chomping = random.pick(["", "-", "+"]);
  const header = random.pick(["|", ">"]) + (random.chance(0.5) ? hint + chomping : chomping + hint);
  const lines = text.split("\n").map((line) => (line === "" ? "" : indent + " ".repeat(width) + line));
  return `${header}${random.chance(0.1) ? " # c" : ""}\n${lines.join("\n")}`;
}

/** Without quotes; `undefined` when the text would end early or mean something else than a scalar. */
export function plain(text: string, random: Random, indent: string): string | undefined {
  if (!/^(?:[-?:](?=[^\s,[\]{}])|[^\s\-?:,[\]{}#&*!|>'"%@`])/.test(text)) return undefined;
  if (/[:?](?:[\s,[\]{}]|$)|[,?[\]{}]|\s#|\s$|^(?:---|\.\.\.)/.test(text) || NEEDS_ESCAPES.test(text)) return undefined;
  if (/[\n\t]/.test(text)) return undefined;
  return random.chance(0.15) ? text.replace(/(?<=\w) (?=\w)/, `\n${indent}  `) : text;
}
