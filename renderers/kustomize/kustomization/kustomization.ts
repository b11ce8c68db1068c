// A kustomization file: found, decoded, brought to the present form of its fields.

import { parseYamlDocuments } from "../../../kube/yaml.ts";
import { renderError, wrapYamlError } from "../../errors.ts";
import type { RenderWarning } from "../../rendered.ts";
import { decodeField } from "./decode-field.ts";
import { FieldPositions, positionIn, withFieldPositions } from "./field-positions.ts";
import { firstDocument } from "./first-document.ts";
import { KUSTOMIZATION_FIELDS } from "./kustomization-schema.ts";

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

/** Where charts lie. */
export interface HelmGlobals {
  readonly chartHome?: string;
  readonly configHome?: string;
}

export interface HelmChartEntry {
  readonly name?: string;
  readonly version?: string;
  readonly repo?: string;
  readonly releaseName?: string;
  readonly namespace?: string;
  readonly additionalValuesFiles?: readonly string[];
  readonly valuesFile?: string;
  readonly valuesInline?: Readonly<Record<string, unknown>>;
  readonly valuesMerge?: string;
  readonly includeCRDs?: boolean;
  readonly skipHooks?: boolean;
  readonly apiVersions?: readonly string[];
  readonly kubeVersion?: string;
  readonly nameTemplate?: string;
  readonly skipTests?: boolean;
  readonly debug?: boolean;
  readonly devel?: boolean;
}

/** The form of a chart before `helmCharts`. */
export interface OlderHelmChartEntry {
  readonly chartName?: string;
  readonly chartVersion?: string;
  readonly chartRepoUrl?: string;
  readonly chartHome?: string;
  readonly values?: string;
  readonly valuesLocal?: Readonly<Record<string, unknown>>;
  readonly valuesMerge?: string;
  readonly releaseName?: string;
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
  readonly helmGlobals?: HelmGlobals;
  readonly helmCharts?: readonly HelmChartEntry[];
  readonly helmChartInflationGenerator?: readonly OlderHelmChartEntry[];
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

/**
 * Reads the text of a kustomization file. Deprecated fields are told to `warn`. Throws
 * `render-invalid-kustomization`, `render-unknown-field`, `render-empty-kustomization` or
 * `render-wrong-kind-or-version` with line and field.
 */
export function decodeKustomization(text: string, file: string, warn: (warning: RenderWarning) => void): Kustomization {
  return withFieldPositions(
    file,
    () => new FieldPositions(text),
    [],
    () => decode(readDocument(text, file), file, warn),
  );
}

function decode(raw: unknown, file: string, warn: (warning: RenderWarning) => void): Kustomization {
  // decodeField answers the shape that KUSTOMIZATION_FIELDS spells out; a file without content is an empty one.
  const fields = (decodeField(raw, { fields: KUSTOMIZATION_FIELDS }) ?? {}) as Record<string, unknown>;
  for (const [field, replacement] of DEPRECATED) {
    if (fields[field] === undefined) continue;
    warn({ code: "deprecated-field", message: deprecation(field, replacement), file });
  }
  fold(fields, "bases", "resources");
  fold(fields, "imageTags", "images");
  checkNotEmpty(fields);
  const kind = (fields["kind"] as string | undefined) || "Kustomization";
  const wanted = kind === "Component" ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
  const apiVersion = (fields["apiVersion"] as string | undefined) || wanted;
  checkType(kind, apiVersion, wanted);
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

function readDocument(text: string, file: string): unknown {
  const document = firstDocument(text);
  // As kustomize: the file is YAML 1.1, and says nothing else of itself.
  const directive = /^%(?!YAML[ \t]+1\.1[ \t]*(?:#|\r?$)|TAG[ \t]).*/m.exec(document.slice(0, headerLength(document)));
  if (directive !== null) {
    const what = `the directive ${directive[0].trim()} is not known; remove the line`;
    throw renderError("render-invalid-kustomization", what, { file, ...positionIn(document, directive.index) });
  }
  try {
    const options = { file, duplicateKeys: "last-wins", nullKeys: "refuse" } as const;
    return parseYamlDocuments(document, options)[0]?.value ?? null;
  } catch (error) {
    throw wrapYamlError(error, "render-invalid-kustomization", file);
  }
}

function headerLength(document: string): number {
  return document.startsWith("%") || document.includes("\n%") ? Math.max(document.search(/^---/m), 0) : 0;
}

// As kustomize: an empty list counts as something, an empty text does not.
function checkNotEmpty(fields: Record<string, unknown>): void {
  const isSet = ([name, value]: [string, unknown]): boolean => {
    if (name === "kind" || name === "apiVersion" || value === "") return false;
    return name !== "helmChartInflationGenerator" || (value as unknown[]).length > 0;
  };
  if (Object.entries(fields).some(isSet)) return;
  throw renderError("render-empty-kustomization", "the kustomization asks for nothing; add resources or remove it");
}

function checkType(kind: string, apiVersion: string, wanted: string): void {
  if (kind !== "Kustomization" && kind !== "Component") {
    const what = `kind must be Kustomization or Component, not ${kind}`;
    throw renderError("render-wrong-kind-or-version", what, { field: ["kind"] });
  }
  if (apiVersion !== wanted) {
    const what = `apiVersion of a ${kind} must be ${wanted}, not ${apiVersion}`;
    throw renderError("render-wrong-kind-or-version", what, { field: ["apiVersion"] });
  }
}

// As kustomize: an empty list of the older name leaves the newer one as it is.
function fold(fields: Record<string, unknown>, from: string, to: string): void {
  // Both are lists by the table of fields.
  const older = fields[from] as unknown[] | undefined;
  const own = fields[to] as unknown[] | undefined;
  delete fields[from];
  if (older !== undefined && older.length > 0) fields[to] = [...(own ?? []), ...older];
}
