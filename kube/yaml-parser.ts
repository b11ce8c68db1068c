// From tokens to nodes: collections, anchors and aliases, within bounds.

import { syntaxFault, YamlFault, type YamlMark } from "./yaml-cursor.ts";
import { isMergeKey, type MapRules, mergeEntries } from "./yaml-map-entries.ts";
import type { YamlEntry, YamlNode, YamlScalar } from "./yaml-node.ts";
import { YamlScanner, type YamlToken, type YamlTokenKind } from "./yaml-scanner.ts";

export interface YamlParserOptions extends MapRules {
  readonly maxAliases: number;
  readonly maxAliasedNodes: number;
  readonly maxDepth: number;
  /** Reads `\/` and halves of surrogate pairs in double quotes, which JSON has and go-yaml refuses. */
  readonly jsonEscapes: boolean;
}

/** A node and how many nodes it has with aliases expanded. */
interface Built {
  readonly node: YamlNode;
  readonly size: number;
}

interface Properties {
  readonly mark: YamlMark;
  readonly anchor: string | undefined;
  readonly tag: string | undefined;
}

const LONG_TAG = "tag:yaml.org,2002:";
const STANDARD_HANDLES: readonly (readonly [string, string])[] = [
  ["!", "!"],
  ["!!", LONG_TAG],
];

/** Reads documents one by one. Methods throw `YamlFault`. */
export class YamlParser {
  private readonly options: YamlParserOptions;
  private readonly scanner: YamlScanner;
  private readonly anchors = new Map<string, Built>();
  private readonly open = new Set<string>();
  private handles = new Map<string, string>();
  private isFirst = true;
  private depth = 0;
  private aliases = 0;
  private aliasedNodes = 0;

  constructor(text: string, options: YamlParserOptions) {
    this.options = options;
    this.scanner = new YamlScanner(text, options.jsonEscapes);
  }

  /** The next document, an empty plain scalar when it has no content; `undefined` after the last one. */
  next(): YamlNode | undefined {
    while (!this.isFirst && this.at("document-end")) this.scanner.skip();
    if (this.at("end")) return undefined;
    const isBare = this.isFirst && !this.at("version-directive", "tag-directive", "document-start");
    this.isFirst = false;
    this.readDirectives();
    if (!isBare) {
      if (!this.at("document-start")) throw this.fail("did not find expected <document start>");
      this.scanner.skip();
    }
    const content =
      !isBare && this.at("version-directive", "tag-directive", "document-start", "document-end", "end")
        ? emptyScalar(this.scanner.peek().mark.offset)
        : this.node(true, false).node;
    if (this.at("document-end")) this.scanner.skip();
    return content;
  }

  private at(...kinds: readonly YamlTokenKind[]): boolean {
    return kinds.includes(this.scanner.peek().kind);
  }

  private fail(problem: string, context?: YamlMark): YamlFault {
    return syntaxFault("parser", problem, this.scanner.peek().mark, context);
  }

  private readDirectives(): void {
    this.handles = new Map();
    let hasVersion = false;
    for (let token = this.scanner.peek(); ; token = this.scanner.peek()) {
      if (token.kind === "version-directive") {
        if (hasVersion) throw this.fail("found duplicate %YAML directive");
        if (token.text !== "1.1") throw this.fail("found incompatible YAML document");
        hasVersion = true;
      } else if (token.kind === "tag-directive") {
        if (this.handles.has(token.text)) throw this.fail("found duplicate %TAG directive");
        this.handles.set(token.text, token.suffix);
      } else {
        break;
      }
      this.scanner.skip();
    }
    for (const [handle, prefix] of STANDARD_HANDLES) if (!this.handles.has(handle)) this.handles.set(handle, prefix);
  }

  private node(inBlock: boolean, mayBeIndentless: boolean): Built {
    const first = this.scanner.peek();
    if (first.kind === "alias") {
      this.scanner.skip();
      return this.resolveAlias(first);
    }
    const properties = this.properties(first);
    const { anchor } = properties;
    if (++this.depth > this.options.maxDepth + 1) {
      const what = `the nesting is deeper than ${this.options.maxDepth} levels`;
      throw new YamlFault("yaml-too-deep", what, this.scanner.peek().mark.offset);
    }
    if (anchor !== undefined) this.open.add(anchor);
    const built = this.content(properties, inBlock, mayBeIndentless);
    if (anchor !== undefined) {
      this.open.delete(anchor);
      this.anchors.set(anchor, built);
    }
    this.depth -= 1;
    return built;
  }

  private properties(first: YamlToken): Properties {
    let anchor: string | undefined;
    let tag: YamlToken | undefined;
    for (let token = first; ; token = this.scanner.peek()) {
      if (token.kind === "anchor" && anchor === undefined) anchor = token.text;
      else if (token.kind === "tag" && tag === undefined) tag = token;
      else break;
      this.scanner.skip();
    }
    return { mark: first.mark, anchor, tag: tag && this.tagText(tag, first.mark) };
  }

  private tagText({ text: handle, suffix, mark }: YamlToken, context: YamlMark): string {
    if (handle === "") return shortTag(suffix);
    const prefix = this.handles.get(handle);
    if (prefix === undefined) throw syntaxFault("parser", "found undefined tag handle", mark, context);
    return shortTag(prefix + suffix);
  }

  private content({ mark, anchor, tag }: Properties, inBlock: boolean, mayBeIndentless: boolean): Built {
    const token = this.scanner.peek();
    switch (token.kind) {
      case "scalar": {
        this.scanner.skip();
        const { text, style } = token;
        const plain = style === "plain";
        const block = style === "literal" || style === "folded" ? style : undefined;
        const single = style === "single";
        return { node: { kind: "scalar", text, plain, single, block, tag, offset: token.mark.offset }, size: 1 };
      }
      case "[":
        return this.flowList(token);
      case "{":
        return this.flowMap(token);
      case "list-start":
        if (inBlock) return this.blockList(token);
        break;
      case "map-start":
        if (inBlock) return this.blockMap(token);
        break;
      case "-":
        if (mayBeIndentless) return this.indentlessList(token);
        break;
    }
    if (anchor === undefined && tag === undefined) throw this.fail("did not find expected node content", mark);
    return { node: { ...emptyScalar(token.mark.offset), tag }, size: 1 };
  }

  private blockList(start: YamlToken): Built {
    this.scanner.skip();
    const list = new ListBuilder(start, false);
    while (this.at("-")) {
      const dash = this.scanner.peek();
      this.scanner.skip();
      list.add(this.at("-", "block-end") ? empty(dash) : this.node(true, false));
    }
    if (!this.at("block-end")) throw this.fail("did not find expected '-' indicator", start.mark);
    this.scanner.skip();
    return list;
  }

  /** A list at the column of the key that it is the value of. */
  private indentlessList(start: YamlToken): Built {
    const list = new ListBuilder(start, false);
    while (this.at("-")) {
      const dash = this.scanner.peek();
      this.scanner.skip();
      list.add(this.at("-", "?", ":", "block-end") ? empty(dash) : this.node(true, false));
    }
    return list;
  }

  private blockMap(start: YamlToken): Built {
    this.scanner.skip();
    const map = new MapBuilder(start, false);
    for (;;) {
      const token = this.scanner.peek();
      if (token.kind === "block-end") break;
      if (token.kind !== "?") throw this.fail("did not find expected key", start.mark);
      this.scanner.skip();
      const key = this.at("?", ":", "block-end") ? empty(token) : this.node(true, true);
      map.add(key, this.blockValue());
    }
    this.scanner.skip();
    return map.build(this.options);
  }

  private blockValue(): Built {
    const colon = this.scanner.peek();
    if (colon.kind !== ":") return empty(colon);
    this.scanner.skip();
    return this.at("?", ":", "block-end") ? empty(colon) : this.node(true, true);
  }

  private flowList(start: YamlToken): Built {
    this.scanner.skip();
    const list = new ListBuilder(start, true);
    for (let isFirst = true; !this.at("]"); isFirst = false) {
      if (!isFirst) {
        if (!this.at(",")) throw this.fail("did not find expected ',' or ']'", start.mark);
        this.scanner.skip();
        if (this.at("]")) break;
      }
      list.add(this.at("?") ? this.flowPair() : this.node(false, false));
    }
    this.scanner.skip();
    return list;
  }

  /** `key: value` as an element of a list. */
  private flowPair(): Built {
    const mark = this.scanner.peek();
    this.scanner.skip();
    const map = new MapBuilder(mark, true);
    const next = this.scanner.peek();
    let key: Built;
    if (this.at(":", ",", "]")) {
      // As go-yaml: what should end the missing key is lost.
      key = empty(next);
      this.scanner.skip();
    } else {
      key = this.node(false, false);
    }
    map.add(key, this.flowValue("]"));
    return map.build(this.options);
  }

  private flowMap(start: YamlToken): Built {
    this.scanner.skip();
    const map = new MapBuilder(start, true);
    for (let isFirst = true; !this.at("}"); isFirst = false) {
      if (!isFirst) {
        if (!this.at(",")) throw this.fail("did not find expected ',' or '}'", start.mark);
        this.scanner.skip();
        if (this.at("}")) break;
      }
      if (this.at("?")) {
        this.scanner.skip();
        const key = this.at(":", ",", "}") ? empty(this.scanner.peek()) : this.node(false, false);
        map.add(key, this.flowValue("}"));
      } else {
        map.add(this.node(false, false), empty(this.scanner.peek()));
      }
    }
    this.scanner.skip();
    return map.build(this.options);
  }

  private flowValue(close: "]" | "}"): Built {
    if (!this.at(":")) return empty(this.scanner.peek());
    this.scanner.skip();
    return this.at(",", close) ? empty(this.scanner.peek()) : this.node(false, false);
  }

  private resolveAlias({ text: name, mark }: YamlToken): Built {
    if (this.open.has(name)) {
      const goMessage = `anchor '${name}' value contains itself`;
      throw new YamlFault("yaml-invalid", `the alias *${name} contains itself`, mark.offset, goMessage);
    }
    const target = this.anchors.get(name);
    if (target === undefined) {
      const goMessage = `unknown anchor '${name}' referenced`;
      throw new YamlFault("yaml-invalid", `the alias *${name} has no anchor before it`, mark.offset, goMessage);
    }
    const { maxAliases, maxAliasedNodes } = this.options;
    this.aliases += 1;
    this.aliasedNodes += target.size;
    if (this.aliases > maxAliases || this.aliasedNodes > maxAliasedNodes) {
      const what =
        this.aliases > maxAliases
          ? `there are more than ${maxAliases} aliases`
          : `the aliases up to here repeat more than ${maxAliasedNodes} values`;
      throw new YamlFault("yaml-too-many-aliases", what, mark.offset);
    }
    return target;
  }
}

class ListBuilder implements Built {
  private readonly items: YamlNode[] = [];
  readonly node: YamlNode;
  size = 1;

  constructor({ mark }: YamlToken, flow: boolean) {
    this.node = { kind: "sequence", items: this.items, flow, offset: mark.offset };
  }

  add({ node, size }: Built): void {
    this.items.push(node);
    this.size += size;
  }
}

class MapBuilder {
  private readonly entries: YamlEntry[] = [];
  private readonly merges: YamlEntry[] = [];
  private readonly flow: boolean;
  private readonly offset: number;
  private size = 1;

  constructor({ mark }: YamlToken, flow: boolean) {
    this.flow = flow;
    this.offset = mark.offset;
  }

  add({ node: key }: Built, { node: value, size }: Built): void {
    if (key.kind !== "scalar") throw new YamlFault("yaml-invalid", "a key must be a scalar", key.offset);
    this.size += size + 1;
    (isMergeKey(key) ? this.merges : this.entries).push({ key, value });
  }

  build(rules: MapRules): Built {
    const entries = mergeEntries(this.entries, this.merges, rules);
    return { node: { kind: "map", entries, flow: this.flow, offset: this.offset }, size: this.size };
  }
}

function empty({ end }: YamlToken): Built {
  return { node: emptyScalar(end), size: 1 };
}

function emptyScalar(offset: number): YamlScalar {
  return { kind: "scalar", text: "", plain: true, block: undefined, tag: undefined, offset };
}

function shortTag(tag: string): string {
  return tag.startsWith(LONG_TAG) ? `!!${tag.slice(LONG_TAG.length)}` : tag;
}
