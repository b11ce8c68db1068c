// The two revisions of a pull request in a folder on disk: its head, and where that left the base branch.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gitInvalidRepository, gitUrlInvalid } from "../errors.ts";
import { findTips, type TipsRequest } from "./compared-tips.ts";
import { ComparisonFolder } from "./comparison-folder.ts";
import type { GitCredentials } from "./credentials.ts";
import { DamagedCache, isDamage, readingCache } from "./damaged-cache.ts";
import { withinDeadline } from "./deadline.ts";
import { exclusively } from "./exclusively.ts";
import { TreeInspector } from "./git-tree.ts";
import { HistoryGetter } from "./history-getter.ts";
import { DEFAULT_LIMITS, type GitLimits } from "./limits.ts";
import { listLocalRefs, localStore, openLocalRepository } from "./local.ts";
import { findMergeBases, type MergeBases } from "./merge-bases.ts";
import { cacheDirectoryName, DEFAULT_TIMEOUT_MS, openTransport } from "./repository.ts";
import type { Transport } from "./transport.ts";
import { locateRepository } from "./url.ts";

export interface RevisionFetcherOptions {
  /** Folder of the caches. Nothing else may be in it: `sweep` removes what it does not know. */
  readonly root: string;
  /** Whether repositories of this machine are allowed, which are read where they are. */
  readonly allowLocal?: boolean | undefined;
  readonly limits?: Partial<GitLimits> | undefined;
  /** Packs of one cache before what nobody needs is cleared away; 24 by default. */
  readonly maxPacks?: number | undefined;
}

/** A pull request. `url` is of the repository that its base branch is in; no other is asked. */
export interface ComparedRequest extends TipsRequest {
  /** `namespace/name` of who asks: each has a cache of its own. */
  readonly owner: string;
  readonly credentials?: GitCredentials | undefined;
  /** For all that one fetch does; a minute by default. */
  readonly timeoutMs?: number | undefined;
}

export interface ComparedRevisions {
  /** Git directory that another process may read, by `openCompared`; it stays until `release`. */
  readonly directory: string;
  /** As it was asked for. */
  readonly head: string;
  /** Where the head left the base branch, as `git merge-base` says; the tip of the branch when they are unrelated. */
  readonly base: string;
  readonly baseTip: string;
  /** Other commits that could be the base as well, after merges in both directions. */
  readonly otherBases: readonly string[];
  /** Whether head and base branch have no commit in common. */
  readonly unrelated: boolean;
  /** Bytes received and requests sent for this, as far as the transport can tell. */
  readonly bytes: number;
  readonly requests: number;
  /** Says that the files are not read any more. To be called once per result; more does no harm. */
  release(): void;
}

interface Opened {
  readonly identity: string;
  readonly transport: Transport;
  /** Of the folder, without the number at its end. */
  readonly name: string;
  folder: ComparisonFolder;
}

/** Fetches what pull requests compare, into one cache per owner. */
export class RevisionFetcher {
  readonly #options: RevisionFetcherOptions;
  readonly #limits: GitLimits;
  readonly #opened = new Map<string, Opened>();
  /** Folders that are read still and go afterwards. */
  readonly #leaving = new Set<string>();

  constructor(options: RevisionFetcherOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /**
   * Makes sure that both revisions are here. Begins with a little of the history, and gets more until it shows where the
   * head left the base branch. Calls of one owner run one after the other. Throws `git-head-moved` when the references
   * lead to another head by now, `git-head-missing` when none exists, `git-history-too-long`, and what `fetchRevision`
   * throws.
   */
  async fetch(request: ComparedRequest, options: { readonly signal: AbortSignal }): Promise<ComparedRevisions> {
    const location = locateRepository(request.url);
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    if (location.kind === "local") {
      if (this.#options.allowLocal !== true)
        throw gitUrlInvalid(request.url, "lies on this machine, which is not allowed here");
      return withinDeadline(request.url, timeoutMs, options.signal, (signal) =>
        compareLocally(location.path, request, this.#limits, signal),
      );
    }
    const opened = this.#open(request, () => openTransport(location, request, this.#limits));
    return exclusively(join(this.#options.root, opened.name), options.signal, () =>
      withinDeadline(request.url, timeoutMs, options.signal, (signal) => this.#fetch(opened, request, signal)),
    );
  }

  /** Closes what the owner had open and removes its cache, as soon as nobody reads there. */
  forget(owner: string): void {
    const opened = this.#opened.get(owner);
    if (opened === undefined) return;
    this.#opened.delete(owner);
    opened.transport.close();
    this.#retire(opened.folder);
  }

  /** Removes the caches of owners that are not among these: of those that went while nobody ran. */
  sweep(owners: readonly { readonly owner: string; readonly url: string }[]): void {
    const known = new Set(owners.map(({ owner, url }) => cacheDirectoryName(url, owner)));
    for (const { name } of this.#opened.values()) known.add(name);
    for (const entry of listNames(this.#options.root)) {
      const path = join(this.#options.root, entry);
      if (known.has(entry.replace(/\.\d+$/, "")) || this.#leaving.has(path)) continue;
      rmSync(path, { recursive: true, force: true });
    }
  }

  /** Closes connections and files; what is held stays on disk. */
  close(): void {
    for (const { transport, folder } of this.#opened.values()) {
      transport.close();
      folder.cache.store.close();
    }
    this.#opened.clear();
  }

  #open(request: ComparedRequest, connect: () => Transport): Opened {
    const { owner, url, credentials } = request;
    const identity = createHash("sha256")
      .update(JSON.stringify([url, credentials]))
      .digest("hex");
    const before = this.#opened.get(owner);
    if (before?.identity === identity) return before;
    const name = cacheDirectoryName(url, owner);
    before?.transport.close();
    if (before !== undefined && before.name !== name) this.#retire(before.folder);
    const folder = before?.name === name ? before.folder : this.#openFolder(name);
    const opened = { identity, transport: connect(), name, folder };
    this.#opened.set(owner, opened);
    return opened;
  }

  /** What is here of an earlier run; else a new folder. */
  #openFolder(name: string): ComparisonFolder {
    const { root } = this.#options;
    const numbers = listNames(root)
      .filter((entry) => entry.startsWith(`${name}.`))
      .map((entry) => Number(entry.slice(name.length + 1)))
      .sort((a, b) => a - b);
    const path = (number: number) => join(root, `${name}.${number}`);
    const usable = numbers.filter((number) => !this.#leaving.has(path(number)));
    for (const number of usable.slice(0, -1)) rmSync(path(number), { recursive: true, force: true });
    return new ComparisonFolder(path(usable.at(-1) ?? (numbers.at(-1) ?? 0) + 1), this.#limits, this.#options.maxPacks);
  }

  #retire(folder: ComparisonFolder): void {
    this.#leaving.add(folder.directory);
    folder.retire(() => this.#leaving.delete(folder.directory));
  }

  async #fetch(opened: Opened, request: ComparedRequest, signal: AbortSignal): Promise<ComparedRevisions> {
    try {
      return await this.#fetchOrRenew(opened, request, signal);
    } catch (error) {
      throw error instanceof DamagedCache ? error.cause : error;
    } finally {
      await this.#tidy(opened, signal);
    }
  }

  async #fetchOrRenew(opened: Opened, request: ComparedRequest, signal: AbortSignal): Promise<ComparedRevisions> {
    try {
      return await compareRemotely(opened, request, signal);
    } catch (error) {
      // What is here is damaged or incomplete. It is only a copy: begin anew, once. Others may still read the old one.
      if (!(error instanceof DamagedCache)) throw error;
      this.#renew(opened);
      return await compareRemotely(opened, request, signal);
    }
  }

  #renew(opened: Opened): void {
    this.#retire(opened.folder);
    opened.folder = this.#openFolder(opened.name);
  }

  async #tidy(opened: Opened, signal: AbortSignal): Promise<void> {
    try {
      await opened.folder.tidy(signal);
    } catch (error) {
      // A full disk or an early end must not hide the result. The next fetch tries again, what is damaged never works.
      if (isDamage(error)) this.#renew(opened);
    }
  }
}

interface Comparison {
  readonly head: string;
  readonly base: string;
  readonly baseTip: string;
  readonly otherBases: readonly string[];
  readonly unrelated: boolean;
}

async function compareRemotely(
  { folder, transport }: Opened,
  request: ComparedRequest,
  signal: AbortSignal,
): Promise<ComparedRevisions> {
  // Whoever forgets the owner meanwhile waits for this as for any reader.
  const letGo = folder.hold([]);
  const before = { bytes: transport.bytes, requests: transport.requests };
  try {
    const { sha } = request.head;
    const tips = await findTips(request, (prefixes) => transport.listRefs(prefixes, signal));
    const getter = new HistoryGetter(folder.cache, transport, request, signal);
    await getter.base(tips.base);
    const wanted = await getter.head(sha, tips);
    const comparison = comparisonOf(sha, tips.base, await getter.mergeBases(tips.base, sha, wanted));
    await readingCache(() => {
      folder.inspect(comparison.head);
      folder.inspect(comparison.base);
    });
    folder.cache.setRef(`refs/heads/${request.baseBranch}`, tips.base);
    return {
      directory: folder.directory,
      ...comparison,
      bytes: transport.bytes - before.bytes,
      requests: transport.requests - before.requests,
      release: folder.hold([comparison.head, comparison.base, comparison.baseTip]),
    };
  } finally {
    letGo();
  }
}

function comparisonOf(head: string, baseTip: string, { bases }: MergeBases): Comparison {
  const [base, ...otherBases] = bases;
  return { head, base: base ?? baseTip, baseTip, otherBases, unrelated: base === undefined };
}

async function compareLocally(
  path: string,
  request: ComparedRequest,
  limits: GitLimits,
  signal: AbortSignal,
): Promise<ComparedRevisions> {
  const repository = openLocalRepository(path);
  const { commonDirectory } = repository;
  if (existsSync(join(commonDirectory, "objects", "info", "alternates")))
    throw gitInvalidRepository(
      request.url,
      "borrows files of another repository, which plans cannot read: clone it whole",
    );
  const store = localStore(repository, limits);
  try {
    const tips = await findTips(request, async (prefixes) => listLocalRefs(repository, store, prefixes));
    const { sha } = request.head;
    if (!store.has(sha)) tips.refuse();
    const comparison = comparisonOf(sha, tips.base, await findMergeBases(store, tips.base, sha, signal));
    const inspector = new TreeInspector(store);
    for (const commit of [comparison.head, comparison.base]) inspector.inspect(store.readCommit(commit).tree);
    return { directory: commonDirectory, ...comparison, bytes: 0, requests: 0, release() {} };
  } finally {
    store.close();
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
