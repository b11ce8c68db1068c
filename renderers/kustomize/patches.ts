// The patch transformers: strategic-merge and JSON patches, by target or by the patch's own identity.

import { parseYaml } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";
import { RenderError, type RenderErrorPlace, renderError } from "../errors.ts";
import type { FieldPath } from "./field-positions.ts";
import { describeWithOrigin, hintOfName } from "./hints.ts";
import { applyOperations, type Operation, readOperations } from "./json-patch.ts";
import type { PatchEntry } from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { mergeObject } from "./merge.ts";
import type { MergeSchemas } from "./merge-schema.ts";
import { ensureMap, fromValue, getAt, isMapNode, isNullNode, stringNode, textOf, toValue } from "./node.ts";
import type { Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
import { selectResources } from "./select.ts";

export interface PatchContext {
  readonly loader: Loader;
  readonly schemas: MergeSchemas;
  /** The kustomization file, which stands for inline patches in messages. */
  readonly file: string;
  /** Reads objects as `parseResources`, perhaps from memory: they must not be changed. */
  readonly parse: (text: string, file: string) => readonly Resource[];
}

interface MergeOptions {
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
}

const STRICT: MergeOptions = { allowNameChange: false, allowKindChange: false };

/** A transformer whose configuration has been read. */
export type Transform = (map: ResourceMap) => void;

type PatchContent =
  | { readonly type: "merge"; readonly patches: readonly Resource[] }
  | { readonly type: "json"; readonly operations: readonly Operation[] };

/** Reads one entry of `patches`; what comes back applies it. */
export function preparePatchEntry(entry: PatchEntry, context: PatchContext): Transform {
  // As kustomize: white space around an inline patch counts for nothing, around a path it does.
  const { text, file } = patchText(entry.path ?? "", entry.patch?.trim() ?? "", ["path", "patch"], context);
  const content = readPatch(text, file, context);
  return (map) =>
    map.within(text, patchFile(file, context), () => {
      if (content.type === "merge") {
        applyMergePatches(map, entry, content.patches, context);
        return;
      }
      if (entry.target === undefined) {
        throw renderError("render-patch-no-target", "a list of operations needs a target; add one to the entry");
      }
      applyJson(map, selectResources(map.resources, entry.target), content.operations, patchFile(file, context));
    });
}

function applyMergePatches(
  map: ResourceMap,
  entry: PatchEntry,
  patches: readonly Resource[],
  context: PatchContext,
): void {
  const options = {
    allowNameChange: entry.options?.["allowNameChange"] === true,
    allowKindChange: entry.options?.["allowKindChange"] === true,
  };
  if (entry.target === undefined) {
    for (const [index, patch] of patches.entries()) applyByIdentity(map, patch, options, context, String(index));
    return;
  }
  const [patch] = patches;
  if (patch === undefined) return;
  if (patches.length > 1) {
    const what = `a patch with a target must be one document, not ${patches.length}; make each an entry of its own`;
    throw renderError("render-patch-multiple-with-target", what, { field: ["target"] });
  }
  for (const resource of selectResources(map.resources, entry.target)) {
    map.edit(resource, (own) => {
      const fitted = patch.clone();
      fitted.node.set("apiVersion", own.node.get("apiVersion") ?? fitted.node.get("apiVersion") ?? fromValue(""));
      if (!options.allowKindChange) fitted.setKind(own.kind);
      mergeInto(own, fitted, options, context);
    });
  }
  map.dropEmpty();
}

/** Reads `patchesStrategicMerge`: each entry a file or inline text, given with the steps to it. */
export function prepareMergeEntries(
  entries: readonly { readonly entry: string; readonly field: FieldPath }[],
  context: PatchContext,
): Transform {
  const { loader } = context;
  const loaded = entries.map(({ entry, field }) => ({
    field,
    ...loader.under(field, () => mergeEntry(entry, context)),
  }));
  if (loaded.every(({ patches }) => patches.length === 0)) {
    throw renderError("render-patch-unparsable", "the patches hold nothing; write one, or remove the entries");
  }
  return (map) => {
    for (const { field, text, file, patches } of loaded) {
      const apply = (): void => {
        for (const [index, patch] of patches.entries()) applyByIdentity(map, patch, STRICT, context, String(index));
      };
      map.within(text, patchFile(file, context), () => loader.under(field, apply));
    }
  };
}

function mergeEntry(entry: string, context: PatchContext) {
  const { file } = context;
  // As kustomize: what reads as objects is a patch, everything else a path. No path spans lines or is a map.
  const inline = /\n|^\s*(?:\{|#|---|$)/.test(entry) ? tryParse(entry, file, context) : undefined;
  if (inline !== undefined) return { text: entry, file, patches: inline };
  const { path, text } = context.loader.loadText(entry);
  return { text, file: path, patches: context.parse(text, path) };
}

/** Reads one entry of `patchesJson6902`, or a PatchJson6902Transformer, whose text stands in `textField`. */
export function prepareJsonEntry(
  { path = "", patch = "", target }: PatchEntry,
  textField: string,
  context: PatchContext,
): Transform {
  if (!target?.name) {
    const what = "a JSON patch needs a target with kind and name; add them to the entry";
    throw renderError("render-patch-no-target", what, { field: ["target"] });
  }
  const { text, file } = patchText(path, patch, ["path", textField], context);
  const operations = operationsOf(text, file);
  if (operations === undefined || operations.length === 0) {
    const found = operations === undefined ? "no list of operations" : "empty";
    throw renderError("render-patch-unparsable", `the patch is ${found}; write a list of {op, path, value}`, {
      file: patchFile(file, context),
    });
  }
  return (map) =>
    map.within(text, patchFile(file, context), () => {
      applyJson(map, selectResources(map.resources, target), operations, patchFile(file, context));
    });
}

function patchText(path: string, inline: string, names: readonly [string, string], context: PatchContext) {
  const both = `${names[0]} and ${names[1]}`;
  if (path === "" && inline === "") {
    throw renderError("render-patch-source", `a patch needs ${both.replace(" and ", " or ")}; add one of them`);
  }
  if (path !== "" && inline !== "") {
    const what = `a patch cannot have both ${both}; remove one of them`;
    throw renderError("render-patch-source", what, { field: [names[1]] });
  }
  if (path === "") return { text: inline, file: context.file };
  const loaded = context.loader.loadText(path);
  return { text: loaded.text, file: loaded.path };
}

function patchFile(file: string, context: PatchContext): string | undefined {
  return file === context.file ? undefined : file;
}

// As kustomize: what reads as objects, or as nothing at all, is no list of operations.
function readPatch(text: string, file: string, context: PatchContext): PatchContent {
  let failure: unknown;
  try {
    return { type: "merge", patches: context.parse(text, file) };
  } catch (error) {
    failure = error;
  }
  const operations = operationsOf(text, file);
  if (operations !== undefined) return { type: "json", operations };
  if (!(failure instanceof AppError)) throw failure;
  const reason = failure instanceof RenderError ? failure.what : failure.message;
  const what = `the patch is neither an object (${reason}) nor a list of operations`;
  const line = file === context.file ? undefined : failure.details["line"];
  throw renderError("render-patch-unparsable", what, {
    file: patchFile(file, context),
    ...(typeof line === "number" ? { line } : {}),
    cause: failure,
  });
}

function tryParse(text: string, file: string, context: PatchContext): readonly Resource[] | undefined {
  try {
    return context.parse(text, file);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

// As kustomize: text that starts with [ has to be JSON, everything else is YAML.
function operationsOf(text: string, file: string): Operation[] | undefined {
  if (text === "") return undefined;
  try {
    const value: unknown = text.startsWith("[")
      ? JSON.parse(text)
      : parseYaml(text, { file, duplicateKeys: "last-wins" });
    return readOperations(value);
  } catch (error) {
    if (error instanceof AppError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function applyByIdentity(
  map: ResourceMap,
  patch: Resource,
  options: MergeOptions,
  context: PatchContext,
  salt: string,
): void {
  const found = map.findByAnyId(patch.originalId);
  const [resource] = found;
  if (resource === undefined || found.length > 1) {
    throw noSingleTarget(patch, found, map, context);
  }
  map.edit(resource, (own) => mergeInto(own, patch, options, context), salt);
  map.dropEmpty();
}

function noSingleTarget(
  patch: Resource,
  found: readonly Resource[],
  map: ResourceMap,
  context: PatchContext,
): RenderError {
  const what =
    found.length === 0
      ? `the patch is for ${patch.describe()}, which is not among the objects${hintOfName(patch.originalId, map)}`
      : `the patch for ${patch.describe()} could mean any of ${found.map(describeWithOrigin).join(", ")}; ` +
        "give it a target that selects one";
  return renderError("render-patch-no-target", what, { ...placeOfPatch(patch, context), object: patch.describe() });
}

function placeOfPatch({ origin: { file, line } }: Resource, context: PatchContext): RenderErrorPlace {
  // The line of an inline patch counts from its own first one.
  return file === context.file ? { field: ["patch"] } : { file, line };
}

function mergeInto(resource: Resource, patch: Resource, options: MergeOptions, context: PatchContext): void {
  const kind = resource.node.get("kind");
  const name = resource.metadata?.get("name");
  const namespace = resource.metadata?.get("namespace");
  const annotations = getAt(patch.node, "metadata", "annotations");
  if (isNullNode(annotations) || (isMapNode(annotations) && annotations.has("$patch"))) resource.forgetOrigin();
  if (options.allowNameChange || options.allowKindChange) resource.rememberName();
  try {
    const outcome = mergeObject(resource.node, patch.node, context.schemas);
    if (outcome === "deleted") resource.node = new Map();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw faultOfPatch(error, resource, placeOfPatch(patch, context));
  }
  if (resource.isEmpty) return;
  if (!options.allowKindChange) resource.node.set("kind", kind ?? stringNode(""));
  if (!options.allowNameChange) ensureMap(resource.node, "metadata").set("name", name ?? stringNode(""));
  if (namespace !== undefined && !isNullNode(namespace) && textOf(namespace) !== "") {
    ensureMap(resource.node, "metadata").set("namespace", namespace);
  } else {
    resource.metadata?.delete("namespace");
  }
}

function applyJson(
  map: ResourceMap,
  resources: readonly Resource[],
  operations: readonly Operation[],
  file: string | undefined,
): void {
  const doubled = operations.map((operation) => ({ ...operation, value: doubles(operation.value) }));
  for (const resource of resources) map.edit(resource, (own) => operate(own, doubled, file));
}

function operate(resource: Resource, operations: readonly Operation[], file: string | undefined): void {
  resource.rememberName();
  try {
    const result = fromValue(applyOperations(doubles(toValue(resource.node)), operations));
    if (!isMapNode(result)) throw renderError("render-patch-operation", "it leaves no object");
    resource.node = result;
    resource.hasLinks = false;
    // The origin stands among the annotations while a build runs, and goes when they are replaced.
    if (operations.some(replacesAnnotations)) resource.forgetOrigin();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw faultOfPatch(error, resource, file === undefined ? { field: ["patch"] } : { file });
  }
}

/** An error of applying a patch, with the object and the place of the patch. */
function faultOfPatch(error: AppError, resource: Resource, place: RenderErrorPlace): RenderError {
  const what = error instanceof RenderError ? error.what : error.message;
  const { path } = error.details;
  return new RenderError(error.code, `the patch of ${resource.describe()} does not apply: ${what}`, {
    ...place,
    ...(typeof path === "string" && path !== "" ? { path } : {}),
    object: resource.describe(),
    cause: error,
  });
}

function replacesAnnotations({ op, path, from }: Operation): boolean {
  const written = op === "move" ? [path, from] : op === "test" ? [] : [path];
  return written.some((place) => place === "" || place === "/metadata" || place === "/metadata/annotations");
}

// As kustomize: a JSON patch takes the object through JSON, where every number is a double.
function doubles(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(doubles);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = doubles(item);
  return copy;
}
