// Regular expressions from repositories, matched in time linear in the text whatever the expression.
//
// The syntax is that of Go's RE2, without back-references and look-around by definition, so a set of states suffices.

import { renderError } from "../errors.ts";

const MAX_STATES = 20_000;
const MAX_REPEAT = 1000;

type Test = (code: number) => boolean;

type Tree =
  | { readonly type: "test"; readonly test: Test }
  | { readonly type: "empty" }
  | { readonly type: "start" | "end" | "boundary" | "inside" }
  | { readonly type: "sequence" | "choice"; readonly items: readonly Tree[] }
  | { readonly type: "repeat"; readonly item: Tree; readonly min: number; readonly max: number };

type State =
  | { readonly type: "test"; readonly test: Test; next: number }
  | { readonly type: "split"; next: number; other: number }
  | { readonly type: "start" | "end" | "boundary" | "inside"; next: number }
  | { readonly type: "match" };

/** Says whether a text matches as a whole. */
export type Matcher = (text: string) => boolean;

const cache = new Map<string, Matcher>();

/** The expression anchored at both ends. Throws `render-selector` when it is not valid. */
export function compileAnchored(pattern: string): Matcher {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const matcher = /^[A-Za-z0-9_\-/ ]*$/.test(pattern) ? (text: string) => text === pattern : compile(pattern);
  if (cache.size > 1000) cache.clear();
  cache.set(pattern, matcher);
  return matcher;
}

function compile(pattern: string): Matcher {
  const tree = new Parser(pattern).parse();
  const program = new Program(pattern);
  const start = program.add(tree, program.push({ type: "match" }));
  return (text) => run(program.states, start, text);
}

function run(states: readonly State[], start: number, text: string): boolean {
  const codes = Array.from(text, (char) => char.codePointAt(0)!);
  let current = new Set<number>();
  addState(states, start, codes, 0, current);
  for (let i = 0; i < codes.length; i++) {
    const next = new Set<number>();
    for (const index of current) {
      const state = states[index]!;
      if (state.type === "test" && state.test(codes[i]!)) addState(states, state.next, codes, i + 1, next);
    }
    if (next.size === 0) return false;
    current = next;
  }
  for (const index of current) if (states[index]!.type === "match") return true;
  return false;
}

function addState(
  states: readonly State[],
  from: number,
  codes: readonly number[],
  at: number,
  set: Set<number>,
): void {
  const pending = [from];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (set.has(index)) continue;
    set.add(index);
    const state = states[index]!;
    if (state.type === "split") pending.push(state.next, state.other);
    else if (state.type !== "test" && state.type !== "match" && holds(state.type, codes, at)) pending.push(state.next);
  }
}

function holds(type: "start" | "end" | "boundary" | "inside", codes: readonly number[], at: number): boolean {
  if (type === "start") return at === 0;
  if (type === "end") return at === codes.length;
  const before = at > 0 && isWord(codes[at - 1]!);
  const after = at < codes.length && isWord(codes[at]!);
  return (before !== after) === (type === "boundary");
}

class Program {
  readonly states: State[] = [];
  private readonly pattern: string;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  push(state: State): number {
    if (this.states.length >= MAX_STATES) throw invalid(this.pattern, "it is too large");
    return this.states.push(state) - 1;
  }

  /** Adds the states of a tree that lead on to `next`; answers the first of them. */
  add(tree: Tree, next: number): number {
    switch (tree.type) {
      case "empty":
        return next;
      case "test":
        return this.push({ type: "test", test: tree.test, next });
      case "start":
      case "end":
      case "boundary":
      case "inside":
        return this.push({ type: tree.type, next });
      case "sequence":
        return tree.items.reduceRight((following, item) => this.add(item, following), next);
      case "choice":
        return tree.items
          .map((item) => this.add(item, next))
          .reduceRight((other, first) => this.push({ type: "split", next: first, other }));
      case "repeat":
        return this.repeat(tree.item, tree.min, tree.max, next);
    }
  }

  private repeat(item: Tree, min: number, max: number, next: number): number {
    let following = next;
    if (max === Number.POSITIVE_INFINITY) {
      const split: State = { type: "split", next: 0, other: next };
      following = this.push(split);
      split.next = this.add(item, following);
    } else {
      for (let i = min; i < max; i++) {
        const first = this.add(item, following);
        following = this.push({ type: "split", next: first, other: next });
      }
    }
    for (let i = 0; i < min; i++) following = this.add(item, following);
    return following;
  }
}

class Parser {
  private readonly pattern: string;
  private readonly chars: readonly string[];
  private at = 0;
  private ignoreCase = false;
  private dotAll = false;

  constructor(pattern: string) {
    this.pattern = pattern;
    this.chars = Array.from(pattern);
  }

  parse(): Tree {
    const tree = this.choice(0);
    if (this.at < this.chars.length) throw this.fail("a ) has no (");
    return tree;
  }

  private choice(depth: number): Tree {
    if (depth > 200) throw this.fail("it is nested too deeply");
    const items = [this.sequence(depth)];
    while (this.take("|")) items.push(this.sequence(depth));
    return items.length === 1 ? items[0]! : { type: "choice", items };
  }

  private sequence(depth: number): Tree {
    const items: Tree[] = [];
    while (this.at < this.chars.length && this.peek() !== "|" && this.peek() !== ")") items.push(this.repeated(depth));
    return items.length === 0 ? { type: "empty" } : { type: "sequence", items };
  }

  private repeated(depth: number): Tree {
    if ("*+?".includes(this.peek())) throw this.fail("a repetition has nothing before it");
    const item = this.atom(depth);
    const range = this.range();
    if (range === undefined) return item;
    this.take("?");
    if ("*+?".includes(this.peek()) && this.peek() !== "") throw this.fail("a repetition follows a repetition");
    return { type: "repeat", item, ...range };
  }

  private range(): { min: number; max: number } | undefined {
    if (this.take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.take("?")) return { min: 0, max: 1 };
    const match = /^\{([0-9]+)(?:(,)([0-9]*))?\}/.exec(this.chars.slice(this.at, this.at + 12).join(""));
    if (match === null) return undefined;
    this.at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && Number.isFinite(max)) || max < min) {
      throw this.fail(`the repetition ${match[0]} is out of bounds`);
    }
    return { min, max };
  }

  private atom(depth: number): Tree {
    const char = this.next();
    switch (char) {
      case "(":
        return this.group(depth);
      case "[":
        return { type: "test", test: this.characterClass() };
      case ".": {
        const { dotAll } = this;
        return { type: "test", test: (code) => dotAll || code !== 10 };
      }
      case "^":
        return { type: "start" };
      case "$":
        return { type: "end" };
      case "\\":
        return this.escape();
      default:
        return this.literal(char);
    }
  }

  private group(depth: number): Tree {
    const saved = { ignoreCase: this.ignoreCase, dotAll: this.dotAll };
    if (this.take("?")) {
      const head = /^(?:P?<[A-Za-z_][A-Za-z0-9_]*>|([imsU]*)(?:-([imsU]+))?(:|\)))/.exec(
        this.chars.slice(this.at, this.at + 80).join(""),
      );
      if (head === null) throw this.fail("the group after (? is not known");
      this.at += head[0].length;
      if (head[1]?.includes("i")) this.ignoreCase = true;
      if (head[1]?.includes("s")) this.dotAll = true;
      if (head[2]?.includes("i")) this.ignoreCase = false;
      if (head[2]?.includes("s")) this.dotAll = false;
      if (head[3] === ")") return { type: "empty" };
    }
    const tree = this.choice(depth + 1);
    if (!this.take(")")) throw this.fail("a ( is not closed");
    this.ignoreCase = saved.ignoreCase;
    this.dotAll = saved.dotAll;
    return tree;
  }

  private escape(): Tree {
    const char = this.next();
    if (char === "A") return { type: "start" };
    if (char === "z") return { type: "end" };
    if (char === "b") return { type: "boundary" };
    if (char === "B") return { type: "inside" };
    return { type: "test", test: this.classEscape(char) ?? this.testOf(this.literalEscape(char)) };
  }

  private classEscape(char: string): Test | undefined {
    const test = CLASSES.get(char.toLowerCase());
    if (test === undefined) return undefined;
    return char === char.toLowerCase() ? test : (code) => !test(code);
  }

  private literalEscape(char: string): number {
    const control = CONTROLS.get(char);
    if (control !== undefined) return control;
    if (char === "x") {
      const match = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(
        this.chars.slice(this.at, this.at + 8).join(""),
      );
      if (match === null) throw this.fail("\\x needs hexadecimal digits");
      this.at += match[0].length;
      return Number.parseInt(match[1] ?? match[2]!, 16);
    }
    if (char === "" || /[A-Za-z0-9]/.test(char)) throw this.fail(`the escape \\${char} is not known`);
    return char.codePointAt(0)!;
  }

  private characterClass(): Test {
    const negated = this.take("^");
    const tests: Test[] = [];
    for (let first = true; ; first = false) {
      if (this.at >= this.chars.length) throw this.fail("a [ is not closed");
      if (this.peek() === "]" && !first) break;
      tests.push(this.classItem());
    }
    this.at += 1;
    return (code) => tests.some((test) => test(code)) !== negated;
  }

  private classItem(): Test {
    const named = /^\[:(\^?)([a-z]+):\]/.exec(this.chars.slice(this.at, this.at + 14).join(""));
    if (named !== null) {
      const test = NAMED.get(named[2]!);
      if (test === undefined) throw this.fail(`the class ${named[0]} is not known`);
      this.at += named[0].length;
      return named[1] === "^" ? (code) => !test(code) : test;
    }
    const char = this.next();
    if (char === "\\") {
      const test = CLASSES.has(this.peek().toLowerCase()) ? this.classEscape(this.next()) : undefined;
      if (test !== undefined) return test;
      return this.classRange(this.literalEscape(this.next()));
    }
    return this.classRange(char.codePointAt(0)!);
  }

  private classRange(low: number): Test {
    if (this.peek() !== "-" || this.chars[this.at + 1] === undefined || this.chars[this.at + 1] === "]") {
      return this.testOf(low);
    }
    this.at += 1;
    const char = this.next();
    const high = char === "\\" ? this.literalEscape(this.next()) : char.codePointAt(0)!;
    if (high < low) throw this.fail("a range in [ ] ends before it starts");
    if (!this.ignoreCase) return (code) => code >= low && code <= high;
    return (code) => variants(code).some((variant) => variant >= low && variant <= high);
  }

  private literal(char: string): Tree {
    return { type: "test", test: this.testOf(char.codePointAt(0)!) };
  }

  private testOf(wanted: number): Test {
    return this.ignoreCase ? (code) => variants(code).includes(wanted) : (code) => code === wanted;
  }

  private peek(): string {
    return this.chars[this.at] ?? "";
  }

  private next(): string {
    const char = this.peek();
    this.at += 1;
    return char;
  }

  private take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at += 1;
    return true;
  }

  private fail(what: string): Error {
    return invalid(this.pattern, what);
  }
}

function invalid(pattern: string, what: string): Error {
  return renderError("render-selector", `${JSON.stringify(pattern)} is no valid regular expression: ${what}`);
}

function variants(code: number): readonly number[] {
  const char = String.fromCodePoint(code);
  return [code, char.toLowerCase().codePointAt(0)!, char.toUpperCase().codePointAt(0)!];
}

function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 12 || code === 13;
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isLower(code: number): boolean {
  return code >= 97 && code <= 122;
}

const CLASSES = new Map<string, Test>([
  ["d", isDigit],
  ["w", isWord],
  ["s", isSpace],
]);

const NAMED = new Map<string, Test>([
  ["digit", isDigit],
  ["word", isWord],
  ["space", (code) => isSpace(code) || code === 11],
  ["alpha", (code) => isUpper(code) || isLower(code)],
  ["alnum", (code) => isUpper(code) || isLower(code) || isDigit(code)],
  ["upper", isUpper],
  ["lower", isLower],
  ["punct", (code) => code > 32 && code < 127 && !isUpper(code) && !isLower(code) && !isDigit(code)],
  ["xdigit", (code) => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102)],
]);

const CONTROLS = new Map<string, number>([
  ["n", 10],
  ["r", 13],
  ["t", 9],
  ["f", 12],
  ["v", 11],
  ["a", 7],
]);
