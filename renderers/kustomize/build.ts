// Builds one kustomization with everything it is based on.

import { AppError } from "../../runtime/errors.ts";
import { RenderError, renderError } from "../errors.ts";
import type { Writer } from "../rendered.ts";
import { builtInStep, type Place, placeBelow, recordOrigin } from "./build-metadata.ts";
import { type Accumulated, type BuildSession, type LoadedKustomization, parseRemembered } from "./build-session.ts";
import { absorbGenerated, type GeneratedKind, generate, mergeOptions } from "./generators/generators.ts";
import { type ChartOptions, chartEntries, chartGlobals, inflateChart } from "./generators/helm-charts.ts";
import { generateServiceAccount } from "./generators/iam-policy.ts";
import { decodeKustomization, type GeneratorEntry, type HelmChartEntry } from "./kustomization/kustomization.ts";
import type { Loader } from "./loading/loader.ts";
import { registerVars } from "./references/vars.ts";
import type { BuildStep, Resource } from "./resources/resource.ts";
import { ResourceMap } from "./resources/resource-map.ts";
import { nodeKey } from "./resources/share.ts";
import { decodeCrds } from "./transformers/crds.ts";
import { generatorEntry, type Plugin, pluginStep, readPlugin } from "./transformers/plugins.ts";
import {
  DEFAULT_CONFIG,
  decodeConfig,
  EMPTY_CONFIG,
  mergeConfig,
  type TransformerConfig,
} from "./transformers/transformer-config.ts";
import { prepareFields, prepareTransformers, prepareValidators } from "./transformers.ts";

/** Finds and reads the kustomization file of a directory. */
export function loadKustomization(
  loader: Loader,
  session: BuildSession,
  place: Place,
  namespaceAbove = "",
): LoadedKustomization {
  const { path: file, name, text } = loader.loadKustomization();
  session.lines.add(file, text);
  const kustomization = decodeKustomization(text, file, (warning) => session.warnings.push(warning));
  const loaded = { kustomization, loader, file, place, filePlace: placeBelow(place, name), namespaceAbove };
  loader.under(["openapi"], () => useOpenApi(loaded, session));
  return loaded;
}

/** Runs a kustomization into an accumulator: a fresh one for a base, the parent's own for a component. */
export function accumulate(loaded: LoadedKustomization, into: Accumulated, session: BuildSession): void {
  const { kustomization, loader, file } = loaded;
  for (const [index, entry] of (kustomization.resources ?? []).entries()) {
    loader.under(["resources", index], () => accumulateResource(entry, loaded, into, session));
  }
  into.config = mergeConfig(into.config, ownConfig(loaded));
  for (const [index, entry] of (kustomization.crds ?? []).entries()) {
    const { path, text } = loader.under(["crds", index], () => loader.loadText(entry));
    into.config = mergeConfig(into.config, decodeCrds(text, path));
  }
  runGenerators(loaded, into, session);
  for (const [index, entry] of (kustomization.components ?? []).entries()) {
    loader.under(["components", index], () => {
      const component = loadBelow(entry, loaded, session);
      if (component.kustomization.kind !== "Component") {
        throw loader.fault("render-wrong-kind-or-version", entry, `${entry} is no Component; list it under resources`);
      }
      accumulate(component, into, session);
      // As kustomize: after a component all goes into a new accumulator, which settles the specs again.
      into.config = mergeConfig(EMPTY_CONFIG, into.config);
    });
  }
  // As kustomize: everything is read and configured before the first transformer runs.
  const transformers = prepareFields(loaded, into, session);
  transformers.push(...prepareTransformers(loadPlugins("transformers", loaded, session), loaded, into, session));
  for (const run of transformers) run();
  for (const run of prepareValidators(loadPlugins("validators", loaded, session), loaded, into, session)) run();
  into.map.during({ key: `vars\n${file}`, writer: { by: "vars", file } }, () =>
    registerVars(into.vars, kustomization.vars ?? [], into.map, file),
  );
}

function loadBelow(entry: string, above: LoadedKustomization, session: BuildSession): LoadedKustomization {
  const place = placeBelow(above.place, entry);
  return loadKustomization(above.loader.child(entry), session, place, releaseNamespace(above));
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
  for (const [index, entry] of (kustomization.configurations ?? []).entries()) {
    const { path, text } = loader.under(["configurations", index], () => loader.loadText(entry));
    added = loader.under(["configurations", index], () => mergeConfig(added, decodeConfig(text, path)));
  }
  return mergeConfig(DEFAULT_CONFIG, added);
}

function accumulateResource(
  entry: string,
  loaded: LoadedKustomization,
  into: Accumulated,
  session: BuildSession,
): void {
  const { loader } = loaded;
  if (!loader.isDirectory(entry)) {
    const { path, text } = loader.loadText(entry);
    appendFrom(parseRemembered(text, path, session), placeBelow(loaded.place, entry), into.map, loader, session);
    return;
  }
  const base = loadBelow(entry, loaded, session);
  if (base.kustomization.kind === "Component") {
    throw loader.fault("render-wrong-kind-or-version", entry, `${entry} is a Component; list it under components`);
  }
  const child = emptyAccumulated(session);
  accumulate(base, child, session);
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
  session.openApi.meet(resource.apiVersion, resource.kind);
  map.append(resource);
}

/** Adds what an entry holds, noting where that is when the build is to tell. */
function appendFrom(
  resources: readonly Resource[],
  place: Place,
  map: ResourceMap,
  loader: Loader,
  session: BuildSession,
): void {
  const { metadata } = session;
  for (const resource of resources) {
    append(map, resource, loader, session);
    if (metadata?.origin === true || metadata?.transformations === true) recordOrigin(map, resource, place);
  }
}

function useOpenApi(loaded: LoadedKustomization, session: BuildSession): void {
  const { openapi } = loaded.kustomization;
  if (openapi === undefined) return;
  const version = openapi["version"];
  const entry = openapi["path"];
  const file = entry === undefined ? undefined : loaded.loader.loadText(entry);
  // As kustomize: the first that sets a schema sets it for the whole build, and what others ask for is not looked at.
  if (session.openApi.hasChoice) return;
  if (file === undefined) {
    if (!version) return;
    if (version !== "v1.21.2") {
      const what = `the OpenAPI version ${version} is not built in; use v1.21.2, or a file of your own with path`;
      throw renderError("render-openapi", what, { field: ["version"] });
    }
    session.openApi.chooseBuiltIn();
    return;
  }
  if (version !== undefined) {
    throw renderError("render-openapi", "openapi cannot have both version and path; remove one", {
      field: ["version"],
    });
  }
  session.openApi.choose(file.text, file.path);
}

function runGenerators(loaded: LoadedKustomization, into: Accumulated, session: BuildSession): void {
  const { kustomization, loader, file, filePlace } = loaded;
  const absorb = (made: Resource, origin: BuildStep, writer: Writer): void => {
    made.step = origin;
    made.writers = [writer];
    const generated = remembered(made, session);
    const key = `absorb\n${JSON.stringify([writer, origin])}`;
    into.map.during({ key, writer }, () => absorbGenerated(into.map, generated, loader));
  };
  const run = (kind: GeneratedKind, entry: GeneratorEntry, writer: Writer): void => {
    const options = mergeOptions(entry.options, kustomization.generatorOptions);
    const made = generate(kind, { ...entry, ...(options && { options }) }, loader, file);
    absorb(made, builtInStep(filePlace, writer.by), writer);
  };
  const charts: ChartOptions = { inflator: session.charts, namespace: releaseNamespace(loaded) };
  const inflate = (entry: HelmChartEntry) => inflateChart(entry, chartGlobals(kustomization), loader, charts);
  // As kustomize: all generators are configured before the first one runs, and charts may not be allowed at all.
  if (session.charts === undefined) {
    for (const [index, entry] of chartEntries(kustomization).entries()) {
      loader.under(["helmCharts", index], () => inflate(entry));
    }
  }
  const plugins = loadPlugins("generators", loaded, session);
  for (const kind of ["ConfigMap", "Secret"] as const) {
    const field = kind === "ConfigMap" ? "configMapGenerator" : "secretGenerator";
    for (const [index, entry] of (kustomization[field] ?? []).entries()) {
      const writer = { by: `${kind}Generator`, file, field: `${field}[${index}]` };
      loader.under([field, index], () => run(kind, entry, writer));
    }
  }
  for (const [index, entry] of chartEntries(kustomization).entries()) {
    const writer = { by: "HelmChartInflationGenerator", file, field: `helmCharts[${index}]` };
    const origin = builtInStep(filePlace, writer.by);
    for (const made of loader.under(["helmCharts", index], () => inflate(entry))) absorb(made, origin, writer);
  }
  for (const plugin of plugins) {
    const writer = { by: plugin.kind, file: plugin.file };
    if (plugin.kind === "HelmChartInflationGenerator") {
      for (const made of inflateChart(plugin.config, plugin.config, loader, { ...charts, namespace: "" })) {
        absorb(made, pluginStep(plugin), writer);
      }
      continue;
    }
    if (plugin.kind === "IAMPolicyGenerator") {
      absorb(generateServiceAccount(plugin.config, plugin.file), pluginStep(plugin), writer);
      continue;
    }
    const kind = plugin.kind === "SecretGenerator" ? "Secret" : "ConfigMap";
    // As kustomize: generatorOptions are for the fields of the kustomization only.
    absorb(generate(kind, generatorEntry(plugin), loader, file), pluginStep(plugin), writer);
  }
}

function remembered(made: Resource, session: BuildSession): Resource {
  if (session.cache === undefined) return session.map.keepStates ? made.finish() : made;
  const { origin, step, behavior, needsHash, fromHelm, node } = made;
  const key = `${JSON.stringify([origin, step, made.writers, behavior, needsHash, fromHelm])}\n${nodeKey(node)}`;
  return session.cache.generated(key, made);
}

/** Plugin configurations: those written inline, then those of files and directories. */
function loadPlugins(
  field: "generators" | "transformers" | "validators",
  loaded: LoadedKustomization,
  session: BuildSession,
): Plugin[] {
  const { kustomization, loader } = loaded;
  const entries = [...(kustomization[field] ?? []).entries()];
  const configs = emptyAccumulated(session);
  const inline = new Map<number, AppError | "read">();
  for (const [index, entry] of entries) {
    if (!/\n|^\s*(?:\{|#|---|$)/.test(entry)) continue;
    inline.set(index, readInlinePlugin(entry, loaded, configs, session));
  }
  for (const [index, entry] of entries) {
    const failure = inline.get(index);
    if (failure === "read") continue;
    loader.under([field, index], () => {
      if (failure === undefined) accumulateResource(entry, loaded, configs, session);
      else throw inlinePluginFault(failure);
    });
  }
  const role = field === "generators" ? "generator" : "transformer";
  return configs.map.resources.map((resource) => readPlugin(resource, role));
}

function readInlinePlugin(
  entry: string,
  { file, loader, filePlace }: LoadedKustomization,
  configs: Accumulated,
  session: BuildSession,
): AppError | "read" {
  let resources: readonly Resource[];
  try {
    resources = parseRemembered(entry, file, session);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  const seen = new Set<string>();
  const twice = resources.find(({ idKey }) => seen.size === seen.add(idKey).size);
  // As kustomize: such a text counts as no objects at all.
  if (twice !== undefined) return renderError("render-duplicate-id", `${twice.describe()} stands in it twice`);
  appendFrom(resources, filePlace, configs.map, loader, session);
  return "read";
}

// As kustomize: what is no object can only be a path, and such a file there is not.
function inlinePluginFault(failure: AppError): RenderError {
  const why = failure instanceof RenderError ? failure.what : failure.message;
  const what = `the entry is neither a path nor the configuration of a plugin: ${why}`;
  return renderError("render-missing-file", what, { cause: failure });
}
