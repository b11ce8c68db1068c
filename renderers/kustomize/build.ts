// Builds one kustomization with everything it is based on.

import { parseYaml } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";
import { wrapYamlError } from "../errors.ts";
import type { RenderWarning } from "../rendered.ts";
import { type BuildMetadataOptions, recordTransformer } from "./build-metadata.ts";
import { decodeCrds } from "./crds.ts";
import { absorbGenerated, type GeneratedKind, generate, generatorStep, mergeOptions } from "./generators.ts";
import { setImages } from "./images.ts";
import { decodeKustomization, type GeneratorEntry, type Kustomization, type LabelEntry } from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { type MergeSchemas, openApiSchemas } from "./merge-schema.ts";
import { addAffix, setNamespaces, setPairs, setReplicas } from "./metadata.ts";
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
import { applyReplacements, loadReplacements } from "./replacements.ts";
import type { BuildStep, Resource } from "./resource.ts";
import { ResourceMap } from "./resource-map.ts";
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
  metadata: BuildMetadataOptions | undefined;
  schemas: MergeSchemas;
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
}

/** Finds and reads the kustomization file of a directory. */
export function loadKustomization(loader: Loader, session: BuildSession): LoadedKustomization {
  const { path: file, text } = loader.loadKustomization();
  const kustomization = decodeKustomization(text, file, (warning) => session.warnings.push(warning));
  return { kustomization, loader, file };
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
    const component = loadKustomization(loader.child(entry), session);
    if (component.kustomization.kind !== "Component") {
      throw loader.fault("render-wrong-kind-or-version", entry, `${entry} is no Component; list it under resources`);
    }
    accumulate(component, into, session, depth + 1);
  }
  transform(loaded, into, session);
  registerVars(into.vars, kustomization.vars ?? [], into.map.resources, file);
}

export function emptyAccumulated(): Accumulated {
  return { map: new ResourceMap(), config: EMPTY_CONFIG, vars: new Map() };
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
    for (const resource of parseResources(text, path)) {
      resource.step = { path };
      append(into.map, resource, loader, session);
    }
    return;
  }
  const base = loadKustomization(loader.child(entry), session);
  if (base.kustomization.kind === "Component") {
    throw loader.fault("render-wrong-kind-or-version", entry, `${entry} is a Component; list it under components`);
  }
  const child = emptyAccumulated();
  accumulate(base, child, session, depth + 1);
  for (const resource of child.map.resources) append(into.map, resource, loader, session);
  into.config = mergeConfig(into.config, child.config);
  for (const [name, variable] of child.vars) {
    if (into.vars.has(name)) throw loader.fault("render-var", entry, `the variable ${name} is defined twice`);
    into.vars.set(name, variable);
  }
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
  try {
    session.schemas = openApiSchemas(parseYaml(text, { file: path, duplicateKeys: "last-wins" }));
  } catch (error) {
    throw wrapYamlError(error, "render-openapi", path);
  }
  session.customSchema = true;
}

function runGenerators(loaded: LoadedKustomization, into: Accumulated, session: BuildSession): void {
  const { kustomization, loader, file } = loaded;
  const run = (kind: GeneratedKind, entry: GeneratorEntry, step: BuildStep): void => {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    const generated = generate(kind, { ...entry, ...(options && { options }) }, loader, file);
    generated.step = step;
    absorbGenerated(into.map, generated, loader);
  };
  for (const entry of kustomization.configMapGenerator ?? []) run("ConfigMap", entry, generatorStep("ConfigMap", file));
  for (const entry of kustomization.secretGenerator ?? []) run("Secret", entry, generatorStep("Secret", file));
  if ((kustomization.helmCharts ?? []).length > 0) {
    throw loader.fault(
      "render-plugin",
      "helmCharts",
      "helmCharts are not rendered here; make the chart a source of its own",
    );
  }
  for (const plugin of loadPlugins(kustomization.generators ?? [], loaded, session)) {
    if (!isGenerator(plugin)) throw loader.fault("render-plugin", plugin.kind, `${plugin.kind} is no generator`);
    if (plugin.kind === "IAMPolicyGenerator") {
      const account = generateServiceAccount(plugin);
      account.step = pluginStep(plugin);
      absorbGenerated(into.map, account, loader);
      continue;
    }
    const kind = plugin.kind === "SecretGenerator" ? "Secret" : "ConfigMap";
    run(kind, generatorEntry(plugin), pluginStep(plugin));
  }
}

/** Plugin configurations from files, directories and inline text. */
function loadPlugins(entries: readonly string[], loaded: LoadedKustomization, session: BuildSession): Plugin[] {
  const { loader, file } = loaded;
  return entries.flatMap((entry) => pluginResources(entry, loader, file, session)).map(readPlugin);
}

function pluginResources(entry: string, loader: Loader, file: string, session: BuildSession): readonly Resource[] {
  if (entry.includes("\n") || entry.trimStart().startsWith("{")) {
    try {
      return parseResources(entry, file);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw loader.fault("render-plugin", entry.split("\n")[0] ?? "", error.message, error);
    }
  }
  if (!loader.isDirectory(entry)) {
    const { path, text } = loader.loadText(entry);
    return parseResources(text, path);
  }
  const child = emptyAccumulated();
  accumulate(loadKustomization(loader.child(entry), session), child, session, 1);
  return child.map.resources;
}

function transform(loaded: LoadedKustomization, into: Accumulated, session: BuildSession): void {
  const { kustomization: k, loader, file } = loaded;
  const { map, config } = into;
  const context: PatchContext = { loader, schemas: session.schemas, file };
  const step = (kind: string, run: () => void, plugin?: Plugin): void => {
    run();
    if (session.metadata?.origin === true || session.metadata?.transformations === true) {
      const made = plugin === undefined ? undefined : pluginStep(plugin);
      recordTransformer(map.resources, made ?? { configuredIn: file, configuredBy: { apiVersion: "builtin", kind } });
    }
    map.dropEmpty();
  };
  if ((k.patchesStrategicMerge ?? []).length > 0) {
    step("PatchStrategicMergeTransformer", () => {
      for (const entry of k.patchesStrategicMerge ?? []) applyMergeEntry(map, entry, context);
    });
  }
  for (const entry of k.patches ?? []) step("PatchTransformer", () => applyPatchEntry(map, entry, context));
  if (k.namespace) {
    const { namespace } = k;
    step("NamespaceTransformer", () =>
      setNamespaces(map, { namespace, specs: config.namespace, unsetOnly: false, subjects: "default-only" }),
    );
  }
  if (k.namePrefix) step("PrefixTransformer", () => addAffix(map, k.namePrefix ?? "", "prefix", config.namePrefix));
  if (k.nameSuffix) step("SuffixTransformer", () => addAffix(map, k.nameSuffix ?? "", "suffix", config.nameSuffix));
  for (const entry of k.labels ?? []) step("LabelTransformer", () => addLabels(map, entry, config));
  if (k.commonLabels !== undefined) step("LabelTransformer", () => setPairs(map, k.commonLabels, config.commonLabels));
  if (k.commonAnnotations !== undefined) {
    step("AnnotationsTransformer", () => setPairs(map, k.commonAnnotations, config.commonAnnotations));
  }
  for (const entry of k.patchesJson6902 ?? [])
    step("PatchJson6902Transformer", () => applyJsonEntry(map, entry, context));
  for (const entry of k.replicas ?? []) {
    step("ReplicaCountTransformer", () => setReplicas(map, entry.name ?? "", entry.count ?? 0, config.replicas));
  }
  for (const entry of k.images ?? []) step("ImageTagTransformer", () => setImages(map, entry, config.images));
  if ((k.replacements ?? []).length > 0) {
    step("ReplacementTransformer", () => {
      applyReplacements(map.resources, loadReplacements(k.replacements ?? [], loader), file);
      map.invalidate();
    });
  }
  for (const plugin of loadPlugins(k.transformers ?? [], loaded, session)) {
    step(plugin.kind, () => runTransformer(map, plugin, { ...context, file: plugin.file }), plugin);
  }
  for (const plugin of loadPlugins(k.validators ?? [], loaded, session)) runTransformer(map, plugin, context);
}

function addLabels(map: ResourceMap, entry: LabelEntry, config: TransformerConfig): void {
  let specs = mergeFieldSpecs(entry.fields ?? [], config.labels);
  if (entry.includeSelectors === true) {
    specs = mergeFieldSpecs(specs, config.commonLabels);
  } else {
    if (entry.includeTemplates === true) specs = mergeFieldSpecs(specs, config.templateLabels);
    if (entry.includeVolumeClaimTemplates === true) specs = mergeFieldSpecs(specs, config.volumeClaimTemplateLabels);
    specs = mergeFieldSpecs(specs, [{ path: "metadata/labels", create: true }]);
  }
  setPairs(map, entry.pairs, specs);
}
