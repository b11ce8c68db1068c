// JSON as Go reads it for Kubernetes: repeated keys are found and reported, integers beyond 2^53 kept exactly.
import { type Json, setOwn } from "../../../kube/object.ts";

/** Text that is not JSON. The message is the one of Go's decoder. */
export class JsonSyntaxError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = "JsonSyntaxError";
    this.offset = offset;
  }
}

export interface ParsedJson {
  readonly value: Json;
  /** `duplicate field "data.a"`, in document order. */
  readonly duplicates: readonly string[];
}

const LONG_NUMBER = /[0-9]{16}/;
/**
 * Levels of nesting. Differs from the reference, which reads 10 000: objects are walked recursively, and no client's
 * object comes near.
 */
export const MAX_DEPTH = 1000;

/**
 * Parses one JSON document. `mergeDuplicates`: a repeated key with two objects merges them, as decoding into Go maps
 * and structs does; otherwise the last value wins.
 */
export function parseJson(text: string, mergeDuplicates: boolean): ParsedJson {
  if (!LONG_NUMBER.test(text)) {
    try {
      const value = JSON.parse(text) as Json;
      if (countKeys(value, 0) === countColons(text)) return { value, duplicates: [] };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return new Parser(text, mergeDuplicates).document();
}

/**
 * Pairs in the text: colons outside strings. Not a number when a key has an escape: JSON.parse of V8 14 takes such a key
 * for one of an earlier object, `"a\\""` for `"a\\\\"`, when their objects are alike up to it.
 */
function countColons(text: string): number {
  let count = 0;
  let backslash = text.indexOf("\\");
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 58) count += 1;
    else if (code === 34) {
      const start = i;
      i = text.indexOf('"', i + 1);
      // A quote after an odd number of backslashes is part of the string.
      while (i > 0 && isEscaped(text, i)) i = text.indexOf('"', i + 1);
      if (i < 0) return count;
      if (backslash >= 0 && backslash < start) backslash = text.indexOf("\\", start);
      if (backslash >= 0 && backslash < i && isKeyEnd(text, i)) return Number.NaN;
    }
  }
  return count;
}

/** Whether the string that ends at `end` is followed by a colon. */
function isKeyEnd(text: string, end: number): boolean {
  let next = end + 1;
  while (/\s/.test(text.charAt(next))) next += 1;
  return text.charCodeAt(next) === 58;
}

/** Whether JSON.parse may take a key of the text for another one. */
export function hasEscapedKey(text: string): boolean {
  return text.includes("\\") && Number.isNaN(countColons(text));
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 92) backslashes += 1;
  return backslashes % 2 === 1;
}

/** Keys of all objects; not a number when the nesting is too deep. */
function countKeys(value: Json | undefined, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth >= MAX_DEPTH) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += countKeys(item, depth + 1);
    return count;
  }
  for (const key in value) count += 1 + (typeof value[key] === "object" ? countKeys(value[key], depth + 1) : 0);
  // JSON.parse makes `__proto__` an own key, so it is counted like the others.
  return count;
}

/** Whether JSON data is nested deeper than what can be read. */
export function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth >= MAX_DEPTH) return true;
  return Object.values(value).some((item) => isTooDeep(item, depth + 1));
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

const UNFINISHED_NUMBER = /^(?:\.|[eE][+-]?)/;

/** The first byte of a text as Go's decoder shows it, which reads bytes and no characters. */
function quoteByte(text: string): string {
  const byte = Buffer.from(text)[0] ?? 0;
  const char = String.fromCharCode(byte);
  if (char === "'") return "'\\''";
  if (char === "\\") return "'\\\\'";
  const name = GO_ESCAPES[char];
  if (name !== undefined) return `'\\${name}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  return byte >= 0x80 && (byte < 0xa1 || byte === 0xad) ? `'\\u00${byte.toString(16)}'` : `'${char}'`;
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  "\u0007": "a",
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\r": "r",
  "\t": "t",
  "\v": "v",
};

class Parser {
  readonly #text: string;
  readonly #merge: boolean;
  readonly #duplicates: string[] = [];
  #at = 0;
  #depth = 0;

  constructor(text: string, merge: boolean) {
    this.#text = text;
    this.#merge = merge;
  }

  document(): ParsedJson {
    const value = this.#value("", undefined, "looking for beginning of value");
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("after top-level value");
    return { value, duplicates: this.#duplicates };
  }

  #unexpected(where: string): JsonSyntaxError {
    if (this.#at >= this.#text.length) return new JsonSyntaxError("unexpected end of JSON input", this.#at);
    return new JsonSyntaxError(
      `invalid character ${quoteByte(this.#text.slice(this.#at, this.#at + 2))} ${where}`,
      this.#at,
    );
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at += 1;
    }
  }

  #value(path: string, into: Json | undefined, where: string): Json {
    this.#space();
    const char = this.#text[this.#at];
    if (char === "{") return this.#object(path, into);
    if (char === "[") return this.#array(path);
    if (char === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
      if (char === word[0]) return this.#badWord(word);
    }
    const number = this.#number(where);
    const value = Number(number);
    return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?[0-9]+$/.test(number)
      ? BigInt(number)
      : value;
  }

  #number(where: string): string {
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text)?.[0];
    if (number === undefined) {
      if (this.#text[this.#at] !== "-") throw this.#unexpected(where);
      this.#at += 1;
      throw this.#unexpected("in numeric literal");
    }
    this.#at += number.length;
    const tail = UNFINISHED_NUMBER.exec(this.#text.slice(this.#at, this.#at + 2))?.[0];
    // What follows a whole number may still belong to it, when it is a dot or an exponent without digits.
    if (tail !== undefined && !(tail === "." && /[.eE]/.test(number))) {
      this.#at += tail.length;
      throw this.#unexpected(
        tail === "." ? "after decimal point in numeric literal" : "in exponent of numeric literal",
      );
    }
    return number;
  }

  #badWord(word: string): never {
    for (let i = 1; i < word.length; i++) {
      this.#at += 1;
      if (this.#text[this.#at] !== word[i]) throw this.#unexpected(`in literal ${word} (expecting '${word[i]}')`);
    }
    throw this.#unexpected("in literal");
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#unexpected("exceeded max depth");
    this.#at += 1;
    this.#space();
  }

  #object(path: string, into: Json | undefined): Json {
    this.#enter();
    const merged = this.#merge && typeof into === "object" && into !== null && !Array.isArray(into);
    const result: { [key: string]: Json | undefined } = merged ? into : {};
    const seen = new Set<string>();
    if (this.#text[this.#at] !== "}") {
      for (;;) {
        this.#space();
        if (this.#text[this.#at] !== '"') throw this.#unexpected("looking for beginning of object key string");
        const key = this.#string();
        this.#space();
        if (this.#text[this.#at] !== ":") throw this.#unexpected("after object key");
        this.#at += 1;
        const child = path === "" ? key : `${path}.${key}`;
        const value = this.#value(child, seen.has(key) ? result[key] : undefined, "looking for beginning of value");
        if (seen.has(key)) this.#duplicates.push(`duplicate field "${child}"`);
        seen.add(key);
        setOwn(result, key, value);
        this.#space();
        if (this.#text[this.#at] === "}") break;
        if (this.#text[this.#at] !== ",") throw this.#unexpected("after object key:value pair");
        this.#at += 1;
      }
    }
    this.#at += 1;
    this.#depth -= 1;
    return result;
  }

  #array(path: string): Json {
    this.#enter();
    const result: Json[] = [];
    if (this.#text[this.#at] !== "]") {
      for (;;) {
        result.push(this.#value(`${path}[${result.length}]`, undefined, "looking for beginning of value"));
        this.#space();
        if (this.#text[this.#at] === "]") break;
        if (this.#text[this.#at] !== ",") throw this.#unexpected("after array element");
        this.#at += 1;
      }
    }
    this.#at += 1;
    this.#depth -= 1;
    return result;
  }

  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end > 0 && isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) {
      this.#at = this.#text.length;
      throw this.#unexpected("");
    }
    try {
      const value: unknown = JSON.parse(this.#text.slice(start, end + 1));
      this.#at = end + 1;
      return String(value);
    } catch {
      this.#at = start + 1;
      throw this.#badString(end);
    }
  }

  #badString(end: number): JsonSyntaxError {
    for (; this.#at < end; this.#at++) {
      if (this.#text.charCodeAt(this.#at) < 32) return this.#unexpected("in string literal");
      if (this.#text[this.#at] !== "\\") continue;
      this.#at += 1;
      const escaped = this.#text[this.#at] ?? "";
      if (!'"\\/bfnrtu'.includes(escaped)) return this.#unexpected("in string escape code");
      for (let digit = 0; escaped === "u" && digit < 4; digit++) {
        this.#at += 1;
        if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? "")) {
          return this.#unexpected("in \\u hexadecimal character escape");
        }
      }
    }
    return this.#unexpected("in string literal");
  }
}

const WORDS: readonly (readonly [string, Json])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];
