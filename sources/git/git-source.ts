// What sources of every transport share: choosing, checking and describing a commit.

import { withinDeadline } from "./deadline.ts";
import { changedPaths, GitTree, TreeInspector } from "./git-tree.ts";
import type { ObjectStore } from "./object-store.ts";
import type { CommitDetails } from "./objects.ts";
import { type ChosenRef, chooseRef, type GitReference, wantedPrefixes } from "./reference.ts";
import type { RemoteRef } from "./remote-ref.ts";
import {
  type FetchedRevision,
  type FetchOptions,
  type GitRepository,
  type HistoryChange,
  named,
  type Previous,
  type ResolvedRevision,
} from "./revision.ts";

/** A repository whose objects are in a store on disk, however they get there. */
export abstract class GitSource implements GitRepository {
  readonly url: string;
  readonly #timeoutMs: number;
  #inspector: { readonly store: ObjectStore; readonly inspector: TreeInspector } | undefined;

  constructor(url: string, timeoutMs: number) {
    this.url = url;
    this.#timeoutMs = timeoutMs;
  }

  protected abstract store(): ObjectStore;
  protected abstract resolve(reference: GitReference, signal: AbortSignal): Promise<ChosenRef>;
  protected abstract fetch(reference: GitReference, options: FetchOptions): Promise<FetchedRevision>;
  abstract close(): void;

  async resolveRevision(reference: GitReference, options: { readonly signal: AbortSignal }): Promise<ResolvedRevision> {
    return withinDeadline(this.url, this.#timeoutMs, options.signal, async (signal) =>
      named(await this.resolve(reference, signal)),
    );
  }

  fetchRevision(reference: GitReference, options: FetchOptions): Promise<FetchedRevision> {
    return withinDeadline(this.url, this.#timeoutMs, options.signal, (signal) =>
      this.fetch(reference, { ...options, signal }),
    );
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
    list: (prefixes: readonly string[]) => Promise<readonly RemoteRef[]>,
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
}
