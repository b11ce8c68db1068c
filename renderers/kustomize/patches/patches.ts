// The patch transformers: strategic-merge and JSON patches, by target or by the patch's own identity.

import { AppError } from "../../../runtime/errors.ts";
import { RenderError, type RenderErrorPlace, renderError } from "../../errors.ts";
import { type FieldPath, FieldPositions } from "../kustomization/field-positions.ts";
import { describeWithOrigin, hintOfName } from "../kustomization/hints.ts";
import type { PatchEntry } from "../kustomization/kustomization.ts";
import type { Loader } from "../loading/loader.ts";
import type { Resource } from "../resources/resource.ts";
import type { ResourceMap } from "../resources/resource-map.ts";
import { selectResources } from "../resources/select.ts";
import { type Operation, parseOperations } from "./json-patch.ts";
import type { MergeSchemas } from "./merge-schema.ts";
import { type MergeOptions, mergeInto, operate } from "./patch-object.ts";

export interface PatchContext {
  readonly loader: Loader;
  readonly schemas: MergeSchemas;
  /** The kustomization file, which stands for inline patches in messages. */
  readonly file: string;
  /** Reads objects as `parseResources`, perhaps from memory: they must not be changed. */
  readonly parse: (text: string, file: string) => readonly Resource[];
}

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
      for (const resource of selectResources(map.resources, entry.target)) {
        map.edit(resource, (own) => {
          own.rememberName();
          applyOperations(own, content.operations, text, patchFile(file, context));
        });
      }
    });
}

function applyMergePatches(
  map: ResourceMap,
  entry: PatchEntry,
  patches: readonly Resource[],
  context: PatchContext,
): void {
  const options: MergeOptions = {
    allowNameChange: entry.options?.["allowNameChange"] === true,
    allowKindChange: entry.options?.["allowKindChange"] === true,
    form: "as-written",
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
  const fitting: MergeOptions = { ...options, form: "fitted" };
  for (const resource of selectResources(map.resources, entry.target)) {
    map.edit(resource, (own) => applyMerge(own, patch, fitting, context));
  }
  map.dropEmpty();
  map.assertUniqueAfterRenames("the patch");
}

/** One entry of `patchesStrategicMerge` with the steps to it: a file or inline text, or surely text. */
interface MergeEntry {
  readonly entry: string;
  readonly field: FieldPath;
  readonly isText?: boolean;
}

/** Reads `patchesStrategicMerge`. */
export function prepareMergeEntries(entries: readonly MergeEntry[], context: PatchContext): Transform {
  const { loader } = context;
  const loaded = entries.map(({ entry, field, isText }) => ({
    field,
    ...loader.under(field, () => (isText === true ? mergeText(entry, context) : mergeEntry(entry, context))),
  }));
  if (loaded.every(({ patches }) => patches.length === 0)) {
    throw renderError("render-patch-unparsable", "the patches hold nothing; write one, or remove the entries");
  }
  const options: MergeOptions = { allowNameChange: false, allowKindChange: false, form: "fitted" };
  return (map) => {
    for (const { field, text, file, patches } of loaded) {
      const apply = (): void => {
        for (const [index, patch] of patches.entries()) {
          applyByIdentity(map, patch, options, context, String(index));
          map.assertUniqueAfterRenames("the patch");
        }
      };
      map.within(text, patchFile(file, context), () => loader.under(field, apply));
    }
  };
}

function mergeText(text: string, { file, parse }: PatchContext) {
  return { text, file, patches: parse(text, file) };
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
  const operations = parseOperations(text, file);
  if (operations === undefined || operations.length === 0) {
    const found = operations === undefined ? "no list of operations" : "empty";
    throw renderError("render-patch-unparsable", `the patch is ${found}; write a list of {op, path, value}`, {
      file: patchFile(file, context),
    });
  }
  return (map) =>
    map.within(text, patchFile(file, context), () => {
      for (const resource of selectResources(map.resources, target)) {
        map.edit(resource, (own) => applyOperations(own, operations, text, patchFile(file, context)));
      }
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
  const operations = parseOperations(text, file);
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
  const merged = map.edit(resource, (own) => applyMerge(own, patch, options, context), salt);
  if (merged.isEmpty) map.dropEmpty();
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

function applyMerge(resource: Resource, patch: Resource, options: MergeOptions, context: PatchContext): void {
  try {
    mergeInto(resource, patch, options, context.schemas);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw faultOfPatch(error, resource, placeOfPatch(patch, context));
  }
}

/** `file` is where `text` stands, unless it stands in the kustomization itself. */
function applyOperations(
  resource: Resource,
  operations: readonly Operation[],
  text: string,
  file: string | undefined,
): void {
  try {
    operate(resource, operations);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const place = file === undefined ? { field: ["patch"] } : { file, ...placeOfOperation(error, text) };
    throw faultOfPatch(error, resource, place);
  }
}

function placeOfOperation(error: AppError, text: string): Pick<RenderErrorPlace, "line" | "column"> {
  const field = error instanceof RenderError ? error.place.field : undefined;
  if (typeof field !== "object") return {};
  const { line, column } = new FieldPositions(text).find(field);
  return { line, column };
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
