// What Sync asks of the renderers and of the rules for manifests.
import { checkManifest } from "../../api/validate-manifest.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { render } from "../../renderers/render.ts";
import type { ObjectOrigin, RenderedObject } from "../../renderers/rendered.ts";
import { AppError } from "../../runtime/errors.ts";
import type { RenderedFile, SyncRenderer } from "../controllers/sync.ts";

export function createSyncRenderer(): SyncRenderer & { close(): Promise<void> } {
  return {
    render: async (artifact, path, renderer) => render(artifact.tree, path, { renderer }).objects.map(toRenderedFile),
    check: (object) => describeProblems(object),
    close: async () => {},
  };
}

/** A rendered object as an API server knows objects. Throws `render-object-invalid` when it lacks what every object has. */
export function toRenderedFile({ object, origin }: RenderedObject): RenderedFile {
  const { apiVersion, kind, metadata } = object;
  const where = originText(origin);
  for (const [field, value] of [
    ["apiVersion", apiVersion],
    ["kind", kind],
  ] as const) {
    if (typeof value !== "string" || value === "")
      throw new AppError("render-object-invalid", `${where}: the object has no ${field}`, { recovery: "stall" });
  }
  if (!isObject(metadata) || typeof metadata["name"] !== "string") {
    throw new AppError("render-object-invalid", `${where}: the object has no metadata.name`, { recovery: "stall" });
  }
  // Just checked: every object of Kubernetes has these.
  return { object: object as unknown as KubeObject, origin: where };
}

function originText(origin: ObjectOrigin): string {
  return origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
}

/** What an API server would refuse in an object of a kind that we know; undefined when nothing. */
export function describeProblems(object: KubeObject): string | undefined {
  const errors = checkManifest(object).filter((problem) => problem.severity === "error");
  return errors.length === 0 ? undefined : errors.map((problem) => problem.message).join("; ");
}
