// A Git repository as a source: which commit is wanted, getting it, and its files.

import { createHash } from "node:crypto";
import { gitUrlInvalid } from "../errors.ts";
import { redactUrl } from "../redact-url.ts";
import type { GitCredentials } from "./credentials.ts";
import { httpTransport } from "./http-transport.ts";
import { DEFAULT_LIMITS, type GitLimits } from "./limits.ts";
import { LocalSource } from "./local-source.ts";
import { RemoteSource } from "./remote-source.ts";
import type { GitRepository } from "./revision.ts";
import { sshTransport } from "./ssh.ts";
import type { Transport } from "./transport.ts";
import { credentialsInUrl, locateRepository, type RepositoryLocation } from "./url.ts";

export const DEFAULT_TIMEOUT_MS = 60_000;

export interface RepositoryOptions {
  readonly url: string;
  /**
   * Folder for what is fetched, made when missing. One per repository and per set of credentials: who may use the folder
   * may read what is in it. `cacheDirectoryName` makes a fitting name. Not used for repositories of this machine.
   */
  readonly cacheDirectory: string;
  readonly credentials?: GitCredentials | undefined;
  readonly limits?: Partial<GitLimits> | undefined;
  /** For one call of `resolveRevision` or `fetchRevision` as a whole; a minute by default. */
  readonly timeoutMs?: number | undefined;
  /** Whether file:// URLs and paths are allowed. Off by default: they reach every repository of this machine. */
  readonly allowLocal?: boolean | undefined;
  /** Asked about the repository that a redirect leads to, which is not used when the answer is no. */
  readonly mayRedirect?: ((target: URL) => boolean) | undefined;
}

/** Name for a cache folder, fit for a file system: the same for the same repository used by the same owner. */
export function cacheDirectoryName(url: string, owner: string): string {
  const host = redactUrl(url)
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/[^\w.-]+/g, "-")
    .slice(0, 60);
  return `${host}-${createHash("sha256").update(`${url}\0${owner}`).digest("hex").slice(0, 16)}`;
}

/** Throws `git-url-invalid`; whether the repository can be reached shows when it is used. */
export function openRepository(options: RepositoryOptions): GitRepository {
  const limits: GitLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const location = locateRepository(options.url);
  if (location.kind === "local") {
    if (options.allowLocal !== true)
      throw gitUrlInvalid(options.url, "lies on this machine, which is not allowed here");
    return new LocalSource(options.url, location.path, timeoutMs, limits);
  }
  const remote = { url: options.url, cacheDirectory: options.cacheDirectory, timeoutMs };
  return new RemoteSource(remote, openTransport(location, options, limits), limits);
}

/** The way to a repository elsewhere. */
export function openTransport(
  location: Exclude<RepositoryLocation, { readonly kind: "local" }>,
  options: Pick<RepositoryOptions, "credentials" | "mayRedirect">,
  limits: GitLimits,
): Transport {
  if (location.kind === "ssh") {
    return sshTransport({ url: location.url, credentials: options.credentials ?? {}, limits });
  }
  const credentials = { ...credentialsInUrl(location), ...options.credentials };
  return httpTransport(location.url, credentials, limits, options.mayRedirect);
}
