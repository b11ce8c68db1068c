// What the deletion of a CustomResourceDefinition begins with.
import { isObject, type KubeObject } from "../../../kube/object.ts";

export const DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions";
/** Holds a definition until its instances are gone. */
export const DEFINITION_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

/** Adds the finalizer and the condition that tells of the deletion. Changes `definition`. */
export function markDefinitionDeleted(definition: KubeObject, now: string): void {
  const finalizers = definition.metadata.finalizers ?? [];
  if (!finalizers.includes(DEFINITION_FINALIZER))
    definition.metadata.finalizers = [...finalizers, DEFINITION_FINALIZER];
  const status = isObject(definition["status"]) ? definition["status"] : {};
  const before: unknown[] = Array.isArray(status["conditions"]) ? status["conditions"] : [];
  const others = before.filter((each) => !isObject(each) || each["type"] !== "Terminating");
  const terminating = {
    lastTransitionTime: now,
    message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    reason: "InstanceDeletionPending",
    status: "True",
    type: "Terminating",
  };
  definition["status"] = { ...status, conditions: [...others, terminating] };
}
