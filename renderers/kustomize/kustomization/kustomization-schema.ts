// The fields of kustomization files.

import type { FieldType } from "./decode-field.ts";

export const STRINGS: FieldType = { list: "string" };
export const STRING_MAP: FieldType = { map: "string" };
const EXACT_STRINGS: FieldType = { list: "exact-string" };
const EXACT_MAP: FieldType = { map: "exact-string" };
export const GVK = { group: "exact-string", version: "exact-string", kind: "exact-string" } as const;
const SELECTOR_FIELDS = {
  ...GVK,
  name: "exact-string",
  namespace: "exact-string",
  annotationSelector: "string",
  labelSelector: "string",
} as const;
export const SELECTOR: FieldType = { fields: SELECTOR_FIELDS };
export const FIELD_SPEC: FieldType = { fields: { ...GVK, path: "string", create: "boolean" } };
export const FIELD_SPECS: FieldType = { list: FIELD_SPEC };
const GENERATOR_OPTIONS: FieldType = {
  fields: {
    labels: EXACT_MAP,
    annotations: EXACT_MAP,
    disableNameSuffixHash: "boolean",
    immutable: "boolean",
  },
};
export const GENERATOR_FIELDS = {
  namespace: "exact-string",
  name: "exact-string",
  behavior: "exact-string",
  literals: EXACT_STRINGS,
  files: EXACT_STRINGS,
  envs: EXACT_STRINGS,
  env: "exact-string",
  options: GENERATOR_OPTIONS,
} as const;
export const PATCH_FIELDS = {
  path: "string",
  patch: "string",
  target: SELECTOR,
  options: { fields: { allowNameChange: "boolean", allowKindChange: "boolean" } },
} as const;
const REPLACEMENT_OPTIONS: FieldType = {
  fields: { delimiter: "string", index: "integer", encoding: "string", create: "boolean" },
};
export const REPLACEMENT_FIELDS = {
  source: {
    fields: {
      ...GVK,
      name: "exact-string",
      namespace: "exact-string",
      fieldPath: "string",
      options: REPLACEMENT_OPTIONS,
    },
  },
  sourceValue: "string",
  targets: {
    list: {
      fields: { select: SELECTOR, reject: { list: SELECTOR }, fieldPaths: STRINGS, options: REPLACEMENT_OPTIONS },
    },
  },
} as const satisfies Readonly<Record<string, FieldType>>;
export const IMAGE: FieldType = {
  fields: { name: "string", newName: "string", tagSuffix: "string", newTag: "string", digest: "string" },
};
export const REPLICA: FieldType = { fields: { name: "string", count: "integer" } };
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

export const HELM_GLOBALS = { chartHome: "exact-string", configHome: "exact-string" } as const;
export const HELM_CHART = {
  name: "exact-string",
  version: "exact-string",
  repo: "exact-string",
  releaseName: "exact-string",
  namespace: "exact-string",
  additionalValuesFiles: EXACT_STRINGS,
  valuesFile: "exact-string",
  valuesInline: { map: "any" },
  valuesMerge: "exact-string",
  includeCRDs: "boolean",
  skipHooks: "boolean",
  apiVersions: EXACT_STRINGS,
  kubeVersion: "exact-string",
  nameTemplate: "exact-string",
  skipTests: "boolean",
  debug: "boolean",
  devel: "boolean",
} as const satisfies Readonly<Record<string, FieldType>>;
const OLDER_HELM_CHART = {
  chartName: "string",
  chartVersion: "string",
  chartRepoUrl: "string",
  chartHome: "string",
  chartRepoName: "string",
  helmBin: "string",
  helmHome: "string",
  values: "string",
  valuesLocal: { map: "any" },
  valuesMerge: "string",
  releaseName: "string",
  releaseNamespace: "string",
  extraArgs: STRINGS,
} as const satisfies Readonly<Record<string, FieldType>>;

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
  helmGlobals: { fields: HELM_GLOBALS },
  helmCharts: { list: { fields: HELM_CHART } },
  helmChartInflationGenerator: { list: { fields: OLDER_HELM_CHART } },
  generatorOptions: GENERATOR_OPTIONS,
  configurations: STRINGS,
  generators: STRINGS,
  transformers: STRINGS,
  validators: STRINGS,
  buildMetadata: STRINGS,
} as const satisfies Readonly<Record<string, FieldType>>;
