// Repositories behind http(s): isomorphic-git speaks the protocol, through our HTTP and into a folder in memory.

import git, { type FetchResult } from "isomorphic-git";
import { AppError } from "../../runtime/errors.ts";
import { gitInvalidRepository } from "../errors.ts";
import type { RepositoryCache } from "./cache.ts";
import type { GitCredentials } from "./credentials.ts";
import { FetchFolder } from "./fetch-folder.ts";
import { GitHttp } from "./http.ts";
import { GitHttpClient, type ServerKnowledge } from "./http-client.ts";
import { indexPack } from "./index-pack.ts";
import type { GitLimits } from "./limits.ts";
import { isOid, type RemoteRef } from "./remote-ref.ts";
import type { FetchRequest, Transport } from "./transport.ts";

export function httpTransport(
  url: URL,
  credentials: GitCredentials,
  limits: GitLimits,
  mayRedirect?: (target: URL) => boolean,
): Transport {
  const http = new GitHttp(url, credentials, mayRedirect);
  const known: ServerKnowledge = {};

  async function listPrefix(prefix: string, signal: AbortSignal): Promise<RemoteRef[]> {
    const client = new GitHttpClient(http, known, {
      signal,
      maxRefsBytes: limits.maxRefsBytes,
      maxBytes: limits.maxRefsBytes,
    });
    try {
      const call = { url: http.url, prefix, symrefs: true, peelTags: true };
      const refs = await client.run((plugin) => git.listServerRefs({ ...call, http: plugin }));
      return refs.map(({ ref, oid, peeled, target }) => {
        if (!isOid(oid) || !ref) throw gitInvalidRepository(http.url, "lists references in an unknown form");
        return {
          name: ref,
          oid: peeled !== undefined && isOid(peeled) ? peeled : oid,
          ...(peeled === undefined ? {} : { tagOid: oid }),
          ...(target === undefined ? {} : { target }),
        };
      });
    } catch (error) {
      known.version2 = undefined;
      throw error;
    }
  }

  async function fetch(cache: RepositoryCache, request: FetchRequest, signal: AbortSignal): Promise<void> {
    const { commit, have, history, thin } = request;
    const { maxRefsBytes, maxPackBytes } = limits;
    const folder = new FetchFolder({
      shallow: have === undefined ? [] : cache.shallow(),
      have,
      index: (pack) => indexPack(pack, limits, signal, thin === true ? (oid) => cache.store.find(oid) : undefined),
    });
    const client = new GitHttpClient(http, known, { signal, maxRefsBytes, maxBytes: maxPackBytes, commit, thin });
    await client.run(
      (plugin): Promise<FetchResult> =>
        git.fetch({
          fs: folder,
          gitdir: folder.path,
          http: plugin,
          url: http.url,
          remoteRef: commit,
          // By this the library finds what it may tell the server that we have.
          ref: have ?? commit,
          singleBranch: true,
          tags: false,
          ...(history === "all"
            ? {}
            : "depth" in history
              ? { depth: history.depth }
              : { since: new Date(history.sinceSeconds * 1000) }),
        }),
    );
    signal.throwIfAborted();
    const received = await folder.received();
    if (received !== undefined) await cache.receivePack(received.pack, received.index);
    // Without telling what we have, nothing was learnt of the rest.
    cache.writeShallow([...new Set([...(have === undefined ? cache.shallow() : []), ...folder.shallow()])]);
  }

  return {
    async listRefs(prefixes, signal) {
      const refs = new Map<string, RemoteRef>();
      for (const prefix of prefixes) for (const ref of await listPrefix(prefix, signal)) refs.set(ref.name, ref);
      return [...refs.values()];
    },
    async fetchInto(cache, request, signal) {
      try {
        await fetch(cache, request, signal);
      } catch (error) {
        known.capabilities = undefined;
        const cannotCut = error instanceof AppError && error.cause instanceof git.Errors.RemoteCapabilityError;
        if (!cannotCut || request.history === "all" || "sinceSeconds" in request.history) throw error;
        await fetch(cache, { ...request, history: "all" }, signal);
      }
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
