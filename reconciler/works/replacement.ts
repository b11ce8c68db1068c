// Whether the author of a template wants copies replaced whose fields cannot be changed, in the words of whichever tool.
import { REPLACE_ANNOTATION } from "../../api/gitops.ts";
import type { KubeObject } from "../../kube/object.ts";

const ARGO_SYNC_OPTIONS = "argocd.argoproj.io/sync-options";
const FLUX_FORCE = "kustomize.toolkit.fluxcd.io/force";

/**
 * The copy with our word for it where its author has said so in Argo CD's (`Force=true` among the sync options, which
 * `Replace=true` alone is not: it deletes nothing) or Flux's. Our own word on the template goes before theirs.
 */
export function withReplacement(copy: KubeObject): KubeObject {
  const { annotations } = copy.metadata;
  if (annotations == null || annotations[REPLACE_ANNOTATION] !== undefined) return copy;
  const options = String(annotations[ARGO_SYNC_OPTIONS] ?? "").split(",");
  const asked = options.some((option) => option.trim() === "Force=true") || isEnabled(annotations[FLUX_FORCE]);
  if (!asked) return copy;
  return { ...copy, metadata: { ...copy.metadata, annotations: { ...annotations, [REPLACE_ANNOTATION]: "true" } } };
}

/** As Flux: in any case of letters. */
function isEnabled(value: unknown): boolean {
  return String(value ?? "").toLowerCase() === "enabled";
}
