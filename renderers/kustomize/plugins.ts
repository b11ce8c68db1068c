// Built-in transformers and generators configured in files of their own (`apiVersion: builtin`).

import { RenderError, renderError } from "../errors.ts";
import { decodeField } from "./decode-field.ts";
import { formatFieldPath } from "./field-positions.ts";
import { setImages } from "./images.ts";
import type {
  FieldSpec,
  GeneratorEntry,
  HelmChartEntry,
  HelmGlobals,
  ImageEntry,
  PatchEntry,
  ReplacementEntry,
} from "./kustomization.ts";
import { PLUGIN_FIELDS } from "./kustomization-schema.ts";
import { addAffix, setNamespaces, setPairs, setReplicas } from "./metadata.ts";
import { fromValue, type NodeMap, toValue } from "./node.ts";
import {
  type PatchContext,
  prepareJsonEntry,
  prepareMergeEntries,
  preparePatchEntry,
  type Transform,
} from "./patches.ts";
import { prepareReplacements } from "./replacements.ts";
import { type BuildStep, Resource } from "./resource.ts";
import { applyValueAdd } from "./value-add.ts";

/** Fields of any plugin; which are set depends on the kind. */
interface PluginConfig
  extends Omit<PatchEntry, "options">,
    Omit<GeneratorEntry, "options">,
    HelmChartEntry,
    HelmGlobals {
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
  readonly targets?: unknown;
  readonly cloud?: string;
  readonly kubernetesService?: { readonly namespace?: string; readonly name?: string };
  readonly serviceAccount?: { readonly name?: string; readonly projectId?: string };
}

export interface Plugin {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly file: string;
  readonly line: number | undefined;
  readonly config: PluginConfig;
}

const GENERATORS = new Set([
  "ConfigMapGenerator",
  "SecretGenerator",
  "IAMPolicyGenerator",
  "HelmChartInflationGenerator",
]);

/** Reads a plugin's configuration. Throws `render-plugin` for anything that is not built in. */
export function readPlugin(resource: Resource): Plugin {
  const { kind, name, namespace } = resource;
  const { file, line } = resource.origin;
  if (resource.apiVersion !== "builtin") {
    const what = `${resource.describe()} is an external plugin; only built-in ones (apiVersion: builtin) run`;
    throw renderError("render-plugin", what, { file, line });
  }
  const fields = PLUGIN_FIELDS.get(kind);
  if (fields === undefined) throw renderError("render-plugin", `there is no built-in plugin ${kind}`, { file, line });
  const value = toValue(resource.node) as Record<string, unknown>;
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...own } = value;
  try {
    // decodeField answers the shape that PLUGIN_FIELDS spells out for the kind.
    const config = decodeField(own, { fields }, "lenient") as PluginConfig;
    return { kind, name, namespace, file, line, config };
  } catch (error) {
    if (!(error instanceof RenderError) || typeof error.place.field !== "object") throw error;
    const path = formatFieldPath(error.place.field);
    throw renderError("render-plugin", error.what, { file, line, path, object: resource.describe() });
  }
}

export function isGenerator(kind: string): boolean {
  return GENERATORS.has(kind);
}

/** The generator entry of a plugin; name and namespace are those of its metadata. */
export function generatorEntry(plugin: Plugin): GeneratorEntry {
  const { config, name, namespace } = plugin;
  return { ...config, name: config.name ?? name, namespace: config.namespace ?? namespace };
}

/** The service account that an IAMPolicyGenerator makes: tied to an account of the cloud. */
export function generateServiceAccount(plugin: Plugin): Resource {
  const { cloud, kubernetesService, serviceAccount } = plugin.config;
  if (cloud !== "gke") {
    throw renderError("render-plugin", `the cloud ${cloud ?? ""} is not supported, gke is`, { file: plugin.file });
  }
  const account = `${serviceAccount?.name ?? ""}@${serviceAccount?.projectId ?? ""}.iam.gserviceaccount.com`;
  const node = fromValue({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      annotations: { "iam.gke.io/gcp-service-account": account },
      name: kubernetesService?.name ?? "",
      ...(kubernetesService?.namespace && { namespace: kubernetesService.namespace }),
    },
  });
  // An object becomes a map.
  return new Resource(node as NodeMap, { file: plugin.file });
}

/** What `buildMetadata` records of a plugin. */
export function pluginStep(plugin: Plugin): BuildStep {
  const { kind, name, namespace } = plugin;
  const configuredBy = { apiVersion: "builtin", kind, ...(name && { name }), ...(namespace && { namespace }) };
  return { configuredIn: plugin.file, configuredBy };
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
      return (map) => addAffix(map, config.prefix ?? "", "prefix", orDefault(specs, NAME_SPECS));
    case "SuffixTransformer":
      return (map) => addAffix(map, config.suffix ?? "", "suffix", orDefault(specs, NAME_SPECS));
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
      return (map) => setImages(map, config.imageTag ?? {}, specs);
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
      const inline = config.patches ? [{ entry: `${config.patches}\n`, field: ["patches"] }] : [];
      return prepareMergeEntries([...paths, ...inline], context);
    }
    case "ReplacementTransformer":
      return prepareReplacements(config.replacements ?? [], context.loader, plugin.file);
    case "ValueAddTransformer":
      return (map) => applyValueAdd(map, config, context.loader);
    default:
      throw renderError("render-plugin", `${plugin.kind} is no transformer`);
  }
}

const NAME_SPECS: readonly FieldSpec[] = [{ path: "metadata/name" }];

function orDefault(specs: readonly FieldSpec[], fallback: readonly FieldSpec[]): readonly FieldSpec[] {
  return specs.length === 0 ? fallback : specs;
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
