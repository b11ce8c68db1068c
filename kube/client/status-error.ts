import { AppError } from "../../runtime/errors.ts";
import { isObject, type JsonObject } from "../object.ts";

/** The `Status` object of a failed request, as far as callers read it. */
export interface FailureStatus {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject | undefined;
}

/** An API server's refusal. Ask with `isNotFound` and its kin, never by message. */
export class ApiStatusError extends AppError {
  readonly status: FailureStatus;

  /** `retryAfterMs`: how long the server asks to be left alone. */
  constructor(status: FailureStatus, request: string, retryAfterMs?: number) {
    super(codeOf(status.code), status.message, {
      ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }),
      recovery:
        status.code === 400 || status.code === 405 || status.code === 415 || status.code === 422 ? "stall" : "retry",
      details: { request, status: status.code, reason: status.reason },
    });
    this.name = "ApiStatusError";
    this.status = status;
  }
}

function codeOf(status: number): string {
  switch (status) {
    case 401:
      return "api-unauthorized";
    case 403:
      return "api-forbidden";
    case 404:
      return "api-not-found";
    case 409:
      return "api-conflict";
    case 410:
      return "api-gone";
    case 422:
      return "api-invalid";
    case 429:
      return "api-throttled";
    default:
      return status >= 500 ? "api-server-error" : "api-refused";
  }
}

/** How long an answer asks to wait, by its header in seconds or by its body; undefined when it does not. */
export function retryAfterMs(
  header: string | readonly string[] | undefined,
  status: FailureStatus,
): number | undefined {
  if (status.code !== 429 && status.code < 500) return undefined;
  const inBody = status.details?.["retryAfterSeconds"];
  const seconds = typeof header === "string" ? Number(header) : typeof inBody === "number" ? inBody : Number.NaN;
  // A date, or nonsense: our own back-off serves. Nobody is left alone for hours.
  return seconds > 0 && Number.isFinite(seconds) ? Math.min(seconds, 300) * 1_000 : undefined;
}

/** Reads the failure out of an answer's body; a body that is no Status becomes the message itself. */
export function failureStatus(code: number, body: Uint8Array): FailureStatus {
  const text = Buffer.from(body).toString("utf8");
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "kind" in parsed && parsed.kind === "Status") {
      // `kind: Status` promises these fields; each is checked before use.
      const status = parsed as { code?: unknown; reason?: unknown; message?: unknown; details?: JsonObject };
      return {
        code: typeof status.code === "number" ? status.code : code,
        reason: typeof status.reason === "string" ? status.reason : "",
        message: typeof status.message === "string" ? status.message : `the server answered ${code}`,
        details: status.details,
      };
    }
  } catch {
    // Proxies answer in plain text or HTML.
  }
  return { code, reason: "", message: `the server answered ${code}: ${text.slice(0, 300).trim()}` };
}

function hasStatus(error: unknown, code: number): boolean {
  return error instanceof ApiStatusError && error.status.code === code;
}

export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404);
}

/** An optimistic-locking or field-manager conflict, but not "already exists", which has the same code. */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409) && !isAlreadyExists(error);
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiStatusError && error.status.code === 409 && error.status.reason === "AlreadyExists";
}

/** The asked revision is forgotten: list again. */
export function isGone(error: unknown): boolean {
  return hasStatus(error, 410);
}

export function isForbidden(error: unknown): boolean {
  return hasStatus(error, 403);
}

export function isInvalid(error: unknown): boolean {
  return hasStatus(error, 422);
}

/** Nothing can be created any more in a namespace that is being deleted. */
export function isNamespaceEnding(error: unknown): boolean {
  if (!(error instanceof ApiStatusError)) return false;
  const causes = error.status.details?.["causes"];
  return Array.isArray(causes) && causes.some((cause) => isObject(cause) && cause["reason"] === "NamespaceTerminating");
}

/** No answer came: refused, reset, unresolvable or timed out. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof AppError && error.code === "api-unreachable";
}

export function apiUnreachable(request: string, cause: unknown): AppError {
  const reason =
    cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : String(cause);
  return new AppError("api-unreachable", `no answer to ${request}: ${reason}`, { recovery: "retry", cause });
}
