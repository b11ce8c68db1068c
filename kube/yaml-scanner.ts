// From the text of YAML to tokens, with the exact reach of go-yaml: what it accepts, how it reads it, how it complains.
//
// YAML tells a key only by the colon after it. So whatever could be a key is remembered while it is passed, and the token
// that says "here is a key" is put in front of it when its colon comes.

import { END, isBlank, isBlankOrEnd, isBreak } from "./yaml-characters.ts";
import { YamlCursor, type YamlMark } from "./yaml-cursor.ts";
import { scanBlock, scanPlain, scanQuoted } from "./yaml-scalar-scanner.ts";
import { scanDirective, scanName, scanTag, type TagText } from "./yaml-tag-scanner.ts";

export type ScalarStyle = "plain" | "single" | "double" | "literal" | "folded";

export type YamlTokenKind =
  | "end"
  | "version-directive"
  | "tag-directive"
  | "document-start"
  | "document-end"
  | "list-start"
  | "map-start"
  | "block-end"
  | "["
  | "]"
  | "{"
  | "}"
  | ","
  | "-"
  | "?"
  | ":"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar";

export interface YamlToken {
  readonly kind: YamlTokenKind;
  readonly mark: YamlMark;
  /** Position after the token. */
  readonly end: number;
  /** Text of a scalar, name of an anchor, handle of a tag. */
  readonly text: string;
  /** Of a tag: what follows its handle. */
  readonly suffix: string;
  readonly style: ScalarStyle;
}

interface PossibleKey {
  possible: boolean;
  /** Nothing but a key can stand here. */
  required: boolean;
  /** Place of its first token, counted from the beginning. */
  token: number;
  mark: YamlMark;
}

/** A key that is not marked with `?` is on one line, and its colon within so many characters. */
const LONGEST_KEY = 1024;

const HASH = 0x23;
const TAB = 0x09;
const SPACE = 0x20;

export class YamlScanner {
  private readonly cursor: YamlCursor;
  private readonly jsonEscapes: boolean;
  private readonly queue: YamlToken[] = [];
  private head = 0;
  /** Tokens that were taken from the queue before it was emptied last. */
  private passed = 0;
  private indent = -1;
  private readonly indents: number[] = [];
  /** One per open flow collection, and one for the block around them. */
  private readonly keys: PossibleKey[];
  private keyAllowed = true;
  private ended = false;

  constructor(text: string, jsonEscapes: boolean) {
    this.cursor = new YamlCursor(text);
    this.jsonEscapes = jsonEscapes;
    this.keys = [this.noKey()];
  }

  /** The next token, which stays. Throws `YamlFault`. */
  peek(): YamlToken {
    while (this.head >= this.queue.length || this.headMayBecomeKey()) {
      if (this.ended) break;
      this.fetch();
    }
    // The last token is "end", which is never passed.
    return this.queue[this.head]!;
  }

  /** Passes the token that `peek` answered. */
  skip(): void {
    if (this.queue[this.head]?.kind === "end") return;
    this.head += 1;
    if (this.head < this.queue.length) return;
    this.passed += this.head;
    this.queue.length = 0;
    this.head = 0;
  }

  private headMayBecomeKey(): boolean {
    const place = this.passed + this.head;
    for (const key of this.keys) if (key.possible && key.token === place && this.isValid(key)) return true;
    return false;
  }

  private noKey(): PossibleKey {
    return { possible: false, required: false, token: 0, mark: this.cursor.mark() };
  }

  private get inFlow(): boolean {
    return this.keys.length > 1;
  }

  private get key(): PossibleKey {
    // There is always the key of the block.
    return this.keys[this.keys.length - 1]!;
  }

  private isValid(key: PossibleKey): boolean {
    if (!key.possible) return false;
    const { cursor } = this;
    if (key.mark.line === cursor.line && !isFartherThan(LONGEST_KEY, cursor.text, key.mark.offset, cursor.offset))
      return true;
    if (key.required) throw cursor.fail("could not find expected ':'", key.mark);
    key.possible = false;
    return false;
  }

  private rememberKey(): void {
    if (!this.keyAllowed) return;
    this.forgetKey();
    const { key, cursor } = this;
    key.possible = true;
    key.required = !this.inFlow && this.indent === cursor.column;
    key.token = this.passed + this.queue.length;
    key.mark = cursor.mark();
  }

  private forgetKey(): void {
    const { key } = this;
    if (key.possible && key.required) throw this.cursor.fail("could not find expected ':'", key.mark);
    key.possible = false;
  }

  private fetch(): void {
    const { cursor } = this;
    this.skipToToken();
    this.closeBlocks(cursor.column);
    const code = cursor.peek();
    if (code === END) this.fetchEnd();
    else if (code === 0x25 && cursor.column === 0) this.fetchDirective();
    else if (cursor.atDocumentMark()) this.fetchDocumentMark(code === 0x2d ? "document-start" : "document-end");
    else this.fetchContent(code);
  }

  private fetchContent(code: number): void {
    const { cursor } = this;
    switch (code) {
      case 0x5b:
        this.fetchOpening("[");
        return;
      case 0x7b:
        this.fetchOpening("{");
        return;
      case 0x5d:
        this.fetchClosing("]");
        return;
      case 0x7d:
        this.fetchClosing("}");
        return;
      case 0x2c:
        this.forgetKey();
        this.keyAllowed = true;
        this.indicator(",");
        return;
      case 0x2d:
        if (isBlankOrEnd(cursor.peek(1))) {
          this.fetchDash();
          return;
        }
        break;
      case 0x3f:
        if (this.inFlow || isBlankOrEnd(cursor.peek(1))) {
          this.fetchQuestion();
          return;
        }
        break;
      case 0x3a:
        if (this.inFlow || isBlankOrEnd(cursor.peek(1))) {
          this.fetchColon();
          return;
        }
        break;
      case 0x2a:
        this.fetchName("alias");
        return;
      case 0x26:
        this.fetchName("anchor");
        return;
      case 0x21:
        this.fetchTag();
        return;
      case 0x7c:
      case 0x3e:
        if (!this.inFlow) {
          this.fetchBlock(code === 0x7c ? "literal" : "folded");
          return;
        }
        break;
      case 0x27:
      case 0x22:
        this.fetchQuoted(code === 0x27 ? "single" : "double");
        return;
    }
    if (!this.canStartPlain(code)) throw cursor.fail("found character that cannot start any token", cursor.mark());
    this.fetchPlain();
  }

  private canStartPlain(code: number): boolean {
    if (code === 0x2d) return !isBlank(this.cursor.peek(1));
    if (code === 0x3f || code === 0x3a) return !this.inFlow && !isBlankOrEnd(this.cursor.peek(1));
    return code !== TAB && !"#|>%@`".includes(String.fromCharCode(code));
  }

  /** Passes blanks, comments and line breaks. */
  private skipToToken(): void {
    const { cursor } = this;
    for (;;) {
      if (cursor.column === 0 && cursor.peek() === 0xfeff) cursor.offset += 1;
      let code = cursor.peek();
      // A tab may not indent a key.
      while (code === SPACE || (code === TAB && (this.inFlow || !this.keyAllowed))) {
        cursor.offset += 1;
        code = cursor.peek();
      }
      if (code === HASH) {
        cursor.skipLine();
        code = cursor.peek();
      }
      if (!isBreak(code)) return;
      cursor.takeBreak();
      if (!this.inFlow) this.keyAllowed = true;
    }
  }

  private push(kind: YamlTokenKind, mark: YamlMark, text = "", suffix = "", style: ScalarStyle = "plain"): void {
    this.queue.push({ kind, mark, end: this.cursor.offset, text, suffix, style });
  }

  private insert(place: number, kind: YamlTokenKind, mark: YamlMark): void {
    const token: YamlToken = { kind, mark, end: mark.offset, text: "", suffix: "", style: "plain" };
    this.queue.splice(place - this.passed, 0, token);
  }

  private indicator(kind: YamlTokenKind): void {
    const mark = this.cursor.mark();
    this.cursor.offset += 1;
    this.push(kind, mark);
  }

  /** Opens a block collection at a column, if it is none of the open ones'. */
  private openBlock(column: number, place: number, kind: "list-start" | "map-start", mark: YamlMark): void {
    if (this.inFlow || this.indent >= column) return;
    this.indents.push(this.indent);
    this.indent = column;
    this.insert(place, kind, mark);
  }

  private closeBlocks(column: number): void {
    if (this.inFlow) return;
    while (this.indent > column) {
      this.push("block-end", this.cursor.mark());
      this.indent = this.indents.pop() ?? -1;
    }
  }

  private fetchEnd(): void {
    if (this.cursor.column > 0) this.cursor.startLine();
    this.leaveDocument();
    this.push("end", this.cursor.mark());
    this.ended = true;
  }

  private leaveDocument(): void {
    this.closeBlocks(-1);
    this.forgetKey();
    this.keyAllowed = false;
  }

  private fetchDocumentMark(kind: "document-start" | "document-end"): void {
    this.leaveDocument();
    const mark = this.cursor.mark();
    this.cursor.offset += 3;
    this.push(kind, mark);
  }

  private fetchDirective(): void {
    this.leaveDocument();
    const mark = this.cursor.mark();
    const { kind, text, suffix } = scanDirective(this.cursor, mark);
    this.push(kind, mark, text, suffix);
  }

  private fetchOpening(kind: "[" | "{"): void {
    this.rememberKey();
    this.keys.push(this.noKey());
    this.keyAllowed = true;
    this.indicator(kind);
  }

  private fetchClosing(kind: "]" | "}"): void {
    this.forgetKey();
    if (this.inFlow) this.keys.pop();
    this.keyAllowed = false;
    this.indicator(kind);
  }

  private fetchDash(): void {
    const { cursor } = this;
    if (!this.inFlow) {
      if (!this.keyAllowed) throw cursor.fail("block sequence entries are not allowed in this context");
      this.openBlock(cursor.column, this.passed + this.queue.length, "list-start", cursor.mark());
    }
    this.forgetKey();
    this.keyAllowed = true;
    this.indicator("-");
  }

  private fetchQuestion(): void {
    const { cursor } = this;
    if (!this.inFlow) {
      if (!this.keyAllowed) throw cursor.fail("mapping keys are not allowed in this context");
      this.openBlock(cursor.column, this.passed + this.queue.length, "map-start", cursor.mark());
    }
    this.forgetKey();
    this.keyAllowed = !this.inFlow;
    this.indicator("?");
  }

  private fetchColon(): void {
    const { cursor, key } = this;
    if (this.isValid(key)) {
      this.insert(key.token, "?", key.mark);
      this.openBlock(key.mark.column, key.token, "map-start", key.mark);
      key.possible = false;
      this.keyAllowed = false;
    } else {
      if (!this.inFlow) {
        if (!this.keyAllowed) throw cursor.fail("mapping values are not allowed in this context");
        this.openBlock(cursor.column, this.passed + this.queue.length, "map-start", cursor.mark());
      }
      this.keyAllowed = !this.inFlow;
    }
    this.indicator(":");
  }

  private fetchName(kind: "alias" | "anchor"): void {
    this.rememberKey();
    this.keyAllowed = false;
    const mark = this.cursor.mark();
    this.push(kind, mark, scanName(this.cursor, mark));
  }

  private fetchTag(): void {
    this.rememberKey();
    this.keyAllowed = false;
    const mark = this.cursor.mark();
    const { handle, suffix }: TagText = scanTag(this.cursor, mark);
    this.push("tag", mark, handle, suffix);
  }

  private fetchBlock(style: "literal" | "folded"): void {
    this.forgetKey();
    this.keyAllowed = true;
    const mark = this.cursor.mark();
    this.push("scalar", mark, scanBlock(this.cursor, this.indent), "", style);
  }

  private fetchQuoted(style: "single" | "double"): void {
    this.rememberKey();
    this.keyAllowed = false;
    const mark = this.cursor.mark();
    this.push("scalar", mark, scanQuoted(this.cursor, this.jsonEscapes), "", style);
  }

  private fetchPlain(): void {
    this.rememberKey();
    this.keyAllowed = false;
    const mark = this.cursor.mark();
    const { text, endsLine } = scanPlain(this.cursor, this.inFlow, this.indent + 1);
    this.push("scalar", mark, text);
    if (endsLine) this.keyAllowed = true;
  }
}

/** Whether more than `limit` characters lie between two places. */
function isFartherThan(limit: number, text: string, from: number, to: number): boolean {
  if (to - from <= limit) return false;
  return to - from > 2 * limit || Array.from(text.slice(from, to)).length > limit;
}
