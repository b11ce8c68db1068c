// Writes what clusters have into the files that say otherwise: finds which file wrote a field, changes it there in its author's
// form, and renders again. Only a change after which exactly that field of that object is otherwise counts.
import { indexOfElement, valueOfElement } from "../../fleets/field-values.ts";
import type { FieldPath } from "../../kube/fields/path.ts";
import { applyJsonPatch, type JsonPatchOperation } from "../../kube/json-patch.ts";
import { equalJson, isObject, type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { editYaml } from "../../kube/yaml-edit.ts";
import { type RenderOptions, render } from "../../renderers/render.ts";
import type { RenderedObject, Writer } from "../../renderers/rendered.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { OverlaidTree } from "./overlaid-tree.ts";

/** A field that is to be as a cluster has it. */
export interface FieldToAdopt {
  readonly fieldPath: FieldPath;
  /** For people. */
  readonly path: string;
  /** What Git is to say; undefined: nothing. */
  readonly found: unknown;
}

export interface AdoptionTarget {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface Adoption {
  /** New texts of files, by path in the tree. */
  readonly files: ReadonlyMap<string, string>;
  readonly adopted: readonly { readonly field: FieldToAdopt; readonly file: string; readonly line: number }[];
  readonly refused: readonly { readonly field: FieldToAdopt; readonly reason: string }[];
}

/** Writes nothing: answers the texts. Throws what the renderer throws of the files as they are. */
export function adoptFields(
  tree: SourceTree,
  folder: string,
  target: AdoptionTarget,
  fields: readonly FieldToAdopt[],
  options: Pick<RenderOptions, "renderer"> = {},
): Adoption {
  let present = new OverlaidTree(tree, new Map());
  const adopted: { field: FieldToAdopt; file: string; line: number }[] = [];
  const refused: { field: FieldToAdopt; reason: string }[] = [];
  for (const field of fields) {
    const result = adoptField(present, folder, target, field, options);
    if ("reason" in result) {
      refused.push({ field, reason: result.reason });
      continue;
    }
    adopted.push({ field, file: result.file, line: firstDifference(present.text(result.file) ?? "", result.text) });
    present = present.with(result.file, result.text);
  }
  return { files: present.changes, adopted, refused };
}

type FieldResult = { readonly file: string; readonly text: string } | { readonly reason: string };

function adoptField(
  tree: OverlaidTree,
  folder: string,
  target: AdoptionTarget,
  field: FieldToAdopt,
  options: Pick<RenderOptions, "renderer">,
): FieldResult {
  const before = render(tree, folder, { ...options, fieldOrigins: true }).objects;
  const index = before.findIndex(({ object }) => isTarget(object, target));
  const rendered = before[index];
  if (rendered === undefined) return { reason: `${folder || "."} renders no ${target.kind} ${target.name}` };
  const place = placeOf(rendered.object, field.fieldPath, field.found);
  if (place === undefined) return { reason: "the files say nothing about what it is part of" };
  const wished = applyJsonPatch<KubeObject>(rendered.object, [place.operation]);
  if (equalJson(wished, rendered.object)) return { reason: "the files say so already" };
  const writers = writersOf(rendered, place.pointer);
  for (const writer of writers)
    for (const { file, text } of candidates(tree, writer, field, place.pointer)) {
      if (text === tree.text(file)) continue;
      if (isOnlyChange(tree.with(file, text), folder, options, before, index, wished)) return { file, text };
    }
  return {
    reason: `it is written by ${describeWriter(writers[0] ?? { by: "File", ...rendered.origin })}: change it there`,
  };
}

function isTarget(object: KubeObject, target: AdoptionTarget): boolean {
  const { namespace } = object.metadata;
  return (
    object.kind === target.kind &&
    parseApiVersion(object.apiVersion).group === parseApiVersion(target.apiVersion).group &&
    object.metadata.name === target.name &&
    (namespace === undefined || target.namespace === undefined || namespace === target.namespace)
  );
}

interface Place {
  readonly pointer: string;
  readonly operation: JsonPatchOperation;
}

/** Where a field stands in a document, and what makes it as found; undefined when what it is part of is not there. */
function placeOf(document: unknown, path: FieldPath, found: unknown): Place | undefined {
  let node = document;
  let pointer = "";
  for (const [depth, element] of path.entries()) {
    const isLast = depth === path.length - 1;
    if (element.startsWith("f:")) {
      const key = element.slice(2);
      if (!isObject(node)) return undefined;
      pointer += `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      node = valueOfElement(node, element);
      if (node === undefined && !isLast) return undefined;
    } else {
      const at = indexOfElement(node, element);
      if (at < 0 && !(isLast && Array.isArray(node))) return undefined;
      pointer += at < 0 ? "/-" : `/${at}`;
      node = at < 0 ? undefined : valueOfElement(node, element);
    }
  }
  if (found === undefined)
    return node === undefined ? undefined : { pointer, operation: { op: "remove", path: pointer } };
  return { pointer, operation: { op: node === undefined ? "add" : "replace", path: pointer, value: found } };
}

/** Who may have written the field: the last writer of it, then all others of the object, latest first. */
function writersOf({ history, origin }: RenderedObject, pointer: string): Writer[] {
  const fields = history?.fields;
  let writer = fields?.get(pointer);
  for (const [at, other] of fields ?? []) if (writer === undefined && at.startsWith(`${pointer}/`)) writer = other;
  const all = [...(history?.writers ?? [{ by: "File", ...origin }])].reverse();
  return writer === undefined ? all : [writer, ...all.filter((other) => other !== writer)];
}

/** Texts that may do it; whether they do, rendering tells. */
function* candidates(
  tree: OverlaidTree,
  writer: Writer,
  field: FieldToAdopt,
  pointer: string,
): Generator<{ readonly file: string; readonly text: string }> {
  const source = writer.by === "File" ? writer.file : writer.patch;
  if (source !== undefined) {
    const text = tree.text(source);
    if (text !== undefined)
      for (const changed of changedDocuments(text, field, pointer)) yield { file: source, text: changed };
    return;
  }
  const text = tree.text(writer.file);
  if (text === undefined || writer.field === undefined) return;
  const [list = "", place = "0"] = writer.field.split(/[[\]]/);
  const at = `/${list}/${place}`;
  const kustomization = attempt(() => parseYaml(text));
  const entry = valueAt(kustomization, [list, place]);
  const edit = (path: string, value: unknown): string | undefined => {
    const op = valueAt(kustomization, path.split("/").slice(1)) === undefined ? "add" : "replace";
    return attempt(() => editYaml(text, [{ op, path, value }], {}));
  };
  const results: (string | undefined)[] = [];
  if (writer.by === "ReplicaCountTransformer") results.push(edit(`${at}/count`, field.found));
  if (writer.by === "ImageTagTransformer" && typeof field.found === "string")
    results.push(withImage(text, at, entry, field.found));
  const [inline, inlineAt] =
    typeof entry === "string" ? [entry, at] : isObject(entry) ? [entry["patch"], `${at}/patch`] : [undefined, at];
  if (writer.by.startsWith("Patch") && typeof inline === "string")
    for (const changed of changedDocuments(inline, field, pointer)) results.push(edit(inlineAt, changed));
  for (const result of results) if (result !== undefined) yield { file: writer.file, text: result };
}

function withImage(text: string, at: string, entry: unknown, image: string): string | undefined {
  if (!isObject(entry)) return undefined;
  const [, name = "", tag, digest] = /^([^@]*?)(?::([^/:@]+))?(?:@(.+))?$/.exec(image) ?? [];
  const operations: JsonPatchOperation[] = [];
  const set = (key: string, value: string | undefined): void => {
    if (entry[key] === value) return;
    if (value === undefined) operations.push({ op: "remove", path: `${at}/${key}` });
    else operations.push({ op: entry[key] === undefined ? "add" : "replace", path: `${at}/${key}`, value });
  };
  if (name !== (entry["newName"] ?? entry["name"])) set("newName", name);
  set("newTag", tag);
  set("digest", digest);
  return attempt(() => editYaml(text, operations, {}));
}

/** The text with one of its documents changed, for each that may be meant: an object, a patch of one, or a JSON patch. */
function* changedDocuments(text: string, field: FieldToAdopt, pointer: string): Generator<string> {
  const documents = splitDocuments(text);
  for (const [index, document] of documents.entries()) {
    const value = attempt(() => parseYaml(document));
    for (const operation of operationsFor(value, field, pointer)) {
      const changed = attempt(() => editYaml(document, [operation], {}));
      if (changed !== undefined) yield documents.with(index, changed).join("");
    }
  }
}

function* operationsFor(value: unknown, field: FieldToAdopt, pointer: string): Generator<JsonPatchOperation> {
  if (Array.isArray(value)) {
    for (const [at, step] of (value as readonly unknown[]).entries())
      if (isObject(step) && step["path"] === pointer && field.found !== undefined)
        yield { op: "replace", path: `/${at}/value`, value: field.found };
    return;
  }
  const items = isObject(value) && Array.isArray(value["items"]) ? (value["items"] as readonly unknown[]) : [];
  for (const [at, item] of items.entries()) {
    const place = placeOf(item, field.fieldPath, field.found);
    if (place !== undefined) yield { ...place.operation, path: `/items/${at}${place.operation.path}` };
  }
  const place = placeOf(value, field.fieldPath, field.found);
  if (place !== undefined) yield place.operation;
}

/** Each with the separator before it. */
function splitDocuments(text: string): string[] {
  return text.split(/^(?=---(?:\s|$))/m);
}

function isOnlyChange(
  tree: SourceTree,
  folder: string,
  options: Pick<RenderOptions, "renderer">,
  before: readonly RenderedObject[],
  index: number,
  wished: KubeObject,
): boolean {
  const after = attempt(() => render(tree, folder, options).objects);
  return (
    after?.length === before.length &&
    after.every(({ object }, at) => equalJson(object, at === index ? wished : before[at]?.object))
  );
}

/** `images[0] of apps/kustomization.yaml:4`. */
export function describeWriter({ by, file, line, field, patch }: Writer): string {
  const where = line === undefined ? file : `${file}:${line}`;
  if (patch !== undefined) return `the patch ${patch} (${field ?? "patches"} of ${where})`;
  return field === undefined ? (by === "File" ? where : `${by} of ${where}`) : `${field} of ${where}`;
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  let node = value;
  for (const key of keys)
    node = Array.isArray(node) ? (node as readonly unknown[])[Number(key)] : isObject(node) ? node[key] : undefined;
  return node;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // A form that cannot be changed, or files that then say nothing that can be rendered: no way to do it.
    return undefined;
  }
}

/** The first line, from 1, in which two texts differ. */
function firstDifference(before: string, after: string): number {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const at = now.findIndex((line, index) => line !== old[index]);
  return (at < 0 ? now.length : at) + 1;
}
