// The ways to reach a repository, behind one interface: http(s), ssh through the git command, a folder here.

import type { RepositoryCache } from "./cache.ts";
import type { GitCredentials } from "./credentials.ts";
import { GitHttp } from "./http.ts";
import type { GitLimits } from "./limits.ts";
import { type FetchRequest, GitRemote, type RemoteRef } from "./protocol.ts";

export interface Transport {
  /** References whose names start with one of the prefixes; perhaps others too. */
  listRefs(prefixes: readonly string[], signal: AbortSignal): Promise<readonly RemoteRef[]>;
  /** Whether history can be asked for by date. Known after `listRefs` or `fetchInto`. */
  readonly knowsSince: boolean;
  /** Gets objects into the cache and records where its history ends. */
  fetchInto(cache: RepositoryCache, request: FetchRequest, signal: AbortSignal): Promise<void>;
  /** Bytes received and requests sent so far, as far as the transport can tell. */
  readonly bytes: number;
  readonly requests: number;
  close(): void;
}

export function httpTransport(url: URL, credentials: GitCredentials, limits: GitLimits): Transport {
  const http = new GitHttp(url, credentials);
  const remote = new GitRemote(http, limits);
  return {
    listRefs: (prefixes, signal) => remote.listRefs(prefixes, signal),
    get knowsSince() {
      return remote.knowsSince;
    },
    async fetchInto(cache, request, signal) {
      const answer = await remote.fetch(request, signal);
      await cache.receivePack(answer.pack, signal);
      const shallow = new Set([...request.shallow, ...answer.shallow]);
      for (const oid of answer.unshallow) shallow.delete(oid);
      cache.writeShallow([...shallow]);
    },
    get bytes() {
      return http.bytes;
    },
    get requests() {
      return http.requests;
    },
    close: () => http.close(),
  };
}
