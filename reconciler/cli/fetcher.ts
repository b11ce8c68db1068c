// GitRepository objects served by the repository pool.
import type { GitRepository } from "../../api/gitops.ts";
import type { SecretData } from "../../fleets/connect.ts";
import { withoutIgnored } from "../../renderers/ignoring-tree.ts";
import { parseDuration } from "../../runtime/duration.ts";
import { credentialsFromSecret } from "../../sources/git/credentials.ts";
import { RepositoryPool } from "../../sources/git/pool.ts";
import { type FetchedRevision, type GitFetcher, keyOf } from "../controllers/sync/git-repository.ts";

export interface FetcherOptions {
  /** Folder of the caches. */
  readonly cacheRoot: string;
  /** Whether `file://` URLs and paths are allowed: on one's own machine, not where others write GitRepositories. */
  readonly allowLocal: boolean;
}

export function createFetcher(options: FetcherOptions): GitFetcher & { close(): void } {
  const pool = new RepositoryPool({ root: options.cacheRoot, allowLocal: options.allowLocal });

  async function fetch(
    repository: GitRepository,
    secret: SecretData | undefined,
    signal: AbortSignal,
  ): Promise<FetchedRevision> {
    const { url, ref, timeout } = repository.spec;
    const credentials = secret === undefined ? undefined : credentialsFromSecret(secret);
    const opened = pool.open(keyOf(repository), {
      url,
      credentials,
      timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
    });
    const previous = repository.status?.artifact?.revision;
    const fetched = await opened.fetchRevision(ref ?? {}, { signal, previous });
    return {
      revision: fetched.revision,
      commit: fetched.commit,
      tree: withoutIgnored(fetched.tree, repository.spec.ignore),
      subject: fetched.details.subject,
      forced: fetched.forced,
      warnings: fetched.warnings.map((warning) => warning.message),
    };
  }

  return {
    fetch,
    forget: async (owner) => pool.forget(owner),
    sweep: (repositories) => pool.sweep(Array.from(repositories, (at) => ({ owner: keyOf(at), url: at.spec.url }))),
    close: () => pool.close(),
  };
}
