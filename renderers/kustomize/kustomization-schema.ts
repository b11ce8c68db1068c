// The fields of kustomization files and of built-in plugins.

import type { FieldType } from "./decode-field.ts";

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
const PATCH_FIELDS = {
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

const HELM_GLOBALS = { chartHome: "string", configHome: "string" } as const;
const HELM_CHART = {
  name: "string",
  version: "string",
  repo: "string",
  releaseName: "string",
  namespace: "string",
  additionalValuesFiles: STRINGS,
  valuesFile: "string",
  valuesInline: { map: "any" },
  valuesMerge: "string",
  includeCRDs: "boolean",
  skipHooks: "boolean",
  apiVersions: STRINGS,
  kubeVersion: "string",
  nameTemplate: "string",
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
    HelmChartInflationGenerator: { ...HELM_GLOBALS, ...HELM_CHART },
    IAMPolicyGenerator: {
      cloud: "string",
      kubernetesService: { fields: { namespace: "string", name: "string" } },
      serviceAccount: { fields: { name: "string", projectId: "string" } },
    },
  } satisfies Record<string, Readonly<Record<string, FieldType>>>),
);
