// Builds a kustomization of a source tree, as `kustomize build` does.

import type { KubeObject } from "../../kube/object.ts";
import type { SourceTree } from "../../sources/tree.ts";
import { RenderError, renderError } from "../errors.ts";
import type { ObjectHistory, RenderedObject, RenderResult, RenderWarning } from "../rendered.ts";
import { accumulate, emptyAccumulated, loadKustomization } from "./build.ts";
import { buildMetadataOptions, ROOT_PLACE, writeBuildMetadata } from "./build-metadata.ts";
import type { BuildSession } from "./build-session.ts";
import { addHashes } from "./generators/hash-names.ts";
import type { ChartInflator } from "./generators/helm-charts.ts";
import { formatFieldPath } from "./kustomization/field-positions.ts";
import { Loader } from "./loading/loader.ts";
import type { RemoteContents } from "./loading/remote.ts";
import { fieldHistoryOf, historyOf, WriterLines } from "./origins.ts";
import { OpenApi } from "./patches/openapi.ts";
import { fixNameReferences } from "./references/name-references.ts";
import { resolveVars } from "./references/vars.ts";
import { dataKey, type RenderCache } from "./render-cache.ts";
import { forgetOwnScopes } from "./resources/identity.ts";
import {
  ensureMap,
  isMapNode,
  isTextKey,
  type NodeMap,
  pathOfUnprintable,
  Scalar,
  toOutput,
} from "./resources/node.ts";
import type { Resource } from "./resources/resource.ts";
import type { ResourceMap } from "./resources/resource-map.ts";
import { sortResources } from "./resources/sort.ts";
import { setNamespaces } from "./transformers/metadata.ts";

export interface KustomizeOptions {
  /** As `--load-restrictor LoadRestrictionsNone`; nothing ever leaves the source tree. Default false. */
  readonly allowFilesOutsideRoot?: boolean;
  /** Where the tree lies on this machine, for absolute paths and links that lead into it. Without it none does. */
  readonly absoluteRoot?: string | undefined;
  /** What entries hold that name other repositories and servers. Without it they are refused. */
  readonly remotes?: RemoteContents | undefined;
  /** Order of the objects when the root does not say. Default `legacy`, as the command line has it. */
  readonly order?: "legacy" | "none";
  /** Adds the label app.kubernetes.io/managed-by, as `managedByLabel` in buildMetadata does. Default false. */
  readonly managedByLabel?: boolean;
  /** Takes the warnings as they arise, so that they are known of a build that fails. Default: a list of its own. */
  readonly warnings?: RenderWarning[];
  /** Namespace for all namespaced objects, as if an overlay around the kustomization set it. */
  readonly targetNamespace?: string;
  /** Inflates Helm charts, as `--enable-helm` has it. Absent: charts are refused. */
  readonly charts?: ChartInflator | undefined;
  /** Objects in all. Default 50 000. */
  readonly maxObjects?: number;
  /** Kustomizations in all, each counted as often as it is named. Default 20 000. */
  readonly maxKustomizations?: number | undefined;
  /** Bytes of one file. Default 16 MiB. */
  readonly maxFileBytes?: number;
  /** Remembers parts of the build for the next one; what it gives is as without. */
  readonly cache?: RenderCache | undefined;
  /** Tell for every field who wrote it. Default false. */
  readonly fieldOrigins?: boolean | undefined;
}

export interface KustomizeResult extends RenderResult {
  /** For each object, at the same place. */
  readonly origins: readonly ObjectHistory[];
}

/** The version whose behaviour this follows; it shows in the managed-by label. */
const FOLLOWED_VERSION = "v5.8.2";
const LOCAL_CONFIG = "config.kubernetes.io/local-config";

/**
 * Renders the kustomization in the directory `path` of `tree`. Throws `AppError` with a code of `RenderErrorCode`,
 * and file, line, field path and object in its details where they are known.
 */
export function renderKustomization(tree: SourceTree, path: string, options: KustomizeOptions = {}): KustomizeResult {
  try {
    return build(tree, path, options);
  } finally {
    forgetOwnScopes();
  }
}

function build(tree: SourceTree, path: string, options: KustomizeOptions): KustomizeResult {
  const fieldWriters = options.fieldOrigins ?? false;
  const session: BuildSession = {
    warnings: options.warnings ?? [],
    maxObjects: options.maxObjects ?? 50_000,
    cache: options.cache,
    map: {
      keepStates: options.cache !== undefined || fieldWriters,
      fieldWriters,
      remember: options.cache?.startBuild(),
    },
    lines: new WriterLines(),
    charts: options.charts,
    metadata: undefined,
    openApi: new OpenApi(),
  };
  const loader = Loader.open(tree, path, {
    allowFilesOutsideRoot: options.allowFilesOutsideRoot ?? false,
    maxFileBytes: options.maxFileBytes ?? 16 * 1024 * 1024,
    maxKustomizations: options.maxKustomizations,
    absoluteRoot: options.absoluteRoot,
    remotes: options.remotes,
    warn: (warning) => session.warnings.push(warning),
  });
  const root = loadKustomization(loader, session, ROOT_PLACE, options.targetNamespace);
  const { kustomization, file } = root;
  const requested = buildMetadataOptions(kustomization.buildMetadata);
  const metadata = options.managedByLabel === true ? { ...requested, managedBy: true } : requested;
  session.metadata = metadata;
  const all = emptyAccumulated(session);
  accumulate(root, all, session);
  const { map } = all;
  // The end of a build, which only the root has. `entry` is what decides each change, beside the object.
  const end = (by: string, field: string | undefined, entry: unknown, run: () => void): void => {
    const writer = { by, file, ...(field !== undefined && { field }) };
    map.during({ key: session.map.keepStates ? JSON.stringify([writer, entry]) : undefined, writer }, run);
  };
  const { targetNamespace } = options;
  if (targetNamespace) {
    end("TargetNamespace", undefined, [targetNamespace, dataKey(all.config.namespace)], () =>
      setNamespaces(map, {
        namespace: targetNamespace,
        specs: all.config.namespace,
        unsetOnly: false,
        subjects: "default-only",
      }),
    );
  }
  end("HashTransformer", undefined, undefined, () => addHashes(map));
  end("NameReferenceTransformer", undefined, dataKey(all.config.nameReference), () =>
    fixNameReferences(map, all.config.nameReference),
  );
  end("RefVarTransformer", "vars", dataKey(all.config.varReference), () =>
    resolveVars(map, all.vars, all.config.varReference, file),
  );
  map.keep((resource) => !resource.fact("local", () => isLocalConfig(resource)));
  map.assertUniqueAfterRenames("the build");
  end("BuildMetadata", "buildMetadata", metadata, () => {
    rewriteAnnotations(map);
    writeBuildMetadata(map, metadata, FOLLOWED_VERSION);
  });
  if (options.order !== undefined && kustomization.sortOptions !== undefined) {
    const message =
      "Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). " +
      "Using the kustomization file over the CLI flag.";
    session.warnings.push({ code: "order-overruled", message, file });
  }
  const sorted = root.loader.under([], () =>
    sortResources(map.resources, kustomization.sortOptions, options.order ?? "legacy"),
  );
  return {
    objects: sorted.map((resource) => resource.fact("rendered", () => toRendered(resource))),
    warnings: session.warnings,
    origins: sorted.map((resource) => (fieldWriters ? fieldHistoryOf(resource, session.lines) : historyOf(resource))),
  };
}

/** What the tool keeps in annotations while it builds; it removes these at the end, whoever wrote them. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  ...[
    "allowKindChange",
    "allowNameChange",
    "annotations-migration-resource-id",
    "generatorBehavior",
    "helm-generated",
    "id",
    "index",
    "needsHashSuffix",
    "path",
    "prefixes",
    "previousKinds",
    "previousNames",
    "previousNamespaces",
    "refBy",
    "seqindent",
    "suffixes",
  ].map((name) => `internal.config.kubernetes.io/${name}`),
  "alpha.config.kubernetes.io/transformations",
  "config.k8s.io/id",
  "config.kubernetes.io/index",
  "config.kubernetes.io/origin",
  "config.kubernetes.io/path",
]);

// As kustomize: annotations are written anew at the end, where all of them become text, and none take their map along.
function rewriteAnnotations(map: ResourceMap): void {
  for (const resource of map.resources) {
    const metadata = resource.metadata;
    if (metadata === undefined) {
      // Only lists come without; the annotations that are none leave an empty map behind.
      if (!resource.node.has("metadata")) map.edit(resource, (own) => void ensureMap(own.node, "metadata"), "metadata");
      continue;
    }
    if (metadata.has("annotations") !== true || resource.fact("annotations", () => hasPlainAnnotations(metadata)))
      continue;
    map.edit(
      resource,
      (own) => {
        const texts = own.stringMap("annotations");
        for (const key of BOOKKEEPING) texts.delete(key);
        own.setTexts("annotations", texts);
      },
      "annotations",
    );
  }
}

function hasPlainAnnotations(metadata: NodeMap): boolean {
  const annotations = metadata.get("annotations");
  if (!isMapNode(annotations) || annotations.size === 0) return false;
  for (const [key, value] of annotations) {
    if (!(value instanceof Scalar && value.tag === "!!str" && value.printed === undefined)) return false;
    if (value.text.includes("\n") || !isTextKey(key) || BOOKKEEPING.has(key)) return false;
  }
  return true;
}

/** Throws `render-invalid-resource` for an object that has lost its kind or name on the way. */
function isLocalConfig(resource: Resource): boolean {
  const { kind, name } = resource;
  if (kind === "" || (name === "" && !kind.endsWith("List"))) {
    const { file, line } = resource.origin;
    const what = `an object has come to have no ${kind === "" ? "kind" : "metadata.name"}: ${resource.describe()}`;
    throw renderError("render-invalid-resource", what, { file, line, object: resource.describe() });
  }
  const value = resource.stringMap("annotations").get(LOCAL_CONFIG);
  return value !== undefined && value !== "false";
}

function toRendered(resource: Resource): RenderedObject {
  try {
    // Every resource has a kind and a name by then; an apiVersion only as far as the files give one.
    return { object: toOutput(resource.node) as KubeObject, origin: resource.origin };
  } catch (cause) {
    if (!(cause instanceof RenderError)) throw cause;
    const { file, line } = resource.origin;
    const object = resource.describe();
    // A key that cannot be printed knows where it stands.
    if (cause.place.line !== undefined) throw cause.at({ object });
    const path = cause.place.path ?? formatFieldPath(pathOfUnprintable(resource.node));
    const what = `${object} cannot be printed for its ${path}: ${cause.what}`;
    throw new RenderError(cause.code, what, { file, line, path, object, cause });
  }
}
