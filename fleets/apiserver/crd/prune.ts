// Pruning: fields that the schema does not name are dropped. Metadata, at the root and in embedded resources, has the
// fields of ObjectMeta whatever the schema says.
import type { Json, JsonObject } from "../../../kube/object.ts";
import { decodeTyped } from "../kinds/decode.ts";
import { DecodeError } from "../kinds/go-values.ts";
import { childNode, isJsonObject, type SchemaNode } from "./schema.ts";

const OBJECT_META = "meta/v1.ObjectMeta";

/** Path parts down to the present value: keys, and indices as numbers. Texts are made only for what is reported. */
type Path = (string | number)[];

interface Found {
  readonly path: Path;
  readonly fields: string[];
  readonly metadataFields: string[];
}

/** A path as messages print it: `spec.items[0].name`. */
export function pathText(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/**
 * Drops unknown fields in place and answers their paths, sorted, those of embedded metadata first. Throws
 * `DecodeError` for embedded metadata of the wrong types. The root's own metadata is not looked at.
 */
export function pruneUnknown(value: JsonObject, node: SchemaNode): string[] {
  const found: Found = { path: [], fields: [], metadataFields: [] };
  pruneObject(value, node, found);
  return [...found.metadataFields.sort(), ...found.fields.sort()];
}

/** The metadata of an object with only the fields of ObjectMeta, and the unknown ones' paths, sorted. */
export function coerceMetadata(metadata: JsonObject, path: string): { metadata: JsonObject; unknown: string[] } {
  const { value, strictErrors } = decodeTyped(OBJECT_META, metadata, path);
  return { metadata: value, unknown: strictErrors.map((error) => error.slice('unknown field "'.length, -1)).sort() };
}

function pruneObject(value: JsonObject, node: SchemaNode, found: Found): void {
  for (const key in value) {
    if (node.embedded && key === "metadata") {
      if (found.path.length > 0) coerceEmbedded(value, found);
      continue;
    }
    const child = childNode(node, key);
    if (child === undefined) {
      if (node.preserveUnknown) continue;
      delete value[key];
      found.fields.push(pathText([...found.path, key]));
    } else if (child !== true) {
      pruneChild(value[key], child, key, found);
    }
  }
}

function coerceEmbedded(owner: JsonObject, found: Found): void {
  const present = owner["metadata"];
  if (!isJsonObject(present)) return;
  const at = pathText([...found.path, "metadata"]);
  const { metadata, unknown } = coerceEmbeddedMetadata(present, at);
  owner["metadata"] = metadata;
  found.metadataFields.push(...unknown);
}

function coerceEmbeddedMetadata(present: JsonObject, at: string): ReturnType<typeof coerceMetadata> {
  try {
    return coerceMetadata(present, at);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const sorted = Object.fromEntries(Object.entries(present).sort(([a], [b]) => (a < b ? -1 : 1)));
    throw new DecodeError(`${at}: Invalid value: ${JSON.stringify(sorted)}: ${error.message}`);
  }
}

/** Drops every field of the objects in a list of which the schema says nothing. */
function pruneUntyped(value: Json | undefined, key: string | number, found: Found): void {
  if (typeof value !== "object" || value === null) return;
  found.path.push(key);
  if (Array.isArray(value)) for (const [index, item] of value.entries()) pruneUntyped(item, index, found);
  else {
    for (const name in value) {
      delete value[name];
      found.fields.push(pathText([...found.path, name]));
    }
  }
  found.path.pop();
}

function pruneChild(value: Json | undefined, node: SchemaNode, key: string | number, found: Found): void {
  if (typeof value !== "object" || value === null) return;
  found.path.push(key);
  if (!Array.isArray(value)) {
    pruneObject(value, node, found);
  } else if (node.items !== undefined) {
    for (let index = 0; index < value.length; index++) pruneChild(value[index], node.items, index, found);
  } else if (!node.preserveUnknown) {
    for (let index = 0; index < value.length; index++) pruneUntyped(value[index], index, found);
  }
  found.path.pop();
}
