// A refusal, as the `Status` object that a client gets. Whatever layer throws it, the HTTP layer only prints it.
import { quoteGo } from "../../../kube/go-text.ts";
import type { JsonObject } from "../../../kube/object.ts";
import type { FieldError } from "./kind.ts";

/** Ends a request with `status` as its answer. */
export class StatusError extends Error {
  readonly code: number;
  /** A complete `Status` of v1. Callers do not change it. */
  readonly status: JsonObject;
  /** Extra response headers, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, status: JsonObject, headers: Readonly<Record<string, string>> = {}) {
    super(typeof status["message"] === "string" ? status["message"] : `status ${code}`);
    this.name = "StatusError";
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** A resource as error messages name it: `configmaps`, `deployments.apps`. */
export interface ResourceName {
  readonly group: string;
  readonly resource: string;
}

/** A kind as messages of 422 name it: `ConfigMap`, `Deployment.apps`. */
export interface KindName {
  readonly group: string;
  readonly kind: string;
}

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/**
 * The body of a refusal. `details` undefined leaves the key out; the reference prints an empty object for some
 * refusals, so callers who need that pass `{}`. `reason` undefined leaves the reason out (plain 500 answers).
 */
export function failureStatus(
  code: number,
  reason: string | undefined,
  message: string,
  details?: JsonObject,
): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export function statusError(
  code: number,
  reason: string | undefined,
  message: string,
  details?: JsonObject,
): StatusError {
  return new StatusError(code, failureStatus(code, reason, message, details));
}

/** `configmaps`, or `deployments.apps` when there is a group. */
export function qualifiedResource(name: ResourceName): string {
  return name.group === "" ? name.resource : `${name.resource}.${name.group}`;
}

/** `ConfigMap`, or `Deployment.apps` when there is a group. */
export function qualifiedKind(name: KindName): string {
  return name.group === "" ? name.kind : `${name.kind}.${name.group}`;
}

function objectDetails(resource: ResourceName, name: string, causes?: readonly StatusCause[]): JsonObject {
  return {
    ...(name === "" ? {} : { name }),
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.resource,
    ...(causes === undefined ? {} : { causes: causes.map(causeJson) }),
  };
}

function causeJson(cause: StatusCause): JsonObject {
  return {
    reason: cause.reason,
    message: cause.message,
    ...(cause.field === undefined ? {} : { field: cause.field }),
  };
}

/** 400 without details. */
export function badRequest(message: string): StatusError {
  return statusError(400, "BadRequest", message);
}

/** The text of a 400 for an object of another namespace than that of the path. */
export const NAMESPACE_MISMATCH =
  "the namespace of the provided object does not match the namespace sent on the request";

/** 401 for credentials that do not hold. */
export function unauthorized(): StatusError {
  return statusError(401, "Unauthorized", "Unauthorized");
}

/** 403 about an object: `<resource> "<name>" is forbidden: <why>`. */
export function forbidden(
  resource: ResourceName,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
  reason = "Forbidden",
): StatusError {
  const subject = name === "" ? qualifiedResource(resource) : `${qualifiedResource(resource)} ${quoteGo(name)}`;
  return statusError(403, reason, `${subject} is forbidden: ${why}`, objectDetails(resource, name, causes));
}

/** 404 about an object. */
export function notFound(resource: ResourceName, name: string): StatusError {
  return statusError(
    404,
    "NotFound",
    `${qualifiedResource(resource)} ${quoteGo(name)} not found`,
    objectDetails(resource, name),
  );
}

/** 404 about a path of a group-version that exists. */
export function resourceNotFound(): StatusError {
  return statusError(404, "NotFound", "the server could not find the requested resource", {});
}

export function methodNotAllowed(): StatusError {
  return statusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

/** 406 for the encoders of objects; discovery has its own text. */
export function notAcceptable(accepted: readonly string[]): StatusError {
  return statusError(406, "NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`);
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return statusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
}

/** 409 about a concurrent change. `resource.resource` may be `pods/binding`; deletions name the kind instead. */
export function conflict(resource: ResourceName, name: string, why: string): StatusError {
  return statusError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedResource(resource)} ${quoteGo(name)}: ${why}`,
    objectDetails(resource, name),
  );
}

/** The text of a 409 for a resourceVersion that is not the current one. */
export const OBJECT_MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

/** 409 of a create. `terminating` tells that the present object is being deleted. */
export function alreadyExists(resource: ResourceName, name: string, terminating = false): StatusError {
  return statusError(
    409,
    "AlreadyExists",
    `${terminating ? "object is being deleted: " : ""}${qualifiedResource(resource)} ${quoteGo(name)} already exists`,
    objectDetails(resource, name),
  );
}

/** 410: a revision or continue token that history no longer covers. */
export function expired(message: string): StatusError {
  return statusError(410, "Expired", message);
}

export function requestTooLarge(limitBytes: number): StatusError {
  return statusError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}

/** 422 with one cause per error. The order of `errors` is the order of the message. */
export function invalid(kind: KindName, name: string, errors: readonly FieldError[]): StatusError {
  const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  // As the reference: equal errors are printed once, and still count for the brackets.
  const text = errors.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
  return statusError(422, "Invalid", `${qualifiedKind(kind)} ${quoteGo(name)} is invalid: ${text}`, {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    ...(kind.kind === "" ? {} : { kind: kind.kind }),
    causes: errors.map((error) => ({ reason: error.reason, message: error.message, field: error.field })),
  });
}

/** 422 of a JSON patch whose operation failed. */
export function patchRejected(): StatusError {
  return statusError(422, "Invalid", "the server rejected our request due to an error in our request", {});
}

/** 422 of a patch whose result cannot be decoded; `patch` is the patch as Go prints it. */
export function patchUndecodable(patch: string, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(patch)}: ${why}`;
  return statusError(422, "Invalid", ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: "FieldValueInvalid", message, field: "patch" }],
  });
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError(429, failureStatus(429, "TooManyRequests", message, { retryAfterSeconds }), {
    "retry-after": String(retryAfterSeconds),
  });
}

/** 500 without a reason: how the reference prints errors it did not foresee. */
export function serverError(message: string): StatusError {
  return statusError(500, undefined, message);
}

/** 500 with reason InternalError. */
export function internalError(why: string): StatusError {
  return statusError(500, "InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] });
}

/** 504: the store has not reached revision `wanted`. */
export function tooLargeResourceVersion(wanted: number | bigint | string, current: number): StatusError {
  const status = failureStatus(504, "Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
  return new StatusError(504, status, { "retry-after": "1" });
}
