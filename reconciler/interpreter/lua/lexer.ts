// Words of a Lua 5.1 text, with the liberties that gopher-lua takes, since scripts that Karmada accepts are accepted here:
// `goto` and `::`, unknown escapes that stand for their letter, and numbers with leading zeros.

import { luaSyntaxError } from "./errors.ts";

/** `name`, `number`, `string`, `eof`, or the keyword or sign itself. */
export type TokenKind = string;

export interface Token {
  readonly kind: TokenKind;
  /** The name, the digits, or the content of the string; else the kind. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const KEYWORDS: ReadonlySet<string> = new Set([
  ...["and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil"],
  ...["not", "or", "repeat", "return", "then", "true", "until", "while"],
]);

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
// A sign, a dot or a digit can follow directly; whether that makes sense is the parser's question.
const HEXADECIMAL = /0[xX]([0-9A-Fa-f]*)/y;
const DECIMAL = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]*)?/y;
const SIGN = /\.\.\.|\.\.|==|~=|<=|>=|::|[-+*/%^#(){}[\];:,.<>=]/y;

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Splits bytes of Lua into tokens, one at a time. Every problem is a `lua-syntax-error`. */
export class Lexer {
  readonly #source: string;
  readonly #chunk: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(source: string, chunk: string) {
    this.#source = source;
    this.#chunk = chunk;
  }

  next(): Token {
    this.#skipBlanks();
    const { line, column } = this.#position();
    const kindAndText = this.#read();
    return { ...kindAndText, line, column };
  }

  #read(): Pick<Token, "kind" | "text"> {
    const source = this.#source;
    if (this.#at >= source.length) return { kind: "eof", text: "" };
    const name = this.#match(NAME);
    if (name !== undefined) return { kind: KEYWORDS.has(name) ? name : "name", text: name };
    const char = source[this.#at] ?? "";
    if ((char >= "0" && char <= "9") || (char === "." && /[0-9]/.test(source[this.#at + 1] ?? ""))) {
      return { kind: "number", text: this.#number() };
    }
    if (char === '"' || char === "'") return { kind: "string", text: this.#quoted(char) };
    if (char === "[" && (source[this.#at + 1] === "[" || source[this.#at + 1] === "=")) {
      this.#at++;
      return { kind: "string", text: this.#long("string") };
    }
    const sign = this.#match(SIGN);
    if (sign !== undefined) return { kind: sign, text: sign };
    throw this.#error(char, "invalid token");
  }

  #number(): string {
    const hexadecimal = this.#match(HEXADECIMAL);
    if (hexadecimal !== undefined) {
      if (hexadecimal.length === 2) throw this.#error(hexadecimal, "illegal hexadecimal number");
      return hexadecimal;
    }
    // The first zero before another digit does not count, the next ones make the number octal: as gopher-lua reads it.
    if (this.#source[this.#at] === "0" && /[0-9]/.test(this.#source[this.#at + 1] ?? "")) this.#at++;
    return this.#match(DECIMAL) ?? "";
  }

  #quoted(quote: string): string {
    const source = this.#source;
    let text = "";
    let from = ++this.#at;
    for (;;) {
      const char = source[this.#at];
      if (char === undefined || char === "\n" || char === "\r") throw this.#error(text, "unterminated string");
      if (char === quote) break;
      if (char !== "\\") {
        this.#at++;
        continue;
      }
      text += source.slice(from, this.#at) + this.#escape();
      from = this.#at;
    }
    text += source.slice(from, this.#at);
    this.#at++;
    return text;
  }

  #escape(): string {
    const source = this.#source;
    this.#at++;
    const char = source[this.#at];
    if (char === undefined) throw this.#error("", "unterminated string");
    if (char === "\n" || char === "\r") {
      this.#newline();
      return "\n";
    }
    if (char >= "0" && char <= "9") {
      const digits = /[0-9]{1,3}/y;
      const code = this.#match(digits) ?? "0";
      return String.fromCharCode(Number(code) & 255);
    }
    this.#at++;
    return ESCAPES[char] ?? char;
  }

  // The first bracket is behind us; the number of `=` that open must close.
  #long(what: "string" | "comment"): string {
    const source = this.#source;
    const level = this.#match(/=*/y) ?? "";
    if (source[this.#at] !== "[") throw this.#error(source[this.#at] ?? "", `invalid multiline ${what}`);
    this.#at++;
    const close = `]${level}]`;
    const end = source.indexOf(close, this.#at);
    if (end < 0) throw this.#error("", `unterminated multiline ${what}`);
    if (source[this.#at] === "\n" || source[this.#at] === "\r") this.#newline();
    const raw = source.slice(this.#at, end);
    while (this.#at < end) {
      const char = source[this.#at];
      if (char === "\n" || char === "\r") this.#newline();
      else this.#at++;
    }
    this.#at = end + close.length;
    return raw.replace(/\r\n|\n\r|\r/g, "\n");
  }

  #skipBlanks(): void {
    const source = this.#source;
    for (;;) {
      const char = source[this.#at];
      if (char === " " || char === "\t") this.#at++;
      else if (char === "\n" || char === "\r") this.#newline();
      else if (char === "-" && source[this.#at + 1] === "-") this.#skipComment();
      else return;
    }
  }

  #skipComment(): void {
    this.#at += 2;
    if (/\[[[=]/y.test(this.#source.slice(this.#at, this.#at + 2))) {
      this.#at++;
      this.#long("comment");
      return;
    }
    const end = this.#source.slice(this.#at).search(/[\n\r]/);
    this.#at = end < 0 ? this.#source.length : this.#at + end;
  }

  #newline(): void {
    const pair = this.#source.slice(this.#at, this.#at + 2);
    this.#at += pair === "\r\n" || pair === "\n\r" ? 2 : 1;
    this.#line++;
    this.#lineStart = this.#at;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #position(): Pick<Token, "line" | "column"> {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #error(near: string, problem: string) {
    const { line, column } = this.#position();
    return luaSyntaxError(this.#chunk, line, column, near, problem);
  }
}
