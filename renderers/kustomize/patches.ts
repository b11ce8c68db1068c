// The patch transformers: strategic-merge and JSON patches, by target or by the patch's own identity.

import { parseYaml } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";
import { renderError } from "../errors.ts";
import { applyOperations, type Operation, readOperations } from "./json-patch.ts";
import type { PatchEntry, Selector } from "./kustomization.ts";
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

type PatchContent =
  | { readonly type: "merge"; readonly patches: readonly Resource[] }
  | { readonly type: "json"; readonly operations: readonly Operation[] };

/** Applies one entry of `patches`. */
export function applyPatchEntry(map: ResourceMap, entry: PatchEntry, context: PatchContext): void {
  const { text, file } = patchText(entry.path, entry.patch, context);
  const content = readPatch(text, file, context);
  map.within(text, file === context.file ? undefined : file, () => {
    if (content.type === "merge") {
      applyMergePatches(map, entry, content.patches, file, context);
      return;
    }
    if (entry.target === undefined) {
      throw renderError("render-patch-no-target", "a JSON patch needs a target", { file });
    }
    applyJson(map, selectResources(map.resources, entry.target), content.operations, file);
  });
}

function applyMergePatches(
  map: ResourceMap,
  entry: PatchEntry,
  patches: readonly Resource[],
  file: string,
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
    const what = "a patch with a target must be a single document";
    throw renderError("render-patch-multiple-with-target", what, { file });
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

/** Applies one entry of `patchesStrategicMerge`: a file or inline text. */
export function applyMergeEntry(map: ResourceMap, entry: string, context: PatchContext): void {
  let text = entry;
  let { file } = context;
  let patches: readonly Resource[] | undefined;
  if (entry.includes("\n") || entry.trimStart().startsWith("{")) patches = tryParse(entry, file, context);
  if (patches === undefined) {
    ({ text, path: file } = context.loader.loadText(entry));
    patches = context.parse(text, file);
  }
  const found = patches;
  map.within(text, file === context.file ? undefined : file, () => {
    for (const [index, patch] of found.entries()) applyByIdentity(map, patch, STRICT, context, String(index));
  });
}

/** Applies one entry of `patchesJson6902`, whose target names exactly one object. */
export function applyJsonEntry(map: ResourceMap, entry: PatchEntry, context: PatchContext): void {
  const { text, file } = patchText(entry.path, entry.patch, context);
  const operations = operationsOf(text, file);
  if (operations === undefined) {
    throw renderError("render-patch-unparsable", "the patch is no list of operations", { file });
  }
  const { target } = entry;
  if (target === undefined || !target.name) {
    throw renderError("render-patch-no-target", "a JSON patch needs a target with kind and name", { file });
  }
  const { group = "", version = "", kind = "", name, namespace = "" } = target;
  const found = map.findByAnyId({ group, version, kind, name, namespace });
  if (found.length !== 1) {
    const what = `${describeSelector(target)} matches ${found.length} objects, one is needed`;
    throw renderError("render-patch-no-target", what, { file });
  }
  map.within(text, file === context.file ? undefined : file, () => applyJson(map, found, operations, file));
}

function patchText(path: string | undefined, inline: string | undefined, context: PatchContext) {
  const entry = path?.trim() ?? "";
  if (entry === "" && (inline ?? "") === "") {
    throw renderError("render-patch-source", "a patch needs either path or patch", { file: context.file });
  }
  if (entry !== "" && (inline ?? "") !== "") {
    throw context.loader.fault("render-patch-source", entry, "a patch cannot have both path and patch");
  }
  if (entry === "") return { text: inline ?? "", file: context.file };
  const { path: file, text } = context.loader.loadText(entry);
  return { text, file };
}

function readPatch(text: string, file: string, context: PatchContext): PatchContent {
  let patches: readonly Resource[] | undefined;
  let failure: unknown;
  try {
    patches = context.parse(text, file);
  } catch (error) {
    failure = error;
  }
  const operations = operationsOf(text, file);
  if (patches === undefined && operations === undefined) {
    const reason = failure instanceof AppError ? ` (${failure.message})` : "";
    const what = `the patch is neither an object nor a list of operations${reason}`;
    throw renderError("render-patch-unparsable", what, { file, cause: failure });
  }
  if (patches !== undefined && operations !== undefined) {
    throw renderError("render-patch-unparsable", "the patch could be an object or a list of operations", { file });
  }
  return patches === undefined ? { type: "json", operations: operations! } : { type: "merge", patches };
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
    const what =
      resource === undefined
        ? `the patch is for ${patch.describe()}, which is not among the objects`
        : `the patch for ${patch.describe()} matches ${found.length} objects`;
    throw renderError("render-patch-no-target", what, {
      file: patch.origin.file,
      line: patch.origin.line,
      object: patch.describe(),
    });
  }
  map.edit(resource, (own) => mergeInto(own, patch, options, context), salt);
  map.dropEmpty();
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
    throw new AppError(error.code, `${patch.origin.file}: ${error.message}, in the patch of ${resource.describe()}`, {
      recovery: "stall",
      details: { ...error.details, file: patch.origin.file, line: patch.origin.line, object: resource.describe() },
      cause: error,
    });
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
  file: string,
): void {
  const doubled = operations.map((operation) => ({ ...operation, value: doubles(operation.value) }));
  for (const resource of resources) map.edit(resource, (own) => operate(own, doubled, file));
}

function operate(resource: Resource, operations: readonly Operation[], file: string): void {
  resource.rememberName();
  const before = resource.describe();
  try {
    const result = fromValue(applyOperations(doubles(toValue(resource.node)), operations));
    if (!isMapNode(result)) throw renderError("render-patch-operation", "the patch leaves no object", { file });
    resource.node = result;
    // The origin stands among the annotations while a build runs, and goes when they are replaced.
    if (operations.some(replacesAnnotations)) resource.forgetOrigin();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, `${file}: the patch of ${before} fails: ${error.message}`, {
      recovery: "stall",
      details: { ...error.details, file, object: before },
      cause: error,
    });
  }
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

function describeSelector(selector: Selector): string {
  const kind = [selector.group, selector.version, selector.kind].filter((part) => part).join("/");
  const name = selector.namespace ? `${selector.namespace}/${selector.name ?? ""}` : (selector.name ?? "");
  return `${kind} ${name}`.trim() || "the target";
}
