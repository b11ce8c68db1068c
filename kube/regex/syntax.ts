// The syntax of Go's regular expressions (RE2): what they are made of, and what is wrong with bad ones in Go's words.
import { CLASSES, foldedTest, NAMED_CLASSES, propertyTest, type Test } from "./classes.ts";

const MAX_REPEAT = 1000;
const MAX_DEPTH = 1000;

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "boundary" | "inside";

export type Tree =
  | { readonly type: "test"; readonly test: Test }
  | { readonly type: "empty" }
  | { readonly type: "assert"; readonly assertion: Assertion }
  | { readonly type: "sequence" | "choice"; readonly items: readonly Tree[] }
  | {
      readonly type: "repeat";
      readonly item: Tree;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    };

/** What Go says of an expression that it refuses: `error parsing regexp: missing closing ]: \`[a\``. */
export class RegexError {
  readonly message: string;

  constructor(what: string, part: string) {
    this.message = `error parsing regexp: ${what}: \`${part}\``;
  }
}

interface Flags {
  ignoreCase: boolean;
  multiLine: boolean;
  dotAll: boolean;
  swapGreed: boolean;
}

/** Reads an expression. Throws a `RegexError`. */
export function parseRegex(pattern: string): Tree {
  return new Parser(pattern).parse();
}

const ANY: Test = () => true;
const NOT_NEWLINE: Test = (code) => code !== 10;

class Parser {
  readonly #pattern: string;
  readonly #chars: readonly string[];
  #at = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, swapGreed: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#chars = Array.from(pattern);
  }

  parse(): Tree {
    const tree = this.#choice(0);
    if (this.#at < this.#chars.length) throw new RegexError("unexpected )", this.#pattern);
    return tree;
  }

  #rest(length = Number.POSITIVE_INFINITY): string {
    return this.#chars.slice(this.#at, this.#at + length).join("");
  }

  #peek(): string {
    return this.#chars[this.#at] ?? "";
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const char = this.#peek();
    this.#at += 1;
    return char;
  }

  #since(start: number): string {
    return this.#chars.slice(start, this.#at).join("");
  }

  #choice(depth: number): Tree {
    if (depth > MAX_DEPTH) throw new RegexError("expression nests too deeply", this.#pattern);
    const items = [this.#sequence(depth)];
    while (this.#take("|")) items.push(this.#sequence(depth));
    return items.length === 1 ? items[0]! : { type: "choice", items };
  }

  #sequence(depth: number): Tree {
    const items: Tree[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== "|" && this.#peek() !== ")") {
      if (this.#rest(2) === "\\Q") items.push(...this.#quoted());
      else items.push(this.#repeated(depth));
    }
    return items.length === 0 ? { type: "empty" } : { type: "sequence", items };
  }

  /** `\Q...\E`: everything in between stands for itself. */
  #quoted(): Tree[] {
    this.#at += 2;
    const text = this.#rest();
    const end = text.indexOf("\\E");
    const literal = Array.from(end < 0 ? text : text.slice(0, end));
    this.#at += literal.length + (end < 0 ? 0 : 2);
    return literal.map((char) => this.#literal(char));
  }

  #repeated(depth: number): Tree {
    const first = this.#peek();
    if (first === "*" || first === "+" || first === "?") {
      this.#at += 1;
      const lazy = this.#take("?") ? "?" : "";
      throw new RegexError("missing argument to repetition operator", `${first}${lazy}`);
    }
    let tree = this.#atom(depth);
    let previous = "";
    for (;;) {
      const start = this.#at;
      const range = this.#range();
      if (range === undefined) return tree;
      const lazy = this.#take("?") !== this.#flags.swapGreed;
      const text = this.#since(start);
      // Go takes one repetition for each item.
      if (previous !== "") throw new RegexError("invalid nested repetition operator", `${previous}${text}`);
      previous = text;
      tree = { type: "repeat", item: tree, ...range, lazy };
      if (repeats(tree) > MAX_REPEAT) throw new RegexError("invalid repeat count", text);
    }
  }

  #range(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { min: 0, max: 1 };
    const match = /^\{([0-9]+)(?:(,)([0-9]*))?\}/.exec(this.#rest(40));
    if (match === null) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && Number.isFinite(max)) || max < min) {
      throw new RegexError("invalid repeat count", match[0]);
    }
    return { min, max };
  }

  #atom(depth: number): Tree {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group(depth);
      case "[":
        return { type: "test", test: this.#characterClass() };
      case ".":
        return { type: "test", test: this.#flags.dotAll ? ANY : NOT_NEWLINE };
      case "^":
        return { type: "assert", assertion: this.#flags.multiLine ? "line-start" : "text-start" };
      case "$":
        return { type: "assert", assertion: this.#flags.multiLine ? "line-end" : "text-end" };
      case "\\":
        return this.#escape();
      default:
        return this.#literal(char);
    }
  }

  #group(depth: number): Tree {
    const start = this.#at - 1;
    const saved = { ...this.#flags };
    if (this.#peek() === "?") {
      const kind = this.#groupHead(start);
      if (kind === "flags") return { type: "empty" };
    }
    const tree = this.#choice(depth + 1);
    if (!this.#take(")")) throw new RegexError("missing closing )", this.#pattern);
    this.#flags = saved;
    return tree;
  }

  /** What follows `(?`: a name, or flags for the group or for the rest of the group around. */
  #groupHead(start: number): "group" | "flags" {
    const named = /^\?P?<([^>]*)(>?)/.exec(this.#rest());
    if (named !== null) {
      const [head, name, close] = named;
      if (close === "") throw new RegexError("invalid named capture", this.#chars.slice(start).join(""));
      this.#at += head.length;
      if (!/^[A-Za-z0-9_]+$/.test(name!)) throw new RegexError("invalid named capture", this.#since(start));
      return "group";
    }
    const flags = /^\?([a-zA-Z]*)(?:(-)([a-zA-Z]*))?([:)])?/.exec(this.#rest(40));
    const [head = "?", on = "", minus, off = "", end] = flags ?? [];
    const known = /^[imsU]*$/;
    const bad = [...on, ...(minus ?? ""), ...off].findIndex((char) => !known.test(char) && char !== "-");
    if (bad >= 0 || end === undefined || (minus !== undefined && off === "")) {
      this.#at += bad >= 0 ? 2 + bad : head.length + (this.#chars[this.#at + head.length] === undefined ? 0 : 1);
      throw new RegexError("invalid or unsupported Perl syntax", this.#since(start));
    }
    this.#at += head.length;
    this.#setFlags(on, true);
    this.#setFlags(off, false);
    return end === ":" ? "group" : "flags";
  }

  #setFlags(letters: string, value: boolean): void {
    this.#flags = { ...this.#flags };
    if (letters.includes("i")) this.#flags.ignoreCase = value;
    if (letters.includes("m")) this.#flags.multiLine = value;
    if (letters.includes("s")) this.#flags.dotAll = value;
    if (letters.includes("U")) this.#flags.swapGreed = value;
  }

  #escape(): Tree {
    const assertion = ASSERTIONS[this.#peek()];
    if (assertion !== undefined) {
      this.#at += 1;
      return { type: "assert", assertion };
    }
    return { type: "test", test: this.#classEscape() ?? this.#testOf(this.#literalEscape()) };
  }

  /** `\d` and `\pL` after their backslash; undefined for others. */
  #classEscape(): Test | undefined {
    const char = this.#peek();
    const named = CLASSES.get(char.toLowerCase());
    if (named !== undefined && char !== "") {
      this.#at += 1;
      return char === char.toLowerCase() ? named : (code) => !named(code);
    }
    if (char !== "p" && char !== "P") return undefined;
    const match = /^[pP](?:\{(\^?)([^}]*)\}|([^{]))/.exec(this.#rest(60));
    const name = match?.[2] ?? match?.[3] ?? "";
    const test = propertyTest(name);
    if (match !== null) this.#at += match[0].length;
    if (test === undefined) throw new RegexError("invalid character class range", `\\${match?.[0] ?? this.#rest()}`);
    const negated = (char === "P") !== (match?.[1] === "^");
    return negated ? (code) => !test(code) : test;
  }

  /** The character that an escape after its backslash stands for. */
  #literalEscape(): number {
    const start = this.#at - 1;
    const char = this.#next();
    if (char === "") throw new RegexError("trailing backslash at end of expression", "");
    const control = CONTROLS[char];
    if (control !== undefined) return control;
    if (char === "x") {
      const match = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,8})\})/.exec(this.#rest(10));
      const code = match === null ? Number.NaN : Number.parseInt(match[1] ?? match[2]!, 16);
      if (match !== null && code <= 0x10ffff) {
        this.#at += match[0].length;
        return code;
      }
      this.#at += /^\{?[0-9a-fA-F]*/.exec(this.#rest(10))?.[0].length ?? 0;
      throw new RegexError("invalid escape sequence", this.#since(start));
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(char + this.#rest(2));
    if (octal !== null) {
      this.#at += octal[0].length - 1;
      return Number.parseInt(octal[0], 8);
    }
    if (/[A-Za-z0-9]/.test(char) || char.codePointAt(0)! > 0x7f) {
      throw new RegexError("invalid escape sequence", this.#since(start));
    }
    return char.codePointAt(0)!;
  }

  #characterClass(): Test {
    const start = this.#at - 1;
    const negated = this.#take("^");
    const tests: Test[] = [];
    for (let first = true; ; first = false) {
      if (this.#at >= this.#chars.length) throw new RegexError("missing closing ]", this.#chars.slice(start).join(""));
      if (this.#peek() === "]" && !first) break;
      tests.push(this.#classItem(start));
    }
    this.#at += 1;
    return (code) => tests.some((test) => test(code)) !== negated;
  }

  #classItem(start: number): Test {
    const named = /^\[:(\^?)([^\]]*?):\]/.exec(this.#rest(20));
    if (named !== null) {
      const test = NAMED_CLASSES.get(named[2]!);
      if (test === undefined) throw new RegexError("invalid character class range", named[0]);
      this.#at += named[0].length;
      return named[1] === "^" ? (code) => !test(code) : test;
    }
    const from = this.#at;
    if (this.#take("\\")) {
      const test = this.#classEscape();
      if (test !== undefined) return test;
      return this.#classRange(this.#literalEscape(), from, start);
    }
    return this.#classRange(this.#next().codePointAt(0)!, from, start);
  }

  #classRange(low: number, from: number, start: number): Test {
    const after = this.#chars[this.#at + 1];
    if (this.#peek() !== "-" || after === "]") return this.#testOf(low);
    this.#at += 1;
    if (after === undefined) throw new RegexError("missing closing ]", this.#chars.slice(start).join(""));
    const high = this.#take("\\") ? this.#literalEscape() : this.#next().codePointAt(0)!;
    if (high < low) throw new RegexError("invalid character class range", this.#since(from));
    const test: Test = (code) => code >= low && code <= high;
    return this.#flags.ignoreCase ? foldedTest(test) : test;
  }

  #literal(char: string): Tree {
    return { type: "test", test: this.#testOf(char.codePointAt(0)!) };
  }

  #testOf(wanted: number): Test {
    const test: Test = (code) => code === wanted;
    return this.#flags.ignoreCase ? foldedTest(test) : test;
  }
}

/** How often the innermost item of nested counted repetitions may be written out. */
function repeats(tree: Tree): number {
  if (tree.type === "sequence" || tree.type === "choice") return Math.max(1, ...tree.items.map(repeats));
  if (tree.type !== "repeat") return 1;
  const count = Number.isFinite(tree.max) ? tree.max : tree.min;
  return Math.max(1, count) * repeats(tree.item);
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: "text-start",
  z: "text-end",
  b: "boundary",
  B: "inside",
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7 };
