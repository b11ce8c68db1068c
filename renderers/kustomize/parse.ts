// From the text of a resource or patch file to objects.

import { parseYamlNodes } from "../../kube/yaml.ts";
import { renderError, wrapYamlError } from "../errors.ts";
import type { ObjectOrigin } from "../rendered.ts";
import { fromYaml, isListNode, isMapNode, isNullNode, type Node, type NodeMap, Scalar, textOf } from "./node.ts";
import { Resource } from "./resource.ts";

/**
 * Reads the objects of a file in order; lists are taken apart.
 * Throws `render-invalid-resource` with file and line.
 */
export function parseResources(text: string, file: string): Resource[] {
  const documents = parseNodes(text, file);
  const resources: Resource[] = [];
  const expanded: Resource[] = [];
  for (const { node, line } of documents) {
    if (isNullNode(node)) continue;
    const origin = { file, line };
    if (!isMapNode(node)) throw invalid("a resource must be a map of fields", origin);
    if (node.size === 0) continue;
    const kind = textOf(node.get("kind")) ?? "";
    const items = node.get("items");
    if (!kind.endsWith("List") || items === undefined) {
      resources.push(resourceFrom(node, kind, origin));
      continue;
    }
    // As kustomize: what a list holds comes after the other documents, unless the list is all there is.
    if (isListNode(items)) for (const item of items) expanded.push(...expandItem(item, origin));
  }
  return [...resources, ...expanded];
}

interface ParsedNode {
  readonly node: Node;
  readonly line: number;
}

/** Reads the documents of a file as nodes. Throws `render-invalid-resource`. */
export function parseNodes(text: string, file: string): ParsedNode[] {
  const normal = text.includes("\r") ? text.replaceAll("\r\n", "\n") : text;
  checkSeparators(normal, file);
  try {
    return parseYamlNodes(normal, { file }).map(({ node, line }) => ({
      node: fromYaml(node, (offset, what) =>
        renderError("render-unrepresentable-value", what, { file, line: lineAt(normal, offset) }),
      ),
      line,
    }));
  } catch (error) {
    throw wrapYamlError(error, "render-invalid-resource", file);
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

function checkSeparators(text: string, file: string): void {
  for (let at = text.indexOf("\n---"); at >= 0; at = text.indexOf("\n---", at + 1)) {
    const end = text.indexOf("\n", at + 1);
    if (end < 0) return;
    const rest = text.slice(at + 4, end).trim();
    if (rest !== "" && !rest.startsWith("#")) {
      throw invalid(`only a comment may follow a document separator, not ${JSON.stringify(rest)}`, {
        file,
        line: lineAt(text, at + 1),
      });
    }
  }
}

function expandItem(item: Node, origin: ObjectOrigin): Resource[] {
  if (isNullNode(item)) return [];
  if (!isMapNode(item)) throw invalid("an item of a list must be a map of fields", origin);
  const kind = textOf(item.get("kind")) ?? "";
  const items = item.get("items");
  if (kind.endsWith("List") && items !== undefined) {
    return isListNode(items) ? items.flatMap((nested) => expandItem(nested, origin)) : [];
  }
  return [resourceFrom(item, kind, origin)];
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
  resource.step = { path: origin.file };
  resource.writers = [{ by: "File", ...origin }];
  return resource;
}

function invalid(what: string, origin: ObjectOrigin, path?: string): Error {
  return renderError("render-invalid-resource", what, { file: origin.file, line: origin.line, path });
}
