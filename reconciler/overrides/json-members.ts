// Objects and lists of a JSON text, taken apart one level at a time; what is inside stays as it is spelled.

/** The white space in an object or list, as its author put it around the first members. */
export class Layout {
  /** Before the first member. */
  before: string | undefined;
  /** With its colon. */
  colon: string | undefined;
  /** With its comma. */
  between: string | undefined;
  /** Before the end; before nothing at all in an empty one. */
  after = "";
}

export interface RawNode {
  readonly kind: "raw";
  readonly text: string;
  /** A value that the text did not have. */
  readonly isNew?: true;
}

export interface ObjectNode {
  readonly kind: "object";
  /** In their order; a key that the text repeats is here as often. */
  readonly keys: string[];
  readonly values: Map<string, Node>;
  /** How the text spells its keys. */
  readonly spellings: Map<string, string>;
  readonly layout: Layout;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: Node[];
  readonly layout: Layout;
}

export type Container = ObjectNode | ListNode;
export type Node = RawNode | Container;

/** An object or list with its members apart; undefined for anything else. */
export function opened(node: Node | undefined): Container | undefined {
  if (node === undefined || node.kind !== "raw") return node;
  const reader = new MemberReader(node.text);
  return reader.read();
}

const SPACE = /[ \t\n\r]*/y;
const TEXT = /"(?:[^"\\]|\\.)*"/y;
const COLON = /[ \t\n\r]*:[ \t\n\r]*/y;
const WORD = /[^\s,\]}]+/y;

/** Takes apart the outermost object or list of a valid JSON text. */
class MemberReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Container | undefined {
    this.#skip(SPACE);
    const first = this.#text[this.#at];
    if (first === "{") return this.#object();
    return first === "[" ? this.#list() : undefined;
  }

  #object(): ObjectNode {
    const node: ObjectNode = {
      kind: "object",
      keys: [],
      values: new Map(),
      spellings: new Map(),
      layout: new Layout(),
    };
    const { layout } = node;
    this.#at++;
    let before = this.#skip(SPACE);
    while (this.#text[this.#at] !== "}") {
      layout.before ??= before;
      const spelling = this.#skip(TEXT);
      // A key of a valid text.
      const key = JSON.parse(spelling) as string;
      const colon = this.#skip(COLON);
      layout.colon ??= colon;
      node.keys.push(key);
      node.spellings.set(key, spelling);
      node.values.set(key, { kind: "raw", text: this.#value() });
      before = this.#comma(layout);
    }
    layout.after = before;
    return node;
  }

  #list(): ListNode {
    const node: ListNode = { kind: "list", items: [], layout: new Layout() };
    const { layout } = node;
    this.#at++;
    let before = this.#skip(SPACE);
    while (this.#text[this.#at] !== "]") {
      layout.before ??= before;
      node.items.push({ kind: "raw", text: this.#value() });
      before = this.#comma(layout);
    }
    layout.after = before;
    return node;
  }

  /** White space that stands before what follows. */
  #comma(layout: Layout): string {
    const before = this.#skip(SPACE);
    if (this.#text[this.#at] !== ",") return before;
    this.#at++;
    const after = this.#skip(SPACE);
    layout.between ??= `${before},${after}`;
    return after;
  }

  /** The value that begins here, as it is spelled. */
  #value(): string {
    const start = this.#at;
    let depth = 0;
    do {
      const char = this.#text[this.#at];
      if (char === '"') this.#skip(TEXT);
      else if (char === "{" || char === "[") {
        depth++;
        this.#at++;
      } else if (char === "}" || char === "]") {
        depth--;
        this.#at++;
      } else if (depth > 0 && (char === "," || char === ":")) this.#at++;
      else this.#skip(WORD_OR_SPACE);
    } while (depth > 0);
    return this.#text.slice(start, this.#at);
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ""] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }
}

const WORD_OR_SPACE = new RegExp(`[ \\t\\n\\r]+|${WORD.source}`, "y");
