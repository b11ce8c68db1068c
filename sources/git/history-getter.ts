// Gets as much of two histories as shows where they part: commits bring their files, so that most of it stays away.

import { AppError } from "../../runtime/errors.ts";
import { gitCorrupt, gitHistoryTooLong } from "../errors.ts";
import type { RepositoryCache } from "./cache.ts";
import type { ComparedTips, TipsRequest } from "./compared-tips.ts";
import { DamagedCache, isWorthRetrying, readingCache } from "./damaged-cache.ts";
import { findMergeBases, type MergeBases } from "./merge-bases.ts";
import type { FetchRequest, Transport } from "./transport.ts";

/** Commits of one side that are asked for, step by step. */
const DEPTHS = [16, 64, 256, 1024, 4096];
const FIRST_DEPTH = 16;
/** By this Git's protocol means the whole history. */
const WHOLE = 0x7fffffff;

type Side = "left" | "right";

export class HistoryGetter {
  readonly #cache: RepositoryCache;
  readonly #transport: Transport;
  readonly #url: string;
  readonly #baseBranch: string;
  readonly #signal: AbortSignal;

  constructor(
    cache: RepositoryCache,
    transport: Transport,
    request: Pick<TipsRequest, "url" | "baseBranch">,
    signal: AbortSignal,
  ) {
    this.#cache = cache;
    this.#transport = transport;
    this.#url = request.url;
    this.#baseBranch = request.baseBranch;
    this.#signal = signal;
  }

  /** Makes sure that the tip of the base branch is here. */
  async base(tip: string): Promise<void> {
    const { store } = this.#cache;
    const last = [...this.#cache.refs().values()].reverse();
    await this.#tip(
      tip,
      last.find((oid) => store.has(oid)),
    );
  }

  async #tip(commit: string, have: string | undefined): Promise<void> {
    if (this.#cache.store.has(commit)) return;
    const request = { commit, have, history: { depth: FIRST_DEPTH } };
    try {
      await this.#get(request);
    } catch (error) {
      if (have === undefined || !isWorthRetrying(error)) throw error;
      // What the new objects build on may be damaged here: ask for all of them.
      await this.#get({ ...request, have: undefined });
    }
  }

  /** Makes sure that the head is here, and says what to ask for to get more of its history. */
  async head(head: string, tips: ComparedTips): Promise<string> {
    for (const wanted of tips.wanted) {
      try {
        await this.#tip(wanted, tips.base);
      } catch (error) {
        // It is no longer what a reference names, or never was.
        if (!(error instanceof AppError) || error.code !== "git-object-missing") throw error;
        continue;
      }
      if (wanted === head) return wanted;
      const { parents } = await readingCache(() => this.#cache.store.readCommit(wanted));
      if (parents.includes(head)) return wanted;
    }
    return tips.refuse();
  }

  /** `wanted` as `head` gave it. Throws `git-history-too-long` when getting so much of the history exceeds the limits. */
  async mergeBases(base: string, head: string, wanted: string): Promise<MergeBases> {
    const asked = { left: 0, right: 0 };
    for (;;) {
      const found = await this.#findMergeBases(base, head);
      const side = nextSide(found, asked);
      if (side === undefined) return found;
      const reached = Math.max(found[side]?.depth ?? 0, asked[side]);
      const depth = DEPTHS.find((step) => step > reached) ?? WHOLE;
      asked[side] = depth;
      const commit = side === "left" ? base : wanted;
      try {
        await this.#get({ commit, have: commit, history: { depth } });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        // What came may build upon something that is lost here.
        if (error.code === "git-corrupt") throw new DamagedCache(error);
        if (error.code !== "git-too-large") throw error;
        throw gitHistoryTooLong(this.#url, head, this.#baseBranch, error);
      }
    }
  }

  async #findMergeBases(base: string, head: string): Promise<MergeBases> {
    const found = await readingCache(() => findMergeBases(this.#cache.store, base, head, this.#signal));
    // Else the server believes that more is here, and will not send it.
    const known = new Set(this.#cache.shallow());
    for (const commit of [...(found.left?.commits ?? []), ...(found.right?.commits ?? [])])
      if (!known.has(commit)) throw new DamagedCache(gitCorrupt(`the parents of the commit ${commit} are lost`));
    return found;
  }

  async #get(request: FetchRequest): Promise<void> {
    await this.#transport.fetchInto(this.#cache, { ...request, thin: true }, this.#signal);
  }
}

/** The side whose history ends later: the other one reaches back further. None when it is known, or when all is here. */
function nextSide(found: MergeBases, asked: Readonly<Record<Side, number>>): Side | undefined {
  const left = asked.left < WHOLE ? found.left : undefined;
  const right = asked.right < WHOLE ? found.right : undefined;
  if (left === undefined) return right === undefined ? undefined : "right";
  return right === undefined || left.timeMs >= right.timeMs ? "left" : "right";
}
