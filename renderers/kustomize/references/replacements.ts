// Copies values from one object into fields of others.

import { isObject } from "../../../kube/object.ts";
import { parseYaml } from "../../../kube/yaml.ts";
import { AppError } from "../../../runtime/errors.ts";
import { renderError, wrapYamlError } from "../../errors.ts";
import { decodeField } from "../kustomization/decode-field.ts";
import { firstDocument } from "../kustomization/first-document.ts";
import type { ReplacementEntry, ReplacementOptions } from "../kustomization/kustomization.ts";
import { REPLACEMENT_FIELDS } from "../kustomization/kustomization-schema.ts";
import type { Loader } from "../loading/loader.ts";
import { checkCharacters, countCopied } from "../resources/limits.ts";
import { cloneUnlinked } from "../resources/linked-scalars.ts";
import {
  isListNode,
  isMapNode,
  isNullNode,
  kindOf,
  type Node,
  type NodeMap,
  Scalar,
  textOf,
  UNTYPED,
} from "../resources/node.ts";
import { isLiteral } from "../resources/regex.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { matchesExactly, selectsTarget } from "../resources/select.ts";
import { nodeKey } from "../resources/share.ts";
import {
  type CreateKind,
  type FoundField,
  lookupField,
  matchFields,
  PathFault,
  splitDottedPath,
} from "./field-path.ts";
import { StructuredText } from "./structured-text.ts";

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
    // As kustomize: what comes after the first document is not even read.
    raw = parseYaml(firstDocument(text), { file, duplicateKeys: "last-wins" });
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
    if (entry.targets === undefined) throw fault("a replacement has no targets", file);
    let { source, value } = readSource(map, entry, file);
    let salt = saltOf(map, index, value);
    for (const [place, target] of entry.targets.entries()) {
      if (target.select === undefined)
        throw fault("a target of a replacement selects nothing: select is missing", file);
      for (const resource of selectTargets(map, target)) {
        const copied = value;
        const next = map.edit(resource, (own) => copyInto(own, copied, target, file), `${place}\n${salt}`);
        if (resource !== source || entry.source?.options?.delimiter) continue;
        // As kustomize: a source that is a target as well is copied as it has become.
        source = next;
        value = lookupField(next.node, splitDottedPath(pathOf(entry.source))) ?? value;
        salt = saltOf(map, index, value);
      }
    }
  }
}

/** Reads what the entries name; what comes back carries them out. */
export function prepareReplacements(
  entries: readonly ReplacementEntry[],
  loader: Loader,
  file: string,
): (map: ResourceMap) => void {
  const loaded = loadReplacements(entries, loader);
  return (map) => {
    const text = map.options.keepStates ? JSON.stringify(loaded) : "";
    map.within(text, undefined, () => applyReplacements(map, loaded, file));
  };
}

function saltOf(map: ResourceMap, index: number, value: Node): string {
  return map.options.keepStates ? `${index}\n${nodeKey(value)}` : "";
}

interface Source {
  readonly source: Resource | undefined;
  readonly value: Node;
}

function readSource(map: ResourceMap, entry: ReplacementEntry, file: string): Source {
  if (entry.sourceValue !== undefined) {
    if (entry.source !== undefined) throw fault("a replacement has both source and sourceValue", file);
    return { source: undefined, value: new Scalar(UNTYPED, entry.sourceValue) };
  }
  const { source } = entry;
  if (source === undefined) throw fault("a replacement has no source", file);
  const candidates = source.name ? map.findByAnyName(source.name) : map.resources;
  const matches = candidates.filter((resource) => resource.allIds.some((id) => matchesExactly(id, source)));
  const [resource] = matches;
  if (resource === undefined) throw fault(`no object matches the source ${describe(source)}`, file);
  if (matches.length > 1) {
    throw fault(`${matches.length} objects match the source ${describe(source)}, one is needed`, file);
  }
  const path = pathOf(source);
  const node = withPathFault(file, path, () => lookupField(resource.node, splitDottedPath(path)));
  if (node === undefined || isNullNode(node) || isEmpty(node)) {
    throw fault(`${resource.describe()} has no ${path} to copy`, file, path);
  }
  countCopied(node);
  return { source: resource, value: sourcePart(node, source.options, path, file) };
}

function pathOf(source: ReplacementEntry["source"]): string {
  return source?.fieldPath || "metadata.name";
}

// As kustomize: an empty text is a value.
function isEmpty(node: Node): boolean {
  return !(node instanceof Scalar) && (node instanceof Map ? node.size === 0 : node.length === 0);
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

function selectTargets(map: ResourceMap, target: Target): Resource[] {
  const name = target.select?.name;
  const candidates = name && isLiteral(name) ? map.findByAnyName(name) : map.resources;
  return candidates.filter(selectsTarget(target.select ?? {}, target.reject ?? []));
}

function copyInto(resource: Resource, value: Node, target: Target, file: string): void {
  const paths =
    target.fieldPaths === undefined || target.fieldPaths.length === 0 ? ["metadata.name"] : target.fieldPaths;
  const { options } = target;
  const create: CreateKind = options?.create === true ? kindOf(value) : "nothing";
  for (const path of paths) {
    const parts = splitDottedPath(path);
    if (replaceInText(resource.node, parts, value, options, create)) continue;
    const labels = labelCount(resource);
    const fields = withPathFault(file, path, () => matchFields(resource.node, parts, create));
    if (fields.length === 0) {
      const hint = options?.create === true ? "" : "; set options.create to make it";
      throw fault(`${resource.describe()} has no ${path} to replace${hint}`, file, path);
    }
    withPathFault(file, path, () => {
      for (const field of fields) setValue(field, value, options);
    });
    // What is copied keeps its place in a file; what a set field had stays where it was made.
    if (labelCount(resource) > labels) resource.labelsSpelled = true;
  }
}

function labelCount({ metadata }: Resource): number {
  const labels = metadata?.get("labels");
  return isMapNode(labels) ? labels.size : 0;
}

/** Throws `PathFault` when a part shall be replaced in what is no text. */
function setValue(field: FoundField, value: Node, options: ReplacementOptions | undefined): Node {
  const { node } = field;
  let text = value instanceof Scalar ? value.text : "";
  if (options?.delimiter) {
    if (!(node instanceof Scalar)) throw new PathFault(`a delimiter needs text, and there is a ${kindOf(node)}`);
    text = insertPart(node.text, textOf(value) ?? "", options.delimiter, options.index ?? 0);
    checkCharacters(text);
  }
  const copied = node instanceof Scalar ? withText(node, text) : cloneUnlinked(value);
  field.set(copied);
  return copied;
}

// The target keeps its type, so that text can fill a number and a number a text. As kustomize: a map or a list leaves
// a scalar without text, and a null stays one.
function withText(target: Scalar, text: string): Scalar {
  return new Scalar(target.tag, text, target.quoted);
}

function insertPart(target: string, part: string, delimiter: string, index: number): string {
  const parts = target.split(delimiter);
  if (index < 0) parts.unshift(part);
  else if (index >= parts.length) parts.push(part);
  else parts[index] = part;
  return parts.join(delimiter);
}

/**
 * Replaces a value inside a text that is itself JSON or YAML; false when the path does not lead into one. As kustomize:
 * the way to the text has no patterns or wildcards, and whatever goes wrong inside leaves the text alone.
 */
function replaceInText(
  root: NodeMap,
  parts: readonly string[],
  value: Node,
  options: ReplacementOptions | undefined,
  create: CreateKind,
): boolean {
  for (let depth = 1; depth < parts.length; depth++) {
    const place = findScalar(root, parts.slice(0, depth));
    const opened = place && StructuredText.open(place.node.text);
    if (place === undefined || opened === undefined) continue;
    if (opened.root === undefined) return false;
    const printed = attempt(() => {
      const fields = matchFields(opened.root!, parts.slice(depth), create);
      if (fields.length === 0) return undefined;
      for (const field of fields) opened.succeed(field.node, setValue(field, value, options));
      return opened.print();
    });
    if (printed === undefined) return false;
    place.set(new Scalar(place.node.tag, printed));
    return true;
  }
  return false;
}

interface ScalarPlace {
  readonly node: Scalar;
  set(value: Scalar): void;
}

function findScalar(root: NodeMap, parts: readonly string[]): ScalarPlace | undefined {
  return attempt(() => {
    const parent = lookupField(root, parts.slice(0, -1));
    const node = lookupField(root, parts);
    if (parent === undefined || !(node instanceof Scalar)) return undefined;
    const key = parts.at(-1)!.trim();
    return {
      node,
      set: (value) => {
        if (isMapNode(parent)) parent.set(key, value);
        else if (isListNode(parent)) parent[/^\+?[0-9]+$/.test(key) ? Number(key) : parent.lastIndexOf(node)] = value;
      },
    };
  });
}

/** What is found; nothing when the path does not fit or the value cannot be written. */
function attempt<T>(find: () => T | undefined): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof PathFault || error instanceof AppError) return undefined;
    throw error;
  }
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
