// What the ways to reach a repository elsewhere have in common: http(s) by isomorphic-git, ssh by the git command.

import type { RepositoryCache } from "./cache.ts";
import type { RemoteRef } from "./remote-ref.ts";

export interface FetchRequest {
  readonly commit: string;
  /** A commit that is here with all its files, so that only what differs is sent. */
  readonly have: string | undefined;
  /** How far back to go. `all`: to the beginning, or to what we have. */
  readonly history: { readonly depth: number } | { readonly sinceSeconds: number } | "all";
  /**
   * Whether files that we have and that are no part of the history before `commit` may be left out and built upon. What
   * comes can then only be read beside what is here. Older history comes whole without it, as Git takes none of its files
   * for known.
   */
  readonly thin?: boolean | undefined;
}

export interface Transport {
  /** References whose names start with one of the prefixes; perhaps others too. */
  listRefs(prefixes: readonly string[], signal: AbortSignal): Promise<readonly RemoteRef[]>;
  /**
   * Gets objects into the cache and records where its history ends. Throws `git-object-missing` when the server will
   * not give the commit; it may also send nothing.
   */
  fetchInto(cache: RepositoryCache, request: FetchRequest, signal: AbortSignal): Promise<void>;
  /** Bytes received and requests sent so far, as far as the transport can tell. */
  readonly bytes: number;
  readonly requests: number;
  close(): void;
}
