// Words of an expression.
import type { Issues } from "./source.ts";

export type TokenType =
  | "IDENTIFIER"
  | "ESC_IDENTIFIER"
  | "NUM_INT"
  | "NUM_UINT"
  | "NUM_FLOAT"
  | "STRING"
  | "BYTES"
  | "EOF"
  | Punctuation;

/** Operators, brackets and reserved words stand for themselves. */
export type Punctuation = (typeof PUNCTUATION)[number] | (typeof WORDS)[number];

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly at: number;
  /** Space and comments before it. */
  readonly hidden: string;
}

// Longer ones first.
const PUNCTUATION = [
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "<",
  ">",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  ".",
  ",",
  "-",
  "!",
  "?",
  ":",
  "+",
  "*",
  "/",
  "%",
] as const;
const WORDS = ["in", "true", "false", "null"] as const;
const WORD_SET: ReadonlySet<string> = new Set(WORDS);

const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?\x60]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`;
const QUOTED = [
  String.raw`"""(?:${ESCAPE}|[^\\])*?"""`,
  String.raw`'''(?:${ESCAPE}|[^\\])*?'''`,
  String.raw`"(?:${ESCAPE}|[^\\"\n\r])*"`,
  String.raw`'(?:${ESCAPE}|[^\\'\n\r])*'`,
  `[rR]"""[^]*?"""`,
  `[rR]'''[^]*?'''`,
  String.raw`[rR]"[^"\n\r]*"`,
  String.raw`[rR]'[^'\n\r]*'`,
].join("|");

const SKIPPED = /(?:[\t \r\n\f]+|\/\/[^\n]*)*/y;
const STRING = new RegExp(QUOTED, "y");
const BYTES = new RegExp(`[bB](?:${QUOTED})`, "y");
const FLOAT = /[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?/y;
const UINT = /(?:0x[0-9a-fA-F]+|[0-9]+)[uU]/y;
const INT = /0x[0-9a-fA-F]+|[0-9]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const ESCAPED_NAME = /`[A-Za-z0-9_.\-/ ]+`/y;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The words of a text, ended by an `EOF`. What is no word is reported and passed over. */
export function tokenize(text: string, issues: Issues): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let hidden = "";
  for (;;) {
    const skipped = matchAt(SKIPPED, text, at) ?? "";
    hidden += skipped;
    at += skipped.length;
    if (at >= text.length) break;
    const token = readToken(text, at);
    if (token !== undefined) {
      tokens.push({ ...token, hidden });
      hidden = "";
      at += token.text.length;
      continue;
    }
    const bad = unreadable(text, at);
    issues.report(at, `Syntax error: token recognition error at: '${escapeSpaces(bad)}'`);
    at += bad.length;
  }
  tokens.push({ type: "EOF", text: "<EOF>", at: text.length, hidden });
  return tokens;
}

/** Line breaks and tabs as messages show them. */
export function escapeSpaces(text: string): string {
  return text.replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

/** The longest word that starts here; of equally long ones the first kind in the grammar. */
function readToken(text: string, at: number): Omit<Token, "hidden"> | undefined {
  const first = text.charCodeAt(at);
  const isDigit = first >= 0x30 && first <= 0x39;
  const isLetter = (first >= 0x41 && first <= 0x5a) || (first >= 0x61 && first <= 0x7a) || first === 0x5f;
  const token = (type: TokenType, found: string | undefined): Omit<Token, "hidden"> | undefined =>
    found === undefined ? undefined : { type, text: found, at };
  if (isDigit || first === 0x2e) {
    const number = token("NUM_FLOAT", matchAt(FLOAT, text, at)) ?? token("NUM_UINT", matchAt(UINT, text, at));
    if (number !== undefined) return number;
    if (isDigit) return token("NUM_INT", matchAt(INT, text, at));
  }
  if (isLetter) {
    const quoted = token("STRING", matchAt(STRING, text, at)) ?? token("BYTES", matchAt(BYTES, text, at));
    if (quoted !== undefined) return quoted;
    const name = matchAt(NAME, text, at)!;
    return { type: WORD_SET.has(name) ? (name as TokenType) : "IDENTIFIER", text: name, at };
  }
  if (first === 0x22 || first === 0x27) return token("STRING", matchAt(STRING, text, at));
  if (first === 0x60) return token("ESC_IDENTIFIER", matchAt(ESCAPED_NAME, text, at));
  const sign = PUNCTUATION.find((each) => text.startsWith(each, at));
  return sign === undefined ? undefined : { type: sign, text: sign, at };
}

/** What a reader of longest words has seen when it finds that nothing fits: up to and with the offending character. */
function unreadable(text: string, at: number): string {
  const first = text[at]!;
  let end = at + 1;
  if (first === '"' || first === "'") {
    const body = new RegExp(`(?:${ESCAPE}|[^\\\\${first}\\n\\r])*`, "y");
    end += matchAt(body, text, end)?.length ?? 0;
    if (text[end] === "\\")
      end += /^\\(?:[xX][0-9a-fA-F]?|[uU][0-9a-fA-F]*|[0-3][0-7]?)?/.exec(text.slice(end, end + 12))?.[0].length ?? 1;
    end += 1;
  } else if (first === "`") {
    end += (matchAt(/[A-Za-z0-9_.\-/ ]*/y, text, end)?.length ?? 0) + 1;
  } else if (first === "=" || first === "&" || first === "|") {
    end += 1;
  }
  // Characters beyond the basic plane are two units.
  if (end <= text.length && /[\ud800-\udbff]/.test(text[end - 1]!)) end += 1;
  return text.slice(at, end);
}
