import { describeRef, type ObjectRef } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";

/** A field of an object has a type its kind does not allow, so that nothing can be said about the object. */
export function interpreterFieldMalformed(field: string, wanted: string): AppError {
  return new AppError("interpreter-field-malformed", `field ${field} is not ${wanted}`, {
    recovery: "stall",
    details: { field },
  });
}

/** No level of interpretation knows the operation for the kind. Ask `hookEnabled` first. */
export function interpreterNotFound(operation: string, apiVersion: string, kind: string): AppError {
  return new AppError(
    "interpreter-not-found",
    `default ${operation} interpreter for "${apiVersion}, Kind=${kind}" not found`,
    { recovery: "stall", details: { operation, apiVersion, kind } },
  );
}

/** The object lacks what the operation needs. */
export function interpreterFailed(operation: string, object: ObjectRef, problem: string): AppError {
  return new AppError("interpreter-failed", `${operation} of ${describeRef(object)}: ${problem}`, {
    recovery: "stall",
    details: { operation },
  });
}
