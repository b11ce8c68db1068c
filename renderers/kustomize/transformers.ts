// The transformers of one kustomization: its own fields, then plugins.

import { builtInStep, recordTransformer } from "./build-metadata.ts";
import { type Accumulated, type BuildSession, type LoadedKustomization, parseRemembered } from "./build-session.ts";
import { type FieldPath, formatFieldPath } from "./kustomization/field-positions.ts";
import type { FieldSpec, LabelEntry } from "./kustomization/kustomization.ts";
import {
  type PatchContext,
  prepareJsonEntry,
  prepareMergeEntries,
  preparePatchEntry,
  type Transform,
} from "./patches/patches.ts";
import { prepareReplacements } from "./references/replacements.ts";
import { dataKey } from "./render-cache.ts";
import type { BuildStep } from "./resources/resource.ts";
import type { ResourceMap, Step } from "./resources/resource-map.ts";
import { setImages } from "./transformers/images.ts";
import { addAffix, setNamespaces, setPairs, setReplicas } from "./transformers/metadata.ts";
import { type Plugin, pluginStep, prepareTransformer } from "./transformers/plugins.ts";
import { mergeFieldSpecs, type TransformerConfig } from "./transformers/transformer-config.ts";
import { runValidator } from "./transformers/validators.ts";

/** A transformer that is configured: running it changes the objects. */
export type PreparedTransformer = () => void;

/**
 * Reads what the fields of a kustomization ask to change, in the order in which kustomize carries it out whatever the
 * order in the file. Nothing is changed yet.
 */
export function prepareFields(
  loaded: LoadedKustomization,
  into: Accumulated,
  session: BuildSession,
): PreparedTransformer[] {
  const { kustomization: k, loader, file, filePlace } = loaded;
  const { map, config } = into;
  const context = patchContext(loaded, session);
  const prepared: PreparedTransformer[] = [];
  // What decides the change, beside the object: the entry and the tables or schemas that the transformer goes by.
  const step = (by: string, field: FieldPath, entry: unknown, tables: object | string, prepare: () => Transform) => {
    const writer = { by, file, field: formatFieldPath(field) };
    const key = session.map.keepStates
      ? `${JSON.stringify([writer, entry])}\n${typeof tables === "string" ? tables : dataKey(tables)}`
      : undefined;
    const apply = loader.under(field, prepare);
    prepared.push(
      asStep({ key, writer }, builtInStep(filePlace, by), map, session, () => loader.under(field, () => apply(map))),
    );
  };
  const schemasKey = session.openApi.key;
  const merges = (k.patchesStrategicMerge ?? []).map((entry, index) => ({
    entry,
    field: ["patchesStrategicMerge", index],
  }));
  if (merges.length > 0) {
    step("PatchStrategicMergeTransformer", ["patchesStrategicMerge"], undefined, schemasKey, () =>
      prepareMergeEntries(merges, context),
    );
  }
  for (const [index, entry] of (k.patches ?? []).entries()) {
    step("PatchTransformer", ["patches", index], entry, schemasKey, () => preparePatchEntry(entry, context));
  }
  if (k.namespace) {
    const options = { namespace: k.namespace, specs: config.namespace, unsetOnly: false } as const;
    step("NamespaceTransformer", ["namespace"], k.namespace, config.namespace, () => {
      return (all) => setNamespaces(all, { ...options, subjects: "default-only" });
    });
  }
  for (const where of ["prefix", "suffix"] as const) {
    const [by, field] =
      where === "prefix"
        ? (["PrefixTransformer", "namePrefix"] as const)
        : (["SuffixTransformer", "nameSuffix"] as const);
    const affix = k[field];
    if (affix) step(by, [field], affix, config[field], () => (all) => addAffix(all, affix, where, config[field]));
  }
  for (const [index, entry] of (k.labels ?? []).entries()) {
    const specs = loader.under(["labels", index], () => labelSpecs(entry, config));
    step("LabelTransformer", ["labels", index], entry.pairs, specs, () => (all) => setPairs(all, entry.pairs, specs));
  }
  for (const [by, field] of [
    ["LabelTransformer", "commonLabels"],
    ["AnnotationsTransformer", "commonAnnotations"],
  ] as const) {
    const pairs = k[field] ?? {};
    // As kustomize: labels are followed by commonLabels even where there are none, which shows in the annotations.
    if (Object.keys(pairs).length > 0 || (by === "LabelTransformer" && (k.labels ?? []).length > 0))
      step(by, [field], pairs, config[field], () => (all) => setPairs(all, pairs, config[field]));
  }
  for (const [index, entry] of (k.patchesJson6902 ?? []).entries()) {
    step("PatchJson6902Transformer", ["patchesJson6902", index], entry, "", () =>
      prepareJsonEntry(entry, "patch", context),
    );
  }
  for (const [index, entry] of (k.replicas ?? []).entries()) {
    step("ReplicaCountTransformer", ["replicas", index], entry, config.replicas, () => {
      return (all) => setReplicas(all, entry.name ?? "", entry.count ?? 0, config.replicas);
    });
  }
  const images = k.images ?? [];
  for (const [index, entry] of images.entries()) {
    step("ImageTagTransformer", ["images", index], entry, config.images, () => {
      return (all) => setImages(all, entry, config.images, images.length > 2);
    });
  }
  const replacements = k.replacements ?? [];
  if (replacements.length > 0) {
    step("ReplacementTransformer", ["replacements"], replacements, "", () =>
      prepareReplacements(replacements, loader, file),
    );
  }
  return prepared;
}

/** Reads what plugins ask to change. */
export function prepareTransformers(
  plugins: readonly Plugin[],
  loaded: LoadedKustomization,
  into: Accumulated,
  session: BuildSession,
): PreparedTransformer[] {
  const { map } = into;
  return plugins.map((plugin) => {
    const apply = preparePlugin(plugin, loaded, session);
    return asStep(stepOf(plugin, session), pluginStep(plugin), map, session, () => apply(map));
  });
}

/** Reads what validators look at; those that change something fail. */
export function prepareValidators(
  plugins: readonly Plugin[],
  loaded: LoadedKustomization,
  into: Accumulated,
  session: BuildSession,
): PreparedTransformer[] {
  const { map } = into;
  return plugins.map((plugin) => {
    const apply = preparePlugin(plugin, loaded, session);
    return () => runValidator(map, plugin, () => map.during(stepOf(plugin, session), () => apply(map)));
  });
}

function preparePlugin(plugin: Plugin, loaded: LoadedKustomization, session: BuildSession): Transform {
  return prepareTransformer(plugin, { ...patchContext(loaded, session), file: plugin.file });
}

function patchContext({ loader, file }: LoadedKustomization, session: BuildSession): PatchContext {
  const parse = (text: string, from: string) => parseRemembered(text, from, session);
  return { loader, schemas: session.openApi.schemas, file, parse };
}

function asStep(
  step: Step,
  origin: BuildStep,
  map: ResourceMap,
  session: BuildSession,
  apply: () => void,
): PreparedTransformer {
  return () => {
    map.during(step, apply);
    if (session.metadata?.origin === true || session.metadata?.transformations === true) recordTransformer(map, origin);
    map.dropEmpty();
  };
}

function stepOf(plugin: Plugin, session: BuildSession): Step {
  const key = session.map.keepStates ? `${JSON.stringify(plugin)}\n${session.openApi.key}` : undefined;
  return { key, writer: { by: plugin.kind, file: plugin.file } };
}

function labelSpecs(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  const specs = mergeFieldSpecs(entry.fields ?? [], config.labels);
  if (entry.includeSelectors === true) return mergeFieldSpecs(specs, config.commonLabels);
  let all = specs;
  if (entry.includeTemplates === true) all = mergeFieldSpecs(all, config.templateLabels);
  if (entry.includeVolumeClaimTemplates === true) all = mergeFieldSpecs(all, config.volumeClaimTemplateLabels);
  return mergeFieldSpecs(all, [{ path: "metadata/labels", create: true }]);
}
