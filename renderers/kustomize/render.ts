// Builds a kustomization of a source tree, as `kustomize build` does.

import type { KubeObject } from "../../kube/object.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { renderError } from "../errors.ts";
import type { RenderedObject, RenderResult } from "../rendered.ts";
import { accumulate, type BuildSession, emptyAccumulated, loadKustomization } from "./build.ts";
import { buildMetadataOptions, writeBuildMetadata } from "./build-metadata.ts";
import { contentHash } from "./hash.ts";
import { Loader } from "./loader.ts";
import { builtInSchemas } from "./merge-schema.ts";
import { setNamespaces } from "./metadata.ts";
import { fixNameReferences } from "./name-references.ts";
import { isMapNode, isNullNode, toValue } from "./node.ts";
import type { Resource } from "./resource.ts";
import { sortResources } from "./sort.ts";
import { resolveVars } from "./vars.ts";

export interface KustomizeOptions {
  /** As `--load-restrictor LoadRestrictionsNone`; nothing ever leaves the source tree. Default false. */
  readonly allowFilesOutsideRoot?: boolean;
  /** Order of the objects when the root does not say. Default `legacy`, as the command line has it. */
  readonly order?: "legacy" | "none";
  /** Namespace for all namespaced objects, as if an overlay around the kustomization set it. */
  readonly targetNamespace?: string;
  /** Objects in all. Default 50 000. */
  readonly maxObjects?: number;
  /** Bytes of one file. Default 16 MiB. */
  readonly maxFileBytes?: number;
}

/** The version whose behaviour this follows; it shows in the managed-by label. */
const FOLLOWED_VERSION = "v5.8.2";
const LOCAL_CONFIG = "config.kubernetes.io/local-config";

/**
 * Renders the kustomization in the directory `path` of `tree`. Throws `AppError` with a code of `RenderErrorCode`,
 * and file, line, field path and object in its details where they are known.
 */
export function renderKustomization(tree: SourceTree, path: string, options: KustomizeOptions = {}): RenderResult {
  const session: BuildSession = {
    warnings: [],
    maxObjects: options.maxObjects ?? 50_000,
    maxDepth: 50,
    metadata: undefined,
    schemas: builtInSchemas,
    customSchema: false,
  };
  const loader = Loader.open(tree, path, {
    allowFilesOutsideRoot: options.allowFilesOutsideRoot ?? false,
    maxFileBytes: options.maxFileBytes ?? 16 * 1024 * 1024,
  });
  const root = loadKustomization(loader, session);
  const { kustomization, file } = root;
  const metadata = buildMetadataOptions(kustomization.buildMetadata);
  session.metadata = metadata;
  const all = emptyAccumulated();
  accumulate(root, all, session);
  if (options.targetNamespace) {
    setNamespaces(all.map, {
      namespace: options.targetNamespace,
      specs: all.config.namespace,
      unsetOnly: false,
      subjects: "default-only",
    });
  }
  addHashes(all.map.resources);
  all.map.invalidate();
  fixNameReferences(all.map.resources, all.config.nameReference);
  resolveVars(all.map.resources, all.vars, all.config.varReference, file);
  all.map.keep((resource) => !isLocalConfig(resource));
  const sorted = sortResources(all.map.resources, kustomization.sortOptions, options.order ?? "legacy", file);
  for (const resource of sorted) dropEmptyAnnotations(resource);
  writeBuildMetadata(sorted, metadata, loader.root, FOLLOWED_VERSION);
  return { objects: sorted.map(toRendered), warnings: session.warnings };
}

function addHashes(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (!resource.needsHash) continue;
    const hash = contentHash(resource);
    resource.rememberName();
    resource.setName(`${resource.name}-${hash}`);
  }
}

function dropEmptyAnnotations(resource: Resource): void {
  const annotations = resource.metadata?.get("annotations");
  const isEmpty =
    annotations !== undefined && (isMapNode(annotations) ? annotations.size === 0 : isNullNode(annotations));
  if (isEmpty) resource.metadata?.delete("annotations");
}

function isLocalConfig(resource: Resource): boolean {
  const value = resource.stringMap("annotations").get(LOCAL_CONFIG);
  return value !== undefined && value !== "false";
}

function toRendered(resource: Resource): RenderedObject {
  try {
    // Every resource has a kind and a name by then; an apiVersion only as far as the files give one.
    return { object: toValue(resource.node) as KubeObject, origin: resource.origin };
  } catch (cause) {
    throw renderError(
      "render-unrepresentable-value",
      `${resource.describe()} cannot be printed: ${(cause as Error).message}`,
      {
        file: resource.origin.file,
        line: resource.origin.line,
        object: resource.describe(),
        cause,
      },
    );
  }
}
