import { describeRef, type ObjectRef } from "../../kube/object.ts";
import { AppError } from "../../runtime/errors.ts";

/** Where the malformed field of an error stands: the very object it was read from. */
const holders = new WeakMap<AppError, object>();

/**
 * A field of an object has a type its kind does not allow, so that nothing can be said about the object. `holder` is the
 * object that `field` was read from: by it `locateField` finds the whole path, so that reading need not keep track of it.
 */
export function interpreterFieldMalformed(field: string, wanted: string, holder?: unknown): AppError {
  const error = new AppError("interpreter-field-malformed", `field ${field} is not ${wanted}`, {
    recovery: "stall",
    details: { field, wanted },
  });
  if (typeof holder === "object" && holder !== null) holders.set(error, holder);
  return error;
}

/**
 * The error with the whole path of its field in one of `roots`, whose names the path begins with; as it is when it is
 * about no field, or one in none of them.
 */
export function locateField(error: unknown, roots: Readonly<Record<string, unknown>>): unknown {
  const holder = error instanceof AppError ? holders.get(error) : undefined;
  if (!(error instanceof AppError) || holder === undefined) return error;
  for (const [name, root] of Object.entries(roots)) {
    const path = pathTo(root, holder);
    if (path === undefined) continue;
    const { field, wanted } = error.details;
    const whole = `${name}${path}${name === "" && path === "" ? "" : "."}${String(field)}`.replace(/^\./, "");
    return interpreterFieldMalformed(whole, String(wanted));
  }
  return error;
}

/** `.spec.containers[2]` when that is where `target` stands inside `value`, by identity. */
function pathTo(value: unknown, target: object): string | undefined {
  if (value === target) return "";
  if (typeof value !== "object" || value === null) return undefined;
  const isList = Array.isArray(value);
  for (const [key, inner] of Object.entries(value)) {
    const path = pathTo(inner, target);
    if (path !== undefined) return `${isList ? `[${key}]` : `.${key}`}${path}`;
  }
  return undefined;
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
