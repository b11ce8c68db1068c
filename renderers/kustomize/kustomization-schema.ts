// The fields of a kustomization file and how strictly they are read.

import { renderError } from "../errors.ts";

export type FieldType =
  | "string"
  | "boolean"
  | "integer"
  | "any"
  | { readonly list: FieldType }
  | { readonly map: FieldType }
  | { readonly fields: Readonly<Record<string, FieldType>> };

const STRINGS: FieldType = { list: "string" };
const STRING_MAP: FieldType = { map: "string" };
const GVK = { group: "string", version: "string", kind: "string" } as const;
const SELECTOR_FIELDS = {
  ...GVK,
  name: "string",
  namespace: "string",
  annotationSelector: "string",
  labelSelector: "string",
} as const;
const SELECTOR: FieldType = { fields: SELECTOR_FIELDS };
export const FIELD_SPEC: FieldType = { fields: { ...GVK, path: "string", create: "boolean" } };
export const FIELD_SPECS: FieldType = { list: FIELD_SPEC };
const GENERATOR_OPTIONS: FieldType = {
  fields: {
    labels: STRING_MAP,
    annotations: STRING_MAP,
    disableNameSuffixHash: "boolean",
    immutable: "boolean",
  },
};
const GENERATOR_FIELDS = {
  namespace: "string",
  name: "string",
  behavior: "string",
  literals: STRINGS,
  files: STRINGS,
  envs: STRINGS,
  env: "string",
  options: GENERATOR_OPTIONS,
} as const;
const PATCH_FIELDS = { path: "string", patch: "string", target: SELECTOR, options: { map: "boolean" } } as const;
const REPLACEMENT_OPTIONS: FieldType = {
  fields: { delimiter: "string", index: "integer", encoding: "string", create: "boolean" },
};
export const REPLACEMENT_FIELDS = {
  source: {
    fields: { ...GVK, name: "string", namespace: "string", fieldPath: "string", options: REPLACEMENT_OPTIONS },
  },
  sourceValue: "string",
  targets: {
    list: {
      fields: { select: SELECTOR, reject: { list: SELECTOR }, fieldPaths: STRINGS, options: REPLACEMENT_OPTIONS },
    },
  },
} as const satisfies Readonly<Record<string, FieldType>>;
const IMAGE: FieldType = {
  fields: { name: "string", newName: "string", tagSuffix: "string", newTag: "string", digest: "string" },
};
const REPLICA: FieldType = { fields: { name: "string", count: "integer" } };
const SORT_OPTIONS: FieldType = {
  fields: {
    order: "string",
    legacySortOptions: { fields: { orderFirst: STRINGS, orderLast: STRINGS } },
  },
};
const METADATA: FieldType = {
  fields: { name: "string", namespace: "string", labels: STRING_MAP, annotations: STRING_MAP },
};
const VAR: FieldType = {
  fields: {
    name: "string",
    objref: { fields: { ...GVK, apiVersion: "string", name: "string", namespace: "string" } },
    fieldref: { fields: { fieldPath: "string" } },
  },
};

export const KUSTOMIZATION_FIELDS = {
  apiVersion: "string",
  kind: "string",
  metadata: METADATA,
  openapi: STRING_MAP,
  namePrefix: "string",
  nameSuffix: "string",
  namespace: "string",
  commonLabels: STRING_MAP,
  labels: {
    list: {
      fields: {
        pairs: STRING_MAP,
        includeSelectors: "boolean",
        includeTemplates: "boolean",
        includeVolumeClaimTemplates: "boolean",
        fields: FIELD_SPECS,
      },
    },
  },
  commonAnnotations: STRING_MAP,
  patchesStrategicMerge: STRINGS,
  patchesJson6902: { list: { fields: PATCH_FIELDS } },
  patches: { list: { fields: PATCH_FIELDS } },
  images: { list: IMAGE },
  imageTags: { list: IMAGE },
  replacements: { list: { fields: { path: "string", ...REPLACEMENT_FIELDS } } },
  replicas: { list: REPLICA },
  vars: { list: VAR },
  sortOptions: SORT_OPTIONS,
  resources: STRINGS,
  components: STRINGS,
  crds: STRINGS,
  bases: STRINGS,
  configMapGenerator: { list: { fields: GENERATOR_FIELDS } },
  secretGenerator: { list: { fields: { ...GENERATOR_FIELDS, type: "string" } } },
  helmGlobals: "any",
  helmCharts: { list: "any" },
  helmChartInflationGenerator: { list: "any" },
  generatorOptions: GENERATOR_OPTIONS,
  configurations: STRINGS,
  generators: STRINGS,
  transformers: STRINGS,
  validators: STRINGS,
  buildMetadata: STRINGS,
} as const satisfies Readonly<Record<string, FieldType>>;

/** Fields of the built-in transformers and generators in their own files, beside apiVersion, kind and metadata. */
export const PLUGIN_FIELDS: ReadonlyMap<string, Readonly<Record<string, FieldType>>> = new Map(
  Object.entries({
    PrefixTransformer: { prefix: "string", fieldSpecs: FIELD_SPECS },
    SuffixTransformer: { suffix: "string", fieldSpecs: FIELD_SPECS },
    PrefixSuffixTransformer: { prefix: "string", suffix: "string", fieldSpecs: FIELD_SPECS },
    NamespaceTransformer: { unsetOnly: "boolean", setRoleBindingSubjects: "string", fieldSpecs: FIELD_SPECS },
    LabelTransformer: { labels: STRING_MAP, fieldSpecs: FIELD_SPECS },
    AnnotationsTransformer: { annotations: STRING_MAP, fieldSpecs: FIELD_SPECS },
    ImageTagTransformer: { imageTag: IMAGE, fieldSpecs: FIELD_SPECS },
    ReplicaCountTransformer: { replica: REPLICA, fieldSpecs: FIELD_SPECS },
    PatchTransformer: PATCH_FIELDS,
    PatchJson6902Transformer: { target: SELECTOR, path: "string", jsonOp: "string" },
    PatchStrategicMergeTransformer: { paths: STRINGS, patches: "string" },
    ReplacementTransformer: { replacements: { list: { fields: { path: "string", ...REPLACEMENT_FIELDS } } } },
    ValueAddTransformer: { value: "string", targetFilePath: "string", targets: "any" },
    ConfigMapGenerator: GENERATOR_FIELDS,
    SecretGenerator: { ...GENERATOR_FIELDS, type: "string" },
    IAMPolicyGenerator: {
      cloud: "string",
      kubernetesService: { fields: { namespace: "string", name: "string" } },
      serviceAccount: { fields: { name: "string", projectId: "string" } },
    },
  } satisfies Record<string, Readonly<Record<string, FieldType>>>),
);

/**
 * Reads a value by its type: unknown fields and wrong types are refused, field names match in any case, null counts
 * as absent. Throws `render-unknown-field` or `render-invalid-kustomization`.
 */
export function decodeField(value: unknown, type: FieldType, path: string, file: string): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof type === "string") return decodeScalar(value, type, path, file);
  if ("list" in type) {
    if (!Array.isArray(value)) throw wrongType(value, "a list", path, file);
    return value.map((item, index) => decodeField(item, type.list, `${path}[${index}]`, file) ?? emptyOf(type.list));
  }
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType(value, "a map", path, file);
  const result: Record<string, unknown> = {};
  if ("map" in type) {
    for (const [key, item] of Object.entries(value)) {
      result[key] = decodeField(item, type.map, `${path}.${key}`, file) ?? emptyOf(type.map);
    }
    return result;
  }
  for (const [key, item] of Object.entries(value)) {
    const name = findField(type.fields, key);
    const where = path === "" ? key : `${path}.${key}`;
    if (name === undefined) {
      throw renderError("render-unknown-field", `the field ${where} is not known`, { file, path: where });
    }
    const decoded = decodeField(item, type.fields[name]!, where, file);
    if (decoded !== undefined) result[name] = decoded;
  }
  return result;
}

function decodeScalar(
  value: unknown,
  type: "string" | "boolean" | "integer" | "any",
  path: string,
  file: string,
): unknown {
  if (type === "any") return value;
  if (type === "integer") {
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw wrongType(value, "an integer", path, file);
  }
  if (typeof value !== type) throw wrongType(value, type === "string" ? "text" : "true or false", path, file);
  return value;
}

function emptyOf(type: FieldType): unknown {
  if (type === "string") return "";
  if (type === "boolean") return false;
  if (type === "integer") return 0;
  if (type === "any") return null;
  return "list" in type ? [] : {};
}

function findField(fields: Readonly<Record<string, FieldType>>, key: string): string | undefined {
  if (Object.hasOwn(fields, key)) return key;
  const lower = key.toLowerCase();
  return Object.keys(fields).find((name) => name.toLowerCase() === lower);
}

function wrongType(value: unknown, wanted: string, path: string, file: string): Error {
  const found = Array.isArray(value) ? "a list" : typeof value === "object" ? "a map" : JSON.stringify(value);
  const hint = typeof value === "boolean" || typeof value === "number" ? "; put it in quotes" : "";
  const what = `the field ${path} must be ${wanted}, not ${found}${wanted === "text" ? hint : ""}`;
  return renderError("render-invalid-kustomization", what, { file, path });
}
