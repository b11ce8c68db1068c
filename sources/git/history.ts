// Questions about the order of commits.

import type { ObjectStore } from "./object-store.ts";
import type { CommitDetails } from "./objects.ts";

const MAX_COMMITS = 100_000;
/** Clocks of committers differ; a commit may look older than its parent by this much. */
const CLOCK_SKEW_MS = 86_400_000;

/**
 * Whether `commit` is `old` or follows it. `unknown`: the history at hand ends before that is decided. With `cutAtOld`
 * the history is known to reach back to the time of `old` at least, so that what is missing is older.
 */
export function descendsFrom(
  store: ObjectStore,
  commit: string,
  old: string,
  cutAtOld: boolean,
): "yes" | "no" | "unknown" {
  if (commit === old) return "yes";
  const oldMs = store.has(old) ? store.readCommit(old).committer.timeMs : undefined;
  let gap = oldMs === undefined;
  const seen = new Set([commit]);
  const queue = store.has(commit) ? [store.readCommit(commit)] : [];
  for (let next = takeNewest(queue); next !== undefined; next = takeNewest(queue)) {
    // A parent that is named is an ancestor even when the history at hand ends before it.
    if (next.parents.includes(old)) return "yes";
    if (seen.size > MAX_COMMITS) return "unknown";
    if (oldMs !== undefined && next.committer.timeMs < oldMs - CLOCK_SKEW_MS) continue;
    for (const parent of next.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      if (store.has(parent)) queue.push(store.readCommit(parent));
      else if (!cutAtOld && next.committer.timeMs >= (oldMs ?? 0)) gap = true;
    }
  }
  return gap ? "unknown" : "no";
}

const LEFT = 1;
const RIGHT = 2;

export interface Divergence {
  /** Where the two lines of history part; `undefined` when they never met. */
  readonly base: string | undefined;
  /** Commits that only the right side has, newest first. */
  readonly onlyRight: readonly CommitDetails[];
}

/** Walks both histories back to where they meet. Costs what lies between, not the length of the history. */
export function compareHistories(store: ObjectStore, left: string, right: string): Divergence {
  const sides = new Map([[left, LEFT]]);
  sides.set(right, (sides.get(right) ?? 0) | RIGHT);
  const queue = [...sides.keys()].map((oid) => store.readCommit(oid));
  const visited: CommitDetails[] = [];
  let base: string | undefined;
  while (visited.length < MAX_COMMITS && queue.some((commit) => sides.get(commit.oid) !== (LEFT | RIGHT))) {
    const commit = takeNewest(queue);
    if (commit === undefined) break;
    const side = sides.get(commit.oid) ?? 0;
    if (side === (LEFT | RIGHT)) base ??= commit.oid;
    else visited.push(commit);
    for (const parent of commit.parents) {
      const known = sides.get(parent);
      // The history at hand ends here.
      if (!store.has(parent)) continue;
      if (known === undefined) queue.push(store.readCommit(parent));
      // A parent met before that now turns out to be on both sides passes that on only if it is walked again.
      else if (known !== undefined && (known | side) !== known && !queue.some((other) => other.oid === parent)) {
        queue.push(store.readCommit(parent));
      }
      sides.set(parent, (known ?? 0) | side);
    }
  }
  const first = queue.filter((commit) => sides.get(commit.oid) === (LEFT | RIGHT));
  base ??= takeNewest(first)?.oid;
  const onlyRight = visited.filter((commit) => sides.get(commit.oid) === RIGHT);
  return { base, onlyRight: [...new Map(onlyRight.map((commit) => [commit.oid, commit])).values()] };
}

function takeNewest(queue: CommitDetails[]): CommitDetails | undefined {
  let newest = 0;
  for (let i = 1; i < queue.length; i++) {
    if ((queue[i]?.committer.timeMs ?? 0) > (queue[newest]?.committer.timeMs ?? 0)) newest = i;
  }
  return queue.splice(newest, 1)[0];
}
