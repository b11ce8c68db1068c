import { describeRef, type ObjectRef, parseApiVersion } from "../../kube/object.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";

/**
 * A binding of that name belongs to another object: an earlier one, whose deletion ends with the binding's, or one of the
 * same kind and name in another group, as groups are no part of the names of bindings.
 */
export function bindingOfAnotherObject(binding: string, template: ObjectRef, owner: ObjectRef): AppError {
  const message =
    parseApiVersion(owner.apiVersion).group === parseApiVersion(template.apiVersion).group
      ? `binding ${binding} belongs to an earlier object than ${describeRef(template)}; waiting for it to be deleted`
      : `binding ${binding} belongs to ${describeRef(owner)}, and ${describeRef(template)} would have one of the same name: rename one of them, or let no policy select it`;
  return new AppError("binding-of-another-object", message, { recovery: "retry", details: { binding } });
}

/** The policy names a PriorityClass that the control plane does not have; its coming is noticed. */
export function priorityClassMissing(name: string): AppError {
  return new AppError(
    "binding-priority-class-missing",
    `there is no PriorityClass ${name} in the control plane: create it, or name another one in the policy's spec.schedulePriority.priorityClassName`,
    { recovery: "stall", details: { name } },
  );
}

/** The policy takes its priority from a source that is not known. */
export function prioritySourceUnsupported(source: string): AppError {
  return new AppError(
    "binding-priority-source-unsupported",
    `priorityClassSource ${source} is not supported yet: write KubePriorityClass in the policy's spec.schedulePriority`,
    { recovery: "stall", details: { source } },
  );
}

/** The interpreter cannot tell how many replicas, or which components, a template asks for. */
export function demandUnknown(of: "replicas" | "components", template: ObjectRef, cause: unknown): AppError {
  return new AppError(
    `binding-${of}-unknown`,
    `cannot read the ${of} of ${describeRef(template)}: ${messageOf(cause)}`,
    { recovery: "retry", cause },
  );
}

/** A binding targets a cluster that is not registered. */
export function targetClusterMissing(cluster: string): AppError {
  return new AppError("work-cluster-missing", `there is no cluster ${cluster}`, {
    recovery: "retry",
    details: { cluster },
  });
}

/** Override policies left an object that has no name, or none that could be one. */
export function overriddenIdentity(field: string, template: ObjectRef): AppError {
  return new AppError(
    "work-identity-lost",
    `override policies leave ${describeRef(template)} without a readable ${field}: it must stay a text`,
    { recovery: "stall", details: { field } },
  );
}

/** A Work is on its way out; it is written again once it is gone. */
export function workBeingDeleted(namespace: string, name: string): AppError {
  return new AppError("work-being-deleted", `work ${namespace}/${name} is being deleted`, {
    recovery: "retry",
    details: { namespace, name },
  });
}

/** A Work does not hold the object that its binding is for. */
export function workManifestMissing(namespace: string, name: string, resource: ObjectRef): AppError {
  return new AppError(
    "work-manifest-missing",
    `work ${namespace}/${name} does not hold ${describeRef(resource)}, which its binding is for`,
    { recovery: "retry", details: { namespace, name } },
  );
}

/** A word of a list of metadata that members do not get is neither a tool nor a key. */
export function metadataKeyMalformed(word: string, tools: readonly string[]): AppError {
  return new AppError(
    "metadata-key-malformed",
    `"${word}" is neither a tool (${tools.join(", ")}), default or off, nor a key such as example.com/owner or example.com/*`,
    { recovery: "stall", details: { word } },
  );
}
