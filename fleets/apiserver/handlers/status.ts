// The status subresource: what a write of it changes.
import { cloneJson, type KubeObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";

/**
 * The object that a write of the status leaves: that of a custom resource changes in nothing else; built-in kinds take
 * the metadata too, but for what `statusKeeps` lists.
 */
export function replaceStatus(updated: KubeObject, live: KubeObject, kind: KindStrategy): KubeObject {
  const { uid, resourceVersion, managedFields, name, namespace } = updated.metadata;
  const result = cloneJson(live);
  result.metadata = metadataOf(updated, result, kind.statusKeeps);
  const meta = result.metadata;
  result.apiVersion = updated.apiVersion;
  if (uid !== undefined) meta.uid = uid;
  if (resourceVersion === undefined) delete meta.resourceVersion;
  else meta.resourceVersion = resourceVersion;
  if (managedFields === undefined) delete meta.managedFields;
  else meta.managedFields = managedFields;
  if (name !== undefined) meta.name = name;
  if (namespace !== undefined && namespace !== "") meta.namespace = namespace;
  if (updated["status"] === undefined) delete result["status"];
  else result["status"] = updated["status"];
  return result;
}

function metadataOf(
  updated: KubeObject,
  live: KubeObject,
  keeps: readonly string[] | undefined,
): KubeObject["metadata"] {
  if (keeps === undefined) return live.metadata;
  const metadata = cloneJson(updated.metadata);
  // Both are metadata; the names are of its fields.
  const to = metadata as Record<string, unknown>;
  for (const field of keeps) {
    const value = (live.metadata as Record<string, unknown>)[field];
    if (value === undefined) delete to[field];
    else to[field] = value;
  }
  return metadata;
}
