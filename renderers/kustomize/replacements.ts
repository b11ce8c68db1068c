// Copies values from one object into fields of others.

import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { readCoreScalar } from "../../kube/yaml-scalars.ts";
import { renderError, wrapYamlError } from "../errors.ts";
import { decodeField } from "./decode-field.ts";
import {
  type CreateKind,
  type FoundField,
  lookupField,
  matchFields,
  PathFault,
  splitDottedPath,
} from "./field-path.ts";
import type { ReplacementEntry, ReplacementOptions } from "./kustomization.ts";
import { REPLACEMENT_FIELDS } from "./kustomization-schema.ts";
import type { Loader } from "./loader.ts";
import { cloneNode, isNullNode, kindOf, type Node, Scalar, stringNode } from "./node.ts";
import type { Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
import { matchesExactly, selectsAnyId } from "./select.ts";
import { nodeKey } from "./share.ts";
import { openStructuredText } from "./structured-text.ts";

type Target = NonNullable<ReplacementEntry["targets"]>[number];

/** Resolves entries that name a file, which holds one replacement or a list of them. */
function loadReplacements(entries: readonly ReplacementEntry[], loader: Loader): ReplacementEntry[] {
  return entries.flatMap((entry) => {
    if (!entry.path) return [entry];
    if (entry.source !== undefined || entry.targets !== undefined || entry.sourceValue !== undefined) {
      throw loader.fault("render-replacement", entry.path, "a replacement cannot have both path and inline fields");
    }
    const { path, text } = loader.loadText(entry.path);
    return readReplacementFile(text, path);
  });
}

function readReplacementFile(text: string, file: string): ReplacementEntry[] {
  let raw: unknown;
  try {
    raw = parseYaml(text, { file, duplicateKeys: "last-wins" });
  } catch (error) {
    throw wrapYamlError(error, "render-replacement", file);
  }
  const list = Array.isArray(raw) ? raw : [raw];
  return list.map((item) => {
    if (!isObject(item)) throw renderError("render-replacement", "a replacement must be a map of fields", { file });
    // decodeField answers the shape that REPLACEMENT_FIELDS spells out.
    return decodeField(item, { fields: REPLACEMENT_FIELDS }, "lenient") as ReplacementEntry;
  });
}

/** Carries out the replacements in order. Throws `render-replacement`. */
function applyReplacements(map: ResourceMap, entries: readonly ReplacementEntry[], file: string): void {
  for (const [index, entry] of entries.entries()) {
    const value = sourceValue(map.resources, entry, file);
    const salt = map.options.keepStates ? `${index}\n${nodeKey(value)}` : "";
    if (entry.targets === undefined) throw fault("a replacement has no targets", file);
    for (const [place, target] of entry.targets.entries()) {
      if (target.select === undefined)
        throw fault("a target of a replacement selects nothing: select is missing", file);
      for (const resource of selectTargets(map.resources, target)) {
        map.edit(resource, (own) => copyInto(own, value, target, file), `${place}\n${salt}`);
      }
    }
  }
}

/** Reads what the entries name and carries them out. */
export function applyLoadedReplacements(
  map: ResourceMap,
  entries: readonly ReplacementEntry[],
  loader: Loader,
  file: string,
): void {
  const loaded = loadReplacements(entries, loader);
  const text = map.options.keepStates ? JSON.stringify(loaded) : "";
  map.within(text, undefined, () => applyReplacements(map, loaded, file));
}

function sourceValue(resources: readonly Resource[], entry: ReplacementEntry, file: string): Node {
  if (entry.sourceValue !== undefined) {
    if (entry.source !== undefined) throw fault("a replacement has both source and sourceValue", file);
    return stringNode(entry.sourceValue);
  }
  const { source } = entry;
  if (source === undefined) throw fault("a replacement has no source", file);
  const matches = resources.filter((resource) => resource.allIds.some((id) => matchesExactly(id, source)));
  const [resource] = matches;
  if (resource === undefined) throw fault(`no object matches the source ${describe(source)}`, file);
  if (matches.length > 1) {
    throw fault(`${matches.length} objects match the source ${describe(source)}, one is needed`, file);
  }
  const path = source.fieldPath || "metadata.name";
  const node = withPathFault(file, path, () => lookupField(resource.node, splitDottedPath(path)));
  if (node === undefined || isNullNode(node) || isEmpty(node)) {
    throw fault(`${resource.describe()} has no ${path} to copy`, file, path);
  }
  return sourcePart(node, source.options, path, file);
}

function isEmpty(node: Node): boolean {
  return node instanceof Scalar ? node.text === "" : node instanceof Map ? node.size === 0 : node.length === 0;
}

function sourcePart(node: Node, options: ReplacementOptions | undefined, path: string, file: string): Node {
  if (!options?.delimiter) return node;
  if (!(node instanceof Scalar)) throw fault(`a delimiter needs text, and ${path} is a ${kindOf(node)}`, file, path);
  const parts = node.text.split(options.delimiter);
  const part = parts[options.index ?? 0];
  if (part === undefined) {
    throw fault(`${path} has ${parts.length} parts, so there is no part ${options.index}`, file, path);
  }
  return new Scalar(node.tag, part);
}

function selectTargets(resources: readonly Resource[], target: Target): Resource[] {
  const selected = selectsAnyId(target.select ?? {});
  const rejected = (target.reject ?? []).map(selectsAnyId);
  return resources.filter((resource) => selected(resource) && !rejected.some((rejects) => rejects(resource)));
}

function copyInto(resource: Resource, value: Node, target: Target, file: string): void {
  const paths =
    target.fieldPaths === undefined || target.fieldPaths.length === 0 ? ["metadata.name"] : target.fieldPaths;
  const { options } = target;
  const create: CreateKind = options?.create === true ? kindOf(value) : "nothing";
  for (const path of paths) {
    let inside = 0;
    const fields = withPathFault(file, path, () =>
      matchFields(resource.node, splitDottedPath(path), create, (field, rest) => {
        editInside(field, rest, value, options, path, file);
        inside += 1;
      }),
    );
    if (fields.length + inside === 0) {
      const hint = options?.create === true ? "" : "; set options.create to make it";
      throw fault(`${resource.describe()} has no ${path} to replace${hint}`, file, path);
    }
    for (const field of fields) setValue(field, value, options, path, file);
  }
}

function setValue(
  field: FoundField,
  value: Node,
  options: ReplacementOptions | undefined,
  path: string,
  file: string,
): void {
  let copied = cloneNode(value);
  if (options?.delimiter) {
    if (!(field.node instanceof Scalar) || !(value instanceof Scalar)) {
      throw fault(`a delimiter needs text, and ${path} is a ${kindOf(field.node)}`, file, path);
    }
    copied = new Scalar(value.tag, insertPart(field.node.text, value.text, options.delimiter, options.index ?? 0));
  }
  if (field.node instanceof Scalar && copied instanceof Scalar && !isNullNode(field.node)) {
    // The target keeps its type, so that text can fill a number and a number a text.
    const tag = field.created ? readCoreScalar(copied.text).tag : field.node.tag;
    field.set(new Scalar(tag, copied.text));
  } else {
    field.set(copied);
  }
}

function insertPart(target: string, part: string, delimiter: string, index: number): string {
  const parts = target.split(delimiter);
  if (index < 0) parts.unshift(part);
  else if (index >= parts.length) parts.push(part);
  else parts[index] = part;
  return parts.join(delimiter);
}

/** Edits a value inside a text that is itself JSON or YAML. */
function editInside(
  field: FoundField,
  rest: readonly string[],
  value: Node,
  options: ReplacementOptions | undefined,
  path: string,
  file: string,
): void {
  if (!(field.node instanceof Scalar)) return;
  const opened = openStructuredText(field.node.text);
  if (opened === undefined) {
    throw fault(`${path} goes on inside a text that is neither JSON nor YAML with fields`, file, path);
  }
  const create: CreateKind = options?.create === true ? kindOf(value) : "nothing";
  const fields = withPathFault(file, path, () => matchFields(opened.root, rest, create, () => {}));
  if (fields.length === 0) throw fault(`the text has no ${rest.join(".")} to replace`, file, path);
  const replaced = new Map<Scalar, Scalar>();
  let onlyScalars = true;
  for (const inner of fields) {
    const record = (after: Node): void => {
      if (inner.node instanceof Scalar && after instanceof Scalar && !inner.created) replaced.set(inner.node, after);
      else onlyScalars = false;
      inner.set(after);
    };
    setValue({ ...inner, set: record }, value, options, path, file);
  }
  field.set(stringNode(opened.print(onlyScalars ? replaced : undefined)));
}

function withPathFault<T>(file: string, path: string, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof PathFault) throw fault(`the path ${path} does not fit: ${error.message}`, file, path);
    throw error;
  }
}

function describe(selector: { readonly kind?: string; readonly name?: string; readonly namespace?: string }): string {
  const name = selector.namespace ? `${selector.namespace}/${selector.name ?? ""}` : (selector.name ?? "");
  return `${selector.kind ?? ""} ${name}`.trim();
}

function fault(what: string, file: string, path?: string): Error {
  return renderError("render-replacement", what, { file, path });
}
