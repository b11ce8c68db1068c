// Changes of a YAML text that leave all else as its author wrote it: comments, order, quotes, layout.
//
// Each change is tried where it stands in the text, and if that is not simple, by writing the document anew from its
// nodes. What comes out is read again and has to say what it should; a change for which neither does is given up.

import { type Node, parseDocument, type Scalar } from "yaml";
import { applyJsonPatch, type JsonPatchOperation, parsePointer } from "./json-patch.ts";
import { equalJson } from "./object.ts";
import { parseYaml, stringifyYaml, type YamlOptions } from "./yaml.ts";
import { spliceYaml, type YamlChange } from "./yaml-splice.ts";

/**
 * The text after operations of JSON Patch, as little changed as can be; it reads as `applyJsonPatch` of what the text read
 * as before. Undefined when it cannot be done without losing the author's form. Throws as `parseYaml` and
 * `applyJsonPatch` do.
 */
export function editYaml(
  text: string,
  operations: readonly JsonPatchOperation[],
  options: YamlOptions,
): string | undefined {
  // Such paths mean the document as it was before all of them.
  if (operations.some(({ path }) => path.startsWith("//"))) return undefined;
  let current = text;
  let value = parseYaml(text, options);
  for (const operation of operations) {
    const wanted: unknown = applyJsonPatch<unknown>(value, [operation]);
    if (equalJson(wanted, value)) continue;
    const edit = resolved(operation, value);
    const next = [spliceYaml, rewrite]
      .map((change) => attempt(() => change(current, edit)))
      .find((candidate) => candidate !== undefined && reads(candidate, wanted, options));
    if (next === undefined) return undefined;
    current = next;
    value = wanted;
  }
  return current;
}

function resolved({ op, path, value }: JsonPatchOperation, document: unknown): YamlChange {
  const keys: (string | number)[] = [];
  let node: unknown = document;
  let inserts = false;
  const parts = path === "" ? [] : parsePointer(path);
  for (const [depth, part] of parts.entries()) {
    if (!Array.isArray(node)) {
      keys.push(part);
      node = typeof node === "object" && node !== null ? (node as Record<string, unknown>)[part] : undefined;
      continue;
    }
    inserts = op === "add" && depth === parts.length - 1;
    const length = node.length + (inserts ? 1 : 0);
    const index = part === "-" ? node.length : Number(part) < 0 ? Number(part) + length : Number(part);
    keys.push(index);
    node = node[index];
  }
  return { act: op === "remove" ? "remove" : inserts ? "insert" : "set", keys, value: value ?? null };
}

function attempt(change: () => string | undefined): string | undefined {
  try {
    return change();
  } catch {
    // A form that the change does not know.
    return undefined;
  }
}

function reads(text: string, wanted: unknown, options: YamlOptions): boolean {
  try {
    return equalJson(parseYaml(text, options), wanted);
  } catch {
    return false;
  }
}

// Scalars stay the text they are, so that none is taken for another type and written otherwise.
const AS_TEXT = { schema: "failsafe", uniqueKeys: false, logLevel: "silent" } as const;

function rewrite(text: string, { act, keys, value }: YamlChange): string {
  const document = parseDocument(text, AS_TEXT);
  const node = act === "remove" ? undefined : nodeOf(value);
  if (act === "remove") document.deleteIn(keys);
  else if (act === "set") document.setIn(keys, node);
  else {
    const list = document.getIn(keys.slice(0, -1)) as { items: unknown[] };
    list.items.splice(Number(keys.at(-1)), 0, node);
  }
  const written = document.toString({
    lineWidth: 0,
    indent: indentOf(text),
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n\1- /m.test(text),
    flowCollectionPadding: /\{ /.test(text),
  });
  return text.includes("\r\n") ? written.replaceAll("\n", "\r\n") : written;
}

function nodeOf(value: unknown): Node | Scalar | null {
  return parseDocument(stringifyYaml(value), AS_TEXT).contents;
}

/** The step by which the text is indented. */
function indentOf(text: string): number {
  const step = /:[ \t]*(?:#[^\n]*)?\n( +)[^\s#-]/.exec(text)?.[1]?.length ?? 2;
  return Math.min(Math.max(step, 1), 8);
}
