// The suffix that changes a generated object's name whenever its content changes.

import { createHash } from "node:crypto";
import { formatJsonNumber } from "../../../kube/yaml-format.ts";
import { isMapNode, type Node, textOf, toValue } from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";

/** Ten characters that depend on kind and data, and on nothing else. */
export function contentHash(resource: Resource): string {
  const digest = createHash("sha256")
    .update(goJson(hashedContent(resource)))
    .digest("hex");
  let hash = "";
  // Letters that could spell words, and digits that read like them, are replaced.
  for (const char of digest.slice(0, 10)) hash += REPLACED.get(char) ?? char;
  return hash;
}

const REPLACED = new Map([
  ["0", "g"],
  ["1", "h"],
  ["3", "k"],
  ["a", "m"],
  ["e", "t"],
]);

function hashedContent(resource: Resource): unknown {
  const { kind, node } = resource;
  // As kustomize: the field is hashed but always empty, so equal content has equal suffixes.
  const name = "";
  if (kind === "ConfigMap") {
    const binaryData = node.get("binaryData");
    const content: Record<string, unknown> = { data: mapOrEmpty(node.get("data")), kind, name };
    if (isMapNode(binaryData)) content["binaryData"] = toValue(binaryData);
    return content;
  }
  if (kind === "Secret") {
    const stringData = node.get("stringData");
    const type = node.get("type");
    const content: Record<string, unknown> = {
      data: mapOrEmpty(node.get("data")),
      kind,
      name,
      type: type === undefined ? "" : toValue(type),
    };
    if (isMapNode(stringData)) content["stringData"] = toValue(stringData);
    return content;
  }
  return toValue(node);
}

function mapOrEmpty(node: Node | undefined): unknown {
  // As kustomize: a word in the place of the map counts as it is.
  return isMapNode(node) ? toValue(node) : (textOf(node) ?? "");
}

/** JSON as Go writes it: keys sorted by their bytes, and characters escaped that could end a script element. */
export function goJson(value: unknown, indent = ""): string {
  return write(value, indent, "");
}

function write(value: unknown, indent: string, current: string): string {
  if (typeof value === "string") return goString(value);
  if (typeof value === "number") return formatJsonNumber(value);
  if (typeof value !== "object" || value === null) return String(value);
  const inner = current + indent;
  const open = indent === "" ? "" : `\n${inner}`;
  const close = indent === "" ? "" : `\n${current}`;
  const separator = indent === "" ? "," : `,\n${inner}`;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[${open}${value.map((item) => write(item, indent, inner)).join(separator)}${close}]`;
  }
  const colon = indent === "" ? ":" : ": ";
  const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (entries.length === 0) return "{}";
  const fields = entries.map(([key, item]) => `${goString(key)}${colon}${write(item, indent, inner)}`);
  return `{${open}${fields.join(separator)}${close}}`;
}

function goString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
