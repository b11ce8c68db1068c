// Changes inside a JSON text that leave the spelling of everything else as it was: numbers, escapes, repeated keys.
//
// As Karmada's patch library: a text is only taken apart along the paths of the operations, what lies beside them is
// copied as it stands, without its white space, and what could end a script in a web page is escaped.

import { type JsonPatchOperation, parsePointer } from "../../kube/json-patch.ts";
import { overrideImpossible } from "./errors.ts";

interface RawNode {
  readonly kind: "raw";
  readonly text: string;
}

interface ObjectNode {
  readonly kind: "object";
  /** In their order; a key that the text repeats is here as often. */
  readonly keys: string[];
  readonly values: Map<string, Node>;
}

interface ListNode {
  readonly kind: "list";
  readonly items: Node[];
}

type Container = ObjectNode | ListNode;
type Node = RawNode | Container;

/** The text after all operations. Throws `override-impossible` for a text that is no JSON, and when one does not apply. */
export function patchJsonText(text: string, operations: readonly JsonPatchOperation[], fieldPath: string): string {
  // As Karmada: nothing is done to an empty text.
  if (text === "") return "";
  if (!isJson(text)) throw overrideImpossible(fieldPath, "the text at fieldPath is not one document of JSON");
  const document = new JsonDocument(text, fieldPath);
  for (const operation of operations) document.apply(operation);
  return document.toText();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // What the parser says may quote the text, and the text may be a Secret's.
    return false;
  }
}

class JsonDocument {
  #root: Container;
  readonly #text: string;
  #detached: JsonDocument | undefined;
  readonly #fieldPath: string;

  constructor(text: string, fieldPath: string) {
    this.#fieldPath = fieldPath;
    this.#text = text;
    const root = opened({ kind: "raw", text });
    // As Karmada: a list counts as one only when nothing stands before it.
    const isUsable = root?.kind === "object" || (root?.kind === "list" && text.startsWith("["));
    if (root === undefined || !isUsable) {
      throw overrideImpossible(fieldPath, "the document is neither an object nor a list");
    }
    this.#root = root;
  }

  apply({ op, path, value }: JsonPatchOperation): void {
    if (path.startsWith("//")) {
      // As Karmada: the empty key means the document as it once was, and what is done there is lost.
      this.#detached ??= new JsonDocument(this.#text, this.#fieldPath);
      this.#detached.apply({ op, path: path.slice(1), value });
      return;
    }
    if (path === "" && op !== "remove") {
      const root = opened(nodeOf(value));
      if (root === undefined) throw this.#failure(`the value for the whole document is neither an object nor a list`);
      this.#root = root;
      return;
    }
    const { container, key } = this.#find(op, path);
    switch (op) {
      case "add":
        if (container.kind === "object") setKey(container, key, nodeOf(value));
        else container.items.splice(this.#insertion(container, key, path), 0, nodeOf(value));
        return;
      case "replace":
        if (container.kind === "list") container.items[this.#position(container, key, op, path)] = nodeOf(value);
        else if (key === "" || container.values.has(key)) setKey(container, key, nodeOf(value));
        else throw this.#failure(`replace operation does not apply: doc is missing key: ${path}`);
        return;
      case "remove":
        if (container.kind === "list") container.items.splice(this.#position(container, key, op, path), 1);
        else if (container.values.delete(key)) container.keys.splice(container.keys.indexOf(key), 1);
        else throw this.#failure(`remove operation does not apply: doc is missing key: ${path}`);
        return;
      default:
        throw this.#failure(`unknown operation ${String(op)}`);
    }
  }

  toText(): string {
    return textOf(this.#root);
  }

  #failure(words: string): Error {
    return overrideImpossible(this.#fieldPath, words);
  }

  #find(op: string, path: string): { readonly container: Container; readonly key: string } {
    const keys = parsePointer(path);
    // As Karmada: the empty path of a removal is that of the empty key.
    const key = path === "" ? "" : keys.pop();
    let container: Container | undefined = key === undefined ? undefined : this.#root;
    for (const step of keys) {
      if (container === undefined) break;
      container = openChild(container, step);
    }
    if (key === undefined || container === undefined)
      throw this.#failure(`${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}`);
    return { container, key };
  }

  #position({ items }: ListNode, key: string, op: string, path: string): number {
    const index = listPosition(key, items.length);
    if (index === undefined) throw this.#failure(`${op} operation does not apply: there is no item ${path}`);
    return index;
  }

  #insertion({ items }: ListNode, key: string, path: string): number {
    const index = key === "-" ? items.length : listPosition(key, items.length + 1);
    if (index === undefined) throw this.#failure(`add operation does not apply: there is no place ${path}`);
    return index;
  }
}

function setKey({ keys, values }: ObjectNode, key: string, value: Node): void {
  if (!values.has(key)) keys.push(key);
  values.set(key, value);
}

/** Negative positions count from the end. */
function listPosition(key: string, length: number): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(key)) return undefined;
  const index = Number(key);
  const position = index < 0 ? index + length : index;
  return position >= 0 && position < length ? position + 0 : undefined;
}

function openChild(container: Container, key: string): Container | undefined {
  if (container.kind === "list") {
    const index = listPosition(key, container.items.length);
    const child = index === undefined ? undefined : opened(container.items[index]);
    if (index !== undefined && child !== undefined) container.items[index] = child;
    return child;
  }
  const child = opened(container.values.get(key));
  if (child !== undefined) container.values.set(key, child);
  return child;
}

function nodeOf(value: unknown): Node {
  return { kind: "raw", text: JSON.stringify(value ?? null) };
}

/** An object or list with its members apart; undefined for anything else. */
function opened(node: Node | undefined): Container | undefined {
  if (node === undefined || node.kind !== "raw") return node;
  const reader = new MemberReader(node.text);
  return reader.read();
}

const SPACE = /[ \t\n\r]*/y;
const TEXT = /"(?:[^"\\]|\\.)*"/y;
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
    const node: ObjectNode = { kind: "object", keys: [], values: new Map() };
    this.#at++;
    for (this.#skip(SPACE); this.#text[this.#at] !== "}"; this.#skip(SPACE)) {
      // A key of a valid text.
      const key = JSON.parse(this.#skip(TEXT)) as string;
      this.#skip(SPACE);
      this.#at++;
      this.#skip(SPACE);
      node.keys.push(key);
      node.values.set(key, { kind: "raw", text: this.#value() });
      this.#comma();
    }
    return node;
  }

  #list(): ListNode {
    const node: ListNode = { kind: "list", items: [] };
    this.#at++;
    for (this.#skip(SPACE); this.#text[this.#at] !== "]"; this.#skip(SPACE)) {
      node.items.push({ kind: "raw", text: this.#value() });
      this.#comma();
    }
    return node;
  }

  #comma(): void {
    this.#skip(SPACE);
    if (this.#text[this.#at] === ",") this.#at++;
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

function textOf(node: Node): string {
  switch (node.kind) {
    case "raw":
      return compact(node.text);
    case "list":
      return `[${node.items.map(textOf).join(",")}]`;
    case "object":
      return `{${node.keys.map((key) => `${keyText(key)}:${textOf(node.values.get(key) ?? NULL)}`).join(",")}}`;
  }
}

const NULL: RawNode = { kind: "raw", text: "null" };

// Go spells only three control characters by letters.
function keyText(key: string): string {
  return escapeForHtml(JSON.stringify(key).replace(/\\[bf]/g, (short) => (short === "\\b" ? "\\u0008" : "\\u000c")));
}

/** Without the white space between tokens. */
function compact(text: string): string {
  return escapeForHtml(text.replace(/("(?:[^"\\]|\\.)*")|[ \t\n\r]+/g, (_, quoted?: string) => quoted ?? ""));
}

/** JSON as Karmada's records have it: compact, with what could end a script in a web page escaped. */
export function compactJson(value: unknown): string {
  return escapeForHtml(JSON.stringify(value));
}

const UNSAFE_IN_HTML = /[<>&\u2028\u2029]/g;

function escapeForHtml(text: string): string {
  return text.replace(UNSAFE_IN_HTML, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
