// Which fields each transformer touches: the built-in tables and what kustomizations add to them.

import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { renderError, wrapYamlError } from "../errors.ts";
import defaults from "./field-specs.table.json" with { type: "json" };
import { type GvkFilter, matchesGvk } from "./identity.ts";
import type { FieldSpec } from "./kustomization.ts";
import { decodeField, FIELD_SPECS, type FieldType } from "./kustomization-schema.ts";

export interface NameReferenceSpec extends GvkFilter {
  readonly fieldSpecs?: readonly FieldSpec[];
}

type SpecField =
  | "namePrefix"
  | "nameSuffix"
  | "namespace"
  | "commonLabels"
  | "labels"
  | "templateLabels"
  | "volumeClaimTemplateLabels"
  | "commonAnnotations"
  | "varReference"
  | "images"
  | "replicas";

export type TransformerConfig = Readonly<Record<SpecField, readonly FieldSpec[]>> & {
  readonly nameReference: readonly NameReferenceSpec[];
};

const CONFIG_FIELDS: FieldType = {
  fields: {
    namePrefix: FIELD_SPECS,
    nameSuffix: FIELD_SPECS,
    namespace: FIELD_SPECS,
    commonLabels: FIELD_SPECS,
    labels: FIELD_SPECS,
    templateLabels: FIELD_SPECS,
    volumeClaimTemplateLabels: FIELD_SPECS,
    commonAnnotations: FIELD_SPECS,
    nameReference: {
      list: { fields: { group: "string", version: "string", kind: "string", fieldSpecs: FIELD_SPECS } },
    },
    varReference: FIELD_SPECS,
    images: FIELD_SPECS,
    replicas: FIELD_SPECS,
  },
};

const SPEC_FIELDS = [
  "namePrefix",
  "nameSuffix",
  "namespace",
  "commonLabels",
  "labels",
  "templateLabels",
  "volumeClaimTemplateLabels",
  "commonAnnotations",
  "varReference",
  "images",
  "replicas",
] as const satisfies readonly SpecField[];

// The claim templates of a StatefulSet, which the recorded tables leave out.
const CLAIM_TEMPLATE_LABELS: FieldSpec = {
  path: "spec/volumeClaimTemplates[]/metadata/labels",
  create: true,
  group: "apps",
  kind: "StatefulSet",
};

export const DEFAULT_CONFIG: TransformerConfig = {
  ...defaults,
  labels: [],
  commonLabels: [...defaults.commonLabels, CLAIM_TEMPLATE_LABELS],
  volumeClaimTemplateLabels: [CLAIM_TEMPLATE_LABELS],
};

/** Reads one file of `configurations`. */
export function decodeConfig(text: string, file: string): Partial<TransformerConfig> {
  let raw: unknown;
  try {
    raw = parseYaml(text, { file, duplicateKeys: "last-wins" });
  } catch (error) {
    throw wrapYamlError(error, "render-invalid-kustomization", file);
  }
  if (raw !== null && !isObject(raw)) {
    throw renderError("render-invalid-kustomization", "a configuration must be a map of fields", { file });
  }
  // decodeField answers the shape that CONFIG_FIELDS spells out.
  return decodeField(raw ?? {}, CONFIG_FIELDS, "", file) as Partial<TransformerConfig>;
}

/** The union of two configurations. Throws `render-fieldspec` when they disagree on creating a field. */
export function mergeConfig(base: TransformerConfig, extra: Partial<TransformerConfig>): TransformerConfig {
  if (base === extra) return base;
  const merged = { ...base } as Record<SpecField, readonly FieldSpec[]> & {
    nameReference: readonly NameReferenceSpec[];
  };
  for (const field of SPEC_FIELDS) merged[field] = mergeFieldSpecs(base[field], extra[field] ?? []);
  merged.nameReference = mergeReferences(base.nameReference, extra.nameReference ?? []);
  return merged;
}

/** Adds specs that are not there yet. Throws `render-fieldspec` on the same field with another `create`. */
export function mergeFieldSpecs(base: readonly FieldSpec[], extra: readonly FieldSpec[]): readonly FieldSpec[] {
  if (extra.length === 0 || extra === base) return base;
  const index = new Map(base.map((spec) => [specKey(spec), spec]));
  const added: FieldSpec[] = [];
  for (const spec of extra) {
    const key = specKey(spec);
    const present = index.get(key);
    if (present === undefined) {
      index.set(key, spec);
      added.push(spec);
    } else if ((present.create ?? false) !== (spec.create ?? false)) {
      const what = `the field ${spec.path} of ${spec.kind ?? "every kind"} is configured with and without create`;
      throw renderError("render-fieldspec", what, { path: spec.path });
    }
  }
  return added.length === 0 ? base : [...base, ...added];
}

function mergeReferences(
  base: readonly NameReferenceSpec[],
  extra: readonly NameReferenceSpec[],
): readonly NameReferenceSpec[] {
  if (extra.length === 0 || extra === base) return base;
  const result = [...base];
  for (const reference of extra) {
    const at = result.findIndex((known) => gvkKey(known) === gvkKey(reference));
    if (at < 0) result.push(reference);
    else {
      const fieldSpecs = mergeFieldSpecs(result[at]!.fieldSpecs ?? [], reference.fieldSpecs ?? []);
      result[at] = { ...result[at]!, fieldSpecs };
    }
  }
  return result;
}

function gvkKey(filter: GvkFilter): string {
  return `${filter.group ?? ""}|${filter.version ?? ""}|${filter.kind ?? ""}`;
}

function specKey(spec: FieldSpec): string {
  return `${gvkKey(spec)}|${spec.path ?? ""}`;
}

/** Field specs found by the kind they apply to, so that no object is held against the whole table. */
export class SpecIndex<T extends GvkFilter> {
  private readonly byKind = new Map<string, T[]>();
  private readonly anyKind: T[] = [];
  private readonly all: readonly T[];

  constructor(specs: readonly T[]) {
    this.all = specs;
    for (const spec of specs) {
      if (spec.kind === undefined || spec.kind === "") this.anyKind.push(spec);
      else {
        const found = this.byKind.get(spec.kind);
        if (found === undefined) this.byKind.set(spec.kind, [spec]);
        else found.push(spec);
      }
    }
  }

  /** The specs for a kind in their order. */
  matching(gvk: { readonly group: string; readonly version: string; readonly kind: string }): readonly T[] {
    const own = this.byKind.get(gvk.kind);
    const candidates = own === undefined ? this.anyKind : this.anyKind.length === 0 ? own : this.all;
    return candidates.filter((spec) => matchesGvk(spec, gvk));
  }
}
