// A reader for the YAML that manifests are mostly written in, many times faster than the full parser.
//
// It knows block maps and lists, one-line flow collections, one-line scalars, literal blocks and comments. At anything
// else (anchors, tags, folded text, several lines in quotes, any fault) it gives up, and the parser reads the text:
// what this reader accepts it reads as the parser does.

import {
  canStartPlain,
  closingQuote,
  FlowReader,
  GIVE_UP,
  LONGEST_SIMPLE_KEY,
  quotedScalar,
  SIMPLE_KEY,
  trimSpaces,
} from "./yaml-flow.ts";
import type { YamlEntry, YamlMap, YamlNode, YamlScalar, YamlSequence } from "./yaml-node.ts";

const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const SINGLE_QUOTE = 39;
const DASH = 45;
const COLON = 58;
const OPEN_LIST = 91;
const OPEN_MAP = 123;
const PIPE = 124;

/** Documents with content, in order; `undefined` when the text is not simple. */
export function readSimpleYaml(text: string, maxDepth: number, jsonEscapes: boolean): readonly YamlNode[] | undefined {
  if (!jsonEscapes && text.includes("\\/")) return undefined;
  // Tabs and unusual line breaks have rules of their own; directives and document ends are rare.
  if (/[\t\r\u0085\u2028\u2029\ufeff]|^(?:%|\.\.\.)|\n(?:%|\.\.\.)/.test(text)) return undefined;
  try {
    return new BlockReader(text, maxDepth).documents();
  } catch (error) {
    if (error === GIVE_UP) return undefined;
    throw error;
  }
}

class BlockReader {
  private readonly text: string;
  private readonly maxDepth: number;
  /** Start of the content of the current line; -1 at the end of the text. */
  private start = 0;
  /** End of the current line, without its line feed. */
  private end = -1;
  /** Column of the content of the current line. */
  private indent = 0;
  private depth = 0;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  documents(): YamlNode[] {
    const result: YamlNode[] = [];
    this.advance();
    while (this.start >= 0) {
      if (this.atSeparator()) {
        this.advance();
        continue;
      }
      const first = this.text.charCodeAt(this.start);
      result.push(first === OPEN_MAP || first === OPEN_LIST ? this.flowLine() : this.block(this.indent));
      if (this.start >= 0 && !this.atSeparator()) throw GIVE_UP;
    }
    return result;
  }

  /** Goes to the next line that has content. */
  private advance(): void {
    const { text } = this;
    let at = this.end + 1;
    for (;;) {
      if (at >= text.length) {
        this.start = -1;
        this.indent = -1;
        this.end = text.length;
        return;
      }
      const lineStart = at;
      while (text.charCodeAt(at) === SPACE) at += 1;
      let end = text.indexOf("\n", at);
      if (end < 0) end = text.length;
      if (at < end && text.charCodeAt(at) !== HASH) {
        this.start = at;
        this.end = end;
        this.indent = at - lineStart;
        return;
      }
      at = end + 1;
    }
  }

  private atSeparator(): boolean {
    if (this.indent !== 0 || !this.text.startsWith("---", this.start)) return false;
    const rest = this.start + 3;
    if (rest < this.end && this.text.charCodeAt(rest) !== SPACE) return false;
    if (!this.isBlankFrom(rest)) throw GIVE_UP;
    return true;
  }

  private block(indent: number): YamlNode {
    if (++this.depth > this.maxDepth) throw GIVE_UP;
    const node = this.isDash(this.start) ? this.sequence(indent) : this.mapping(indent);
    this.depth -= 1;
    return node;
  }

  private isDash(at: number): boolean {
    return this.text.charCodeAt(at) === DASH && (at + 1 >= this.end || this.text.charCodeAt(at + 1) === SPACE);
  }

  private sequence(indent: number): YamlSequence {
    const items: YamlNode[] = [];
    const offset = this.start;
    while (this.indent === indent && this.isDash(this.start)) {
      const dash = this.start;
      let at = dash + 1;
      while (at < this.end && this.text.charCodeAt(at) === SPACE) at += 1;
      if (at >= this.end || this.text.charCodeAt(at) === HASH) {
        this.advance();
        items.push(this.indent > indent ? this.block(this.indent) : emptyScalar(dash + 1));
      } else if (this.isDash(at) || this.startsEntry(at)) {
        // The item starts on the line of its dash: its column is what its further lines have to keep.
        this.indent += at - dash;
        this.start = at;
        items.push(this.block(this.indent));
      } else {
        items.push(this.value(at, indent));
      }
    }
    if (this.indent > indent) throw GIVE_UP;
    return { kind: "sequence", items, flow: false, offset };
  }

  private mapping(indent: number): YamlMap {
    const entries: YamlEntry[] = [];
    const offset = this.start;
    while (this.indent === indent && !this.isDash(this.start) && !this.atSeparator()) {
      const key = this.key(this.start);
      // Position after the colon is left in `afterKey`.
      let at = this.afterKey;
      while (at < this.end && this.text.charCodeAt(at) === SPACE) at += 1;
      if (at >= this.end || (this.text.charCodeAt(at) === HASH && at > this.afterKey)) {
        this.advance();
        entries.push({ key, value: this.valueBelow(indent, this.afterKey) });
      } else {
        entries.push({ key, value: this.value(at, indent) });
      }
    }
    if (this.indent > indent || entries.length === 0) throw GIVE_UP;
    // A list at the column of a map can only be a value, which it is not here.
    if (this.indent === indent && this.start >= 0 && !this.atSeparator()) throw GIVE_UP;
    return { kind: "map", entries, flow: false, offset };
  }

  private valueBelow(indent: number, offset: number): YamlNode {
    if (this.indent > indent) return this.block(this.indent);
    if (this.indent !== indent || !this.isDash(this.start)) return emptyScalar(offset);
    if (++this.depth > this.maxDepth) throw GIVE_UP;
    const node = this.sequence(indent);
    this.depth -= 1;
    return node;
  }

  private afterKey = 0;

  /** Whether a map entry starts here: a key, a colon, and a space or the end of the line. */
  private startsEntry(at: number): boolean {
    const first = this.text.charCodeAt(at);
    if (first === OPEN_LIST || first === OPEN_MAP || first === PIPE) return false;
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) {
      const close = closingQuote(this.text, at, this.end);
      return this.text.charCodeAt(close + 1) === COLON;
    }
    return this.colonAfter(at) >= 0;
  }

  private colonAfter(at: number): number {
    const { text, end } = this;
    for (let i = at; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === COLON && (i + 1 >= end || text.charCodeAt(i + 1) === SPACE)) return i;
      if (code === HASH && text.charCodeAt(i - 1) === SPACE) return -1;
    }
    return -1;
  }

  private key(at: number): YamlScalar {
    const first = this.text.charCodeAt(at);
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) {
      const close = closingQuote(this.text, at, this.end);
      if (close - at > LONGEST_SIMPLE_KEY) throw GIVE_UP;
      const colon = close + 1;
      const follows = colon + 1 >= this.end || this.text.charCodeAt(colon + 1) === SPACE;
      if (this.text.charCodeAt(colon) !== COLON || !follows) throw GIVE_UP;
      this.afterKey = colon + 1;
      return quotedScalar(this.text, at, close);
    }
    const colon = this.colonAfter(at);
    if (colon <= at || colon - at > LONGEST_SIMPLE_KEY) throw GIVE_UP;
    const text = trimSpaces(this.text.slice(at, colon));
    if (!SIMPLE_KEY.test(text) || text === "<<") throw GIVE_UP;
    this.afterKey = colon + 1;
    return { kind: "scalar", text, plain: true, block: undefined, tag: undefined, offset: at };
  }

  /** Reads a value that starts on this line and goes to the next line with content. */
  private value(at: number, parentIndent: number): YamlNode {
    switch (this.text.charCodeAt(at)) {
      case DOUBLE_QUOTE:
      case SINGLE_QUOTE: {
        const close = closingQuote(this.text, at, this.end);
        const node = quotedScalar(this.text, at, close);
        this.finishLine(close + 1, parentIndent);
        return node;
      }
      case OPEN_MAP:
      case OPEN_LIST: {
        const { node, after } = this.flow(at);
        this.finishLine(after, parentIndent);
        return node;
      }
      case PIPE:
        return this.literal(at, parentIndent);
      default:
        return this.plain(at, parentIndent);
    }
  }

  // A further line that is indented more would go on with the value.
  private finishLine(at: number, parentIndent: number): void {
    if (at < this.end && this.text.charCodeAt(at) !== SPACE) throw GIVE_UP;
    if (!this.isBlankFrom(at)) throw GIVE_UP;
    this.advance();
    if (this.indent > parentIndent) throw GIVE_UP;
  }

  private isBlankFrom(at: number): boolean {
    let i = at;
    while (i < this.end && this.text.charCodeAt(i) === SPACE) i += 1;
    return i >= this.end || (this.text.charCodeAt(i) === HASH && i > at);
  }

  private plain(at: number, parentIndent: number): YamlScalar {
    const { text, end } = this;
    let stop = end;
    for (let i = at; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === HASH && text.charCodeAt(i - 1) === SPACE) {
        stop = i;
        break;
      }
      if (code === COLON && (i + 1 >= end || text.charCodeAt(i + 1) === SPACE)) throw GIVE_UP;
    }
    const value = trimSpaces(text.slice(at, stop));
    if (!canStartPlain(value)) throw GIVE_UP;
    this.advance();
    if (this.indent > parentIndent) throw GIVE_UP;
    return { kind: "scalar", text: value, plain: true, block: undefined, tag: undefined, offset: at };
  }

  private literal(at: number, parentIndent: number): YamlScalar {
    const header = this.text.slice(at + 1, this.end);
    const chomp = /^([-+]?) *$/.exec(header)?.[1];
    if (chomp === undefined || this.end >= this.text.length) throw GIVE_UP;
    const lines: string[] = [];
    let indent = -1;
    let from = this.end + 1;
    let lastContent = 0;
    while (from < this.text.length) {
      const end = this.text.indexOf("\n", from);
      // What a block without a final line feed means differs among readers.
      if (end < 0) throw GIVE_UP;
      let first = from;
      while (first < end && this.text.charCodeAt(first) === SPACE) first += 1;
      const column = first - from;
      if (first < end) {
        if (indent < 0 ? column <= parentIndent : column < indent) {
          if (column > parentIndent) throw GIVE_UP;
          break;
        }
        if (indent < 0) {
          if (lines.some((line) => line.length > column)) throw GIVE_UP;
          indent = column;
          for (let i = 0; i < lines.length; i++) lines[i] = "";
        }
        lines.push(this.text.slice(from + indent, end));
        lastContent = lines.length;
      } else {
        lines.push(indent < 0 ? this.text.slice(from, end) : this.text.slice(Math.min(from + indent, end), end));
        if (indent >= 0 && column > indent) lastContent = lines.length;
      }
      from = end + 1;
    }
    // An empty block and one that ends in lines of spaces are left to the parser.
    if (indent < 0) throw GIVE_UP;
    const content = lines.slice(0, lastContent).join("\n");
    const blank = lines.length - lastContent;
    const text = chomp === "-" ? content : chomp === "+" ? `${content}\n${"\n".repeat(blank)}` : `${content}\n`;
    this.end = from - 1;
    this.advance();
    if (this.indent > parentIndent) throw GIVE_UP;
    return { kind: "scalar", text, plain: false, block: "literal", tag: undefined, offset: at };
  }

  /** A document that is one flow collection on one line, as JSON often is. */
  private flowLine(): YamlNode {
    const { node, after } = this.flow(this.start);
    if (!this.isBlankFrom(after)) throw GIVE_UP;
    this.advance();
    return node;
  }

  private flow(at: number): { readonly node: YamlNode; readonly after: number } {
    const reader = new FlowReader(this.text, this.end, this.maxDepth - this.depth);
    return { node: reader.read(at), after: reader.after };
  }
}

function emptyScalar(offset: number): YamlScalar {
  return { kind: "scalar", text: "", plain: true, block: undefined, tag: undefined, offset };
}
