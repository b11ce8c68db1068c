// A kustomization file: found, decoded, brought to the present form of its fields.

import { isObject } from "../../kube/object.ts";
import { parseYamlDocuments } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";
import { type RenderErrorCode, renderError, wrapYamlError } from "../errors.ts";
import type { RenderWarning } from "../rendered.ts";
import { decodeField, KUSTOMIZATION_FIELDS } from "./kustomization-schema.ts";

export interface FieldSpec {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly path?: string;
  readonly create?: boolean;
}

export interface Selector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly annotationSelector?: string;
  readonly labelSelector?: string;
}

export interface PatchEntry {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: Selector;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface ImageEntry {
  readonly name?: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly tagSuffix?: string;
  readonly digest?: string;
}

export interface LabelEntry {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
  readonly includeVolumeClaimTemplates?: boolean;
  readonly fields?: readonly FieldSpec[];
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
  readonly immutable?: boolean;
}

export interface GeneratorEntry {
  readonly namespace?: string;
  readonly name?: string;
  readonly behavior?: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly env?: string;
  readonly options?: GeneratorOptions;
  readonly type?: string;
}

export interface ReplacementOptions {
  readonly delimiter?: string;
  readonly index?: number;
  readonly encoding?: string;
  readonly create?: boolean;
}

export interface ReplacementEntry {
  readonly path?: string;
  readonly source?: Selector & { readonly fieldPath?: string; readonly options?: ReplacementOptions };
  readonly sourceValue?: string;
  readonly targets?: readonly {
    readonly select?: Selector;
    readonly reject?: readonly Selector[];
    readonly fieldPaths?: readonly string[];
    readonly options?: ReplacementOptions;
  }[];
}

export interface VarEntry {
  readonly name?: string;
  readonly objref?: {
    readonly apiVersion?: string;
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly fieldref?: { readonly fieldPath?: string };
}

export interface SortOptions {
  readonly order?: string;
  readonly legacySortOptions?: { readonly orderFirst?: readonly string[]; readonly orderLast?: readonly string[] };
}

/** The fields as they are after older spellings have been folded into newer ones. */
export interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly openapi?: Readonly<Record<string, string>>;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly labels?: readonly LabelEntry[];
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly PatchEntry[];
  readonly patches?: readonly PatchEntry[];
  readonly images?: readonly ImageEntry[];
  readonly replacements?: readonly ReplacementEntry[];
  readonly replicas?: readonly { readonly name?: string; readonly count?: number }[];
  readonly vars?: readonly VarEntry[];
  readonly sortOptions?: SortOptions;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly crds?: readonly string[];
  readonly configMapGenerator?: readonly GeneratorEntry[];
  readonly secretGenerator?: readonly GeneratorEntry[];
  readonly helmCharts?: readonly unknown[];
  readonly generatorOptions?: GeneratorOptions;
  readonly configurations?: readonly string[];
  readonly generators?: readonly string[];
  readonly transformers?: readonly string[];
  readonly validators?: readonly string[];
  readonly buildMetadata?: readonly string[];
}

export const KUSTOMIZATION_FILES = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

const DEPRECATED = new Map([
  ["bases", "resources"],
  ["commonLabels", "labels"],
  ["imageTags", "images"],
  ["patchesJson6902", "patches"],
  ["patchesStrategicMerge", "patches"],
  ["vars", "replacements"],
]);

/** Reads the text of a kustomization file. Deprecated fields are told to `warn`. */
export function decodeKustomization(text: string, file: string, warn: (warning: RenderWarning) => void): Kustomization {
  const raw = readFirstDocument(text, file);
  if (raw !== null && !isObject(raw)) {
    throw renderError("render-invalid-kustomization", "a kustomization must be a map of fields", { file });
  }
  // decodeField answers the shape that KUSTOMIZATION_FIELDS spells out.
  const fields = locating(text, file, () =>
    decodeField(raw ?? {}, { fields: KUSTOMIZATION_FIELDS }, "", file),
  ) as Record<string, unknown>;
  for (const [field, replacement] of DEPRECATED) {
    if (fields[field] === undefined) continue;
    warn({ code: "deprecated-field", message: deprecation(field, replacement), file });
  }
  const kind = (fields["kind"] as string | undefined) || "Kustomization";
  const wanted = kind === "Component" ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
  const apiVersion = (fields["apiVersion"] as string | undefined) || wanted;
  checkNotEmpty(fields, file);
  locating(text, file, () => checkType(kind, apiVersion, wanted, file));
  fold(fields, "bases", "resources");
  fold(fields, "imageTags", "images");
  fold(fields, "helmChartInflationGenerator", "helmCharts");
  return { ...(fields as object), apiVersion, kind };
}

/** The words of kustomize, which prints them after `# Warning: `. */
function deprecation(field: string, replacement: string): string {
  const stage = field === "vars" ? "[EXPERIMENTAL] " : "";
  return (
    `'${field}' is deprecated. Please use '${replacement}' instead. ` +
    `${stage}Run 'kustomize edit fix' to update your Kustomization automatically.`
  );
}

/** Adds the line of the field to an error that only knows its path. */
function locating<T>(text: string, file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const path = error instanceof AppError ? error.details["path"] : undefined;
    if (!(error instanceof AppError) || typeof path !== "string") throw error;
    const key =
      path
        .replace(/\[[0-9]+\]$/, "")
        .split(".")
        .pop() ?? "";
    const line = text
      .split("\n")
      .findIndex((candidate) => candidate.includes(`${key}:`) || candidate.includes(`${key}":`));
    if (line < 0) throw error;
    const what = error.message.startsWith(`${file}: `) ? error.message.slice(file.length + 2) : error.message;
    // The codes of this folder are those of renderError.
    throw renderError(error.code as RenderErrorCode, what, { file, line: line + 1, path });
  }
}

function readFirstDocument(text: string, file: string): unknown {
  try {
    return parseYamlDocuments(text, { file, duplicateKeys: "last-wins" })[0]?.value ?? null;
  } catch (error) {
    throw wrapYamlError(error, "render-invalid-kustomization", file);
  }
}

function checkNotEmpty(fields: Record<string, unknown>, file: string): void {
  const set = Object.entries(fields).filter(
    ([name, value]) => name !== "kind" && name !== "apiVersion" && value !== "",
  );
  if (set.length === 0) throw renderError("render-empty-kustomization", "the kustomization asks for nothing", { file });
}

function checkType(kind: string, apiVersion: string, wanted: string, file: string): void {
  if (kind !== "Kustomization" && kind !== "Component") {
    const what = `kind must be Kustomization or Component, not ${kind}`;
    throw renderError("render-wrong-kind-or-version", what, { file, path: "kind" });
  }
  if (apiVersion !== wanted) {
    const what = `apiVersion of a ${kind} must be ${wanted}, not ${apiVersion}`;
    throw renderError("render-wrong-kind-or-version", what, { file, path: "apiVersion" });
  }
}

function fold(fields: Record<string, unknown>, from: string, to: string): void {
  if (fields[from] === undefined) return;
  // Both are lists by the table of fields.
  fields[to] = [...((fields[to] as unknown[] | undefined) ?? []), ...(fields[from] as unknown[])];
  delete fields[from];
}
