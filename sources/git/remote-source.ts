import { AppError } from "../../runtime/errors.ts";
import { gitCorrupt } from "../errors.ts";
import { redactUrl } from "../redact-url.ts";
import { RepositoryCache } from "./cache.ts";
import { DamagedCache, isDamage, isWorthRetrying } from "./damaged-cache.ts";
import { exclusively } from "./exclusively.ts";
import { GitSource } from "./git-source.ts";
import type { GitLimits } from "./limits.ts";
import { compactPacks } from "./maintenance.ts";
import type { ObjectStore } from "./object-store.ts";
import type { ChosenRef, GitReference } from "./reference.ts";
import { type FetchedRevision, type FetchOptions, historyOf, previousOf } from "./revision.ts";
import type { Transport } from "./transport.ts";

export interface RemoteSourceOptions {
  readonly url: string;
  readonly cacheDirectory: string;
  readonly timeoutMs: number;
}

/** A repository elsewhere, of which a cache keeps what was fetched. */
export class RemoteSource extends GitSource {
  readonly #directory: string;
  readonly #transport: Transport;
  readonly #limits: GitLimits;
  #cache: RepositoryCache | undefined;

  constructor(options: RemoteSourceOptions, transport: Transport, limits: GitLimits) {
    super(options.url, options.timeoutMs);
    this.#directory = options.cacheDirectory;
    this.#transport = transport;
    this.#limits = limits;
  }

  protected store(): ObjectStore {
    return this.#open().store;
  }

  protected resolve(reference: GitReference, signal: AbortSignal): Promise<ChosenRef> {
    return this.choose(reference, (prefixes) => this.#transport.listRefs(prefixes, signal));
  }

  protected fetch(reference: GitReference, options: FetchOptions): Promise<FetchedRevision> {
    return exclusively(this.#directory, options.signal, async () => {
      const before = { bytes: this.#transport.bytes, requests: this.#transport.requests };
      const chosen = await this.resolve(reference, options.signal);
      try {
        return await this.#fetchChosen(chosen, reference, options, before);
      } catch (error) {
        // What is here is damaged or incomplete. It is only a copy: begin anew, once.
        if (!(error instanceof DamagedCache)) throw error;
        this.#cache?.reset();
        this.#cache = undefined;
        return await this.#fetchChosen(chosen, reference, options, before);
      }
    }).catch((error: unknown) => {
      throw error instanceof DamagedCache ? error.cause : error;
    });
  }

  close(): void {
    this.#transport.close();
    this.#cache?.store.close();
  }

  #open(): RepositoryCache {
    this.#cache ??= new RepositoryCache(this.#directory, this.#limits);
    return this.#cache;
  }

  async #fetchChosen(
    chosen: ChosenRef,
    reference: GitReference,
    options: FetchOptions,
    before: { readonly bytes: number; readonly requests: number },
  ): Promise<FetchedRevision> {
    const cache = this.#open();
    // A commit asked for by name has no reference at the server; here it gets one, so that it is not cleared away.
    const name = chosen.name ?? `refs/flaghoist/commits/${chosen.commit}`;
    const previous = previousOf(chosen, options.previous, cache.refs().get(name));
    let cut = false;
    if (!cache.store.has(chosen.commit)) {
      cut = await this.#download(cache, chosen.commit, previous?.commit, reference, options.signal);
    }
    const cost = {
      bytes: this.#transport.bytes - before.bytes,
      requests: this.#transport.requests - before.requests,
    };
    try {
      const history = historyOf(cache.store, chosen, previous, cut);
      const result = this.result(chosen, previous, history, cost);
      // Only a revision that passed every check is remembered.
      cache.setRef(name, chosen.commit);
      await this.#tidy(cache, options.signal);
      return result;
    } catch (error) {
      throw isDamage(error) ? new DamagedCache(error) : error;
    }
  }

  async #tidy(cache: RepositoryCache, signal: AbortSignal): Promise<void> {
    try {
      await compactPacks(cache, signal);
    } catch (error) {
      // The revision is here; a full disk or an early end of tidying up must not hide that. The next fetch tries again.
      if (isDamage(error)) throw error;
    }
  }

  /** Whether the history is complete afterwards from the new commit back to the time of the previous one. */
  async #download(
    cache: RepositoryCache,
    commit: string,
    previous: string | undefined,
    reference: GitReference,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store } = cache;
    // Else the commit that was fetched last, of whatever reference.
    const have = [previous, ...[...cache.refs().values()].reverse()].find((oid) => oid !== undefined && store.has(oid));
    if (previous !== undefined && store.has(previous)) {
      // Everything since the previous commit shows whether that is an ancestor, and is rarely more than what is new.
      const sinceSeconds = Math.floor(store.readCommit(previous).committer.timeMs / 1000);
      try {
        await this.#transport.fetchInto(cache, { commit, have, history: { sinceSeconds } }, signal);
        if (store.has(commit)) return true;
      } catch (error) {
        // The server knows no dates, or refuses as the new commit is older than that, as after going back by force.
        if (!isWorthRetrying(error)) throw error;
      }
    }
    try {
      await this.#downloadTip(cache, commit, have, reference, signal);
    } catch (error) {
      if (have === undefined || !isWorthRetrying(error)) throw error;
      // What the new objects build on may be damaged here: ask for all of them.
      await this.#downloadTip(cache, commit, undefined, reference, signal);
    }
    if (!store.has(commit)) throw gitCorrupt(`${redactUrl(this.url)} did not send the commit ${commit}`);
    return false;
  }

  async #downloadTip(
    cache: RepositoryCache,
    commit: string,
    have: string | undefined,
    reference: GitReference,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#transport.fetchInto(cache, { commit, have, history: { depth: 1 } }, signal);
    } catch (error) {
      const refused = error instanceof AppError && error.code === "git-object-missing";
      if (!refused || reference.commit === undefined || reference.commit === "") throw error;
      // The server gives only what a reference names: get the branch with its history and look inside.
      const prefix =
        reference.branch === undefined || reference.branch === "" ? "HEAD" : `refs/heads/${reference.branch}`;
      const tip = (await this.#transport.listRefs([prefix], signal)).find((ref) => ref.name === prefix);
      if (tip === undefined) throw error;
      await this.#transport.fetchInto(cache, { commit: tip.oid, have: undefined, history: "all" }, signal);
      if (!cache.store.has(commit)) throw error;
    }
  }
}
