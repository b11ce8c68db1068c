// Which two commits a pull request compares: its head as somebody was told of it, and the tip of its base branch.

import { gitHeadMissing, gitHeadMoved } from "../errors.ts";
import { chooseRef, wantedPrefixes } from "./reference.ts";
import type { RemoteRef } from "./remote-ref.ts";

export interface TipsRequest {
  readonly url: string;
  readonly head: {
    /** All 40 digits. */
    readonly sha: string;
    /**
     * Full names that may lead to it: `refs/pull/7/head`, `refs/heads/topic`. One that ends in `/merge` leads to it as a
     * parent of the merge that the host made.
     */
    readonly refs: readonly string[];
  };
  readonly baseBranch: string;
}

export interface ComparedTips {
  readonly base: string;
  /** Commits to ask the server for until one brings the head; the head itself where a reference names it. */
  readonly wanted: readonly string[];
  /** Throws what is wrong when none of them does. */
  readonly refuse: () => never;
}

/**
 * Looks the references up. Throws `git-head-moved` when there are some and none can lead to the head, and
 * `git-ref-not-found` when there is no such base branch.
 */
export async function findTips(
  request: TipsRequest,
  list: (prefixes: readonly string[]) => Promise<readonly RemoteRef[]>,
): Promise<ComparedTips> {
  const { url, head } = request;
  const branch = { branch: request.baseBranch };
  const base = await chooseRef(url, branch, await list(wantedPrefixes(branch)), list);
  const now = new Map<string, string>();
  for (const name of head.refs) {
    const found = (await list(wantedPrefixes({ name }))).find((ref) => ref.name === name);
    if (found?.oid === head.sha) return { base: base.commit, wanted: [head.sha], refuse: () => moved(request, now) };
    if (found !== undefined) now.set(name, found.oid);
  }
  const merges = [...now].filter(([name]) => name.endsWith("/merge")).map(([, oid]) => oid);
  if (now.size > merges.length) moved(request, now);
  // Many servers give any commit that they have, also of a branch that is gone.
  return { base: base.commit, wanted: [...merges, head.sha], refuse: () => moved(request, now) };
}

function moved({ url, head }: TipsRequest, now: ReadonlyMap<string, string>): never {
  throw now.size > 0 ? gitHeadMoved(url, head.sha, now) : gitHeadMissing(url, head.sha, head.refs);
}
