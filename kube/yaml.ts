// The only place that knows the YAML library: text to values and back, read as Kubernetes reads it.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseAllDocuments,
  Scalar,
} from "yaml";
import { AppError } from "../runtime/errors.ts";
import { setOwn } from "./object.ts";
import { readSimpleYaml } from "./yaml-block.ts";
import { emitYamlDocument } from "./yaml-emit.ts";
import { goYamlMessage } from "./yaml-go-words.ts";
import type { YamlEntry, YamlNode, YamlScalar } from "./yaml-node.ts";
import { readFloat, readInteger, readKubernetesScalar, type ScalarValue } from "./yaml-scalars.ts";

export interface YamlOptions {
  /** How messages name the text, usually a path. */
  readonly file?: string;
  /** Aliases (`*name`) allowed in one text. Default 1000. */
  readonly maxAliases?: number;
  /** Nodes that aliases may add to one text. Default 100 000, which stops an alias bomb before it grows. */
  readonly maxAliasedNodes?: number;
  /** Levels of nesting. Default 100. */
  readonly maxDepth?: number;
  /** Length of the text in UTF-16 units. Default 16 Mi. */
  readonly maxLength?: number;
  /** A key that occurs twice in a map: refused (default), or the last one wins as in `kubectl`. */
  readonly duplicateKeys?: "refuse" | "last-wins";
  /** A key that is null (`~: 1`): read as the text `null` (default), or refused as Kubernetes' own parser does. */
  readonly nullKeys?: "text" | "refuse";
}

export interface YamlDocument {
  readonly value: unknown;
  /** Line of the file on which the content starts, from 1. */
  readonly line: number;
}

export interface YamlNodeDocument {
  readonly node: YamlNode;
  readonly line: number;
}

/**
 * Reads a text that holds one document. Empty text is null.
 *
 * Integers beyond 2^53 come as bigint. Throws `AppError` with code `yaml-invalid`, `yaml-duplicate-key`,
 * `yaml-too-deep`, `yaml-too-large` or `yaml-too-many-aliases` and details `{file, line, column, what, goMessage?}`.
 */
export function parseYaml(text: string, options: YamlOptions = {}): unknown {
  const documents = parseYamlDocuments(text, options);
  if (documents.length > 1) {
    throw yamlError(
      "yaml-invalid",
      options.file,
      documents[1]!.line,
      1,
      "one document was expected, here starts another",
    );
  }
  return documents[0]?.value ?? null;
}

/** Reads every document of a text in order; documents without content are left out. Errors as `parseYaml`. */
export function parseYamlDocuments(text: string, options: YamlOptions = {}): YamlDocument[] {
  const reader = new NodeReader(text, options);
  return reader.documents().map(({ node, line }) => ({ value: reader.toValue(node), line }));
}

/** Reads every document of a text without deciding what its scalars mean. Errors as `parseYaml`. */
export function parseYamlNodes(text: string, options: YamlOptions = {}): YamlNodeDocument[] {
  return new NodeReader(text, options, true).documents();
}

/** Writes a value as block YAML in the order of its keys, quoted so that YAML 1.1 and 1.2 tools read the same. */
export function stringifyYaml(value: unknown): string {
  return emitYamlDocument(value, { sortKeys: false, escapeSeparators: true });
}

function yamlError(
  code: string,
  file: string | undefined,
  line: number | undefined,
  column: number | undefined,
  what: string,
  goMessage?: string,
): AppError {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  return new AppError(code, place === "" ? what : `${place}: ${what}`, {
    recovery: "stall",
    details: { file, line, column, what, ...(goMessage === undefined ? {} : { goMessage }) },
  });
}

const DEFAULT_MAX_DEPTH = 100;

interface Built {
  readonly node: YamlNode;
  /** Nodes in the tree with aliases expanded. */
  readonly size: number;
}

class NodeReader {
  private readonly text: string;
  private readonly options: YamlOptions;
  // Whoever asks for nodes decides what keys mean, so equal keys are those of equal text.
  private readonly keysAreText: boolean;
  private readonly lines = new LineCounter();
  private anchors = new Map<string, Built>();
  private open = new Set<string>();
  private aliases = 0;
  private aliasedNodes = 0;

  constructor(text: string, options: YamlOptions, keysAreText = false) {
    this.options = options;
    this.keysAreText = keysAreText;
    const limit = options.maxLength ?? 16 * 1024 * 1024;
    if (text.length > limit) {
      throw yamlError(
        "yaml-too-large",
        options.file,
        undefined,
        undefined,
        `the text is longer than ${limit} characters`,
      );
    }
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  documents(): YamlNodeDocument[] {
    const control = FORBIDDEN.exec(this.text);
    if (control !== null) {
      throw this.errorAt(
        "yaml-invalid",
        control.index,
        "this control character is not allowed; write it as an escape",
        "control characters are not allowed",
      );
    }
    const simple = readSimpleYaml(this.text, this.options.maxDepth ?? DEFAULT_MAX_DEPTH);
    if (simple !== undefined && this.hasUniqueKeys(simple)) return this.withLines(simple);
    const result: YamlNodeDocument[] = [];
    for (const document of this.parse()) {
      const error = document.errors[0];
      if (error !== undefined) throw this.syntaxError(error);
      this.anchors = new Map();
      if (document.contents === null) continue;
      const { node } = this.build(document.contents, 0);
      if (node.kind === "scalar" && node.plain && node.tag === undefined && node.text === "") continue;
      result.push({ node, line: this.lines.linePos(node.offset).line });
    }
    return result;
  }

  // Repeated keys are rare: the slower way reports them, or lets the last one win.
  private hasUniqueKeys(nodes: readonly YamlNode[]): boolean {
    return nodes.every((node) => {
      if (node.kind === "scalar") return true;
      if (node.kind === "sequence") return this.hasUniqueKeys(node.items);
      const names = new Set<string>();
      for (const { key, value } of node.entries) {
        names.add(this.keyText(key));
        if (value.kind !== "scalar" && !this.hasUniqueKeys([value])) return false;
      }
      return names.size === node.entries.length;
    });
  }

  private withLines(nodes: readonly YamlNode[]): YamlNodeDocument[] {
    let line = 1;
    let at = 0;
    return nodes.map((node) => {
      for (let next = this.text.indexOf("\n", at); next >= 0 && next < node.offset; ) {
        line += 1;
        at = next + 1;
        next = this.text.indexOf("\n", at);
      }
      return { node, line };
    });
  }

  toValue(node: YamlNode): unknown {
    switch (node.kind) {
      case "scalar":
        return this.scalarValue(node);
      case "sequence":
        return node.items.map((item) => this.toValue(item));
      case "map": {
        const object: Record<string, unknown> = {};
        for (const { key, value } of node.entries) setOwn(object, this.keyText(key), this.toValue(value));
        return object;
      }
    }
  }

  private parse(): readonly Document.Parsed[] {
    this.checkNesting();
    try {
      // Failsafe leaves every scalar as text; its own check of repeated keys takes quadratic time.
      const documents = parseAllDocuments(this.text, {
        schema: "failsafe",
        uniqueKeys: false,
        prettyErrors: false,
        logLevel: "silent",
        lineCounter: this.lines,
      });
      return "empty" in documents ? [] : documents;
    } catch (error) {
      if (error instanceof RangeError) throw this.errorAt("yaml-too-deep", 0, "the nesting is too deep");
      throw error;
    }
  }

  // The library takes long to read a deep nesting, and more than linear time to refuse a broken one.
  private checkNesting(): void {
    const limit = this.options.maxDepth ?? DEFAULT_MAX_DEPTH;
    if (!mayNestDeeper(this.text, limit)) return;
    let flow = 0;
    let indicators = 0;
    let offset = 0;
    let isScalar = false;
    for (const token of new Lexer().lex(this.text)) {
      // A scalar follows its mark, and may look like anything.
      if (isScalar) isScalar = false;
      else if (token === SCALAR_MARK) isScalar = true;
      else if (token === "[" || token === "{") flow += 1;
      else if (token === "]" || token === "}") flow = Math.max(0, flow - 1);
      else if (token.endsWith("\n")) indicators = 0;
      else if (flow === 0 && (token === "-" || token === "?" || token === ":")) indicators += 1;
      // The outermost collection is level 0.
      if (flow > limit + 1 || indicators > limit + 1)
        throw this.errorAt("yaml-too-deep", offset, `the nesting is deeper than ${limit} levels`);
      if (token.charCodeAt(0) > 0x1f || token.includes("\n")) offset += token.length;
    }
  }

  private build(node: Node, depth: number): Built {
    const offset = node.range?.[0] ?? 0;
    const limit = this.options.maxDepth ?? DEFAULT_MAX_DEPTH;
    if (depth > limit) throw this.errorAt("yaml-too-deep", offset, `the nesting is deeper than ${limit} levels`);
    if (isAlias(node)) return this.resolveAlias(node, offset);
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor !== undefined) this.open.add(anchor);
    const built = this.buildContent(node, offset, depth);
    if (anchor !== undefined) {
      this.open.delete(anchor);
      this.anchors.set(anchor, built);
    }
    return built;
  }

  private buildContent(node: Node, offset: number, depth: number): Built {
    if (isScalar(node)) return { node: scalarNode(node, offset), size: 1 };
    let size = 1;
    if (isSeq(node)) {
      const items: YamlNode[] = [];
      for (const item of node.items) {
        const built = item === null ? { node: emptyScalar(offset), size: 1 } : this.build(item as Node, depth + 1);
        size += built.size;
        items.push(built.node);
      }
      return { node: { kind: "sequence", items, offset }, size };
    }
    if (!isMap(node)) throw this.errorAt("yaml-invalid", offset, "this is no map, list or scalar");
    const entries: YamlEntry[] = [];
    const merges: YamlEntry[] = [];
    for (const pair of node.items) {
      const key = pair.key === null ? emptyScalar(offset) : this.build(pair.key as Node, depth + 1).node;
      if (key.kind !== "scalar") throw this.errorAt("yaml-invalid", key.offset, "a key must be a scalar");
      const built =
        pair.value === null || pair.value === undefined
          ? { node: emptyScalar(key.offset), size: 1 }
          : this.build(pair.value as Node, depth + 1);
      size += built.size + 1;
      const entry = { key, value: built.node };
      if (key.plain && key.text === "<<" && (key.tag === undefined || key.tag === "!!merge")) merges.push(entry);
      else entries.push(entry);
    }
    return { node: { kind: "map", entries: this.mergeEntries(entries, merges), offset }, size };
  }

  private mergeEntries(own: YamlEntry[], merges: readonly YamlEntry[]): YamlEntry[] {
    const seen = new Map<string, number>();
    let entries = own;
    for (const [index, { key }] of own.entries()) {
      const name = this.keyText(key);
      if (seen.has(name) && this.options.duplicateKeys !== "last-wins") {
        const first = this.lines.linePos(own[seen.get(name)!]!.key.offset).line;
        throw this.errorAt("yaml-duplicate-key", key.offset, `the key "${name}" is already set on line ${first}`);
      }
      seen.set(name, index);
    }
    if (seen.size < own.length) entries = [...seen.values()].sort((a, b) => a - b).map((index) => own[index]!);
    for (const { key, value } of merges) {
      for (const source of value.kind === "sequence" ? value.items : [value]) {
        if (source.kind !== "map") throw this.errorAt("yaml-invalid", key.offset, "<< takes a map or a list of maps");
        for (const entry of source.entries) {
          const name = this.keyText(entry.key);
          if (seen.has(name)) continue;
          seen.set(name, entries.length);
          entries.push(entry);
        }
      }
    }
    return entries;
  }

  private resolveAlias(alias: Alias, offset: number): Built {
    const target = this.anchors.get(alias.source);
    if (target === undefined || this.open.has(alias.source)) {
      const what = this.open.has(alias.source) ? "contains itself" : "has no anchor before it";
      const goMessage = this.open.has(alias.source)
        ? `anchor '${alias.source}' value contains itself`
        : `unknown anchor '${alias.source}' referenced`;
      throw this.errorAt("yaml-invalid", offset, `the alias *${alias.source} ${what}`, goMessage);
    }
    this.aliases += 1;
    this.aliasedNodes += target.size;
    const maxAliases = this.options.maxAliases ?? 1000;
    const maxNodes = this.options.maxAliasedNodes ?? 100_000;
    if (this.aliases > maxAliases || this.aliasedNodes > maxNodes) {
      throw this.errorAt(
        "yaml-too-many-aliases",
        offset,
        this.aliases > maxAliases
          ? `there are more than ${maxAliases} aliases`
          : `the aliases up to here repeat more than ${maxNodes} values`,
      );
    }
    return target;
  }

  private keyText(key: YamlScalar): string {
    if (this.keysAreText) return key.text;
    const value = this.scalarValue(key);
    if (value === null && this.options.nullKeys === "refuse")
      throw this.errorAt("yaml-invalid", key.offset, "a key may not be null");
    return typeof value === "string" ? value : String(value);
  }

  private scalarValue(node: YamlScalar): ScalarValue {
    const value = scalarValueOf(node);
    if (value === undefined) throw this.errorAt("yaml-invalid", node.offset, `"${node.text}" is no valid ${node.tag}`);
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw this.errorAt("yaml-invalid", node.offset, `${node.text} cannot be written as JSON`);
    }
    return value;
  }

  // The library counts lines as it parses, if it does.
  private countLines(): void {
    if (this.lines.lineStarts.length > 0) return;
    this.lines.addNewLine(0);
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) this.lines.addNewLine(at + 1);
  }

  private syntaxError(error: {
    readonly pos: readonly [number, number];
    readonly code: string;
    readonly message: string;
  }): AppError {
    // The library composes recursively and reports an exhausted stack as a fault of the text, which it is.
    if (error.message.startsWith("Maximum call stack")) {
      return this.errorAt("yaml-too-deep", error.pos[0], "the nesting is too deep");
    }
    const problem = { code: error.code, message: error.message, offset: error.pos[0] };
    return this.errorAt("yaml-invalid", error.pos[0], wordsOf(error.message), goYamlMessage(this.text, problem));
  }

  private errorAt(code: string, offset: number, what: string, goMessage?: string): AppError {
    this.countLines();
    const { line, col } = this.lines.linePos(offset);
    return yamlError(code, this.options.file, line, col, what, goMessage);
  }
}

const SCALAR_MARK = "\u001f";

/** Whether a text has enough brackets, or indicators in one line, to be nested deeper than `limit`. */
function mayNestDeeper(text: string, limit: number): boolean {
  let brackets = 0;
  let indicators = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) brackets += 1;
    else if (code === 0x0a) indicators = 0;
    else if (code === 0x2d || code === 0x3f || code === 0x3a) indicators += 1;
    if (brackets > limit || indicators > limit) return true;
  }
  return false;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

function scalarValueOf(node: YamlScalar): ScalarValue | undefined {
  switch (node.tag) {
    case undefined:
      return node.plain ? readKubernetesScalar(node.text) : node.text;
    case "!!int":
      return readInteger(node.text.replaceAll("_", ""));
    case "!!float": {
      const value = readKubernetesScalar(node.text);
      return typeof value === "number" ? value : readFloat(node.text.replaceAll("_", ""));
    }
    case "!!bool": {
      const value = readKubernetesScalar(node.text);
      return typeof value === "boolean" ? value : undefined;
    }
    case "!!null":
      return readKubernetesScalar(node.text) === null ? null : undefined;
    case "!!binary":
      return Buffer.from(node.text, "base64").toString("utf8");
    default:
      return node.text;
  }
}

function scalarNode(node: Scalar, offset: number): YamlScalar {
  return {
    kind: "scalar",
    text: node.source ?? (node.value === null ? "" : String(node.value)),
    plain: node.type === undefined || node.type === Scalar.PLAIN,
    tag: shortTag(node.tag),
    offset,
  };
}

function emptyScalar(offset: number): YamlScalar {
  return { kind: "scalar", text: "", plain: true, tag: undefined, offset };
}

function shortTag(tag: string | undefined): string | undefined {
  const prefix = "tag:yaml.org,2002:";
  return tag?.startsWith(prefix) ? `!!${tag.slice(prefix.length)}` : tag;
}

function wordsOf(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
