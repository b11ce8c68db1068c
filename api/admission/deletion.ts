import type { KubeObject } from "../../kube/object.ts";

export const DELETION_PROTECTED_LABEL = "resourcetemplate.karmada.io/deletion-protected";
const PROTECTED = "Always";

/** Why an object must not be deleted, or undefined. Values of the label other than Always mean nothing. */
export function deletionRefusal(object: KubeObject): string | undefined {
  if (object.metadata.labels?.[DELETION_PROTECTED_LABEL] !== PROTECTED) return undefined;
  return `the object is protected; take away its label ${DELETION_PROTECTED_LABEL} to delete it`;
}
