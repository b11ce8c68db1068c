// Which fields each transformer touches: the built-in tables and what kustomizations add to them.

import { compareTexts } from "../../../kube/compare-texts.ts";
import { parseYamlDocuments } from "../../../kube/yaml.ts";
import { renderError, wrapYamlError } from "../../errors.ts";
import { decodeField, type FieldType } from "../kustomization/decode-field.ts";
import { FieldPositions, withFieldPositions } from "../kustomization/field-positions.ts";
import { firstDocument } from "../kustomization/first-document.ts";
import type { FieldSpec } from "../kustomization/kustomization.ts";
import { FIELD_SPECS, GVK } from "../kustomization/kustomization-schema.ts";
import { type Gvk, type GvkFilter, matchesGvk } from "../resources/identity.ts";
import { gvkSortKey, rankOfKind } from "../resources/sort.ts";
import defaults from "./field-specs.table.json" with { type: "json" };

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
      list: { fields: { ...GVK, fieldSpecs: FIELD_SPECS } },
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

/** Configures nothing: what an accumulator starts from. */
export const EMPTY_CONFIG: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  volumeClaimTemplateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

/** The built-in tables in their order, as a kustomization without `configurations` adds them. */
export const DEFAULT_CONFIG: TransformerConfig = sortConfig({ ...defaults, labels: [] });

/** Reads one file of `configurations`. */
export function decodeConfig(text: string, file: string): TransformerConfig {
  let raw: unknown;
  try {
    raw = parseYamlDocuments(firstDocument(text), { file })[0]?.value ?? null;
  } catch (error) {
    throw wrapYamlError(error, "render-invalid-kustomization", file);
  }
  // decodeField answers the shape that CONFIG_FIELDS spells out.
  const read = () => (decodeField(raw, CONFIG_FIELDS, "exact") ?? {}) as Partial<TransformerConfig>;
  return sortConfig({ ...EMPTY_CONFIG, ...withFieldPositions(file, () => new FieldPositions(text), [], read) });
}

/**
 * The union of two configurations, sorted. Throws `render-fieldspec` when they disagree on creating a field.
 *
 * As kustomize: a spec that is more general than one already there, on the same path, adds nothing. Since specs for one
 * kind sort before those for every kind, merging a configuration into an empty one can drop the built-in general spec.
 */
export function mergeConfig(base: TransformerConfig, extra: Partial<TransformerConfig>): TransformerConfig {
  if (base === extra) return base;
  const isDefault = extra === DEFAULT_CONFIG || extra === SETTLED_DEFAULT;
  if (isDefault && (base === EMPTY_CONFIG || base === SETTLED_DEFAULT)) return SETTLED_DEFAULT;
  return merge(base, extra);
}

// What nearly every kustomization has; one object, so that merging it with itself is a comparison.
const SETTLED_DEFAULT = merge(EMPTY_CONFIG, DEFAULT_CONFIG);

function merge(base: TransformerConfig, extra: Partial<TransformerConfig>): TransformerConfig {
  const nameReference = mergeReferences(base.nameReference, extra.nameReference ?? []);
  let changed = nameReference !== base.nameReference;
  const merged = { ...base, nameReference } as Record<SpecField, readonly FieldSpec[]> & {
    nameReference: readonly NameReferenceSpec[];
  };
  for (const field of SPEC_FIELDS) {
    merged[field] = mergeFieldSpecs(base[field], extra[field] ?? []);
    changed ||= merged[field] !== base[field];
  }
  return changed ? sortConfig(merged) : base;
}

function sortConfig(config: TransformerConfig): TransformerConfig {
  const sorted = { ...config } as Record<SpecField, readonly FieldSpec[]> & {
    nameReference: readonly NameReferenceSpec[];
  };
  for (const field of SPEC_FIELDS) sorted[field] = [...config[field]].sort(compareGvk);
  sorted.nameReference = [...config.nameReference].sort(compareGvk);
  return sorted;
}

/**
 * Adds specs that are not there yet. A spec is there when one on the same path is as narrow or narrower. Throws
 * `render-fieldspec` when that one has another `create`.
 */
export function mergeFieldSpecs(base: readonly FieldSpec[], extra: readonly FieldSpec[]): readonly FieldSpec[] {
  if (extra.length === 0 || extra === base) return base;
  const byPath = new Map<string, FieldSpec[]>();
  const known = (spec: FieldSpec): FieldSpec[] => {
    const path = spec.path ?? "";
    let found = byPath.get(path);
    if (found === undefined) {
      found = [];
      byPath.set(path, found);
    }
    return found;
  };
  for (const spec of base) known(spec).push(spec);
  const added: FieldSpec[] = [];
  for (const spec of extra) {
    const onPath = known(spec);
    const present = onPath.find((other) => matchesGvk(spec, gvkOf(other)));
    if (present === undefined) {
      onPath.push(spec);
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
  // Of two for one kind the first counts.
  const places = new Map(base.map((known, at) => [gvkKey(known), at] as const).reverse());
  let changed = false;
  for (const reference of extra) {
    const key = gvkKey(reference);
    const at = places.get(key) ?? result.length;
    const known = result[at];
    if (known === undefined) {
      places.set(key, at);
      result.push(reference);
      changed = true;
      continue;
    }
    const fieldSpecs = mergeFieldSpecs(known.fieldSpecs ?? [], reference.fieldSpecs ?? []);
    if (fieldSpecs === known.fieldSpecs) continue;
    result[at] = { ...known, fieldSpecs };
    changed = true;
  }
  return changed ? result : base;
}

function gvkKey(filter: GvkFilter): string {
  return `${filter.group ?? ""}|${filter.version ?? ""}|${filter.kind ?? ""}`;
}

function gvkOf(filter: GvkFilter): Gvk {
  return { group: filter.group ?? "", version: filter.version ?? "", kind: filter.kind ?? "" };
}

function compareGvk(a: GvkFilter, b: GvkFilter): number {
  return (
    rankOfKind(a.kind ?? "") - rankOfKind(b.kind ?? "") || compareTexts(gvkSortKey(gvkOf(a)), gvkSortKey(gvkOf(b)))
  );
}

/** Field specs found by the kind they apply to, so that no object is held against the whole table. */
export class SpecIndex<T extends GvkFilter> {
  private readonly byKind = new Map<string, T[]>();
  private readonly anyKind: T[] = [];
  private readonly all: readonly T[];
  private readonly found = new Map<string, readonly T[]>();

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
    if (candidates.length === 0) return candidates;
    const key = `${gvk.group}/${gvk.version}/${gvk.kind}`;
    let found = this.found.get(key);
    if (found === undefined) {
      found = candidates.filter((spec) => matchesGvk(spec, gvk));
      this.found.set(key, found);
    }
    return found;
  }
}

const indexes = new WeakMap<readonly FieldSpec[], SpecIndex<FieldSpec>>();

/** The index of a table, made once for each, since most builds go by the same tables. */
export function indexOfSpecs(specs: readonly FieldSpec[]): SpecIndex<FieldSpec> {
  let index = indexes.get(specs);
  if (index === undefined) {
    index = new SpecIndex(specs);
    indexes.set(specs, index);
  }
  return index;
}
