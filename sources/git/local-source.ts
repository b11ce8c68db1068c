import { GitSource } from "./git-source.ts";
import type { GitLimits } from "./limits.ts";
import { listLocalRefs, localStore, openLocalRepository } from "./local.ts";
import type { ObjectStore } from "./object-store.ts";
import type { ChosenRef, GitReference } from "./reference.ts";
import { type FetchedRevision, type FetchOptions, historyOf, previousOf } from "./revision.ts";

/**
 * A repository of this machine, read in place: nothing is copied, so there is no cache that could be behind. isomorphic-git
 * has no transport for files; its own reading of a repository is slower and knows neither alternates nor bounds.
 */
export class LocalSource extends GitSource {
  readonly #path: string;
  readonly #limits: GitLimits;
  #store: ObjectStore | undefined;
  readonly #last = new Map<string, string>();

  constructor(url: string, path: string, timeoutMs: number, limits: GitLimits) {
    super(url, timeoutMs);
    this.#path = path;
    this.#limits = limits;
  }

  protected store(): ObjectStore {
    this.#store ??= localStore(openLocalRepository(this.#path), this.#limits);
    return this.#store;
  }

  protected resolve(reference: GitReference): Promise<ChosenRef> {
    const repository = openLocalRepository(this.#path);
    return this.choose(reference, async (prefixes) => listLocalRefs(repository, this.store(), prefixes));
  }

  protected async fetch(reference: GitReference, options: FetchOptions): Promise<FetchedRevision> {
    const chosen = await this.resolve(reference);
    const last = chosen.name === undefined ? undefined : this.#last.get(chosen.name);
    const commit = this.store().peelToCommit(chosen.commit);
    const peeled = { ...chosen, commit };
    const previous = previousOf(chosen, options.previous, last);
    const history = historyOf(this.store(), peeled, previous, false);
    if (chosen.name !== undefined) this.#last.set(chosen.name, commit);
    return this.result(peeled, previous, history, { bytes: 0, requests: 0 });
  }

  close(): void {
    this.#store?.close();
  }
}
