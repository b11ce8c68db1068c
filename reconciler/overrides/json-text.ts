// Changes inside a JSON text that leave the spelling of everything else as it was: numbers, escapes, repeated keys.
//
// As Karmada's patch library: a text is only taken apart along the paths of the operations, what lies beside them is
// copied as it stands, without its white space, and what could end a script in a web page is escaped.

import { type JsonPatchOperation, parsePointer } from "../../kube/json-patch.ts";
import { overrideImpossible } from "./errors.ts";
import { type Container, type ListNode, type Node, type ObjectNode, opened, type RawNode } from "./json-members.ts";

export interface JsonTextOptions {
  /** Keep white space and the spelling of keys, too, and escape nothing. */
  readonly keepLayout: boolean;
}

/** The text after all operations. Throws `override-impossible` for a text that is no JSON, and when one does not apply. */
export function patchJsonText(
  text: string,
  operations: readonly JsonPatchOperation[],
  fieldPath: string,
  { keepLayout }: JsonTextOptions,
): string {
  // As Karmada: nothing is done to an empty text.
  if (text === "") return "";
  if (!isJson(text)) throw overrideImpossible(fieldPath, "the text at fieldPath is not one document of JSON");
  const document = new JsonDocument(text, fieldPath);
  for (const operation of operations) document.apply(operation);
  return keepLayout ? document.toKeptText() : document.toText();
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

  /** In the author's layout, with the white space around the document. */
  toKeptText(): string {
    const [before = ""] = /^[ \t\n\r]*/.exec(this.#text) ?? [];
    const [after = ""] = /[ \t\n\r]*$/.exec(this.#text) ?? [];
    return `${before}${keptText(this.#root, "", { indent: indentOf(this.#text), colon: colonOf(this.#text) })}${after}`;
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
  return { kind: "raw", text: JSON.stringify(value ?? null), isNew: true };
}

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

interface Style {
  /** What one level is indented by; empty when members stand in one line. */
  readonly indent: string;
  readonly colon: string;
}

function keptText(node: Node, outer: string, style: Style): string {
  if (node.kind === "raw") return node.isNew === true ? newText(node.text, outer, style) : node.text;
  const { layout } = node;
  const isEmptyNow = node.kind === "list" ? node.items.length === 0 : node.values.size === 0;
  const [open, close] = node.kind === "list" ? "[]" : "{}";
  if (isEmptyNow) return `${open}${close}`;
  const inner = `${outer}${style.indent}`;
  // An object that had no member has the layout of the document.
  const before = layout.before ?? (style.indent === "" ? "" : `\n${inner}`);
  const after = layout.before === undefined ? (style.indent === "" ? "" : `\n${outer}`) : layout.after;
  const between = layout.between ?? `,${before === "" && style.colon.endsWith(" ") ? " " : before}`;
  const depth = before.includes("\n") ? before.slice(before.lastIndexOf("\n") + 1) : outer;
  const members =
    node.kind === "list"
      ? node.items.map((item) => keptText(item, depth, style))
      : node.keys
          // As it is read, a repeated key that was removed is gone.
          .filter((key) => node.values.has(key))
          .map((key) => {
            const value = keptText(node.values.get(key) ?? NULL, depth, style);
            return `${node.spellings.get(key) ?? JSON.stringify(key)}${layout.colon ?? style.colon}${value}`;
          });
  return `${open}${before}${members.join(between)}${after}${close}`;
}

/** A value of the patch, as the author would have laid it out. */
function newText(text: string, outer: string, { indent, colon }: Style): string {
  const value: unknown = JSON.parse(text);
  if (indent !== "") return JSON.stringify(value, undefined, indent).replaceAll("\n", `\n${outer}`);
  if (!colon.endsWith(" ")) return text;
  return JSON.stringify(value, undefined, 1)
    .replace(/("(?:[^"\\]|\\.)*")|\n */g, (_, quoted?: string) => quoted ?? "\n")
    .replace(
      /("(?:[^"\\]|\\.)*")|(,)?\n/g,
      (_, quoted?: string, comma?: string) => quoted ?? (comma === undefined ? "" : ", "),
    );
}

/** The step by which a JSON text is indented; empty when it is not. */
function indentOf(text: string): string {
  return /^[ \t\n\r]*[[{][ \t]*\r?\n([ \t]+)/.exec(text)?.[1] ?? "";
}

function colonOf(text: string): string {
  return /"([ \t]*:[ \t]*)/.exec(text)?.[1] ?? ": ";
}

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
