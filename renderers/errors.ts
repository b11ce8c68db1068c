// The ways in which rendering fails, by stable code. All of them need a change in the source, so all of them stall.

import { AppError, type Recovery } from "../runtime/errors.ts";

/** Every code with what it means and what to do about it. */
export const RENDER_ERRORS = {
  "render-yaml-invalid": "a file of a folder without kustomization is no YAML; mend the line",
  "render-invalid-resource":
    "a file that should hold objects does not; mend the line, or give the object what it lacks",
  "render-invalid-kustomization": "a kustomization or configuration file has a field of the wrong type, or is no YAML",
  "render-missing-kustomization": "a directory to build has no kustomization file; add one, or name a file in it",
  "render-multiple-kustomizations": "a directory has more than one kustomization file; keep one",
  "render-empty-kustomization": "a kustomization asks for nothing; add resources or remove it",
  "render-wrong-kind-or-version": "a kustomization's kind or apiVersion, or an operation of a JSON patch, is another",
  "render-unknown-field": "a field is not known; correct its spelling or its place",
  "render-missing-file": "a named file is not in the source; correct the path or add the file",
  "render-missing-directory": "a named directory is not in the source; correct the path or add the directory",
  "render-absolute-path": "a path starts with /; make it relative to the kustomization",
  "render-ambiguous-path": "a path has a part like a..b; rename the file",
  "render-outside-root": "a path or symbolic link leads out of its bounds; move the file, or make it a base",
  "render-remote-refused": "an address of another repository is not allowed; make it a source of its own, or allow it",
  "render-cycle": "a kustomization is its own base, by way of others; break the circle that is printed",
  "render-duplicate-id": "two objects have one identity; rename or remove one of the two places",
  "render-fieldspec": "a configured field path does not fit an object, or is configured in two ways",
  "render-node-kind": "a map, list or scalar stands where another is needed; mend the patch or the object",
  "render-generator-data": "what a generator is to put into its object cannot be read; mend the entry",
  "render-generator-exists": "a generated object is there already; set behavior to merge or replace, or rename it",
  "render-generator-missing-base": "a generator is to change an object that is not there; correct the name",
  "render-patch-source": "a patch needs exactly one of path and patch",
  "render-patch-unparsable": "a patch is neither an object nor a list of operations; mend it",
  "render-patch-no-target": "the object to patch is not there, or not the only one; correct the name or the selector",
  "render-patch-operation": "an operation of a JSON patch does not apply to the object; correct its pointer or value",
  "render-patch-strategy": "a $patch directive is not known; use delete, replace or merge",
  "render-patch-multiple-with-target": "a patch with a target has several documents; make each an entry of its own",
  "render-selector": "a regular expression or selector is not valid; mend it",
  "render-replica-target": "no object has the name whose replicas are set; correct the name",
  "render-reference": "a name could mean several objects; name them apart",
  "render-replacement": "a replacement finds no source or target, or not one; correct its selector or path",
  "render-var": "a variable has no object, no field or several; correct it, or use a replacement",
  "render-openapi": "a schema cannot be used; correct the version or the file",
  "render-plugin": "a generator or transformer is not built in, or is not configured as it should be",
  "render-sort-options": "sortOptions are not valid; use order fifo, or legacy with its options",
  "render-unrepresentable-value": "a value cannot be printed as YAML; remove it or put it in quotes",
  "render-too-large": "a limit on size, depth or number is passed; split the source",
  "render-too-deep": "kustomizations lead to one another over too many levels; flatten the overlays",
  "render-timed-out": "rendering took too long; split the source",
  "render-failed": "rendering ended before it was done; it is no fault of the source",
} as const;

export type RenderErrorCode = keyof typeof RENDER_ERRORS;

/** Where in the source the fault is. */
export interface RenderErrorPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Field path inside the document or object. */
  readonly path?: string | undefined;
  /** The object concerned, as messages name it. */
  readonly object?: string | undefined;
  /** What to look for when the line is not known yet: the steps to a field of the file, or a text that stands in it. */
  readonly field?: readonly (string | number)[] | string | undefined;
  readonly cause?: unknown;
}

/** What an error that is no fault of the source says beside its place: by default it stalls. */
export interface RenderErrorNature {
  readonly recovery: Recovery;
  readonly afterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error that can still be told where it happened: `what` is its message without the place. */
export class RenderError extends AppError {
  readonly what: string;
  readonly place: RenderErrorPlace;
  private readonly nature: RenderErrorNature;

  constructor(code: string, what: string, place: RenderErrorPlace, nature: RenderErrorNature = { recovery: "stall" }) {
    const { cause, field: _field, ...details } = place;
    const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
    super(code, position === "" ? what : `${position}: ${what}`, {
      ...nature,
      details: { ...nature.details, ...details },
      ...(cause === undefined ? {} : { cause }),
    });
    this.what = what;
    this.place = place;
    this.nature = nature;
  }

  /** The same error with a place that is known better. */
  at(place: RenderErrorPlace): RenderError {
    return new RenderError(this.code, this.what, { ...this.place, ...place }, this.nature);
  }
}

/** An error whose message starts with the file and line, as a person would look for it. */
export function renderError(code: RenderErrorCode, what: string, place: RenderErrorPlace = {}): RenderError {
  return new RenderError(code, what, place);
}

/** Turns an error of the YAML reader into one of rendering; anything else passes unchanged. */
export function wrapYamlError(error: unknown, code: RenderErrorCode, file: string): unknown {
  if (!(error instanceof AppError) || !error.code.startsWith("yaml-")) return error;
  // Only the size is a limit of ours alone: kustomize refuses endless nesting and aliases as well, if later.
  const own = error.code === "yaml-too-large" ? "render-too-large" : code;
  const { line, column, what } = error.details as { line?: number; column?: number; what: string };
  return renderError(own, what, { file, line, column, cause: error });
}
