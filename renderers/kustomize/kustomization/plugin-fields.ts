// The fields of the built-in transformers and generators in files of their own, beside apiVersion, kind and metadata.

import type { FieldType } from "./decode-field.ts";
import {
  FIELD_SPECS,
  GENERATOR_FIELDS,
  HELM_CHART,
  HELM_GLOBALS,
  IMAGE,
  PATCH_FIELDS,
  REPLACEMENT_FIELDS,
  REPLICA,
  SELECTOR,
  STRING_MAP,
  STRINGS,
} from "./kustomization-schema.ts";

/** One place that a ValueAddTransformer writes to. */
const VALUE_TARGETS: FieldType = {
  list: { fields: { selector: SELECTOR, fieldPath: "string", filePathPosition: "integer" } },
};

/** The same in a file of their own. */
export const VALUE_TARGETS_FILE: FieldType = { fields: { targets: VALUE_TARGETS } };

export const PLUGIN_FIELDS: ReadonlyMap<string, Readonly<Record<string, FieldType>>> = new Map(
  Object.entries({
    PrefixTransformer: { prefix: "string", fieldSpecs: FIELD_SPECS },
    SuffixTransformer: { suffix: "string", fieldSpecs: FIELD_SPECS },
    PrefixSuffixTransformer: { prefix: "string", suffix: "string", fieldSpecs: FIELD_SPECS },
    NamespaceTransformer: { unsetOnly: "boolean", setRoleBindingSubjects: "string", fieldSpecs: FIELD_SPECS },
    LabelTransformer: { labels: STRING_MAP, fieldSpecs: FIELD_SPECS },
    AnnotationsTransformer: { annotations: STRING_MAP, fieldSpecs: FIELD_SPECS },
    HashTransformer: {},
    ImageTagTransformer: { imageTag: IMAGE, fieldSpecs: FIELD_SPECS },
    ReplicaCountTransformer: { replica: REPLICA, fieldSpecs: FIELD_SPECS },
    PatchTransformer: PATCH_FIELDS,
    PatchJson6902Transformer: { target: SELECTOR, path: "string", jsonOp: "string" },
    PatchStrategicMergeTransformer: { paths: STRINGS, patches: "string" },
    ReplacementTransformer: {
      replacements: { list: { fields: { path: "string", ...exactFields(REPLACEMENT_FIELDS) } } },
    },
    ValueAddTransformer: { value: "string", targetFilePath: "string", targets: VALUE_TARGETS },
    ConfigMapGenerator: GENERATOR_FIELDS,
    SecretGenerator: { ...GENERATOR_FIELDS, type: "exact-string" },
    HelmChartInflationGenerator: { ...HELM_GLOBALS, ...HELM_CHART },
    IAMPolicyGenerator: {
      cloud: "exact-string",
      kubernetesService: { fields: { namespace: "exact-string", name: "exact-string" } },
      serviceAccount: { fields: { name: "exact-string", projectId: "exact-string" } },
    },
  } satisfies Record<string, Readonly<Record<string, FieldType>>>),
);

function exactFields(fields: Readonly<Record<string, FieldType>>): Readonly<Record<string, FieldType>> {
  return Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, exactly(type)]));
}

function exactly(type: FieldType): FieldType {
  if (typeof type === "string") return type === "string" ? "exact-string" : type;
  if ("list" in type) return { list: exactly(type.list) };
  if ("map" in type) return { map: exactly(type.map) };
  return { fields: exactFields(type.fields) };
}
