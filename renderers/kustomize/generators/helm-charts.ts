// Helm charts that a kustomization inflates. Running Helm is left to whoever renders: renderers run no programs.

import { emitYamlDocument } from "../../../kube/yaml-emit.ts";
import type { AppError } from "../../../runtime/errors.ts";
import { isWithin, joinPath, PathResolver } from "../../paths.ts";
import type { HelmChartEntry, HelmGlobals, Kustomization } from "../kustomization/kustomization.ts";
import type { Loader } from "../loading/loader.ts";
import { mergeValues } from "../patches/merge.ts";
import { fromValue, isListNode, isMapNode, isNullNode, type Node, toValue } from "../resources/node.ts";
import { parseNodes, parseResources } from "../resources/parse.ts";
import type { Resource } from "../resources/resource.ts";

/** The files of one chart by their path inside it, `Chart.yaml` among them. */
export type ChartFiles = ReadonlyMap<string, Uint8Array>;

/** A chart that the source does not hold. */
export interface ChartPull {
  /** `https://...` of a chart repository or `oci://...` of a registry. */
  readonly repo: string;
  readonly name: string;
  /** Exact version or a range; empty for the newest. */
  readonly version: string;
  /** Also versions marked as not yet stable. */
  readonly devel: boolean;
}

/** What `helm template` is asked for. Everything comes from the source, so nothing in it is to be trusted. */
export interface ChartInflation {
  readonly name: string;
  readonly files: ChartFiles;
  /** Files of values as YAML text; later ones win. */
  readonly values: readonly string[];
  /** Empty for a name that Helm makes up. Never starts with `-`. */
  readonly releaseName: string;
  readonly nameTemplate: string;
  /** Empty for Helm's default. */
  readonly namespace: string;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string;
  readonly includeCRDs: boolean;
  readonly skipTests: boolean;
  readonly skipHooks: boolean;
  readonly debug: boolean;
  readonly devel: boolean;
  /** True when the chart came from its repository, so that a network is allowed. */
  readonly pulled: boolean;
}

/**
 * Fetches and templates charts. Both throw `AppError`s: with recovery `retry` when the same question may be answered
 * later, otherwise `render-plugin`.
 */
export interface ChartInflator {
  pull(request: ChartPull): ChartFiles;
  /** The manifests as `helm template` prints them. */
  inflate(request: ChartInflation): string;
}

/** The same away from the thread that renders; rejects with the reason of `signal` when that is aborted. */
export interface AsyncChartInflator {
  pull(request: ChartPull, signal: AbortSignal): Promise<ChartFiles>;
  inflate(request: ChartInflation, signal: AbortSignal): Promise<string>;
}

export interface ChartOptions {
  /** Absent: charts are refused, as the real tool refuses them without `--enable-helm`. */
  readonly inflator: ChartInflator | undefined;
  /** Namespace of releases whose entry names none. */
  readonly namespace: string;
}

const DEFAULT_HOME = "charts";
/** Bytes of all files of a chart. */
const MAX_CHART_BYTES = 64 * 1024 * 1024;

/** The charts of a kustomization: `helmCharts` with the older form behind it. */
export function chartEntries(kustomization: Kustomization): readonly HelmChartEntry[] {
  const older = (kustomization.helmChartInflationGenerator ?? []).map((entry): HelmChartEntry => {
    return {
      name: entry.chartName ?? "",
      version: entry.chartVersion ?? "",
      repo: entry.chartRepoUrl ?? "",
      valuesFile: entry.values ?? "",
      ...(entry.valuesLocal && { valuesInline: entry.valuesLocal }),
      valuesMerge: entry.valuesMerge ?? "",
      releaseName: entry.releaseName ?? "",
    };
  });
  return [...(kustomization.helmCharts ?? []), ...older];
}

/** `helmGlobals`, or what the last entries of the older form say. */
export function chartGlobals(kustomization: Kustomization): HelmGlobals {
  if (kustomization.helmGlobals !== undefined) return kustomization.helmGlobals;
  const homes = (kustomization.helmChartInflationGenerator ?? []).map((entry) => entry.chartHome || "");
  return { chartHome: homes.findLast((home) => home !== "") ?? "" };
}

/**
 * The objects of one chart. Throws `render-plugin` for what the entry lacks, `render-missing-file` for its files.
 *
 * Differs from kustomize: `configHome` is not handed to Helm, because plugins found there are programs.
 */
export function inflateChart(
  entry: HelmChartEntry,
  globals: HelmGlobals,
  loader: Loader,
  options: ChartOptions,
): Resource[] {
  const { inflator } = options;
  const name = entry.name ?? "";
  if (inflator === undefined) {
    const what = `the Helm chart ${name} is not inflated unless charts are enabled (--enable-helm)`;
    throw loader.fault("render-plugin", name || "helmCharts", what);
  }
  const fault = (what: string): AppError => loader.fault("render-plugin", name, what);
  checkEntry(entry, fault);
  const additional = (entry.additionalValuesFiles ?? []).map((file) => loader.loadText(file).text);
  const chart = findChart(entry, globals, loader, inflator, fault);
  const values = valuesText(entry, chart, loader, fault);
  const text = inflator.inflate({
    name,
    files: chart.files,
    values: [values, ...additional],
    releaseName: entry.releaseName ?? "",
    nameTemplate: entry.nameTemplate ?? "",
    namespace: entry.namespace || options.namespace,
    apiVersions: entry.apiVersions ?? [],
    kubeVersion: entry.kubeVersion ?? "",
    includeCRDs: entry.includeCRDs ?? false,
    skipTests: entry.skipTests ?? false,
    skipHooks: entry.skipHooks ?? false,
    debug: entry.debug ?? false,
    devel: entry.devel ?? false,
    pulled: chart.pulled,
  });
  const resources = parseResources(text, `${chart.folder} (inflated)`);
  for (const resource of resources) resource.fromHelm = true;
  return resources;
}

function checkEntry(entry: HelmChartEntry, fault: (what: string) => AppError): void {
  if (!entry.name) throw fault("a chart of helmCharts has no name");
  if (entry.name.startsWith("-")) throw fault(`the chart name ${entry.name} must not start with -`);
  if (entry.releaseName?.startsWith("-")) throw fault(`the releaseName ${entry.releaseName} must not start with -`);
  const merge = entry.valuesMerge || "override";
  if (!["merge", "override", "replace"].includes(merge)) {
    throw fault(`valuesMerge must be merge, override or replace, not ${merge}`);
  }
}

interface FoundChart {
  readonly files: ChartFiles;
  /** Where it lies, or would lie, in the source, relative to the kustomization; for messages and values. */
  readonly folder: string;
  readonly pulled: boolean;
}

function findChart(
  entry: HelmChartEntry,
  globals: HelmGlobals,
  loader: Loader,
  inflator: ChartInflator,
  fault: (what: string) => AppError,
): FoundChart {
  const { name = "", version = "", repo = "" } = entry;
  const home = globals.chartHome || DEFAULT_HOME;
  if (home.startsWith("/")) throw fault(`chartHome ${home} is absolute; charts must lie in the source`);
  // As kustomize: charts pulled in a version lie in a folder of that version.
  const folder = `${home}/${version !== "" && repo !== "" ? `${name}-${version}/` : ""}${name}`;
  const path = joinPath(loader.root, folder);
  const resolver = new PathResolver(loader.tree);
  const found = path === undefined ? undefined : resolver.resolve(path);
  if (found === undefined || found.type === "outside") throw fault(`the chart ${folder} lies outside of the source`);
  if (found.type === "directory") {
    return { files: readChart(loader, resolver, found.path, fault), folder, pulled: false };
  }
  if (repo === "") throw fault(`there is no chart ${folder}, and no repo to pull it from`);
  const files = inflator.pull({ repo, name, version, devel: entry.devel ?? false });
  return { files, folder, pulled: true };
}

function readChart(
  loader: Loader,
  resolver: PathResolver,
  root: string,
  fault: (what: string) => AppError,
): ChartFiles {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  // Links are followed as Helm follows them, but never out of the source and never in a circle.
  const visit = (folder: string, inside: string, above: readonly string[]): void => {
    for (const { name } of loader.tree.list(folder) ?? []) {
      const place = resolver.resolve(folder === "" ? name : `${folder}/${name}`);
      const path = inside === "" ? name : `${inside}/${name}`;
      if (place.type === "directory") {
        if (above.some((directory) => isWithin(place.path, directory)))
          throw fault(`the link ${path} leads in a circle`);
        visit(place.path, path, [...above, place.path]);
      } else if (place.type === "file") {
        const content = loader.tree.read(place.path) ?? new Uint8Array();
        bytes += content.length;
        if (bytes > MAX_CHART_BYTES) throw fault(`the chart has more than ${MAX_CHART_BYTES} bytes`);
        files.set(path, content);
      } else {
        throw fault(`the link ${path} of the chart leads out of the source or nowhere`);
      }
    }
  };
  visit(root, "", [root]);
  return files;
}

function valuesText(
  entry: HelmChartEntry,
  chart: FoundChart,
  loader: Loader,
  fault: (what: string) => AppError,
): string {
  const inline = Object.keys(entry.valuesInline ?? {}).length === 0 ? undefined : entry.valuesInline;
  if (inline === undefined) return loadValues(entry, chart, loader).text;
  const inlineNode = fromValue(asJson(inline));
  if (entry.valuesMerge === "replace") return emitYamlDocument(toValue(inlineNode), { sortKeys: true });
  const { text, path } = loadValues(entry, chart, loader);
  const [document] = parseNodes(text, path);
  if (document === undefined) throw fault(`${path} is empty, so that valuesInline cannot be merged with it`);
  const [over, under] = entry.valuesMerge === "merge" ? [document.node, inlineNode] : [inlineNode, document.node];
  return emitYamlDocument(mergedValues(over, under, fault), { sortKeys: true });
}

function mergedValues(over: Node, under: Node, fault: (what: string) => AppError): unknown {
  if (isNullNode(over)) return {};
  if (isNullNode(under)) return isMapNode(over) ? toValue(mergeValues(undefined, over) ?? new Map()) : {};
  if (!isMapNode(over) || !isMapNode(under)) {
    const found = isListNode(over) || isListNode(under) ? "a list" : "text";
    throw fault(`the values of a chart must be a map, not ${found}`);
  }
  const merged = mergeValues(under, over);
  return merged === undefined ? {} : toValue(merged);
}

function loadValues(entry: HelmChartEntry, chart: FoundChart, loader: Loader): { text: string; path: string } {
  const wanted = entry.valuesFile || `${chart.folder}/values.yaml`;
  const folder = joinPath(loader.root, chart.folder) ?? "";
  const path = wanted.startsWith("/") ? undefined : joinPath(loader.root, wanted);
  const pulled =
    chart.pulled && path !== undefined && path !== folder && isWithin(folder, path)
      ? chart.files.get(path.slice(folder.length + 1))
      : undefined;
  if (pulled === undefined || path === undefined) return loader.loadText(wanted);
  return { text: new TextDecoder().decode(pulled), path };
}

// As kustomize: inline values pass through JSON, where every number is a double.
function asJson(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asJson(item)]));
}
