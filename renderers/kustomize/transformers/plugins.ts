// Built-in transformers and generators configured in files of their own (`apiVersion: builtin`).

import { isObject } from "../../../kube/object.ts";
import { RenderError, renderError } from "../../errors.ts";
import { addHashes } from "../generators/hash-names.ts";
import type { ServiceAccountConfig } from "../generators/iam-policy.ts";
import { decodeField, type FieldType } from "../kustomization/decode-field.ts";
import { formatFieldPath } from "../kustomization/field-positions.ts";
import type {
  FieldSpec,
  GeneratorEntry,
  HelmChartEntry,
  HelmGlobals,
  ImageEntry,
  PatchEntry,
  ReplacementEntry,
} from "../kustomization/kustomization.ts";
import { PLUGIN_FIELDS } from "../kustomization/plugin-fields.ts";
import {
  type PatchContext,
  prepareJsonEntry,
  prepareMergeEntries,
  preparePatchEntry,
  type Transform,
} from "../patches/patches.ts";
import { prepareReplacements } from "../references/replacements.ts";
import { toValue } from "../resources/node.ts";
import type { BuildStep, Resource } from "../resources/resource.ts";
import { setImages } from "./images.ts";
import { addAffix, setNamespaces, setPairs, setReplicas } from "./metadata.ts";
import { prepareValueAdd, type ValueTarget } from "./value-add.ts";

/** Fields of any plugin; which are set depends on the kind. */
interface PluginConfig
  extends Omit<PatchEntry, "options">,
    Omit<GeneratorEntry, "options">,
    HelmChartEntry,
    HelmGlobals,
    ServiceAccountConfig {
  /** Of a patch or of a generator. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly fieldSpecs?: readonly FieldSpec[];
  readonly unsetOnly?: boolean;
  readonly setRoleBindingSubjects?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly imageTag?: ImageEntry;
  readonly replica?: { readonly name?: string; readonly count?: number };
  readonly jsonOp?: string;
  readonly paths?: readonly string[];
  readonly patches?: string;
  readonly replacements?: readonly ReplacementEntry[];
  readonly value?: string;
  readonly targetFilePath?: string;
  readonly targets?: readonly ValueTarget[];
}

export interface Plugin {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly file: string;
  readonly line: number | undefined;
  /** Where it is configured, as `buildMetadata` names it; undefined when nobody asks. */
  readonly place: BuildStep | undefined;
  readonly config: PluginConfig;
}

const GENERATORS = new Set([
  "ConfigMapGenerator",
  "SecretGenerator",
  "IAMPolicyGenerator",
  "HelmChartInflationGenerator",
]);

/** Where a plugin is listed. */
export type PluginRole = "generator" | "transformer";

/**
 * Reads and checks a plugin's configuration. Throws `render-plugin` for anything that is not built in or does not play
 * the role, and for a configuration that it cannot work with.
 */
export function readPlugin(resource: Resource, role: PluginRole): Plugin {
  const { kind, name, namespace } = resource;
  const { file, line } = resource.origin;
  const fault = (what: string, path?: string): RenderError =>
    renderError("render-plugin", what, { file, line, path, object: resource.describe() });
  if (resource.apiVersion !== "builtin") {
    throw fault(`${resource.describe()} is an external plugin; only built-in ones (apiVersion: builtin) run`);
  }
  const fields = PLUGIN_FIELDS.get(kind);
  if (fields === undefined) throw fault(`there is no built-in plugin ${kind}`);
  if (GENERATORS.has(kind) !== (role === "generator")) throw fault(`${kind} is no ${role}`);
  const value = toValue(resource.node) as Record<string, unknown>;
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...own } = value;
  const isAffix = AFFIXES.has(kind);
  let config: PluginConfig;
  try {
    // decodeField answers the shape that PLUGIN_FIELDS spells out for the kind.
    config = decodeField(isAffix ? inExactCase(own, { fields }) : own, { fields }, "lenient") as PluginConfig;
  } catch (error) {
    if (!(error instanceof RenderError) || typeof error.place.field !== "object") throw error;
    throw fault(error.what, formatFieldPath(error.place.field));
  }
  if (isAffix && config.fieldSpecs === undefined) throw fault(`the ${kind} has no fieldSpecs`, "fieldSpecs");
  return { kind, name, namespace, file, line, place: resource.step, config };
}

const AFFIXES = new Set(["PrefixTransformer", "SuffixTransformer", "PrefixSuffixTransformer"]);

// As kustomize: the fields of these kinds count in their own spelling only.
function inExactCase(value: unknown, type: FieldType): unknown {
  if (typeof type === "string") return value;
  if ("list" in type) return Array.isArray(value) ? value.map((item) => inExactCase(item, type.list)) : value;
  if ("map" in type || !isObject(value)) return value;
  const known = Object.entries(value).filter(([key]) => Object.hasOwn(type.fields, key));
  return Object.fromEntries(known.map(([key, item]) => [key, inExactCase(item, type.fields[key]!)]));
}

/** The generator entry of a plugin; name and namespace are those of its metadata unless it has its own. */
export function generatorEntry(plugin: Plugin): GeneratorEntry {
  const { config, name, namespace } = plugin;
  // As kustomize: `env` is known to the fields of kustomizations only.
  const { env: _env, ...own } = config;
  return { ...own, name: config.name || name, namespace: config.namespace || namespace };
}

/** What `buildMetadata` records of a plugin. */
export function pluginStep(plugin: Plugin): BuildStep {
  const { kind, name, namespace, place } = plugin;
  const configuredBy = { apiVersion: "builtin", kind, ...(name && { name }), ...(namespace && { namespace }) };
  if (place === undefined) return { configuredBy };
  const { path, ...remote } = place;
  return { ...remote, ...(path !== undefined && { configuredIn: path }), configuredBy };
}

/** Reads what a transformer plugin is configured to do; what comes back does it to all objects. */
export function prepareTransformer(plugin: Plugin, context: PatchContext): Transform {
  const apply = atPlugin(plugin, () => configure(plugin, context));
  return (map) => atPlugin(plugin, () => apply(map));
}

// Paths of a plugin's configuration are those of its own file, wherever they were looked for.
function atPlugin<T>({ file, line }: Plugin, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const { field, line: known } = error.place;
    if (known !== undefined && field === undefined) throw error;
    const path = typeof field === "object" ? { path: formatFieldPath(field) } : {};
    throw error.at({ file, line, column: undefined, field: undefined, ...path });
  }
}

function configure(plugin: Plugin, context: PatchContext): Transform {
  const { config } = plugin;
  const specs = config.fieldSpecs ?? [];
  switch (plugin.kind) {
    case "PrefixTransformer":
      return (map) => addAffix(map, config.prefix ?? "", "prefix", specs);
    case "SuffixTransformer":
      return (map) => addAffix(map, config.suffix ?? "", "suffix", specs);
    case "PrefixSuffixTransformer":
      return (map) => {
        addAffix(map, config.prefix ?? "", "prefix", specs);
        addAffix(map, config.suffix ?? "", "suffix", specs);
      };
    case "NamespaceTransformer": {
      const subjects = subjectsOf(config.setRoleBindingSubjects);
      const { namespace } = plugin;
      return (map) => setNamespaces(map, { namespace, specs, unsetOnly: config.unsetOnly ?? false, subjects });
    }
    case "LabelTransformer":
      return (map) => setPairs(map, config.labels, specs);
    case "AnnotationsTransformer":
      return (map) => setPairs(map, config.annotations, specs);
    case "ImageTagTransformer":
      return (map) => setImages(map, config.imageTag ?? {}, specs, false);
    case "ReplicaCountTransformer":
      return (map) => setReplicas(map, config.replica?.name ?? "", config.replica?.count ?? 0, specs);
    case "PatchTransformer":
      return preparePatchEntry(config, context);
    case "PatchJson6902Transformer": {
      const { path = "", target, jsonOp = "" } = config;
      return prepareJsonEntry({ path, patch: jsonOp, ...(target && { target }) }, "jsonOp", context);
    }
    case "PatchStrategicMergeTransformer": {
      const paths = (config.paths ?? []).map((entry, index) => ({ entry, field: ["paths", index] }));
      const inline = config.patches ? [{ entry: config.patches, field: ["patches"], isText: true }] : [];
      if (paths.length + inline.length === 0) {
        throw renderError("render-patch-source", "there are neither paths nor patches; add one of them");
      }
      return prepareMergeEntries([...paths, ...inline], context);
    }
    case "ReplacementTransformer":
      return prepareReplacements(config.replacements ?? [], context.loader, plugin.file);
    case "ValueAddTransformer":
      return prepareValueAdd(config, context.loader);
    case "HashTransformer":
      return addHashes;
    default:
      throw renderError("render-plugin", `${plugin.kind} is no transformer`);
  }
}

function subjectsOf(text: string | undefined): "default-only" | "all-service-accounts" | "none" {
  switch (text) {
    case undefined:
    case "":
    case "defaultOnly":
      return "default-only";
    case "allServiceAccounts":
      return "all-service-accounts";
    case "none":
      return "none";
    default:
      throw renderError(
        "render-plugin",
        `setRoleBindingSubjects must be defaultOnly, allServiceAccounts or none, not ${text}`,
        { field: ["setRoleBindingSubjects"] },
      );
  }
}
