// What an update of a copy leaves as it is in the member, for all kinds: the server's bookkeeping, and labels and
// annotations that others wrote there.

import type { KubeObject, ObjectMeta } from "../../kube/object.ts";
import { MANAGED_ANNOTATIONS_ANNOTATION, MANAGED_LABELS_ANNOTATION } from "./metadata-keys.ts";

/**
 * `desired` with what has to survive of `observed`. Labels and annotations that are only in the member stay, unless
 * they came from an earlier version of the object and are gone from it now.
 */
export function retainMetadata(desired: KubeObject, observed: KubeObject): KubeObject {
  const seen = observed.metadata;
  const metadata: ObjectMeta = { ...desired.metadata };
  delete metadata.resourceVersion;
  delete metadata.finalizers;
  delete metadata.ownerReferences;
  if (seen.resourceVersion !== undefined) metadata.resourceVersion = seen.resourceVersion;
  if (seen.finalizers !== undefined) metadata.finalizers = seen.finalizers;
  if (seen.ownerReferences !== undefined) metadata.ownerReferences = seen.ownerReferences;
  const labels = retainKeys(metadata.labels, seen.labels, managedKeys(observed, MANAGED_LABELS_ANNOTATION));
  const annotations = retainKeys(
    metadata.annotations,
    seen.annotations,
    managedKeys(observed, MANAGED_ANNOTATIONS_ANNOTATION),
  );
  if (labels !== undefined) metadata.labels = labels;
  if (annotations !== undefined) metadata.annotations = annotations;
  return { ...desired, metadata };
}

function managedKeys(observed: KubeObject, annotation: string): ReadonlySet<string> {
  return new Set((observed.metadata.annotations?.[annotation] ?? "").split(","));
}

function retainKeys(
  desired: Readonly<Record<string, string>> | undefined,
  observed: Readonly<Record<string, string>> | undefined,
  managed: ReadonlySet<string>,
): Record<string, string> | undefined {
  if (observed === undefined || observed === null) return desired;
  const merged: Record<string, string> = { ...desired };
  for (const [key, value] of Object.entries(observed)) {
    if (!(key in merged) && !managed.has(key)) merged[key] = value;
  }
  return merged;
}
