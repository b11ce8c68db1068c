// Every anticipated failure of talking to a provider. None of them ever holds a token.
import { AppError, type AppErrorOptions } from "../../runtime/errors.ts";

/** How long to leave alone what only a person can change elsewhere: a token, a scope, a permission. */
const WAIT_MS = 300_000;

/** Which request of which repository failed. */
export interface RequestName {
  /** `GitHub`. */
  readonly provider: string;
  /** `owner/name`. */
  readonly repository: string;
  /** What was to be done: `list the comments of pull request 7`. */
  readonly what: string;
  /** Method and path without query. */
  readonly line: string;
}

function failure(
  code: string,
  request: RequestName,
  why: string,
  options: AppErrorOptions & { readonly status?: number | undefined },
): AppError {
  const { status, ...rest } = options;
  const message = `cannot ${request.what} (${request.repository} on ${request.provider}): ${why}`;
  return new AppError(code, message, {
    ...rest,
    details: {
      ...rest.details,
      provider: request.provider,
      repository: request.repository,
      request: request.line,
      ...(status === undefined ? {} : { status }),
    },
  });
}

export function forgeUnreachable(request: RequestName, why: string, cause?: unknown): AppError {
  return failure("forge-unreachable", request, why, { recovery: "retry", cause });
}

/** 5xx, or an answer that broke off. */
export function forgeUnavailable(request: RequestName, why: string, status?: number): AppError {
  return failure("forge-unavailable", request, why, { recovery: "retry", status });
}

/** A request that must not be done twice may have been done. */
export function forgeOutcomeUnknown(request: RequestName, cause: AppError): AppError {
  return failure("forge-outcome-unknown", request, `whether it was done is not known (${cause.message})`, {
    recovery: "retry",
    cause,
  });
}

export function forgeRateLimited(request: RequestName, afterMs: number, status: number): AppError {
  const seconds = Math.ceil(afterMs / 1000);
  return failure("forge-rate-limited", request, `its rate limit is used up for ${seconds}s; asking again then`, {
    recovery: "wait",
    afterMs,
    status,
  });
}

export function forgeAuthFailed(request: RequestName, said: string, status: number): AppError {
  const why = `it does not accept the credentials (HTTP ${status}${said}): check that the token is whole, has not ended and is of this provider`;
  return failure("forge-auth-failed", request, why, { recovery: "wait", afterMs: WAIT_MS, status });
}

/** `needs`: the right that is missing, in the provider's words. */
export function forgeForbidden(request: RequestName, said: string, needs: string, status: number): AppError {
  const why = `the credentials may not do this (HTTP ${status}${said}): they need ${needs}`;
  return failure("forge-forbidden", request, why, { recovery: "wait", afterMs: WAIT_MS, status });
}

export function forgeNotFound(request: RequestName, said: string, needs: string, status: number): AppError {
  const why = `there is no such thing, or the credentials may not see it (HTTP ${status}${said}); reading it needs ${needs}`;
  return failure("forge-not-found", request, why, { recovery: "wait", afterMs: WAIT_MS, status });
}

/** The state there is another than the request went out from. */
export function forgeConflict(request: RequestName, said: string): AppError {
  return failure("forge-conflict", request, `it conflicts with what is there (HTTP 409${said})`, {
    recovery: "retry",
    status: 409,
  });
}

/** The provider does not take the request as it is: sending it again would not help. */
export function forgeRefused(request: RequestName, said: string, status: number): AppError {
  return failure("forge-refused", request, `it was refused (HTTP ${status}${said})`, { recovery: "stall", status });
}

/** An answer that is none of this provider's API. */
export function forgeBadAnswer(request: RequestName, why: string, cause?: unknown): AppError {
  return failure("forge-bad-answer", request, `${why}; check the base URL and the kind of provider`, {
    recovery: "wait",
    afterMs: WAIT_MS,
    cause,
  });
}

export function forgeTooLarge(request: RequestName, why: string): AppError {
  return failure("forge-too-large", request, why, { recovery: "stall" });
}

/** What the provider does not have. `instead`: what to do. */
export function forgeUnsupported(provider: string, what: string, instead: string): AppError {
  return new AppError("forge-unsupported", `${provider} has no ${what}: ${instead}`, { recovery: "stall" });
}

export function forgeCommentTooLong(where: string, size: number, limit: number, unit: string): AppError {
  const message = `the text for ${where} has ${size} ${unit}, and ${limit} are allowed: shorten it before`;
  return new AppError("forge-comment-too-long", message, { recovery: "stall" });
}

export function forgeAddressUnknown(shown: string, why: string): AppError {
  return new AppError("forge-address-unknown", `the repository ${JSON.stringify(shown)} ${why}`, { recovery: "stall" });
}

export function forgeCredentialsInvalid(why: string): AppError {
  return new AppError("forge-credentials-invalid", `the credentials for the provider ${why}`, { recovery: "stall" });
}
