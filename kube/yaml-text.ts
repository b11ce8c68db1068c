// A YAML text taken apart and put together again with the comments and quotes it had, as Go's YAML writer (v3) does.

import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import type { Node, Pair, Scalar } from "yaml";
import { readCoreScalar } from "./yaml-scalars.ts";

let loaded: typeof Yaml | undefined;

/** The library, which is read when the first such text is: few builds have one, and it takes longer than all else. */
function yaml(): typeof Yaml {
  // The package exports what its types say.
  loaded ??= createRequire(import.meta.url)("yaml") as typeof Yaml;
  return loaded;
}

/** A node to be printed. `like` is the node of the read text that it is, or whose quotes and comments it takes over. */
export type YamlTextNode =
  | {
      readonly kind: "scalar";
      readonly text: string;
      readonly tag: string;
      /** What follows tells the style of a new node; one that is like another has that one's. */
      readonly quoted?: boolean;
      readonly single?: boolean;
      readonly like?: YamlTextNode | undefined;
    }
  | {
      readonly kind: "map";
      readonly entries: readonly { readonly key: string; readonly value: YamlTextNode }[];
      readonly flow?: boolean;
      readonly like?: YamlTextNode | undefined;
    }
  | {
      readonly kind: "sequence";
      readonly items: readonly YamlTextNode[];
      readonly flow?: boolean;
      readonly like?: YamlTextNode | undefined;
    };

/** The first document of a text. */
export interface YamlText {
  /** Undefined when there is nothing but blanks and comments. */
  readonly root: YamlTextNode | undefined;
  /** Aliases are not followed: each is a plain scalar like `*name`, and stays an alias while it keeps that text. */
  readonly hasAliases: boolean;
  /** Prints once; keys that `root` has keep their place, new ones follow. */
  print(root: YamlTextNode): string;
}

/** Reads a text; undefined when it is no YAML, or has keys that are no scalars. */
export function readYamlText(text: string): YamlText | undefined {
  // Scalars stay the text they are.
  const document = yaml().parseDocument(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
  if (document.errors.some(({ code }) => code !== "MULTIPLE_DOCS")) return undefined;
  const origins = new Map<YamlTextNode, Node>();
  const contents: Node | null = document.contents;
  const root = contents === null || isBlank(contents) ? undefined : read(contents, origins);
  if (root === "unknown") return undefined;
  return {
    root,
    hasAliases: [...origins.values()].some((node) => yaml().isAlias(node)),
    print: (changed) => {
      document.contents = new Writer(origins).write(changed) as typeof document.contents;
      if (document.directives !== undefined) document.directives.docStart = null;
      // Go's writer keeps comments but no empty lines.
      yaml().visit(document, {
        Node: (_key, node) => {
          node.spaceBefore = false;
        },
      });
      return document.toString({
        lineWidth: 0,
        // As Go's writer: an alias stays even when its anchor has gone.
        verifyAliasOrder: false,
        indentSeq: false,
        flowCollectionPadding: false,
        singleQuote: true,
        nullStr: "null",
      });
    },
  };
}

function isBlank(node: Node): boolean {
  return yaml().isScalar(node) && node.type === "PLAIN" && node.value === "" && node.tag === undefined;
}

function read(node: Node | null, origins: Map<YamlTextNode, Node>): YamlTextNode | "unknown" {
  let result: YamlTextNode;
  if (yaml().isMap(node)) {
    const entries: { key: string; value: YamlTextNode }[] = [];
    // Failsafe documents hold nodes for keys and values.
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      const read_ = read(value, origins);
      if (read_ === "unknown" || !yaml().isScalar(key)) return "unknown";
      entries.push({ key: String(key.value), value: read_ });
    }
    result = { kind: "map", entries };
  } else if (yaml().isSeq(node)) {
    const items: YamlTextNode[] = [];
    for (const item of node.items as (Node | null)[]) {
      const read_ = read(item, origins);
      if (read_ === "unknown") return "unknown";
      items.push(read_);
    }
    result = { kind: "sequence", items };
  } else if (yaml().isAlias(node)) {
    result = { kind: "scalar", text: `*${node.source}`, tag: "" };
  } else {
    result = readScalar(yaml().isScalar(node) ? node : undefined);
  }
  if (node !== null) origins.set(result, node);
  return result;
}

function readScalar(node: Scalar | undefined): YamlTextNode {
  const text = node === undefined || node.value === null ? "" : String(node.value);
  const plain = node === undefined || node.type === undefined || node.type === "PLAIN";
  return {
    kind: "scalar",
    text,
    tag: node?.tag?.replace("tag:yaml.org,2002:", "!!") ?? tagOf(text, plain),
    quoted: !plain,
  };
}

function tagOf(text: string, plain: boolean): string {
  if (!plain) return "!!str";
  const { tag } = readCoreScalar(text);
  return tag === "!!merge" ? "!!str" : tag;
}

class Writer {
  readonly #origins: ReadonlyMap<YamlTextNode, Node>;

  constructor(origins: ReadonlyMap<YamlTextNode, Node>) {
    this.#origins = origins;
  }

  write(node: YamlTextNode, inFlow = false): Node {
    const like = this.#origins.get(node.like ?? node);
    switch (node.kind) {
      case "scalar":
        if (yaml().isAlias(like) && node.text === `*${like.source}`) return like;
        return quoteInFlow(yaml().isScalar(like) ? writeScalar(node.text, node.tag, like) : newScalar(node), inFlow);
      case "sequence": {
        const list = yaml().isSeq(like) ? like : new (yaml().YAMLSeq)();
        if (list !== like && node.flow === true) list.flow = true;
        const isFlow = inFlow || list.flow === true;
        list.items = node.items.map((item) => this.write(item, isFlow));
        return list;
      }
      case "map": {
        const map = yaml().isMap(like) ? like : new (yaml().YAMLMap)();
        if (map !== like && node.flow === true) map.flow = true;
        const isFlow = inFlow || map.flow === true;
        for (const { key, value } of node.entries) {
          const written = this.write(value, isFlow);
          // Keys are scalars: `read` has seen to that.
          const pair = map.items.find((item) => yaml().isScalar(item.key) && item.key.value === key);
          // Go's writer shows the tag of a merge key.
          if (key === "<<" && yaml().isScalar(pair?.key) && pair.key.type === "PLAIN") pair.key.tag = "!!merge";
          if (pair !== undefined) pair.value = written;
          else map.set(quoteInFlow(writeScalar(key, "!!str", new (yaml().Scalar)("")), isFlow), written);
        }
        return map;
      }
    }
  }
}

function newScalar({ text, tag, quoted, single }: YamlTextNode & { kind: "scalar" }): Scalar {
  const scalar = writeScalar(text, tag, new (yaml().Scalar)(""));
  // A text of several lines comes from a block.
  if (quoted === true && scalar.type !== "BLOCK_LITERAL")
    scalar.type = single === true ? "QUOTE_SINGLE" : "QUOTE_DOUBLE";
  return scalar;
}

// As Go's writer: quotes stay; plain text that would read as another type is quoted, and another type shows its tag.
function writeScalar(text: string, tag: string, scalar: Scalar): Scalar {
  const wasPlain = scalar.type === undefined || scalar.type === "PLAIN";
  if (scalar.value === text && scalar.type !== undefined) return scalar;
  scalar.value = text;
  const isBlock = scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED";
  if (isBlock && (text === "" || / (?:\n|$)/.test(text))) scalar.type = "QUOTE_DOUBLE";
  if (!wasPlain) return scalar;
  scalar.type = "PLAIN";
  const isText = tag === "!!str" || tag === "";
  if (!isText && tagOf(text, true) !== tag) scalar.tag = tag;
  if (text.includes("\n")) scalar.type = "BLOCK_LITERAL";
  else if (tag === "!!str" && tagOf(text, true) !== "!!str") scalar.type = "QUOTE_DOUBLE";
  return scalar;
}

// Go's writer is strict inside brackets: text with one of their signs, any colon, and nothing at all stand in quotes.
function quoteInFlow(scalar: Scalar, inFlow: boolean): Scalar {
  const isPlain = scalar.type === undefined || scalar.type === "PLAIN";
  const text = String(scalar.value);
  if (inFlow && scalar.type === "BLOCK_LITERAL") scalar.type = "QUOTE_DOUBLE";
  else if (inFlow && isPlain && text.includes("\n")) scalar.type = "QUOTE_DOUBLE";
  else if (inFlow && isPlain && /^$|[,?:[\]{}]/.test(text)) scalar.type = "QUOTE_SINGLE";
  return scalar;
}
