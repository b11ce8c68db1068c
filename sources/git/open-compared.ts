// Two revisions in a folder that another process fetched. Imports nothing that can fetch: a process that may only read
// opens them fast.

import { join } from "node:path";
import { changedPaths, GitTree } from "./git-tree.ts";
import { ObjectStore } from "./object-store.ts";

export interface OpenedComparison {
  readonly head: GitTree;
  readonly base: GitTree;
  /** Paths of the files that differ, in order. */
  changedPaths(): string[];
  /** First line of the message of a commit that is here. */
  subjectOf(commit: string): string;
  close(): void;
}

/** Reads files below `objects` of the directory, and no others: what it may borrow from elsewhere is not followed. */
export function openCompared(
  directory: string,
  revisions: { readonly head: string; readonly base: string },
): OpenedComparison {
  const store = new ObjectStore(join(directory, "objects"), undefined, { alternates: false });
  const head = store.readCommit(revisions.head);
  const base = store.readCommit(revisions.base);
  return {
    head: new GitTree(store, head.tree, `sha1:${head.oid}`),
    base: new GitTree(store, base.tree, `sha1:${base.oid}`),
    changedPaths: () => changedPaths(store, base.tree, head.tree),
    subjectOf: (commit) => store.readCommit(commit).subject,
    close: () => store.close(),
  };
}
