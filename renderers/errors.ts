// The ways in which rendering fails, by stable code. All of them need a change in the source, so all of them stall.

import { AppError } from "../runtime/errors.ts";

export type RenderErrorCode =
  | "render-yaml-invalid"
  | "render-invalid-resource"
  | "render-invalid-kustomization"
  | "render-missing-kustomization"
  | "render-multiple-kustomizations"
  | "render-empty-kustomization"
  | "render-wrong-kind-or-version"
  | "render-unknown-field"
  | "render-missing-file"
  | "render-missing-directory"
  | "render-absolute-path"
  | "render-ambiguous-path"
  | "render-outside-root"
  | "render-remote-refused"
  | "render-cycle"
  | "render-duplicate-id"
  | "render-fieldspec"
  | "render-node-kind"
  | "render-generator-data"
  | "render-generator-exists"
  | "render-generator-missing-base"
  | "render-patch-source"
  | "render-patch-unparsable"
  | "render-patch-no-target"
  | "render-patch-operation"
  | "render-patch-strategy"
  | "render-patch-multiple-with-target"
  | "render-selector"
  | "render-replica-target"
  | "render-reference"
  | "render-replacement"
  | "render-var"
  | "render-openapi"
  | "render-plugin"
  | "render-sort-options"
  | "render-unrepresentable-value"
  | "render-too-large"
  | "render-timed-out"
  | "render-failed";

/** Where in the source the fault is. */
export interface RenderErrorPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Field path inside the document or object. */
  readonly path?: string | undefined;
  /** The object concerned, as messages name it. */
  readonly object?: string | undefined;
  readonly cause?: unknown;
}

/** An error whose message starts with the file and line, as a person would look for it. */
export function renderError(code: RenderErrorCode, what: string, place: RenderErrorPlace = {}): AppError {
  const { cause, ...details } = place;
  const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
  return new AppError(code, position === "" ? what : `${position}: ${what}`, {
    recovery: "stall",
    details,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Turns an error of the YAML reader into one of rendering; anything else passes unchanged. */
export function wrapYamlError(error: unknown, code: RenderErrorCode, file: string): unknown {
  if (!(error instanceof AppError) || !error.code.startsWith("yaml-")) return error;
  return new AppError(code, error.message, { recovery: "stall", details: { file, ...error.details }, cause: error });
}
