import { describeRef, type ObjectRef } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";

/** A binding of that name still belongs to an earlier object; it goes away when that object's deletion is through. */
export function bindingOfAnotherObject(binding: string, template: ObjectRef): AppError {
  return new AppError(
    "binding-of-another-object",
    `binding ${binding} belongs to an earlier object than ${describeRef(template)}; waiting for it to be deleted`,
    { recovery: "retry", details: { binding } },
  );
}

/** The policy names a PriorityClass that the control plane does not have. */
export function priorityClassMissing(name: string): AppError {
  return new AppError("binding-priority-class-missing", `there is no PriorityClass ${name}`, {
    recovery: "retry",
    details: { name },
  });
}

/** The policy takes its priority from a source that is not known. */
export function prioritySourceUnsupported(source: string): AppError {
  return new AppError("binding-priority-source-unsupported", `priorityClassSource ${source} is not supported yet`, {
    recovery: "stall",
    details: { source },
  });
}

/** A binding targets a cluster that is not registered. */
export function targetClusterMissing(cluster: string): AppError {
  return new AppError("work-cluster-missing", `there is no cluster ${cluster}`, {
    recovery: "retry",
    details: { cluster },
  });
}

/** The completions of a Job are shared out by replicas, and no cluster has any. */
export function completionsNotFound(cluster: string): AppError {
  return new AppError("work-completions-not-found", `no completions found for cluster ${cluster}`, {
    recovery: "retry",
    details: { cluster },
  });
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
