// The status subresource: a write of it changes the status and nothing else.
import { cloneJson, type KubeObject } from "../../../kube/object.ts";

/** The live object with the status of `updated`; of its metadata only what identifies and what ownership needs. */
export function replaceStatus(updated: KubeObject, live: KubeObject): KubeObject {
  const { uid, resourceVersion, managedFields, name, namespace } = updated.metadata;
  const result = cloneJson(live);
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
