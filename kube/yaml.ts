// From the text of YAML to values, read as Kubernetes reads it, and back.

import { AppError } from "../runtime/errors.ts";
import { setOwn } from "./object.ts";
import { readSimpleYaml } from "./yaml-block.ts";
import { FORBIDDEN_IN_YAML } from "./yaml-characters.ts";
import { YamlFault } from "./yaml-cursor.ts";
import { emitYamlDocument } from "./yaml-emit.ts";
import type { YamlEntry, YamlNode, YamlScalar } from "./yaml-node.ts";
import { YamlParser } from "./yaml-parser.ts";
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
  /** A key that occurs twice in a map: refused (default), the last one wins as in `kubectl`, or nodes have both. */
  readonly duplicateKeys?: "refuse" | "last-wins" | "keep";
  /** A key that is null (`~: 1`): read as the text `null` (default), or refused as Kubernetes' own parser does. */
  readonly nullKeys?: "text" | "refuse";
  /** Escapes in double quotes that JSON has and Kubernetes' own parser refuses (`\\/`, `\\ud83d`): read by default. */
  readonly jsonEscapes?: "read" | "refuse";
  /** Line of the file on which the text begins. Default 1. */
  readonly firstLine?: number;
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

/**
 * Reads the first document of a text as a node, and nothing after it; `undefined` when it has no content. Errors as
 * `parseYaml`, with lines from `options.firstLine` on.
 */
export function parseFirstYamlNode(text: string, options: YamlOptions = {}): YamlNodeDocument | undefined {
  return new NodeReader(text, options, true).first();
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

class NodeReader {
  private readonly text: string;
  private readonly options: YamlOptions;
  // Whoever asks for nodes decides what keys mean, so equal keys are those of equal text.
  private readonly keysAreText: boolean;

  constructor(text: string, options: YamlOptions, keysAreText = false) {
    this.options = options;
    this.keysAreText = keysAreText;
    const limit = options.maxLength ?? 16 * 1024 * 1024;
    if (text.length > limit) {
      const what = `the text is longer than ${limit} characters`;
      throw yamlError("yaml-too-large", options.file, undefined, undefined, what);
    }
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  documents(): YamlNodeDocument[] {
    const nodes = this.read() ?? this.parse(Number.POSITIVE_INFINITY);
    return this.withLines(nodes.filter((node) => !isEmpty(node)));
  }

  first(): YamlNodeDocument | undefined {
    const [node] = this.read() ?? this.parse(1);
    return node === undefined || isEmpty(node) ? undefined : this.withLines([node])[0];
  }

  /** Reads what is simple; `undefined` for what is not. */
  private read(): readonly YamlNode[] | undefined {
    const control = FORBIDDEN_IN_YAML.exec(this.text);
    if (control !== null) {
      const what = "this control character is not allowed; write it as an escape";
      throw this.errorAt("yaml-invalid", control.index, what, "control characters are not allowed");
    }
    const simple = readSimpleYaml(this.text, this.options.maxDepth ?? DEFAULT_MAX_DEPTH, this.jsonEscapes);
    return simple !== undefined && this.hasUniqueKeys(simple) ? simple : undefined;
  }

  private get jsonEscapes(): boolean {
    return this.options.jsonEscapes !== "refuse";
  }

  private parse(limit: number): YamlNode[] {
    const { maxAliases = 1000, maxAliasedNodes = 100_000, maxDepth = DEFAULT_MAX_DEPTH } = this.options;
    const parser = new YamlParser(this.text, {
      maxAliases,
      maxAliasedNodes,
      maxDepth,
      jsonEscapes: this.jsonEscapes,
      duplicateKeys: this.options.duplicateKeys ?? "refuse",
      keyText: (key) => this.keyText(key),
      lineOf: (offset) => this.placeOf(offset).line,
    });
    const nodes: YamlNode[] = [];
    try {
      while (nodes.length < limit) {
        const node = parser.next();
        if (node === undefined) break;
        nodes.push(node);
      }
    } catch (error) {
      if (!(error instanceof YamlFault)) throw error;
      throw this.errorAt(error.code, error.offset, error.message, error.goMessage);
    }
    return nodes;
  }

  // Repeated keys are rare: the slower way reports them, or lets the last one win.
  private hasUniqueKeys(nodes: readonly YamlNode[]): boolean {
    for (const node of nodes) {
      if (node.kind === "scalar") continue;
      if (node.kind === "sequence") {
        if (!this.hasUniqueKeys(node.items)) return false;
        continue;
      }
      const { entries } = node;
      if (!(entries.length <= FEW && this.keysAreText ? areFewUnique(entries) : this.areUnique(entries))) return false;
      for (const { value } of entries) if (value.kind !== "scalar" && !this.hasUniqueKeys([value])) return false;
    }
    return true;
  }

  private areUnique(entries: readonly YamlEntry[]): boolean {
    return new Set(entries.map(({ key }) => this.keyText(key))).size === entries.length;
  }

  private withLines(nodes: readonly YamlNode[]): YamlNodeDocument[] {
    let line = this.options.firstLine ?? 1;
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

  private placeOf(offset: number): { readonly line: number; readonly column: number } {
    const before = this.text.slice(0, offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    let line = this.options.firstLine ?? 1;
    for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line += 1;
    return { line, column: offset - lineStart + 1 };
  }

  private errorAt(code: string, offset: number, what: string, goMessage?: string): AppError {
    const { line, column } = this.placeOf(offset);
    return yamlError(code, this.options.file, line, column, what, goMessage);
  }
}

/** So many keys are compared faster with each other than by a set. */
const FEW = 10;

function areFewUnique(entries: readonly YamlEntry[]): boolean {
  for (let i = 1; i < entries.length; i++) {
    const { text } = entries[i]!.key;
    for (let j = 0; j < i; j++) if (entries[j]!.key.text === text) return false;
  }
  return true;
}

function isEmpty(node: YamlNode): boolean {
  return node.kind === "scalar" && node.plain && node.tag === undefined && node.text === "";
}

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
