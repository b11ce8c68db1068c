// Revisions of a local checkout by the names people type, for `plan --base` and the like.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gitRefInvalid, gitRefNotFound } from "../errors.ts";
import { changedPaths, GitTree } from "./git-tree.ts";
import { compareHistories } from "./history.ts";
import { listLocalRefs, localStore, openLocalRepository, resolveLocalRef } from "./local.ts";
import type { CommitDetails } from "./objects.ts";
import { nearestName, shortName } from "./reference.ts";

export interface RevisionRange {
  readonly base: CommitDetails;
  readonly head: CommitDetails;
  /** Commits of `head` that are not in `base`, newest first; at most a thousand. */
  readonly commits: readonly CommitDetails[];
}

const MAX_RANGE = 1000;

/** A repository on this machine. Reads Git's files only: no command runs, no hook, nothing is written. */
export interface WorkingCopy {
  /** Root of the checkout, or the bare repository. */
  readonly root: string;
  /** `main`, `v1.0`, `origin/main`, `HEAD~2`, `main^`, a commit's name or the start of one. Throws `git-ref-not-found`. */
  resolve(name: string): CommitDetails;
  /**
   * `A..B`: from A to B. `A...B`, or `A` alone (then B is HEAD): from where the two parted, which is what a pull request
   * shows. A missing side is HEAD.
   */
  resolveRange(range: string): RevisionRange;
  /** Files of a commit that `resolve` gave. */
  tree(commit: CommitDetails): GitTree;
  /** Addresses that it is fetched from, as its configuration has them. */
  remotes(): string[];
  changedPaths(before: CommitDetails, after: CommitDetails): string[];
  /** Short name of the branch that is checked out; `undefined` when HEAD is a commit. */
  currentBranch(): string | undefined;
  close(): void;
}

/** The checkout that holds `path`, or the bare repository there. Throws `git-invalid-repository`. */
export function openWorkingCopy(path: string): WorkingCopy {
  const repository = openLocalRepository(path, { upwards: true });
  const store = localStore(repository);
  const root = repository.workTree ?? repository.gitDirectory;

  function resolve(name: string): CommitDetails {
    const match = /^(.*?)((?:~\d*|\^\d*)*)$/s.exec(name);
    const base = match?.[1] === "" || match?.[1] === "@" ? "HEAD" : (match?.[1] ?? name);
    let commit = store.readCommit(store.peelToCommit(lookUp(base)));
    for (const [, sign, digits] of (match?.[2] ?? "").matchAll(/([~^])(\d*)/g)) {
      const count = digits === "" || digits === undefined ? 1 : Number(digits);
      commit = sign === "~" ? firstParent(commit, count, name) : nthParent(commit, count, name);
    }
    return commit;
  }

  function lookUp(name: string): string {
    // Git's own order of guesses.
    for (const guess of [name, `refs/${name}`, `refs/tags/${name}`, `refs/heads/${name}`, `refs/remotes/${name}`]) {
      const found = resolveLocalRef(repository, guess);
      if (found !== undefined) return found.oid;
    }
    const remoteHead = resolveLocalRef(repository, `refs/remotes/${name}/HEAD`);
    if (remoteHead !== undefined) return remoteHead.oid;
    if (/^[0-9a-f]{4,40}$/i.test(name)) {
      const found = store.expand(name.toLowerCase());
      if (found.length === 1 && found[0] !== undefined) return found[0];
      if (found.length > 1)
        throw gitRefInvalid(JSON.stringify(name), `is short for ${found.length} objects: give more of it`);
    }
    const existing = listLocalRefs(repository, store, ["refs/heads/", "refs/tags/", "refs/remotes/"]).map((ref) =>
      shortName(ref.name).replace(/^refs\/remotes\//, ""),
    );
    throw gitRefNotFound(root, {
      wanted: `revision ${JSON.stringify(name.slice(0, 80))}`,
      existing,
      sort: "branches and tags",
      nearest: nearestName(name, existing),
    });
  }

  function firstParent(start: CommitDetails, count: number, name: string): CommitDetails {
    let commit = start;
    for (let i = 0; i < count; i++) commit = nthParent(commit, 1, name);
    return commit;
  }

  function nthParent(commit: CommitDetails, nth: number, name: string): CommitDetails {
    if (nth === 0) return commit;
    const parent = commit.parents[nth - 1];
    if (parent === undefined) throw gitRefInvalid(JSON.stringify(name), `leads beyond the first commit`);
    if (!store.has(parent)) throw gitRefInvalid(JSON.stringify(name), "leads beyond the history of this shallow clone");
    return store.readCommit(parent);
  }

  return {
    root,
    resolve,
    resolveRange(range) {
      const match = /^(.*?)(\.{2,3})(.*)$/s.exec(range);
      const head = resolve(match?.[3] === undefined || match[3] === "" ? "HEAD" : match[3]);
      const named = resolve(match === null ? range : match[1] === undefined || match[1] === "" ? "HEAD" : match[1]);
      const { base: parted, onlyRight } = compareHistories(store, named.oid, head.oid);
      // With the history cut before that, what the base has since would look as if it were taken back.
      if (match?.[2] !== ".." && parted === undefined && existsSync(join(repository.commonDirectory, "shallow")))
        throw gitRefInvalid(
          JSON.stringify(range),
          "means where the two parted, and the history of this shallow clone does not reach that far: fetch it whole (git fetch --unshallow; fetch-depth: 0 in a workflow)",
        );
      const base = match?.[2] === ".." || parted === undefined ? named : store.readCommit(parted);
      return { base, head, commits: onlyRight.slice(0, MAX_RANGE) };
    },
    tree: (commit) => new GitTree(store, commit.tree, `sha1:${commit.oid}`),
    remotes: () => readRemotes(repository.commonDirectory),
    changedPaths: (before, after) => changedPaths(store, before.tree, after.tree),
    currentBranch() {
      const head = resolveLocalRef(repository, "HEAD")?.name;
      return head?.startsWith("refs/heads/") === true ? head.slice(11) : undefined;
    },
    close: () => store.close(),
  };
}

function readRemotes(commonDirectory: string): string[] {
  let config: string;
  try {
    config = readFileSync(join(commonDirectory, "config"), "utf8");
  } catch {
    // A repository without a configuration is fetched from nowhere.
    return [];
  }
  const urls: string[] = [];
  let isRemote = false;
  for (const line of config.split("\n")) {
    if (/^\s*\[/.test(line)) isRemote = /^\s*\[remote\s/i.test(line);
    const url = isRemote ? /^\s*url\s*=\s*"?([^"\s]+)"?\s*$/i.exec(line)?.[1] : undefined;
    if (url !== undefined) urls.push(url);
  }
  return urls;
}
