// What is known of a fetched commit, and how it relates to the one before it.

import type { GitTree, TreeWarning } from "./git-tree.ts";
import { descendsFrom } from "./history.ts";
import type { ObjectStore } from "./object-store.ts";
import type { CommitDetails } from "./objects.ts";
import type { ChosenRef, GitReference } from "./reference.ts";

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

/** The revision of a chosen reference. */
export function named(chosen: ChosenRef): ResolvedRevision {
  const prefix = chosen.label === "" ? "" : `${chosen.label}@`;
  return { revision: `${prefix}sha1:${chosen.commit}`, commit: chosen.commit, ref: chosen.name };
}

/** The commit to compare with. */
export interface Previous {
  readonly commit: string;
  /** Whether it was the commit of the same reference. */
  readonly sameRef: boolean;
}

/** What to compare with: the caller's revision, else what was fetched last for the same reference. */
export function previousOf(
  chosen: ChosenRef,
  revision: string | undefined,
  last: string | undefined,
): Previous | undefined {
  const match = /^(?:(.*)@)?sha1:([0-9a-f]{40})$/.exec(revision ?? "");
  if (match?.[2] !== undefined) return { commit: match[2], sameRef: (match[1] ?? "") === chosen.label };
  return last === undefined ? undefined : { commit: last, sameRef: true };
}

/** How the chosen commit relates to the previous one. `cut` as in `descendsFrom`. */
export function historyOf(
  store: ObjectStore,
  chosen: ChosenRef,
  previous: Previous | undefined,
  cut: boolean,
): HistoryChange {
  if (previous === undefined) return "first";
  if (previous.commit === chosen.commit) return "unchanged";
  if (!previous.sameRef || chosen.name === undefined) return "advanced";
  if (chosen.name.startsWith("refs/tags/")) return "rewritten";
  const follows = descendsFrom(store, chosen.commit, previous.commit, cut);
  return follows === "yes" ? "advanced" : follows === "no" ? "rewritten" : "unknown";
}
