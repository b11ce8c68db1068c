// From the text of a resource or patch file to objects.

import { parseFirstYamlNode } from "../../../kube/yaml.ts";
import { type RenderError, type RenderErrorPlace, renderError, wrapYamlError } from "../../errors.ts";
import type { ObjectOrigin } from "../../rendered.ts";
import { positionIn } from "../kustomization/field-positions.ts";
import {
  fromValue,
  fromYaml,
  isListNode,
  isMapNode,
  isNullNode,
  type Node,
  type NodeMap,
  Scalar,
  textOf,
  throughJson,
} from "./node.ts";
import { Resource } from "./resource.ts";

/**
 * Reads the objects of a file in order; lists are taken apart.
 * Throws `render-invalid-resource` with file and line.
 */
export function parseResources(text: string, file: string): Resource[] {
  const pieces = splitDocuments(text, file);
  const found: FoundNode[] = [];
  for (const { node, line } of parsePieces(pieces, file)) {
    const origin = { file, line };
    if (pieces.length === 1 && isPlainList(node)) found.push(...itemsOf(node, origin));
    else found.push({ node, origin });
  }
  const resources: Resource[] = [];
  // As kustomize: what a list holds comes after everything that was found before.
  for (let next = 0; next < found.length; next++) {
    const { node, origin } = found[next]!;
    if (isNullNode(node) || (node instanceof Map ? node.size : Array.isArray(node) ? node.length : 1) === 0) continue;
    if (!isMapNode(node)) throw invalid("a resource must be a map of fields", origin);
    const kind = textOf(node.get("kind")) ?? "";
    const items = kind.endsWith("List") ? node.get("items") : undefined;
    if (items === undefined) resources.push(resourceFrom(node, kind, origin));
    else found.push(...convertedItems(items, kind, origin));
  }
  return resources;
}

interface FoundNode {
  readonly node: Node;
  readonly origin: ObjectOrigin;
}

/** A list that is taken apart as it stands when it is all that a file has. */
function isPlainList(node: Node): node is NodeMap {
  if (!isMapNode(node)) return false;
  const kind = textOf(node.get("kind"));
  return (kind === "List" || kind === "ResourceList") && (node.has("items") || node.has("functionConfig"));
}

function itemsOf(list: NodeMap, origin: ObjectOrigin): FoundNode[] {
  const items = list.get("items");
  if (isMapNode(items) && items.size > 0) throw invalid("the items of a list must be a list", origin, "items");
  return isListNode(items) ? items.map((node) => ({ node, origin })) : [];
}

// As kustomize: the items of every other kind of list go through JSON.
function convertedItems(items: Node, kind: string, origin: ObjectOrigin): FoundNode[] {
  if (isNullNode(items)) return [];
  if (!isListNode(items)) throw invalid(`the items of a ${kind} must be a list`, origin, "items");
  return items.map((item) => ({ node: fromValue(throughJson(item)), origin }));
}

interface ParsedNode {
  readonly node: Node;
  readonly line: number;
}

/** Reads the documents of a file as nodes; those without content are left out. Throws `render-invalid-resource`. */
export function parseNodes(text: string, file: string): ParsedNode[] {
  return parsePieces(splitDocuments(text, file), file);
}

function parsePieces(pieces: readonly Piece[], file: string): ParsedNode[] {
  const nodes: ParsedNode[] = [];
  for (const { text, line: firstLine } of pieces) {
    try {
      const document = parseFirstYamlNode(text, { file, firstLine, jsonEscapes: "refuse", duplicateKeys: "keep" });
      if (document === undefined) continue;
      const { line } = document;
      const node = fromYaml(document.node, (problem, key) => {
        const place = positionIn(text, key.offset);
        return keyFault(problem, key.text, { file, line: firstLine + place.line - 1, column: place.column });
      });
      nodes.push({ node, line });
    } catch (error) {
      throw wrapYamlError(error, "render-invalid-resource", file);
    }
  }
  return nodes;
}

function keyFault(problem: "no-text" | "repeated", key: string, place: RenderErrorPlace): RenderError {
  if (problem === "repeated") {
    const what = `the key ${JSON.stringify(key)} is already set in this map; remove one of the two`;
    return renderError("render-invalid-resource", what, place);
  }
  return renderError("render-unrepresentable-value", `the key ${key} is not text; put it in quotes`, place);
}

interface Piece {
  readonly text: string;
  readonly line: number;
}

/**
 * As kustomize: a file is cut at every line that begins with `---`, whatever it is part of, and of each piece the first
 * document counts. A line at the very end is no cut.
 */
function splitDocuments(text: string, file: string): Piece[] {
  const normal = text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text;
  const pieces: Piece[] = [];
  let from = 0;
  let line = 1;
  for (let at = normal.indexOf("\n---"); at >= 0; ) {
    const end = normal.indexOf("\n", at + 1);
    if (end < 0) break;
    const piece = normal.slice(from, at + 1);
    pieces.push({ text: piece, line });
    line += linesBefore(piece, piece.length);
    const rest = normal.slice(at + 4, end).trim();
    if (rest !== "" && !rest.startsWith("#")) {
      throw invalid(`only a comment may follow a document separator, not ${JSON.stringify(rest)}`, { file, line });
    }
    line += 1;
    from = end + 1;
    // The line feed that ends a separator does not begin another one.
    at = normal.indexOf("\n---", from);
  }
  pieces.push({ text: normal.slice(from), line });
  return pieces;
}

function linesBefore(text: string, offset: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

function resourceFrom(node: NodeMap, kind: string, origin: ObjectOrigin): Resource {
  if (kind === "") throw invalid("the object has no kind", origin, "kind");
  const metadata = node.get("metadata");
  const name = isMapNode(metadata) ? metadata.get("name") : undefined;
  if (name !== undefined && !(name instanceof Scalar))
    throw invalid("metadata.name must be text", origin, "metadata.name");
  if ((textOf(name) ?? "") === "" && !kind.endsWith("List")) {
    throw invalid(`the ${kind} has no metadata.name`, origin, "metadata.name");
  }
  const resource = new Resource(node, origin);
  resource.writers = [{ by: "File", ...origin }];
  return resource;
}

function invalid(what: string, origin: ObjectOrigin, path?: string): Error {
  return renderError("render-invalid-resource", what, { file: origin.file, line: origin.line, path });
}
