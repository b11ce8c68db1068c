// What one patch makes of one object.

import { isObject } from "../../../kube/object.ts";
import { renderError } from "../../errors.ts";
import { internalAnnotations } from "../resources/internal-annotations.ts";
import {
  cloneNode,
  ensureMap,
  getAt,
  isListNode,
  isMapNode,
  isNullNode,
  type Node,
  type NodeList,
  type NodeMap,
  NULL,
  Repeated,
  Scalar,
  setField,
  stringNode,
  textOf,
  toValue,
} from "../resources/node.ts";
import type { Resource } from "../resources/resource.ts";
import { fromJson } from "./json-form.ts";
import { applyOperations, type Operation, touches } from "./json-patch.ts";
import { mergeObject } from "./merge.ts";
import type { MergeSchemas } from "./merge-schema.ts";

export interface MergeOptions {
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
  /** `fitted` to the object it is for: a patch with a target, and one of `patchesStrategicMerge`. */
  readonly form: "as-written" | "fitted";
}

/** Merges a patch into an object, in place; an object that the patch deletes is left empty. */
export function mergeInto(resource: Resource, patch: Resource, options: MergeOptions, schemas: MergeSchemas): void {
  const kind = resource.node.get("kind");
  const name = resource.metadata?.get("name");
  const namespace = resource.metadata?.get("namespace");
  const isRenaming = options.allowNameChange || options.allowKindChange;
  if (isRenaming) resource.rememberName();
  const change = fitPatch(patch.node, resource, options);
  if (options.form === "as-written" && getAt(change, "metadata", "labels") !== undefined) resource.labelsSpelled = true;
  if (replacesAnnotations(change)) resource.forgetHistory();
  if (mergeObject(resource.node, change, schemas) === "deleted") resource.node = new Map();
  if (resource.isEmpty) return;
  // As kustomize: an object without an apiVersion gets a null for one.
  if (options.form === "fitted" && resource.apiVersion === "") resource.node.set("apiVersion", NULL);
  if (!options.allowKindChange) resource.node.set("kind", kind ?? stringNode(""));
  if (!options.allowNameChange) ensureMap(resource.node, "metadata").set("name", name ?? stringNode(""));
  if (namespace !== undefined && !isNullNode(namespace) && textOf(namespace) !== "") {
    ensureMap(resource.node, "metadata").set("namespace", namespace);
  } else {
    resource.metadata?.delete("namespace");
  }
}

/**
 * The patch as it is merged. As kustomize: a patch that is fitted to its object takes the object's apiVersion, and its
 * labels and annotations become text, so that a null among them is the word "null"; a map of them that is null or empty
 * says nothing. Where names may change, that holds for the annotations in any case.
 */
function fitPatch(patch: NodeMap, resource: Resource, options: MergeOptions): NodeMap {
  const isFitted = options.form === "fitted";
  const isRenaming = options.allowNameChange || options.allowKindChange;
  if (!isFitted && !isRenaming) return patch;
  // cloneNode keeps the shape: a map stays a map.
  const fitted = cloneNode(patch) as NodeMap;
  const metadata = ensureMap(fitted, "metadata");
  textify(metadata, "annotations");
  if (!isFitted) return fitted;
  textify(metadata, "labels");
  if (resource.apiVersion === "") fitted.delete("apiVersion");
  else fitted.set("apiVersion", stringNode(resource.apiVersion));
  return fitted;
}

/** Turns the values of a map of labels or annotations into text; without any, the map goes. */
function textify(metadata: NodeMap, field: "labels" | "annotations"): void {
  const pairs = metadata.get(field);
  if (pairs === undefined) return;
  if (!isMapNode(pairs) || pairs.size === 0) {
    metadata.delete(field);
    return;
  }
  // As kustomize: here the last of a repeated key counts.
  for (const [key, value] of [...pairs]) {
    if (value instanceof Repeated) pairs.delete(key);
    pairs.set(value instanceof Repeated ? key.slice(1) : key, stringNode(writtenText(value)));
  }
}

function writtenText(node: Node): string {
  if (node instanceof Repeated) return writtenText(node.value);
  return node instanceof Scalar ? node.text : "";
}

// The names that an object had, and more, stand among the annotations while a build runs.
function replacesAnnotations(patch: NodeMap): boolean {
  const metadata = patch.get("metadata");
  if (isMapNode(metadata) && drivesOut(metadata.get("$patch"))) return true;
  const annotations = getAt(metadata, "annotations");
  return isNullNode(annotations) || (isMapNode(annotations) && drivesOut(annotations.get("$patch")));
}

function drivesOut(directive: Node | undefined): boolean {
  const text = textOf(directive);
  return text === "replace" || text === "delete";
}

/** Runs the operations of a JSON patch on an object, in place. */
export function operate(resource: Resource, operations: readonly Operation[]): void {
  // As kustomize: what a build notes about an object stands among the annotations, and an operation can see it there.
  const notes = internalAnnotations(resource);
  const value = toValue(resource.node);
  if (notes.size > 0 && touches(operations, "metadata", "annotations")) addNotes(value, notes);
  const result = applyOperations(value, operations);
  if (!isObject(result)) throw renderError("render-patch-operation", "it leaves no object");
  // An object gives a map.
  const node = fromJson(result) as NodeMap;
  settleAnnotations(node, notes);
  resource.node = node;
  resource.hasLinks = false;
  resource.labelsSpelled = getAt(node, "metadata", "labels") !== undefined;
  // Where the object is from is not put back.
  if (operations.some(replacesNotes)) resource.forgetOrigin();
}

function addNotes(value: unknown, notes: ReadonlyMap<string, string>): void {
  if (!isObject(value)) return;
  const metadata = isObject(value["metadata"]) ? value["metadata"] : {};
  const annotations = isObject(metadata["annotations"]) ? metadata["annotations"] : {};
  for (const [key, note] of notes) annotations[key] = note;
  metadata["annotations"] = annotations;
  value["metadata"] = metadata;
}

/** As kustomize: a JSON patch leaves annotations that are text, or none. */
function settleAnnotations(node: NodeMap, notes: ReadonlyMap<string, string>): void {
  const metadata = ensureMap(node, "metadata");
  const annotations = metadata.get("annotations");
  if (annotations === undefined) return;
  const settled: NodeMap = new Map();
  // As kustomize: a list counts as keys and values in turn.
  const entries = isMapNode(annotations) ? [...annotations] : isListNode(annotations) ? pairsOf(annotations) : [];
  for (const [key, value] of entries) if (!notes.has(key)) setField(settled, key, stringNode(writtenText(value)));
  if (settled.size === 0) metadata.delete("annotations");
  else metadata.set("annotations", settled);
}

function pairsOf(list: NodeList): [string, Node][] {
  const pairs: [string, Node][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) pairs.push([writtenText(list[at]!), list[at + 1]!]);
  return pairs;
}

function replacesNotes({ op, path, from }: Operation): boolean {
  const written = op === "move" ? [path, from] : op === "test" ? [] : [path];
  return written.some((place) => place === "" || place === "/metadata" || place === "/metadata/annotations");
}
