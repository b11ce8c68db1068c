// Scalars as they are written: plain, in quotes, and as blocks.

import { END, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd } from "./yaml-characters.ts";
import type { YamlCursor, YamlMark } from "./yaml-cursor.ts";

const SPACE = 0x20;
const TAB = 0x09;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const SLASH = 0x2f;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** The breaks between two lines of text; the first one is a space when it is all there is. */
class Folding {
  private first = "";
  private further = "";
  any = false;

  add(text: string): void {
    if (this.any) this.further += text;
    else this.first = text;
    this.any = true;
  }

  take(): string {
    const { first, further } = this;
    this.first = "";
    this.further = "";
    this.any = false;
    if (first !== "\n") return first + further;
    return further === "" ? " " : further;
  }
}

export interface PlainText {
  readonly text: string;
  /** Whether lines follow that belong to no scalar, so that a key may start here. */
  readonly endsLine: boolean;
}

/** Reads a plain scalar. `indent` is the least column of its further lines; in flow collections brackets end it. */
export function scanPlain(cursor: YamlCursor, inFlow: boolean, indent: number): PlainText {
  const start = cursor.mark();
  const folding = new Folding();
  let text = "";
  let blanks = "";
  for (;;) {
    if (cursor.atDocumentMark() || cursor.peek() === HASH) break;
    const from = cursor.offset;
    const to = endOfWord(cursor, inFlow);
    if (to > from) {
      text += folding.any ? folding.take() : blanks;
      blanks = "";
      text += cursor.text.slice(from, to);
      cursor.offset = to;
    }
    let code = cursor.peek();
    if (!isBlank(code) && !isBreak(code)) break;
    for (; isBlank(code) || isBreak(code); code = cursor.peek()) {
      if (isBreak(code)) {
        blanks = "";
        folding.add(cursor.takeBreak());
        continue;
      }
      if (folding.any && code === TAB && cursor.column < indent)
        throw cursor.fail("found a tab character that violates indentation", start);
      if (!folding.any) blanks += code === TAB ? "\t" : " ";
      cursor.offset += 1;
    }
    if (!inFlow && cursor.column < indent) break;
  }
  return { text, endsLine: folding.any };
}

function endOfWord(cursor: YamlCursor, inFlow: boolean): number {
  const { text } = cursor;
  let at = cursor.offset;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBlankOrEnd(code)) break;
    if (code === COLON && isBlankOrEnd(at + 1 < text.length ? text.charCodeAt(at + 1) : END)) break;
    if (inFlow && ",?[]{}".includes(text[at]!)) break;
  }
  return at;
}

/**
 * Reads a scalar in quotes, from the opening one to after the closing one. `jsonEscapes` allows what JSON has and
 * go-yaml refuses: `\\/`, and the halves of surrogate pairs.
 */
export function scanQuoted(cursor: YamlCursor, jsonEscapes: boolean): string {
  const start = cursor.mark();
  const quote = cursor.peek();
  cursor.offset += 1;
  const folding = new Folding();
  let text = "";
  for (;;) {
    if (cursor.atDocumentMark()) throw cursor.fail("found unexpected document indicator", start);
    if (cursor.peek() === END) throw cursor.fail("found unexpected end of stream", start);
    let continues = false;
    for (let code = cursor.peek(); !isBlankOrEnd(code); code = cursor.peek()) {
      if (code === quote) {
        if (quote !== SINGLE_QUOTE || cursor.peek(1) !== SINGLE_QUOTE) break;
        text += "'";
        cursor.offset += 2;
      } else if (code === BACKSLASH && quote === DOUBLE_QUOTE) {
        if (isBreak(cursor.peek(1))) {
          cursor.offset += 1;
          cursor.takeBreak();
          continues = true;
          break;
        }
        text += scanEscape(cursor, start, jsonEscapes);
      } else {
        const from = cursor.offset;
        do cursor.offset += 1;
        while (isOrdinary(cursor.peek(), quote));
        text += cursor.text.slice(from, cursor.offset);
      }
    }
    if (cursor.peek() === quote) break;
    text += scanQuotedSpace(cursor, folding, continues);
  }
  cursor.offset += 1;
  return text;
}

function isOrdinary(code: number, quote: number): boolean {
  return code !== quote && code !== BACKSLASH && !isBlankOrEnd(code);
}

// After an escaped line break, blanks at the start of the next line are no content, nor is the break.
function scanQuotedSpace(cursor: YamlCursor, folding: Folding, continues: boolean): string {
  const from = cursor.offset;
  let to = from;
  let further = "";
  for (let code = cursor.peek(); isBlank(code) || isBreak(code); code = cursor.peek()) {
    if (isBlank(code)) {
      cursor.offset += 1;
      if (!continues && !folding.any) to = cursor.offset;
    } else if (continues) {
      further += cursor.takeBreak();
    } else {
      folding.add(cursor.takeBreak());
    }
  }
  if (continues) return further;
  return folding.any ? folding.take() : cursor.text.slice(from, to);
}

const ESCAPES = new Map<number, string>([
  [0x30, "\0"],
  [0x61, "\x07"],
  [0x62, "\b"],
  [0x74, "\t"],
  [TAB, "\t"],
  [0x6e, "\n"],
  [0x76, "\v"],
  [0x66, "\f"],
  [0x72, "\r"],
  [0x65, "\x1b"],
  [SPACE, " "],
  [DOUBLE_QUOTE, '"'],
  [SINGLE_QUOTE, "'"],
  [BACKSLASH, "\\"],
  [0x4e, "\x85"],
  [0x5f, "\xa0"],
  [0x4c, "\u2028"],
  [0x50, "\u2029"],
]);

const HEX_DIGITS = new Map<number, number>([
  [0x78, 2],
  [0x75, 4],
  [0x55, 8],
]);

function scanEscape(cursor: YamlCursor, start: YamlMark, jsonEscapes: boolean): string {
  const letter = cursor.peek(1);
  const known = letter === SLASH && jsonEscapes ? "/" : ESCAPES.get(letter);
  if (known !== undefined) {
    cursor.offset += 2;
    return known;
  }
  const length = HEX_DIGITS.get(letter);
  if (length === undefined) throw cursor.fail("found unknown escape character", start);
  cursor.offset += 2;
  const digits = cursor.text.slice(cursor.offset, cursor.offset + length);
  if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits))
    throw cursor.fail("did not find expected hexdecimal number", start);
  const code = Number.parseInt(digits, 16);
  const isHalf = code >= 0xd800 && code <= 0xdfff;
  if (code > 0x10ffff || (isHalf && !(jsonEscapes && length === 4)))
    throw cursor.fail("found invalid Unicode character escape code", start);
  cursor.offset += length;
  return isHalf ? String.fromCharCode(code) : String.fromCodePoint(code);
}

/** Reads a literal or folded block from its indicator on. `parent` is the column of what it belongs to, -1 for none. */
export function scanBlock(cursor: YamlCursor, parent: number): string {
  const start = cursor.mark();
  const folds = cursor.peek() === 0x3e;
  const { chomping, increment } = scanBlockHeader(cursor, start);
  const block = new BlockLines(cursor, parent, increment === 0 ? 0 : Math.max(parent, 0) + increment, start);
  let text = "";
  let lineBreak = "";
  let wasIndented = false;
  let breaks = block.skipToContent();
  while (cursor.column === block.indent && cursor.peek() !== END) {
    const isIndented = isBlank(cursor.peek());
    if (folds && lineBreak === "\n" && !wasIndented && !isIndented) text += breaks === "" ? " " : breaks;
    else text += lineBreak + breaks;
    wasIndented = isIndented;
    const from = cursor.offset;
    cursor.skipLine();
    text += cursor.text.slice(from, cursor.offset);
    lineBreak = cursor.peek() === END ? "" : cursor.takeBreak();
    breaks = block.skipToContent();
  }
  if (chomping === "strip") return text;
  return chomping === "keep" ? text + lineBreak + breaks : text + lineBreak;
}

interface BlockHeader {
  readonly chomping: "clip" | "strip" | "keep";
  /** The indentation that is given in words, or 0. */
  readonly increment: number;
}

function scanBlockHeader(cursor: YamlCursor, start: YamlMark): BlockHeader {
  cursor.offset += 1;
  let chomping: BlockHeader["chomping"] = "clip";
  let increment = 0;
  for (let i = 0; i < 2; i++) {
    const code = cursor.peek();
    if (chomping === "clip" && (code === 0x2b || code === 0x2d)) {
      chomping = code === 0x2b ? "keep" : "strip";
    } else if (increment === 0 && code >= 0x30 && code <= 0x39) {
      if (code === 0x30) throw cursor.fail("found an indentation indicator equal to 0", start);
      increment = code - 0x30;
    } else {
      break;
    }
    cursor.offset += 1;
  }
  while (isBlank(cursor.peek())) cursor.offset += 1;
  if (cursor.peek() === HASH) cursor.skipLine();
  if (!isBreakOrEnd(cursor.peek())) throw cursor.fail("did not find expected comment or line break", start);
  if (cursor.peek() !== END) cursor.takeBreak();
  return { chomping, increment };
}

class BlockLines {
  private readonly cursor: YamlCursor;
  private readonly parent: number;
  private readonly start: YamlMark;
  /** Column of the block's lines; 0 until its first line shows it. */
  indent: number;

  constructor(cursor: YamlCursor, parent: number, indent: number, start: YamlMark) {
    this.cursor = cursor;
    this.parent = parent;
    this.indent = indent;
    this.start = start;
  }

  /** Passes indentation and empty lines; answers their breaks. */
  skipToContent(): string {
    const { cursor } = this;
    let breaks = "";
    let widest = 0;
    for (;;) {
      while ((this.indent === 0 || cursor.column < this.indent) && cursor.peek() === SPACE) cursor.offset += 1;
      widest = Math.max(widest, cursor.column);
      const code = cursor.peek();
      if (code === TAB && (this.indent === 0 || cursor.column < this.indent))
        throw cursor.fail("found a tab character where an indentation space is expected", this.start);
      if (!isBreak(code)) break;
      breaks += cursor.takeBreak();
    }
    if (this.indent === 0) this.indent = Math.max(widest, this.parent + 1, 1);
    return breaks;
  }
}
