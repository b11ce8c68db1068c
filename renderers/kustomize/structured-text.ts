// Text inside a field that is itself JSON or YAML, opened for editing and written back in its own form.

import { isObject } from "../../kube/object.ts";
import { parseYamlNodes } from "../../kube/yaml.ts";
import { emitYamlDocument } from "../../kube/yaml-emit.ts";
import type { YamlNode, YamlScalar } from "../../kube/yaml-node.ts";
import { readCoreScalar } from "../../kube/yaml-scalars.ts";
import { AppError } from "../../runtime/errors.ts";
import { goJson } from "./hash.ts";
import { fromValue, fromYaml, type Node, type NodeMap, Scalar, toValue } from "./node.ts";

export interface StructuredText {
  /** To be edited in place. */
  readonly root: Node;
  /** The text after the edit. `replaced` lists scalars that only gave way to others; absent when more has changed. */
  print(replaced: ReadonlyMap<Scalar, Scalar> | undefined): string;
}

/** `undefined` for text that is neither a JSON nor a YAML map or list. */
export function openStructuredText(text: string): StructuredText | undefined {
  return openJson(text) ?? openYaml(text);
}

// As kustomize: keys come out sorted, on one line or indented as the text was.
function openJson(text: string): StructuredText | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) && !Array.isArray(value)) return undefined;
  const root = fromValue(value);
  return { root, print: () => (text.includes("\n") ? goJson(toValue(root), "  ") : goJson(toValue(root))) };
}

function openYaml(text: string): StructuredText | undefined {
  const places = new Map<Scalar, YamlScalar>();
  try {
    const [document] = parseYamlNodes(text);
    if (document === undefined || document.node.kind === "scalar") return undefined;
    const root = convert(document.node, places);
    return {
      root,
      // Replacing the scalars where they stand keeps comments, order and quotes.
      print: (replaced) => splice(text, replaced, places) ?? emitYamlDocument(toValue(root), { sortKeys: false }),
    };
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function convert(node: YamlNode, places: Map<Scalar, YamlScalar>): Node {
  if (node.kind === "sequence") return node.items.map((item) => convert(item, places));
  if (node.kind === "map") {
    const map: NodeMap = new Map();
    for (const { key, value } of node.entries) map.set(key.text, convert(value, places));
    return map;
  }
  const { tag, text } = fromYaml(node, (_offset, what) => new Error(what)) as Scalar;
  // Nulls are shared otherwise, and then have no place of their own.
  const scalar = new Scalar(tag, text);
  places.set(scalar, node);
  return scalar;
}

function splice(
  text: string,
  replaced: ReadonlyMap<Scalar, Scalar> | undefined,
  places: ReadonlyMap<Scalar, YamlScalar>,
): string | undefined {
  if (replaced === undefined) return undefined;
  const edits: { start: number; end: number; text: string }[] = [];
  for (const [before, after] of replaced) {
    const place = places.get(before);
    const edit = place && editOf(text, place, after);
    if (edit === undefined) return undefined;
    edits.push(edit);
  }
  let result = text;
  for (const { start, end, text: inserted } of edits.sort((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + inserted + result.slice(end);
  }
  return result;
}

// Only a scalar that stands in the text exactly as it reads can be replaced where it stands.
function editOf(
  text: string,
  place: YamlScalar,
  after: Scalar,
): { start: number; end: number; text: string } | undefined {
  const start = place.offset;
  if (after.text.includes("\n")) return undefined;
  const single = `'${place.text.replaceAll("'", "''")}'`;
  if (place.plain) {
    if (place.text === "" || !text.startsWith(place.text, start)) return undefined;
    return { start, end: start + place.text.length, text: plainOrQuoted(after) };
  }
  if (text.startsWith(single, start)) {
    return { start, end: start + single.length, text: `'${after.text.replaceAll("'", "''")}'` };
  }
  const double = `"${place.text}"`;
  if (!text.startsWith(double, start) || /["\\]/.test(after.text)) return undefined;
  return { start, end: start + double.length, text: `"${after.text}"` };
}

function plainOrQuoted(scalar: Scalar): string {
  if (scalar.tag !== "!!str") return scalar.text;
  if (readCoreScalar(scalar.text).tag !== "!!str") return JSON.stringify(scalar.text);
  const emitted = emitYamlDocument(scalar.text, { sortKeys: false }).trimEnd();
  return emitted.includes("\n") ? JSON.stringify(scalar.text) : emitted;
}
