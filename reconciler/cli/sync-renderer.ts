// What Sync asks of the renderers and of the rules for manifests.
import { checkManifest } from "../../api/validate-manifest.ts";
import type { KubeObject } from "../../kube/object.ts";
import { render } from "../../renderers/render.ts";
import type { RenderedFile, SyncRenderer } from "../controllers/sync.ts";

export function createSyncRenderer(): SyncRenderer & { close(): Promise<void> } {
  return {
    render: async (artifact, path, renderer) => {
      const result = render(artifact.tree, path, { renderer });
      return result.objects.map(
        (rendered): RenderedFile => ({ object: rendered.object, origin: originText(rendered.origin) }),
      );
    },
    check: (object) => describeProblems(object),
    close: async () => {},
  };
}

function originText(origin: { readonly file: string; readonly line?: number | undefined }): string {
  return origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
}

/** What an API server would refuse in an object of a kind that we know; undefined when nothing. */
export function describeProblems(object: KubeObject): string | undefined {
  const errors = checkManifest(object).filter((problem) => problem.severity === "error");
  return errors.length === 0 ? undefined : errors.map((problem) => problem.message).join("; ");
}
