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
import { applyJsonEntry, applyMergeEntry, applyPatchEntry, type PatchContext } from "./patches.ts";
import { applyLoadedReplacements } from "./replacements.ts";
import { type BuildStep, Resource } from "./resource.ts";
import type { ResourceMap } from "./resource-map.ts";
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
    return { kind, name, namespace, file, config };
  } catch (error) {
    if (!(error instanceof RenderError) || typeof error.place.field !== "object") throw error;
    const path = formatFieldPath(error.place.field);
    throw renderError("render-plugin", error.what, { file, line, path, object: resource.describe() });
  }
}

export function isGenerator(plugin: Plugin): boolean {
  return GENERATORS.has(plugin.kind);
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

/** Runs a transformer plugin on all objects. */
export function runTransformer(map: ResourceMap, plugin: Plugin, context: PatchContext): void {
  const { config } = plugin;
  const specs = config.fieldSpecs ?? [];
  switch (plugin.kind) {
    case "PrefixTransformer":
      addAffix(map, config.prefix ?? "", "prefix", orDefault(specs, NAME_SPECS));
      return;
    case "SuffixTransformer":
      addAffix(map, config.suffix ?? "", "suffix", orDefault(specs, NAME_SPECS));
      return;
    case "PrefixSuffixTransformer":
      addAffix(map, config.prefix ?? "", "prefix", specs);
      addAffix(map, config.suffix ?? "", "suffix", specs);
      return;
    case "NamespaceTransformer":
      setNamespaces(map, {
        namespace: plugin.namespace,
        specs,
        unsetOnly: config.unsetOnly ?? false,
        subjects: subjectsOf(config.setRoleBindingSubjects, plugin.file),
      });
      return;
    case "LabelTransformer":
      setPairs(map, config.labels, specs);
      return;
    case "AnnotationsTransformer":
      setPairs(map, config.annotations, specs);
      return;
    case "ImageTagTransformer":
      setImages(map, config.imageTag ?? {}, specs);
      return;
    case "ReplicaCountTransformer":
      setReplicas(map, config.replica?.name ?? "", config.replica?.count ?? 0, specs);
      return;
    case "PatchTransformer":
      applyPatchEntry(map, config, context);
      return;
    case "PatchJson6902Transformer":
      applyJsonEntry(map, { ...config, ...(config.jsonOp === undefined ? {} : { patch: config.jsonOp }) }, context);
      return;
    case "PatchStrategicMergeTransformer":
      for (const path of config.paths ?? []) applyMergeEntry(map, path, context);
      if (config.patches) applyMergeEntry(map, `${config.patches}\n`, context);
      return;
    case "ReplacementTransformer":
      applyLoadedReplacements(map, config.replacements ?? [], context.loader, plugin.file);
      return;
    case "ValueAddTransformer":
      applyValueAdd(map, config, context.loader);
      return;
    default:
      throw renderError("render-plugin", `${plugin.kind} is no transformer`, { file: plugin.file });
  }
}

const NAME_SPECS: readonly FieldSpec[] = [{ path: "metadata/name" }];

function orDefault(specs: readonly FieldSpec[], fallback: readonly FieldSpec[]): readonly FieldSpec[] {
  return specs.length === 0 ? fallback : specs;
}

function subjectsOf(text: string | undefined, file: string): "default-only" | "all-service-accounts" | "none" {
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
      throw renderError("render-plugin", `setRoleBindingSubjects cannot be ${text}`, { file });
  }
}
