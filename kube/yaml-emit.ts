// Writes values as block YAML, byte for byte as `kubectl get -o yaml` and kustomize do.
//
// Both print through one Go library whose folding, quoting and key order no npm package reproduces; tools compare and
// review such text, so ours has to be equal and not only equivalent.

import { isBreak } from "./yaml-characters.ts";
import { compareKeys, formatYamlNumber, isAscii } from "./yaml-format.ts";
import { looksLikeAnotherType } from "./yaml-scalars.ts";

export interface EmitOptions {
  /** Sorts the keys of every map in natural order (`z9` before `z10`); otherwise their own order is kept. */
  readonly sortKeys: boolean;
  /**
   * Escapes Unicode line separators. The tools write them raw, and readers of YAML 1.2 then see other text; only
   * output that must equal theirs leaves this off.
   */
  readonly escapeSeparators?: boolean;
}

/** Lines longer than this are folded at the next space. */
const BEST_WIDTH = 80;
const LONGEST_SIMPLE_KEY = 128;

/** The text of one document, with a final newline. Throws `TypeError` for what JSON cannot hold (NaN, functions). */
export function emitYamlDocument(value: unknown, options: EmitOptions): string {
  const emitter = new Emitter(options);
  emitter.root(value);
  return emitter.finish();
}

type Style = "plain" | "single" | "double" | "literal";

interface Analysis {
  readonly multiline: boolean;
  readonly plainAllowed: boolean;
  readonly singleAllowed: boolean;
  readonly blockAllowed: boolean;
}

// Text that is plain whatever stands around it, which is nearly every key and value.
const SURELY_PLAIN = /^[A-Za-z_/$(<=.][A-Za-z0-9_/$(){}<=.;+^,@~% -]*(?::[A-Za-z0-9_/.-]+)*$/;

// The same few keys stand in nearly every object.
const PLAIN_KEYS = new Set<string>();
const MOST_PLAIN_KEYS = 4096;

function rememberPlainKey(key: string): void {
  if (key.length > 40 || key.includes(" ") || !SURELY_PLAIN.test(key) || looksLikeAnotherType(key)) return;
  if (key.startsWith("...")) return;
  if (PLAIN_KEYS.size >= MOST_PLAIN_KEYS) PLAIN_KEYS.clear();
  PLAIN_KEYS.add(key);
}

class Emitter {
  private readonly sortKeys: boolean;
  private readonly escapeSeparators: boolean;
  private readonly parts: string[] = [];
  private column = 0;
  private indent = -1;
  private whitespace = true;
  private indention = true;

  constructor(options: EmitOptions) {
    this.sortKeys = options.sortKeys;
    this.escapeSeparators = options.escapeSeparators ?? false;
  }

  root(value: unknown): void {
    this.node(value, false);
  }

  finish(): string {
    if (this.column > 0) this.parts.push("\n");
    return this.parts.join("");
  }

  private node(value: unknown, inMapping: boolean): void {
    if (Array.isArray(value)) this.sequence(value, inMapping);
    else if (typeof value === "object" && value !== null) this.mapping(value as Record<string, unknown>);
    else this.scalar(value);
  }

  private sequence(items: readonly unknown[], inMapping: boolean): void {
    if (items.length === 0) {
      this.indicator("[]", true);
      return;
    }
    const outer = this.indent;
    // A list directly under a key stands at the key's own column.
    if (outer < 0) this.indent = 0;
    else if (!(inMapping && !this.indention)) this.indent += 2;
    for (const item of items) {
      this.newLine();
      this.indicator("-", true, true);
      this.node(item === undefined ? null : item, false);
    }
    this.indent = outer;
  }

  private mapping(object: Record<string, unknown>): void {
    const keys = Object.keys(object);
    if (this.sortKeys && keys.length > 1) keys.sort(compareKeys);
    if (keys.every((key) => object[key] === undefined)) {
      this.indicator("{}", true);
      return;
    }
    const outer = this.indent;
    this.indent = outer < 0 ? 0 : outer + 2;
    for (const key of keys) {
      if (object[key] === undefined) continue;
      this.newLine();
      if (PLAIN_KEYS.has(key)) {
        this.put(`${key}:`);
        this.whitespace = false;
        this.indention = false;
      } else if (isSimpleKey(key)) {
        this.text(key, true);
        this.indicator(":", false);
        rememberPlainKey(key);
      } else {
        this.indicator("?", true, true);
        this.text(key, false);
        this.newLine();
        this.indicator(":", true, true);
      }
      this.node(object[key], true);
    }
    this.indent = outer;
  }

  private scalar(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.text(value, false);
        return;
      case "number":
      case "bigint":
        this.word(formatYamlNumber(value));
        return;
      case "boolean":
        this.word(value ? "true" : "false");
        return;
      default:
        if (value !== null && value !== undefined) throw new TypeError(`a ${typeof value} cannot be written`);
        this.word("null");
    }
  }

  private word(text: string): void {
    if (!this.whitespace) this.put(" ");
    this.put(text);
    this.whitespace = false;
    this.indention = false;
  }

  private text(text: string, isKey: boolean): void {
    if (this.isSurelyPlain(text)) {
      this.word(text);
      return;
    }
    const analysis = analyze(text, this.escapeSeparators);
    const outer = this.indent;
    this.indent = outer < 0 ? 2 : outer + 2;
    switch (styleOf(text, analysis, isKey)) {
      case "plain":
        this.plain(text, !isKey);
        break;
      case "single":
        this.single(text, !isKey);
        break;
      case "double":
        this.double(text, !isKey);
        break;
      case "literal":
        this.literal(text);
    }
    this.indent = outer;
  }

  private isSurelyPlain(text: string): boolean {
    if (!SURELY_PLAIN.test(text) || text.startsWith("...") || text.endsWith(" ")) return false;
    if (text.length + this.column >= BEST_WIDTH && text.includes(" ")) return false;
    return !looksLikeAnotherType(text);
  }

  private plain(text: string, mayBreak: boolean): void {
    if (!this.whitespace) this.put(" ");
    this.folded(text, mayBreak, (i) => text[i + 1] !== " ");
    this.whitespace = false;
    this.indention = false;
  }

  private single(text: string, mayBreak: boolean): void {
    this.indicator("'", true);
    const doubled = text.replaceAll("'", "''");
    this.folded(doubled, mayBreak, (i) => i > 0 && i < doubled.length - 1 && doubled[i + 1] !== " ");
    this.indicator("'", false);
  }

  private folded(text: string, mayBreak: boolean, breaksAt: (index: number) => boolean): void {
    let spaces = false;
    let breaks = false;
    for (let i = 0; i < text.length; i++) {
      const char = text[i]!;
      if (char === " ") {
        if (mayBreak && !spaces && this.column > BEST_WIDTH && breaksAt(i)) this.newLine();
        else this.put(char);
        spaces = true;
      } else if (isBreak(text.charCodeAt(i))) {
        if (!breaks && char === "\n") this.lineBreak("\n");
        this.lineBreak(char);
        this.indention = true;
        breaks = true;
      } else {
        if (breaks) this.newLine();
        this.put(char);
        this.indention = false;
        spaces = false;
        breaks = false;
      }
    }
  }

  private double(text: string, mayBreak: boolean): void {
    this.indicator('"', true);
    let spaces = false;
    // The tools take every character for a byte order mark when the text starts with one.
    const escapesAll = text.startsWith("\ufeff");
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i)!;
      if (code > 0xffff) i += 1;
      if (escapesAll || !isPrintable(code) || isBreak(code) || code === 0x22 || code === 0x5c) {
        this.put(escapeOf(code));
        spaces = false;
      } else if (code === 0x20) {
        if (mayBreak && !spaces && this.column > BEST_WIDTH && i > 0 && i < text.length - 1) {
          this.newLine();
          if (text[i + 1] === " ") this.put("\\");
        } else {
          this.put(" ");
        }
        spaces = true;
      } else {
        this.put(String.fromCodePoint(code));
        spaces = false;
      }
    }
    this.indicator('"', false);
  }

  private literal(text: string): void {
    this.indicator("|", true);
    const first = text.charCodeAt(0);
    if (first === 0x20 || isBreak(first)) this.indicator("2", false);
    if (!isBreak(text.charCodeAt(text.length - 1))) this.indicator("-", false);
    else if (text.length === 1 || isBreak(text.charCodeAt(text.length - 2))) this.indicator("+", false);
    this.lineBreak("\n");
    this.indention = true;
    this.whitespace = true;
    let start = 0;
    for (let i = 0; i <= text.length; i++) {
      if (i < text.length && !isBreak(text.charCodeAt(i))) continue;
      if (i > start) {
        this.newLine();
        this.put(text.slice(start, i));
        this.indention = false;
      }
      if (i < text.length) {
        this.lineBreak(text[i]!);
        this.indention = true;
      }
      start = i + 1;
    }
  }

  private indicator(text: string, needsSpace: boolean, opensBlock = false): void {
    if (needsSpace && !this.whitespace) this.put(" ");
    this.put(text);
    this.whitespace = false;
    this.indention = this.indention && opensBlock;
  }

  private newLine(): void {
    const indent = Math.max(this.indent, 0);
    if (!this.indention || this.column > indent || (this.column === indent && !this.whitespace)) this.lineBreak("\n");
    if (this.column < indent) this.put(" ".repeat(indent - this.column));
    this.whitespace = true;
    this.indention = true;
  }

  private lineBreak(char: string): void {
    this.parts.push(char);
    this.column = 0;
  }

  private put(text: string): void {
    this.parts.push(text);
    this.column += text.length;
  }
}

function isSimpleKey(key: string): boolean {
  if (key.length > LONGEST_SIMPLE_KEY) return false;
  for (let i = 0; i < key.length; i++) if (isBreak(key.charCodeAt(i))) return false;
  return isAscii(key) || Buffer.byteLength(key) <= LONGEST_SIMPLE_KEY;
}

function styleOf(text: string, analysis: Analysis, isKey: boolean): Style {
  let style: Style = "plain";
  if (text.includes("\n")) style = "literal";
  else if (looksLikeAnotherType(text)) style = "double";
  if (isKey && analysis.multiline) style = "double";
  if (style === "plain" && !analysis.plainAllowed) style = "single";
  if (style === "single" && !analysis.singleAllowed) style = "double";
  if (style === "literal" && (!analysis.blockAllowed || isKey)) style = "double";
  return style;
}

/** What the characters of a text permit, whatever it means. */
function analyze(text: string, escapeSeparators: boolean): Analysis {
  let blockIndicator = text.startsWith("---") || text.startsWith("...");
  let special = false;
  let lineBreaks = false;
  let breakSpace = false;
  let spaceBreak = false;
  let previous: "space" | "break" | "other" = "other";
  let afterBlank = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i += 1;
    const beforeBlank = i + 1 >= text.length || isBlank(text.charCodeAt(i + 1));
    if (i === 0 && "#,[]{}&*!|>'\"%@`".includes(text[0]!)) blockIndicator = true;
    else if (code === 0x3a && beforeBlank) blockIndicator = true;
    else if (i === 0 && (code === 0x3f || code === 0x2d) && beforeBlank) blockIndicator = true;
    else if (code === 0x23 && afterBlank) blockIndicator = true;
    if (!isPrintable(code) || (escapeSeparators && code > 0x20 && isBreak(code))) special = true;
    if (code === 0x20) {
      if (previous === "break") breakSpace = true;
      previous = "space";
    } else if (isBreak(code)) {
      lineBreaks = true;
      if (previous === "space") spaceBreak = true;
      previous = "break";
    } else {
      previous = "other";
    }
    afterBlank = isBlank(code);
  }
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  const blankEnd = first === 0x20 || last === 0x20 || isBreak(first) || isBreak(last);
  return {
    multiline: lineBreaks,
    plainAllowed: !(blankEnd || breakSpace || spaceBreak || special || lineBreaks || blockIndicator),
    singleAllowed: !(breakSpace || spaceBreak || special),
    blockAllowed: text !== "" && !(last === 0x20 || spaceBreak || special),
  };
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0 || isBreak(code);
}

function isPrintable(code: number): boolean {
  if (code < 0x7f) return code >= 0x20 || code === 0x0a;
  return code >= 0xa0 && code <= 0xfffd && code !== 0xfeff && !(code >= 0xd800 && code < 0xe000);
}

const ESCAPES = new Map<number, string>([
  [0x00, "\\0"],
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x1b, "\\e"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
  [0x85, "\\N"],
  [0xa0, "\\_"],
  [0x2028, "\\L"],
  [0x2029, "\\P"],
]);

function escapeOf(code: number): string {
  const known = ESCAPES.get(code);
  if (known !== undefined) return known;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
