// One change of a YAML text at the place where it stands; every other character stays.

import { isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { stringifyYaml } from "./yaml.ts";

/** One change at a place that is named by keys of maps and true indices of lists. */
export interface YamlChange {
  /** `insert` puts a new item into a list; `set` is for keys of maps, new or not, and for items that are there. */
  readonly act: "set" | "insert" | "remove";
  readonly keys: readonly (string | number)[];
  readonly value: unknown;
}

/** The changed text; undefined where the form is not a simple one (aliases, merged maps, several things in a line). */
export function spliceYaml(text: string, change: YamlChange): string | undefined {
  const document = parseDocument(text, {
    schema: "failsafe",
    uniqueKeys: false,
    keepSourceTokens: true,
    logLevel: "silent",
  });
  if (document.errors.length > 0 || document.contents === null) return undefined;
  return new Splicer(text, document.contents as Node).change(change);
}

interface Place {
  readonly container: YAMLMap | YAMLSeq;
  /** Position among the items; -1 when there is none of that key. */
  readonly index: number;
  readonly key: string | number;
}

class Splicer {
  readonly #text: string;
  readonly #root: Node;
  readonly #eol: string;

  constructor(text: string, root: Node) {
    this.#text = text;
    this.#root = root;
    this.#eol = text.includes("\r\n") ? "\r\n" : "\n";
  }

  change({ act, keys, value }: YamlChange): string | undefined {
    const place = this.#find(keys);
    if (place === undefined) return undefined;
    const { container, index } = place;
    if (act === "remove") {
      // The last member leaves an empty container, which has to be spelled.
      if (container.items.length > 1) return this.#remove(container, index);
      return this.change({ act: "set", keys: keys.slice(0, -1), value: isMap(container) ? {} : [] });
    }
    if (act === "insert" || index < 0) return this.#insert(place, value);
    return this.#replace(container, index, value);
  }

  #find(keys: readonly (string | number)[]): Place | undefined {
    let node: unknown = this.#root;
    for (const [depth, key] of keys.entries()) {
      const isLast = depth === keys.length - 1;
      if (isMap(node)) {
        const index = node.items.findLastIndex((pair) => isScalar(pair.key) && pair.key.source === String(key));
        if (isLast) return { container: node, index, key };
        node = node.items[index]?.value;
      } else if (isSeq(node) && typeof key === "number") {
        if (isLast) return { container: node, index: key, key };
        node = node.items[key];
      } else return undefined;
    }
    return undefined;
  }

  #splice(start: number, end: number, insert: string): string {
    return this.#text.slice(0, start) + insert + this.#text.slice(end);
  }

  /** Where the value of an item begins and ends, and where what stands before it ends: the colon or the dash. */
  #span(container: YAMLMap | YAMLSeq, index: number): { readonly mark: number; readonly value: Node | undefined } {
    if (isMap(container)) {
      const pair = container.items[index] as Pair<Node, Node | null>;
      const colon = pair.srcToken?.sep?.find(({ type }) => type === "map-value-ind");
      if (colon === undefined) throw new TypeError("a key without a value");
      return { mark: colon.offset + 1, value: pair.value ?? undefined };
    }
    return { mark: this.#dash(container, index) + 1, value: container.items[index] as Node };
  }

  #dash(container: YAMLSeq, index: number): number {
    const { srcToken } = container;
    const start = srcToken?.type === "block-seq" ? srcToken.items[index]?.start : undefined;
    const dash = start?.find(({ type }) => type === "seq-item-ind");
    if (dash === undefined) throw new TypeError("an item without a dash");
    return dash.offset;
  }

  #replace(container: YAMLMap | YAMLSeq, index: number, value: unknown): string {
    if (container.flow === true) {
      const node = isMap(container) ? (container.items[index]?.value as Node) : (container.items[index] as Node);
      const [start, end] = rangeOf(node);
      return this.#splice(start, end, `${start === end ? " " : ""}${flowText(value)}`);
    }
    const { mark, value: node } = this.#span(container, index);
    const [start, end] = node === undefined ? [mark, mark] : rangeOf(node);
    const isInline = isScalarValue(value) || isEmpty(value) || (isFlow(node) && !isScalar(node));
    const column = isMap(container) ? this.#column(keyStart(container, index)) : this.#column(mark - 1);
    if (isInline) {
      const text = isScalarValue(value) ? this.#block(value, column) : flowText(value);
      // What stands in one line with its mark is replaced alone, so that spaces and comments around it stay.
      if (start < end && isFlow(node)) return this.#splice(start, end, text);
      return this.#splice(mark, start === end ? mark : this.#trimmed(end), ` ${text}`);
    }
    const inner = column + 2;
    const block = this.#block(value, inner);
    if (isSeq(container)) return this.#splice(mark, this.#trimmed(end), ` ${block}`);
    return this.#splice(mark, start === end ? mark : this.#trimmed(end), `${this.#eol}${" ".repeat(inner)}${block}`);
  }

  #insert({ container, index, key }: Place, value: unknown): string | undefined {
    const { items } = container;
    if (container.flow === true) {
      const text = isMap(container) ? `${keyText(String(key))}: ${flowText(value)}` : flowText(value);
      const [start, end] = rangeOf(container as Node);
      if (items.length === 0) return this.#splice(start + 1, end - 1, text);
      if (isSeq(container) && index < items.length) {
        const at = rangeOf(items[index] as Node)[0];
        return this.#splice(at, at, `${text}, `);
      }
      const last = endOf(items.at(-1));
      return this.#splice(last, last, `, ${text}`);
    }
    const isBetween = isSeq(container) && index < items.length;
    const first = isMap(container) ? keyStart(container, 0) : this.#dash(container, isBetween ? index : 0);
    const column = this.#column(first);
    const line = `${" ".repeat(column)}${isMap(container) ? this.#entry(String(key), value, column) : `- ${this.#block(value, column + 2)}`}`;
    if (isBetween) {
      const start = this.#lineStart(first);
      if (start === undefined) return undefined;
      return this.#splice(start, start, `${line}${this.#eol}`);
    }
    const at = this.#lineEnd(endOf(items.at(-1)));
    const isOpen = at > 0 && this.#text[at - 1] !== "\n";
    return this.#splice(at, at, isOpen ? `${this.#eol}${line}` : `${line}${this.#eol}`);
  }

  #remove(container: YAMLMap | YAMLSeq, index: number): string {
    const { items } = container;
    if (container.flow === true) {
      if (index + 1 < items.length) return this.#splice(startOf(items[index]), startOf(items[index + 1]), "");
      return this.#splice(endOf(items[index - 1]), endOf(items[index]), "");
    }
    const first = isMap(container) ? keyStart(container, index) : this.#dash(container, index);
    const lineStart = this.#lineStart(first);
    if (lineStart !== undefined) return this.#splice(lineStart, this.#lineEnd(endOf(items[index])), "");
    // It shares its line with the dash of the list around it: the next one takes its place.
    const next = isMap(container) ? keyStart(container, index + 1) : this.#dash(container, index + 1);
    return this.#splice(first, next, "");
  }

  #entry(key: string, value: unknown, column: number): string {
    if (isScalarValue(value)) return `${keyText(key)}: ${this.#block(value, column)}`;
    if (isEmpty(value)) return `${keyText(key)}: ${flowText(value)}`;
    const pad = " ".repeat(column + 2);
    return `${keyText(key)}:${this.#eol}${pad}${this.#block(value, column + 2)}`;
  }

  /** Block YAML whose first line stands somewhere already, and whose others begin at `column`. */
  #block(value: unknown, column: number): string {
    const pad = " ".repeat(column);
    const [first = "", ...others] = stringifyYaml(value).trimEnd().split("\n");
    return [first, ...others.map((line) => (line === "" ? "" : pad + line))].join(this.#eol);
  }

  #column(offset: number): number {
    return offset - (this.#text.lastIndexOf("\n", offset - 1) + 1);
  }

  /** Where the line begins, if nothing but spaces stands before `offset` in it. */
  #lineStart(offset: number): number | undefined {
    const start = this.#text.lastIndexOf("\n", offset - 1) + 1;
    return this.#text.slice(start, offset).trim() === "" ? start : undefined;
  }

  /** Behind the line in which something ends; block collections and block texts end with their last line. */
  #lineEnd(offset: number): number {
    if (offset > 0 && this.#text[offset - 1] === "\n") return offset;
    const newline = this.#text.indexOf("\n", offset);
    return newline < 0 ? this.#text.length : newline + 1;
  }

  #trimmed(end: number): number {
    let at = end;
    while (at > 0 && /[\r\n]/.test(this.#text[at - 1] ?? "")) at--;
    return at;
  }
}

function rangeOf(node: Node): readonly [number, number] {
  const [start, end] = node.range ?? [];
  if (start === undefined || end === undefined) throw new TypeError("a node that stands nowhere");
  return [start, end];
}

function keyStart({ items }: YAMLMap, index: number): number {
  const pair = items[index];
  // What would stand before the key belongs to it.
  if (pair?.srcToken?.start.some(({ type }) => type !== "space" && type !== "newline" && type !== "comment"))
    throw new TypeError("a key with a mark before it");
  return rangeOf(pair?.key as Node)[0];
}

function startOf(item: unknown): number {
  return rangeOf((isPair(item) ? item.key : item) as Node)[0];
}

function endOf(item: unknown): number {
  if (!isPair(item)) return rangeOf(item as Node)[1];
  return Math.max(rangeOf(item.key as Node)[1], item.value == null ? 0 : rangeOf(item.value as Node)[1]);
}

function isPair(item: unknown): item is Pair {
  return typeof item === "object" && item !== null && "key" in item;
}

/** Whether a node stands in one line with its mark. */
function isFlow(node: Node | undefined): boolean {
  if (isScalar(node)) return node.type !== "BLOCK_LITERAL" && node.type !== "BLOCK_FOLDED";
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function isScalarValue(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function keyText(key: string): string {
  const text = stringifyYaml(key).trimEnd();
  if (text.includes("\n")) throw new TypeError("a key of several lines");
  return text;
}

/** As it may stand between brackets. */
function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${flowText(key)}: ${flowText(inner)}`);
    return `{${entries.join(", ")}}`;
  }
  const text = stringifyYaml(value).trimEnd();
  return /^[\w./-]+$/.test(text) ? text : JSON.stringify(value);
}
