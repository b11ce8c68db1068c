// From a folder of a source to objects, by whichever renderer fits.

import type { KubeObject } from "../kube/object.ts";
import type { SourceTree } from "../sources/tree.ts";
import { renderError } from "./errors.ts";
import type { ChartInflator } from "./kustomize/generators/helm-charts.ts";
import { KUSTOMIZATION_FILES } from "./kustomize/kustomization/kustomization.ts";
import type { RemoteContents } from "./kustomize/loading/remote.ts";
import { renderKustomization } from "./kustomize/render.ts";
import type { RenderCache } from "./kustomize/render-cache.ts";
import { effectiveScope } from "./kustomize/resources/identity.ts";
import { joinPath, PathResolver } from "./paths.ts";
import { renderPlain } from "./plain.ts";
import type { ObjectOrigin, RenderedObject, RenderResult } from "./rendered.ts";

export type RendererName = "plain" | "kustomize";

export interface RenderOptions {
  /** `auto` (default): kustomize where the folder has a kustomization file, plain elsewhere. */
  readonly renderer?: "auto" | RendererName | undefined;
  /** Puts every object of a namespaced kind into this namespace; kinds that are not built in count as namespaced. */
  readonly targetNamespace?: string | undefined;
  /** Inflates the Helm charts of kustomizations. Absent: they are refused. */
  readonly charts?: ChartInflator | undefined;
  /** Tell of every field of a kustomization's objects who wrote it, in their `history`. Default false. */
  readonly fieldOrigins?: boolean | undefined;
  /** Objects in all. Default 50 000. */
  readonly maxObjects?: number | undefined;
  /** Kustomizations in all, each counted as often as it is named. Default 20 000. */
  readonly maxKustomizations?: number | undefined;
  /** Bytes of one file. Default 16 MiB. */
  readonly maxFileBytes?: number | undefined;
  /** Where the tree lies on this machine, for absolute paths in kustomizations that lead into it. */
  readonly absoluteRoot?: string | undefined;
}

/** Options that do not travel between threads. */
export interface LocalRenderOptions extends RenderOptions {
  /** Remembers parts of kustomizations for the next render. */
  readonly cache?: RenderCache | undefined;
  /** What entries hold that name other repositories and servers. Without it they are refused. */
  readonly remotes?: RemoteContents | undefined;
}

export interface RenderOutcome extends RenderResult {
  readonly renderer: RendererName;
}

/**
 * Renders a folder of the tree. Equal trees give equal objects in equal order.
 *
 * A plain folder takes its manifests from all folders below; one of these that has a kustomization is built as such.
 * Throws `AppError` with a code of `RenderErrorCode`, or what `remotes` throws.
 */
export function render(tree: SourceTree, path: string, options: LocalRenderOptions = {}): RenderOutcome {
  const resolver = new PathResolver(tree);
  const folder = normalize(path);
  const renderer =
    options.renderer === undefined || options.renderer === "auto" ? detect(resolver, folder) : options.renderer;
  if (renderer === "kustomize") return { ...renderWithKustomize(tree, folder, options), renderer };
  const result = renderPlain(tree, folder, {
    maxObjects: options.maxObjects,
    maxFileBytes: options.maxFileBytes,
    renderFolder: (below) => {
      if (options.renderer === "plain" || detect(resolver, below) === "plain") return undefined;
      return renderWithKustomize(tree, below, options);
    },
  });
  const { targetNamespace } = options;
  if (targetNamespace === undefined || targetNamespace === "") return { ...result, renderer };
  return { ...result, objects: result.objects.map((rendered) => inNamespace(rendered, targetNamespace)), renderer };
}

function renderWithKustomize(tree: SourceTree, folder: string, options: LocalRenderOptions): RenderResult {
  const { objects, warnings, origins } = renderKustomization(tree, folder, {
    absoluteRoot: options.absoluteRoot,
    remotes: options.remotes,
    ...(options.targetNamespace && { targetNamespace: options.targetNamespace }),
    charts: options.charts,
    ...(options.maxObjects !== undefined && { maxObjects: options.maxObjects }),
    ...(options.maxFileBytes !== undefined && { maxFileBytes: options.maxFileBytes }),
    maxKustomizations: options.maxKustomizations,
    cache: options.cache,
    fieldOrigins: options.fieldOrigins,
  });
  for (const { object, origin } of objects) checkApplicable(object, origin);
  if (options.fieldOrigins !== true) return { objects, warnings };
  return { objects: objects.map((rendered, index) => ({ ...rendered, history: origins[index] })), warnings };
}

// kustomize prints objects that no API server would take.
function checkApplicable(object: KubeObject, origin: ObjectOrigin): void {
  const missing = !object.apiVersion
    ? "apiVersion"
    : !object.metadata?.name && !object.metadata?.generateName
      ? "metadata.name"
      : undefined;
  if (missing === undefined) return;
  const { file, line } = origin;
  throw renderError("render-invalid-resource", `the ${object.kind} has no ${missing}`, { file, line, path: missing });
}

// An absolute path is meant from the root of the source, as `./` is.
function normalize(path: string): string {
  return joinPath("", path) ?? path;
}

function detect(resolver: PathResolver, folder: string): RendererName {
  const has = KUSTOMIZATION_FILES.some((name) => resolver.resolve(joinPath(folder, name) ?? name).type === "file");
  return has ? "kustomize" : "plain";
}

function inNamespace(rendered: RenderedObject, namespace: string): RenderedObject {
  const { object } = rendered;
  const { apiVersion, kind, metadata } = object;
  if (effectiveScope(apiVersion, kind) === "cluster") return rendered;
  return { ...rendered, object: { ...object, metadata: { ...metadata, namespace } } };
}
