// What Sync asks of the renderers and of the rules for manifests.
import type { ValidationOptions } from "../../api/admission/context.ts";
import { checkManifest, type ManifestOptions } from "../../api/validate-manifest.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { AsyncChartInflator } from "../../renderers/kustomize/generators/helm-charts.ts";
import type { AsyncRemoteContents } from "../../renderers/kustomize/loading/remote.ts";
import { RenderPool } from "../../renderers/render-pool.ts";
import type { ObjectOrigin, RenderedObject } from "../../renderers/rendered.ts";
import type { RemoteBases } from "../../sources/remote-bases.ts";
import type { RenderedFile, SyncRenderer } from "../controllers/sync/sync-apply.ts";
import { checkCustomizationScript } from "../interpreter/customization/compile-customization.ts";

/** What Syncs may use beside the files of their sources. */
export interface SyncRendererAids {
  /** Absent: Helm charts are refused. */
  readonly charts?: AsyncChartInflator | undefined;
  /** Absent: remote bases and files are refused. */
  readonly remotes?: RemoteBases | undefined;
}

/** Renders in threads. */
export function createSyncRenderer(
  options: ValidationOptions = {},
  { charts, remotes }: SyncRendererAids = {},
): SyncRenderer & { close(): Promise<void> } {
  const pool = new RenderPool();
  return {
    render: async (artifact, path, { namespace, ...wishes }) => {
      const allowed = remotes && remotesOf(remotes, namespace);
      const { objects } = await pool.render(artifact.tree, path, { ...wishes, charts, remotes: allowed });
      return objects.map(toRenderedFile);
    },
    check: (object, stored) => describeProblems(object, { ...options, stored }),
    close: () => pool.close(),
  };
}

function remotesOf(remotes: RemoteBases, namespace: string): AsyncRemoteContents {
  return {
    base: (reference, signal) => remotes.base(reference, signal, namespace),
    file: (url, signal) => remotes.file(url, signal, namespace),
  };
}

/** A rendered object with its place as text. */
export function toRenderedFile({ object, origin }: RenderedObject): RenderedFile {
  return { object, origin: originText(origin) };
}

function originText(origin: ObjectOrigin): string {
  return origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
}

/** What an API server would refuse in an object of a kind that we know; undefined when nothing. */
export function describeProblems(object: KubeObject, options: ManifestOptions = {}): string | undefined {
  const errors = checkManifest(object, { checkScript: checkCustomizationScript, ...options }).filter(
    (problem) => problem.severity === "error",
  );
  return errors.length === 0 ? undefined : errors.map((problem) => problem.message).join("; ");
}
