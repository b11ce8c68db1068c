// The one-line part of the simple YAML reader: flow collections and quoted text.

import type { YamlEntry, YamlMap, YamlNode, YamlScalar, YamlSequence } from "./yaml-node.ts";

/** Thrown to give up; the text is then read by the parser. */
export const GIVE_UP = new Error("not simple");

/** Keys that mean the same everywhere a key can stand. */
export const SIMPLE_KEY = /^[A-Za-z0-9_$./~(][A-Za-z0-9_$./~() ;+=^-]*$/;

/** Well below the length from which a key without `?` is none. */
export const LONGEST_SIMPLE_KEY = 1000;

const SPACE = 32;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const OPEN_MAP = 123;

/** Reads one flow collection that ends on its line. */
export class FlowReader {
  /** Position after what was read last. */
  after = 0;
  private readonly text: string;
  private readonly end: number;
  private depthLeft: number;

  constructor(text: string, end: number, maxDepth: number) {
    this.text = text;
    this.end = end;
    this.depthLeft = maxDepth;
  }

  read(at: number): YamlNode {
    if (--this.depthLeft < 0) throw GIVE_UP;
    const node = this.text.charCodeAt(at) === OPEN_MAP ? this.map(at) : this.list(at);
    this.depthLeft += 1;
    return node;
  }

  private map(open: number): YamlMap {
    const entries: YamlEntry[] = [];
    let at = this.skipSpaces(open + 1);
    while (this.text[at] !== "}") {
      const key = this.scalar(at, true);
      at = this.after;
      if (this.text.charCodeAt(at) !== COLON || (key.plain && this.text.charCodeAt(at + 1) !== SPACE)) throw GIVE_UP;
      if (key.plain && key.text === "<<") throw GIVE_UP;
      entries.push({ key, value: this.value(this.skipSpaces(at + 1)) });
      at = this.next("}");
    }
    this.after = at + 1;
    return { kind: "map", entries, flow: true, offset: open };
  }

  private list(open: number): YamlSequence {
    const items: YamlNode[] = [];
    let at = this.skipSpaces(open + 1);
    while (this.text[at] !== "]") {
      items.push(this.value(at));
      at = this.next("]");
    }
    this.after = at + 1;
    return { kind: "sequence", items, flow: true, offset: open };
  }

  /** Goes on to the next element, or to the closing bracket; a comma before that is left to the parser. */
  private next(close: string): number {
    const at = this.skipSpaces(this.after);
    if (this.text[at] === close) return at;
    if (this.text[at] !== ",") throw GIVE_UP;
    const following = this.skipSpaces(at + 1);
    if (this.text[following] === close) throw GIVE_UP;
    return following;
  }

  private value(at: number): YamlNode {
    const code = this.text.charCodeAt(at);
    return code === OPEN_MAP || code === OPEN_LIST ? this.read(at) : this.scalar(at, false);
  }

  private scalar(at: number, isKey: boolean): YamlScalar {
    const { text, end } = this;
    const first = text.charCodeAt(at);
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) {
      const close = closingQuote(text, at, end);
      if (isKey && close - at > LONGEST_SIMPLE_KEY) throw GIVE_UP;
      this.after = close + 1;
      return quotedScalar(text, at, close);
    }
    let stop = at;
    for (; stop < end; stop++) {
      const char = text[stop]!;
      if (",[]{}".includes(char)) break;
      if (char === "#" || char === '"' || char === "'" || char === "?") throw GIVE_UP;
      if (char !== ":") continue;
      const next = text[stop + 1] ?? " ";
      if (next !== " " && !",[]{}".includes(next)) continue;
      if (!isKey || next !== " ") throw GIVE_UP;
      break;
    }
    const value = trimSpaces(text.slice(at, stop));
    if (value.startsWith(":")) throw GIVE_UP;
    if (!canStartPlain(value) || (isKey && (!SIMPLE_KEY.test(value) || value.length !== stop - at))) throw GIVE_UP;
    if (isKey && value.length > LONGEST_SIMPLE_KEY) throw GIVE_UP;
    this.after = isKey ? stop : at + value.length;
    return { kind: "scalar", text: value, plain: true, block: undefined, tag: undefined, offset: at };
  }

  private skipSpaces(at: number): number {
    let i = at;
    while (i < this.end && this.text.charCodeAt(i) === SPACE) i += 1;
    if (i >= this.end) throw GIVE_UP;
    return i;
  }
}

/** The closing quote of the text that opens at `at`; gives up when it is not before `end`. */
export function closingQuote(text: string, at: number, end: number): number {
  const quote = text.charCodeAt(at);
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH && quote === DOUBLE_QUOTE) i += 1;
    else if (code === quote) {
      if (quote === DOUBLE_QUOTE || text.charCodeAt(i + 1) !== SINGLE_QUOTE) return i;
      i += 1;
    }
  }
  throw GIVE_UP;
}

/** The scalar between two quotes. */
export function quotedScalar(text: string, at: number, close: number): YamlScalar {
  let content = text.slice(at + 1, close);
  const single = text.charCodeAt(at) === SINGLE_QUOTE;
  if (single) content = content.replaceAll("''", "'");
  else if (content.includes("\\"))
    content = content.replace(/\\(.)/gs, (_all, char: string) => ESCAPES.get(char) ?? giveUp());
  return { kind: "scalar", text: content, plain: false, single, block: undefined, tag: undefined, offset: at };
}

/** Whether the first character has no meaning of its own in YAML. */
export function canStartPlain(text: string): boolean {
  if (text === "") return false;
  const first = text[0]!;
  if ("-?:".includes(first)) return text.length > 1 && text[1] !== " " && !",[]{}".includes(text[1]!);
  return !"#,[]{}&*!|>'\"%@`".includes(first);
}

/** A text without the spaces at its end; other blanks there are content. */
export function trimSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === SPACE) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

function giveUp(): never {
  throw GIVE_UP;
}

const ESCAPES = new Map<string, string>([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["0", "\0"],
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
]);
