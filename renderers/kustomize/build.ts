// Builds one kustomization with everything it is based on.

import { AppError } from "../../runtime/errors.ts";
import type { RenderWarning, Writer } from "../rendered.ts";
import { type BuildMetadataOptions, recordTransformer } from "./build-metadata.ts";
import { decodeCrds } from "./crds.ts";
import { absorbGenerated, type GeneratedKind, generate, generatorStep, mergeOptions } from "./generators.ts";
import { type ChartInflator, type ChartOptions, chartEntries, chartGlobals, inflateChart } from "./helm-charts.ts";
import { setImages } from "./images.ts";
import {
  decodeKustomization,
  type FieldSpec,
  type GeneratorEntry,
  type Kustomization,
  type LabelEntry,
} from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { combineLayers, KUSTOMIZE_LAYER, type MergeSchemas } from "./merge-schema.ts";
import { addAffix, setNamespaces, setPairs, setReplicas } from "./metadata.ts";
import { readOpenApi } from "./openapi-document.ts";
import { parseResources } from "./parse.ts";
import { applyJsonEntry, applyMergeEntry, applyPatchEntry, type PatchContext } from "./patches.ts";
import {
  generateServiceAccount,
  generatorEntry,
  isGenerator,
  type Plugin,
  pluginStep,
  readPlugin,
  runTransformer,
} from "./plugins.ts";
import { contentKey, dataKey, type RenderCache } from "./render-cache.ts";
import { applyLoadedReplacements } from "./replacements.ts";
import type { BuildStep, Resource } from "./resource.ts";
import { type MapOptions, ResourceMap, type Step } from "./resource-map.ts";
import { nodeKey } from "./share.ts";
import {
  DEFAULT_CONFIG,
  decodeConfig,
  EMPTY_CONFIG,
  mergeConfig,
  mergeFieldSpecs,
  type TransformerConfig,
} from "./transformer-config.ts";
import { registerVars, type VarSet } from "./vars.ts";

/** What all kustomizations of one build share. */
export interface BuildSession {
  readonly warnings: RenderWarning[];
  /** Objects in all, to keep a build from growing without bound. */
  readonly maxObjects: number;
  readonly maxDepth: number;
  readonly cache: RenderCache | undefined;
  readonly map: MapOptions;
  /** Absent: Helm charts are refused. */
  readonly charts: ChartInflator | undefined;
  metadata: BuildMetadataOptions | undefined;
  schemas: MergeSchemas;
  /** Equal keys mean equal schemas. */
  schemasKey: string;
  customSchema: boolean;
}

/** Objects, configuration and variables as they grow. */
export interface Accumulated {
  readonly map: ResourceMap;
  config: TransformerConfig;
  readonly vars: VarSet;
}

export interface LoadedKustomization {
  readonly kustomization: Kustomization;
  readonly loader: Loader;
  readonly file: string;
  /** The namespace that the kustomizations around this one set, nearest first; charts are released into it. */
  readonly namespaceAbove: string;
}

/** Finds and reads the kustomization file of a directory. */
export function loadKustomization(loader: Loader, session: BuildSession, namespaceAbove = ""): LoadedKustomization {
  const { path: file, text } = loader.loadKustomization();
  const kustomization = decodeKustomization(text, file, (warning) => session.warnings.push(warning));
  return { kustomization, loader, file, namespaceAbove };
}

/** Runs a kustomization into an accumulator: a fresh one for a base, the parent's own for a component. */
export function accumulate(loaded: LoadedKustomization, into: Accumulated, session: BuildSession, depth = 0): void {
  const { kustomization, loader, file } = loaded;
  if (depth > session.maxDepth) {
    throw loader.fault("render-failed", "", `kustomizations are nested deeper than ${session.maxDepth} levels`);
  }
  useOpenApi(loaded, session);
  for (const entry of kustomization.resources ?? []) accumulateResource(entry, loaded, into, session, depth);
  into.config = mergeConfig(into.config, ownConfig(loaded));
  for (const entry of kustomization.crds ?? []) {
    const { path, text } = loader.loadText(entry);
    into.config = mergeConfig(into.config, decodeCrds(text, path));
  }
  runGenerators(loaded, into, session);
  for (const entry of kustomization.components ?? []) {
    const component = loadKustomization(loader.child(entry), session, releaseNamespace(loaded));
    if (component.kustomization.kind !== "Component") {
      throw loader.fault("render-wrong-kind-or-version", entry, `${entry} is no Component; list it under resources`);
    }
    accumulate(component, into, session, depth + 1);
  }
  transform(loaded, into, session);
  into.map.during({ key: `vars\n${file}`, writer: { by: "vars", file } }, () =>
    registerVars(into.vars, kustomization.vars ?? [], into.map, file),
  );
}

function releaseNamespace({ kustomization, namespaceAbove }: LoadedKustomization): string {
  return kustomization.namespace || namespaceAbove;
}

export function emptyAccumulated(session: BuildSession): Accumulated {
  return { map: new ResourceMap(session.map), config: EMPTY_CONFIG, vars: new Map() };
}

/** The built-in configuration with what the files of `configurations` add. */
function ownConfig({ kustomization, loader }: LoadedKustomization): TransformerConfig {
  let added = EMPTY_CONFIG;
  for (const entry of kustomization.configurations ?? []) {
    const { path, text } = loader.loadText(entry);
    added = mergeConfig(added, decodeConfig(text, path));
  }
  return mergeConfig(DEFAULT_CONFIG, added);
}

function accumulateResource(
  entry: string,
  loaded: LoadedKustomization,
  into: Accumulated,
  session: BuildSession,
  depth: number,
): void {
  const { loader } = loaded;
  if (!loader.isDirectory(entry)) {
    const { path, text } = loader.loadText(entry);
    for (const resource of parse(text, path, session)) append(into.map, resource, loader, session);
    return;
  }
  const base = loadKustomization(loader.child(entry), session, releaseNamespace(loaded));
  if (base.kustomization.kind === "Component") {
    throw loader.fault("render-wrong-kind-or-version", entry, `${entry} is a Component; list it under components`);
  }
  const child = emptyAccumulated(session);
  accumulate(base, child, session, depth + 1);
  for (const resource of child.map.resources) append(into.map, resource, loader, session);
  into.config = mergeConfig(into.config, child.config);
  for (const [name, variable] of child.vars) {
    if (into.vars.has(name)) throw loader.fault("render-var", entry, `the variable ${name} is defined twice`);
    into.vars.set(name, variable);
  }
}

/** Reads objects, from memory where the same text was read before: they must only be changed by `ResourceMap.edit`. */
function parse(text: string, file: string, session: BuildSession): readonly Resource[] {
  return session.cache?.parsed(text, file, parseResources) ?? parseResources(text, file);
}

function append(map: ResourceMap, resource: Resource, loader: Loader, session: BuildSession): void {
  if (map.resources.length >= session.maxObjects) {
    throw loader.fault("render-too-large", "", `there are more than ${session.maxObjects} objects`);
  }
  map.append(resource);
}

function useOpenApi(loaded: LoadedKustomization, session: BuildSession): void {
  const { openapi } = loaded.kustomization;
  if (openapi === undefined) return;
  const version = openapi["version"];
  const entry = openapi["path"];
  if (version && entry) {
    throw loaded.loader.fault("render-openapi", entry, "openapi cannot have both version and path");
  }
  if (version && version !== "v1.21.2" && version !== "v1212") {
    throw loaded.loader.fault("render-openapi", version, `the OpenAPI version ${version} is not built in; v1.21.2 is`);
  }
  if (!entry || session.customSchema) return;
  const { path, text } = loaded.loader.loadText(entry);
  session.schemas = combineLayers([readOpenApi(text, path).layer, KUSTOMIZE_LAYER]);
  session.schemasKey = contentKey(text);
  session.customSchema = true;
}

function runGenerators(loaded: LoadedKustomization, into: Accumulated, session: BuildSession): void {
  const { kustomization, loader, file } = loaded;
  const absorb = (made: Resource, origin: BuildStep, writer: Writer): void => {
    made.step = origin;
    made.writers = [writer];
    const generated = remembered(made, session);
    const key = `absorb\n${JSON.stringify([writer, origin])}`;
    into.map.during({ key, writer }, () => absorbGenerated(into.map, generated, loader));
  };
  const run = (kind: GeneratedKind, entry: GeneratorEntry, origin: BuildStep, writer: Writer): void => {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    absorb(generate(kind, { ...entry, ...(options && { options }) }, loader, file), origin, writer);
  };
  for (const kind of ["ConfigMap", "Secret"] as const) {
    const field = kind === "ConfigMap" ? "configMapGenerator" : "secretGenerator";
    for (const [index, entry] of (kustomization[field] ?? []).entries()) {
      const writer = { by: `${kind}Generator`, file, field: `${field}[${index}]` };
      run(kind, entry, generatorStep(kind, file), writer);
    }
  }
  const charts: ChartOptions = { inflator: session.charts, namespace: releaseNamespace(loaded) };
  for (const [index, entry] of chartEntries(kustomization).entries()) {
    const writer = { by: "HelmChartInflationGenerator", file, field: `helmCharts[${index}]` };
    const origin = { configuredIn: file, configuredBy: { apiVersion: "builtin", kind: writer.by } };
    for (const made of inflateChart(entry, chartGlobals(kustomization), loader, charts)) absorb(made, origin, writer);
  }
  for (const plugin of loadPlugins(kustomization.generators ?? [], loaded, session)) {
    if (!isGenerator(plugin)) throw loader.fault("render-plugin", plugin.kind, `${plugin.kind} is no generator`);
    const writer = { by: plugin.kind, file: plugin.file };
    if (plugin.kind === "HelmChartInflationGenerator") {
      for (const made of inflateChart(plugin.config, plugin.config, loader, { ...charts, namespace: "" })) {
        absorb(made, pluginStep(plugin), writer);
      }
      continue;
    }
    if (plugin.kind === "IAMPolicyGenerator") {
      absorb(generateServiceAccount(plugin), pluginStep(plugin), writer);
      continue;
    }
    const kind = plugin.kind === "SecretGenerator" ? "Secret" : "ConfigMap";
    run(kind, generatorEntry(plugin), pluginStep(plugin), writer);
  }
}

function remembered(made: Resource, session: BuildSession): Resource {
  if (session.cache === undefined) return session.map.keepStates ? made.finish() : made;
  const { origin, step, behavior, needsHash, fromHelm, node } = made;
  const key = `${JSON.stringify([origin, step, made.writers, behavior, needsHash, fromHelm])}\n${nodeKey(node)}`;
  return session.cache.generated(key, made);
}

/** Plugin configurations from files, directories and inline text. */
function loadPlugins(entries: readonly string[], loaded: LoadedKustomization, session: BuildSession): Plugin[] {
  return entries.flatMap((entry) => pluginResources(entry, loaded, session)).map(readPlugin);
}

function pluginResources(entry: string, loaded: LoadedKustomization, session: BuildSession): readonly Resource[] {
  const { loader, file } = loaded;
  if (entry.includes("\n") || entry.trimStart().startsWith("{")) {
    try {
      return parse(entry, file, session);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw loader.fault("render-plugin", entry.split("\n")[0] ?? "", error.message, error);
    }
  }
  if (!loader.isDirectory(entry)) {
    const { path, text } = loader.loadText(entry);
    return parse(text, path, session);
  }
  const child = emptyAccumulated(session);
  accumulate(loadKustomization(loader.child(entry), session, releaseNamespace(loaded)), child, session, 1);
  return child.map.resources;
}

function transform(loaded: LoadedKustomization, into: Accumulated, session: BuildSession): void {
  const { kustomization: k, loader, file } = loaded;
  const { map, config } = into;
  const context: PatchContext = {
    loader,
    schemas: session.schemas,
    file,
    parse: (text, from) => parse(text, from, session),
  };
  const run = (step: Step, origin: BuildStep, apply: () => void): void => {
    map.during(step, apply);
    if (session.metadata?.origin === true || session.metadata?.transformations === true) recordTransformer(map, origin);
    map.dropEmpty();
  };
  // What decides the change, beside the object: the entry and the tables or schemas that the transformer goes by.
  const step = (by: string, field: string, entry: unknown, tables: object | string, apply: () => void): void => {
    const writer = { by, file, field };
    const key = session.map.keepStates
      ? `${JSON.stringify([writer, entry])}\n${typeof tables === "string" ? tables : dataKey(tables)}`
      : undefined;
    run({ key, writer }, { configuredIn: file, configuredBy: { apiVersion: "builtin", kind: by } }, apply);
  };
  const { schemasKey } = session;
  if ((k.patchesStrategicMerge ?? []).length > 0) {
    step("PatchStrategicMergeTransformer", "patchesStrategicMerge", undefined, schemasKey, () => {
      for (const entry of k.patchesStrategicMerge ?? []) applyMergeEntry(map, entry, context);
    });
  }
  for (const [index, entry] of (k.patches ?? []).entries()) {
    step("PatchTransformer", `patches[${index}]`, entry, schemasKey, () => applyPatchEntry(map, entry, context));
  }
  if (k.namespace) {
    const { namespace } = k;
    step("NamespaceTransformer", "namespace", namespace, config.namespace, () =>
      setNamespaces(map, { namespace, specs: config.namespace, unsetOnly: false, subjects: "default-only" }),
    );
  }
  for (const where of ["prefix", "suffix"] as const) {
    const [by, field] =
      where === "prefix"
        ? (["PrefixTransformer", "namePrefix"] as const)
        : (["SuffixTransformer", "nameSuffix"] as const);
    const affix = k[field];
    if (affix) step(by, field, affix, config[field], () => addAffix(map, affix, where, config[field]));
  }
  for (const [index, entry] of (k.labels ?? []).entries()) {
    const specs = labelSpecs(entry, config);
    step("LabelTransformer", `labels[${index}]`, entry.pairs, specs, () => setPairs(map, entry.pairs, specs));
  }
  if (k.commonLabels !== undefined) {
    step("LabelTransformer", "commonLabels", k.commonLabels, config.commonLabels, () =>
      setPairs(map, k.commonLabels, config.commonLabels),
    );
  }
  if (k.commonAnnotations !== undefined) {
    step("AnnotationsTransformer", "commonAnnotations", k.commonAnnotations, config.commonAnnotations, () =>
      setPairs(map, k.commonAnnotations, config.commonAnnotations),
    );
  }
  for (const [index, entry] of (k.patchesJson6902 ?? []).entries()) {
    step("PatchJson6902Transformer", `patchesJson6902[${index}]`, entry, "", () => applyJsonEntry(map, entry, context));
  }
  for (const [index, entry] of (k.replicas ?? []).entries()) {
    step("ReplicaCountTransformer", `replicas[${index}]`, entry, config.replicas, () =>
      setReplicas(map, entry.name ?? "", entry.count ?? 0, config.replicas),
    );
  }
  for (const [index, entry] of (k.images ?? []).entries()) {
    step("ImageTagTransformer", `images[${index}]`, entry, config.images, () => setImages(map, entry, config.images));
  }
  const replacements = k.replacements ?? [];
  if (replacements.length > 0) {
    step("ReplacementTransformer", "replacements", replacements, "", () =>
      applyLoadedReplacements(map, replacements, loader, file),
    );
  }
  for (const plugin of loadPlugins(k.transformers ?? [], loaded, session)) {
    const writer = { by: plugin.kind, file: plugin.file };
    run({ key: pluginKey(plugin, session), writer }, pluginStep(plugin), () =>
      runTransformer(map, plugin, { ...context, file: plugin.file }),
    );
  }
  for (const plugin of loadPlugins(k.validators ?? [], loaded, session)) {
    map.during({ key: pluginKey(plugin, session), writer: { by: plugin.kind, file: plugin.file } }, () =>
      runTransformer(map, plugin, context),
    );
  }
}

function pluginKey(plugin: Plugin, session: BuildSession): string | undefined {
  return session.map.keepStates ? `${JSON.stringify(plugin)}\n${session.schemasKey}` : undefined;
}

function labelSpecs(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  const specs = mergeFieldSpecs(entry.fields ?? [], config.labels);
  if (entry.includeSelectors === true) return mergeFieldSpecs(specs, config.commonLabels);
  let all = specs;
  if (entry.includeTemplates === true) all = mergeFieldSpecs(all, config.templateLabels);
  if (entry.includeVolumeClaimTemplates === true) all = mergeFieldSpecs(all, config.volumeClaimTemplateLabels);
  return mergeFieldSpecs(all, [{ path: "metadata/labels", create: true }]);
}
