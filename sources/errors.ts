// Every anticipated failure of getting files from somewhere.

import { AppError } from "../runtime/errors.ts";
import { redactUrl } from "./redact-url.ts";

/** How long to leave alone what only a person can change elsewhere: a credential, a branch, a permission. */
const WAIT_MS = 60_000;

export function gitUrlInvalid(url: string, why: string): AppError {
  return new AppError("git-url-invalid", `the repository URL ${JSON.stringify(redactUrl(url))} ${why}`, {
    recovery: "stall",
  });
}

export function gitUnreachable(url: string, why: string, cause?: unknown): AppError {
  return new AppError("git-unreachable", `cannot reach ${redactUrl(url)}: ${why}`, { recovery: "retry", cause });
}

export function gitTimeout(url: string, timeoutMs: number): AppError {
  return new AppError("git-timeout", `${redactUrl(url)} did not finish within ${Math.round(timeoutMs / 1000)}s`, {
    recovery: "retry",
  });
}

/** `status` is the HTTP status, where the transport has one. */
export function gitAuthFailed(url: string, hadCredentials: boolean, status?: number): AppError {
  const answer = status === undefined ? "" : ` (HTTP ${status})`;
  const advice = hadCredentials
    ? "check the user name and password or token in the secret, and that it may read this repository"
    : "it asks for credentials and none are set: name a secret with username and password, or bearerToken";
  return new AppError("git-auth-failed", `${redactUrl(url)} refused access${answer}: ${advice}`, {
    recovery: "wait",
    afterMs: WAIT_MS,
  });
}

export function gitRepositoryNotFound(url: string, hadCredentials: boolean): AppError {
  const advice = hadCredentials
    ? "check the URL, and that the credentials may read it"
    : "check the URL; a private repository needs credentials";
  return new AppError("git-repository-not-found", `there is no repository at ${redactUrl(url)}: ${advice}`, {
    recovery: "wait",
    afterMs: WAIT_MS,
  });
}

export function gitServerBusy(url: string, status: number, afterMs: number | undefined): AppError {
  return new AppError("git-server-busy", `${redactUrl(url)} answered HTTP ${status}; asking again later`, {
    recovery: afterMs === undefined ? "retry" : "wait",
    ...(afterMs === undefined ? {} : { afterMs }),
    details: { status },
  });
}

export interface MissingRef {
  /** The wanted thing as the user wrote it: `branch "main"`, `tag matching ">=1.0.0"`. */
  readonly wanted: string;
  /** What exists of the same sort, in order. */
  readonly existing: readonly string[];
  /** Plural noun for `existing`. */
  readonly sort: string;
  readonly nearest?: string | undefined;
}

export function gitRefNotFound(url: string, missing: MissingRef): AppError {
  const shown = missing.existing.slice(0, 10);
  const more = missing.existing.length - shown.length;
  const list =
    shown.length === 0
      ? `the repository has no ${missing.sort}`
      : `its ${missing.sort} are ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const hint = missing.nearest === undefined ? "" : `; did you mean ${JSON.stringify(missing.nearest)}?`;
  return new AppError("git-ref-not-found", `there is no ${missing.wanted} in ${redactUrl(url)}: ${list}${hint}`, {
    recovery: "wait",
    afterMs: WAIT_MS,
    details: missing.nearest === undefined ? {} : { nearest: missing.nearest },
  });
}

export function gitRefInvalid(what: string, why: string): AppError {
  return new AppError("git-ref-invalid", `${what} ${why}`, { recovery: "stall" });
}

export function gitEmptyRepository(url: string): AppError {
  return new AppError("git-empty-repository", `${redactUrl(url)} has no commit yet: push one`, {
    recovery: "wait",
    afterMs: WAIT_MS,
  });
}

/** `now`: where the references lead that led to the head, by name. */
export function gitHeadMoved(url: string, head: string, now: ReadonlyMap<string, string>): AppError {
  const names = Array.from(now, ([name, oid]) => `${name} is ${oid.slice(0, 7)}`).join(", ");
  return new AppError(
    "git-head-moved",
    `the commit ${head.slice(0, 7)} is no head in ${redactUrl(url)} any more: ${names}`,
    { recovery: "retry", details: { now: Object.fromEntries(now) } },
  );
}

/** None of the references that would lead to the head exists. */
export function gitHeadMissing(url: string, head: string, names: readonly string[]): AppError {
  const why =
    names.length === 0
      ? "its branch is in another repository, which is not asked; push it to this one"
      : `there is no ${names.join(" and no ")}; push the branch again, or to this repository when it is in another`;
  return new AppError(
    "git-head-missing",
    `nothing in ${redactUrl(url)} leads to the commit ${head.slice(0, 7)}: ${why}`,
    { recovery: "wait", afterMs: WAIT_MS },
  );
}

/** Two branches whose histories are not known to meet, and getting more of them is too much. */
export function gitHistoryTooLong(url: string, head: string, base: string, cause: AppError): AppError {
  return new AppError(
    "git-history-too-long",
    `where ${head.slice(0, 7)} left ${base} is too far back in ${redactUrl(url)} to be found (${cause.message}): rebase it onto ${base}`,
    { recovery: "stall", cause },
  );
}

/** What answers is no Git repository, or one in a form that cannot be read. */
export function gitInvalidRepository(url: string, why: string, cause?: unknown): AppError {
  return new AppError("git-invalid-repository", `${redactUrl(url)} ${why}`, {
    recovery: "wait",
    afterMs: WAIT_MS,
    cause,
  });
}

/** What came is not what Git would send: cut short, altered on the way, or made to harm. */
export function gitCorrupt(what: string, cause?: unknown): AppError {
  return new AppError("git-corrupt", what, { recovery: "retry", cause });
}

export function gitTooLarge(what: string, limit: string): AppError {
  return new AppError("git-too-large", `${what} exceeds the limit of ${limit}`, { recovery: "stall" });
}

export function gitObjectMissing(oid: string): AppError {
  return new AppError("git-object-missing", `the object ${oid} is not in the repository`, {
    recovery: "retry",
    details: { oid },
  });
}

export function gitUnsafePath(path: string, why: string): AppError {
  return new AppError(
    "git-unsafe-path",
    `the repository holds the path ${JSON.stringify(path.slice(0, 200))}, which ${why}`,
    {
      recovery: "stall",
    },
  );
}

export function gitLfsPointer(path: string): AppError {
  return new AppError(
    "git-lfs-pointer",
    `${path} is only a pointer of Git LFS, whose content is not fetched: keep manifests outside LFS`,
    { recovery: "stall", details: { path } },
  );
}

export function gitCommandMissing(url: string): AppError {
  return new AppError(
    "git-command-missing",
    `${redactUrl(url)} needs the commands git and ssh, which are not installed: install them or use an https:// URL`,
    { recovery: "stall" },
  );
}

export function directoryUnreadable(path: string, why: string, cause?: unknown): AppError {
  return new AppError("directory-unreadable", `cannot read ${path}: ${why}`, { recovery: "stall", cause });
}

/** A remote base or file that no pattern allows. `allowed` are the patterns there are. */
export function remoteNotAllowed(address: string, allowed: readonly string[]): AppError {
  const shown = allowed.slice(0, 5).join(", ");
  const list = allowed.length === 0 ? "none is" : `only ${shown}${allowed.length > 5 ? ", ..." : ""} are`;
  return new AppError(
    "remote-not-allowed",
    `${redactUrl(address)} is not allowed as a remote base (${list}): allow it with --allow-remote-bases, or make it a source of its own`,
    { recovery: "stall" },
  );
}

export function remoteAddressInvalid(address: string, why: string): AppError {
  return new AppError("remote-address-invalid", `the remote base ${JSON.stringify(redactUrl(address))} ${why}`, {
    recovery: "stall",
  });
}

/** A reference whose content may change: a branch, none at all, a file without version. `advice` says how to pin it. */
export function remoteUnpinned(address: string, what: string, advice: string): AppError {
  return new AppError(
    "remote-unpinned",
    `${redactUrl(address)} is named by ${what}, whose content may change: ${advice}, or allow the pattern to be unpinned`,
    { recovery: "stall" },
  );
}

export interface MovedTag {
  readonly ref: string;
  readonly before: string;
  readonly now: string;
  /** The file to remove to accept the new commit. */
  readonly record: string;
}

export function remoteTagMoved(address: string, { ref, before, now, record }: MovedTag): AppError {
  return new AppError(
    "remote-tag-moved",
    `the tag ${ref} of ${redactUrl(address)} was ${before} when it was first used and is ${now} now: name the commit that is meant, or remove ${record} to accept the new one`,
    { recovery: "stall" },
  );
}

/** `recovery` is `retry` where asking again may help, else `wait` or `stall`. */
export function remoteFileFailed(
  url: string,
  why: string,
  options: {
    readonly recovery: "retry" | "wait" | "stall";
    readonly afterMs?: number | undefined;
    readonly cause?: unknown;
  },
): AppError {
  const { recovery, cause } = options;
  const afterMs = recovery === "wait" ? (options.afterMs ?? WAIT_MS) : undefined;
  return new AppError("remote-file-failed", `cannot get ${redactUrl(url)}: ${why}`, {
    recovery,
    ...(afterMs === undefined ? {} : { afterMs }),
    cause,
  });
}

export function remotePatternInvalid(pattern: string, why: string): AppError {
  return new AppError(
    "remote-pattern-invalid",
    `the pattern ${JSON.stringify(redactUrl(pattern))} for remote bases ${why}`,
    { recovery: "stall" },
  );
}
