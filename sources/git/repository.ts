// A Git repository as a source: which commit is wanted, getting it, and its files.

import { createHash } from "node:crypto";
import { AppError } from "../../runtime/errors.ts";
import { gitCorrupt, gitTimeout, gitUrlInvalid } from "../errors.ts";
import { redactUrl } from "../redact-url.ts";
import { RepositoryCache } from "./cache.ts";
import type { GitCredentials } from "./credentials.ts";
import { changedPaths, GitTree, TreeInspector, type TreeWarning } from "./git-tree.ts";
import { descendsFrom } from "./history.ts";
import { DEFAULT_LIMITS, type GitLimits } from "./limits.ts";
import { listLocalRefs, localStore, openLocalRepository } from "./local.ts";
import { compactPacks } from "./maintenance.ts";
import type { ObjectStore } from "./object-store.ts";
import type { CommitDetails } from "./objects.ts";
import { type ChosenRef, chooseRef, type GitReference, wantedPrefixes } from "./reference.ts";
import { sshTransport } from "./ssh.ts";
import { httpTransport, type Transport } from "./transport.ts";
import { locateRepository } from "./url.ts";

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_HAVES = 64;

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
}

export interface ResolvedRevision {
  /** As Flux writes it: `main@sha1:…`, `v1.2@sha1:…`, `refs/pull/1/head@sha1:…` or `sha1:…`. */
  readonly revision: string;
  readonly commit: string;
  /** Full name of the reference; `undefined` when a commit was named. */
  readonly ref: string | undefined;
}

/**
 * `first`: nothing to compare with. `advanced`: the new commit follows the previous one, or the source names another
 * reference. `rewritten`: the branch was forced or the tag was moved. `unknown`: the server cannot tell.
 */
export type HistoryChange = "first" | "unchanged" | "advanced" | "rewritten" | "unknown";

export interface FetchedRevision extends ResolvedRevision {
  readonly tree: GitTree;
  readonly details: CommitDetails;
  /** Whether the commit is another than the previous one. */
  readonly changed: boolean;
  readonly history: HistoryChange;
  /** Whether history was rewritten: `history === "rewritten"`. */
  readonly forced: boolean;
  /** The commit before this one, as far as known. */
  readonly previous: string | undefined;
  /** Bytes received and requests sent by this call, as far as the transport can tell. */
  readonly bytes: number;
  readonly requests: number;
  readonly warnings: readonly TreeWarning[];
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** The revision (`main@sha1:…`) that this source used last. Without it, what was last fetched for the reference. */
  readonly previous?: string | undefined;
}

export interface GitRepository {
  /** The wanted commit. Costs one small request over http(s), none when the reference names a commit. */
  resolveRevision(reference: GitReference, options: { readonly signal: AbortSignal }): Promise<ResolvedRevision>;
  /** Makes sure the wanted commit is here. An unchanged one costs what `resolveRevision` costs. */
  fetchRevision(reference: GitReference, options: FetchOptions): Promise<FetchedRevision>;
  /** Files of a commit that is here already; throws `git-object-missing` otherwise. */
  tree(commit: string): GitTree;
  /** Author, time and message of a commit that is here. */
  readCommit(commit: string): CommitDetails;
  /** Paths that differ between two commits that are here. */
  changedPaths(before: string, after: string): string[];
  /** Closes connections and files. */
  close(): void;
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
  const location = locateRepository(options.url);
  if (location.kind === "local") {
    if (options.allowLocal !== true)
      throw gitUrlInvalid(options.url, "lies on this machine, which is not allowed here");
    return new LocalSource(options.url, location.path, options, limits);
  }
  if (location.kind === "ssh") {
    const transport = sshTransport({ url: location.url, credentials: options.credentials ?? {}, limits });
    return new RemoteSource(options, transport, limits);
  }
  const own = location.username ?? location.password;
  const inUrl = own === undefined ? {} : { username: location.username ?? "git", password: location.password ?? "" };
  const credentials = { ...inUrl, ...options.credentials };
  return new RemoteSource(options, httpTransport(location.url, credentials, limits), limits);
}

abstract class GitSource implements GitRepository {
  readonly url: string;
  readonly #timeoutMs: number;
  #inspector: { readonly store: ObjectStore; readonly inspector: TreeInspector } | undefined;

  constructor(url: string, options: RepositoryOptions) {
    this.url = url;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  protected abstract store(): ObjectStore;
  protected abstract resolve(reference: GitReference, signal: AbortSignal): Promise<ChosenRef>;
  protected abstract fetch(reference: GitReference, options: FetchOptions): Promise<FetchedRevision>;
  abstract close(): void;

  async resolveRevision(reference: GitReference, options: { readonly signal: AbortSignal }): Promise<ResolvedRevision> {
    return this.#within(options.signal, async (signal) => named(await this.resolve(reference, signal)));
  }

  fetchRevision(reference: GitReference, options: FetchOptions): Promise<FetchedRevision> {
    return this.#within(options.signal, (signal) => this.fetch(reference, { ...options, signal }));
  }

  tree(commit: string): GitTree {
    return new GitTree(this.store(), this.store().readCommit(commit).tree, `sha1:${commit}`);
  }

  readCommit(commit: string): CommitDetails {
    return this.store().readCommit(commit);
  }

  changedPaths(before: string, after: string): string[] {
    return changedPaths(this.store(), this.readCommit(before).tree, this.readCommit(after).tree);
  }

  protected async choose(
    reference: GitReference,
    list: (prefixes: readonly string[]) => Promise<readonly RemoteRefs[]>,
  ) {
    const prefixes = wantedPrefixes(reference);
    const refs = prefixes.length === 0 ? [] : await list(prefixes);
    return chooseRef(this.url, reference, refs, list);
  }

  /** The result for a commit whose objects are here. Checks the limits of its tree. */
  protected result(
    chosen: ChosenRef,
    previous: Previous | undefined,
    history: HistoryChange,
    cost: { readonly bytes: number; readonly requests: number },
  ): FetchedRevision {
    const store = this.store();
    const details = store.readCommit(chosen.commit);
    if (this.#inspector?.store !== store) this.#inspector = { store, inspector: new TreeInspector(store) };
    const warnings = this.#inspector.inspector.inspect(details.tree);
    const resolved = named(chosen);
    return {
      ...resolved,
      tree: new GitTree(store, details.tree, resolved.revision),
      details,
      changed: previous?.commit !== chosen.commit,
      history,
      forced: history === "rewritten",
      previous: previous?.commit,
      ...cost,
      warnings,
    };
  }

  async #within<T>(outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    try {
      outer.throwIfAborted();
      return await work(AbortSignal.any([outer, deadline]));
    } catch (error) {
      if (deadline.aborted && !outer.aborted && !(error instanceof AppError))
        throw gitTimeout(this.url, this.#timeoutMs);
      throw error;
    }
  }
}

type RemoteRefs = Awaited<ReturnType<Transport["listRefs"]>>[number];

function named(chosen: ChosenRef): ResolvedRevision {
  const prefix = chosen.label === "" ? "" : `${chosen.label}@`;
  return { revision: `${prefix}sha1:${chosen.commit}`, commit: chosen.commit, ref: chosen.name };
}

interface Previous {
  readonly commit: string;
  /** Whether it was the commit of the same reference. */
  readonly sameRef: boolean;
}

/** What to compare with: the caller's revision, else what was fetched last for the same reference. */
function previousOf(chosen: ChosenRef, revision: string | undefined, last: string | undefined): Previous | undefined {
  const match = /^(?:(.*)@)?sha1:([0-9a-f]{40})$/.exec(revision ?? "");
  if (match?.[2] !== undefined) return { commit: match[2], sameRef: (match[1] ?? "") === chosen.label };
  return last === undefined ? undefined : { commit: last, sameRef: true };
}

function historyOf(store: ObjectStore, chosen: ChosenRef, previous: Previous | undefined, cut: boolean): HistoryChange {
  if (previous === undefined) return "first";
  if (previous.commit === chosen.commit) return "unchanged";
  if (!previous.sameRef || chosen.name === undefined) return "advanced";
  if (chosen.name.startsWith("refs/tags/")) return "rewritten";
  const follows = descendsFrom(store, chosen.commit, previous.commit, cut);
  return follows === "yes" ? "advanced" : follows === "no" ? "rewritten" : "unknown";
}

/** A repository of this machine, read in place: nothing is copied, so there is no cache that could be behind. */
class LocalSource extends GitSource {
  readonly #path: string;
  readonly #limits: GitLimits;
  #store: ObjectStore | undefined;
  readonly #last = new Map<string, string>();

  constructor(url: string, path: string, options: RepositoryOptions, limits: GitLimits) {
    super(url, options);
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

/** Work on one cache folder, one after the other, whoever asks. */
const queues = new Map<string, Promise<unknown>>();

async function exclusively<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(directory) ?? Promise.resolve();
  const mine = before.then(work, work);
  const settled = mine.catch(() => undefined);
  queues.set(directory, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(directory) === settled) queues.delete(directory);
  }
}

class RemoteSource extends GitSource {
  readonly #directory: string;
  readonly #transport: Transport;
  readonly #limits: GitLimits;
  #cache: RepositoryCache | undefined;

  constructor(options: RepositoryOptions, transport: Transport, limits: GitLimits) {
    super(options.url, options);
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
    return exclusively(this.#directory, async () => {
      options.signal.throwIfAborted();
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
      await compactPacks(cache, options.signal);
      return result;
    } catch (error) {
      throw isDamage(error) ? new DamagedCache(error) : error;
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
    const haves = [...new Set([previous, ...[...cache.refs().values()].reverse()])]
      .filter((oid): oid is string => oid !== undefined && store.has(oid))
      .slice(0, MAX_HAVES);
    const common = { wants: [commit], haves, shallow: cache.shallow() };
    if (previous !== undefined && store.has(previous) && this.#transport.knowsSince) {
      // Everything since the previous commit shows whether that is an ancestor, and is rarely more than what is new.
      const sinceSeconds = Math.floor(store.readCommit(previous).committer.timeMs / 1000);
      try {
        await this.#transport.fetchInto(cache, { ...common, history: { sinceSeconds } }, signal);
        if (store.has(commit)) return true;
      } catch (error) {
        // The server refuses when the new commit is older than that, as after going back by force.
        if (!isWorthRetrying(error)) throw error;
      }
    }
    try {
      await this.#downloadTip(cache, common, reference, signal);
    } catch (error) {
      if (haves.length === 0 || !isWorthRetrying(error)) throw error;
      // What the new objects build on may be damaged here: ask for all of them.
      await this.#downloadTip(cache, { wants: [commit], haves: [], shallow: [] }, reference, signal);
    }
    if (!store.has(commit)) throw gitCorrupt(`${redactUrl(this.url)} did not send the commit ${commit}`);
    return false;
  }

  async #downloadTip(
    cache: RepositoryCache,
    common: {
      readonly wants: readonly string[];
      readonly haves: readonly string[];
      readonly shallow: readonly string[];
    },
    reference: GitReference,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#transport.fetchInto(cache, { ...common, history: { depth: 1 } }, signal);
    } catch (error) {
      const refused = error instanceof AppError && error.code === "git-object-missing";
      if (!refused || reference.commit === undefined || reference.commit === "") throw error;
      // The server gives only what a reference names: get the branch with its history and look inside.
      const prefix =
        reference.branch === undefined || reference.branch === "" ? "HEAD" : `refs/heads/${reference.branch}`;
      const tip = (await this.#transport.listRefs([prefix], signal)).find((ref) => ref.name === prefix);
      if (tip === undefined) throw error;
      await this.#transport.fetchInto(cache, { wants: [tip.oid], haves: [], shallow: [], history: "all" }, signal);
      if (!cache.store.has(common.wants[0] ?? "")) throw error;
    }
  }
}

/** Carries an error that came from reading what is here already, as its cause. */
class DamagedCache extends Error {
  constructor(cause: unknown) {
    super("the cache is damaged", { cause });
  }
}

function isDamage(error: unknown): boolean {
  if (!(error instanceof AppError)) return error instanceof Error && "code" in error && error.code === "ENOENT";
  return error.code === "git-corrupt" || error.code === "git-object-missing";
}

function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return ["git-corrupt", "git-object-missing", "git-invalid-repository", "git-server-busy"].includes(error.code);
}
