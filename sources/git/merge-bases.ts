// Where two histories part, found as `git merge-base` does, and whether the history at hand is enough to say so.

import { yieldToLoop } from "../../runtime/parallel.ts";
import { gitTooLarge } from "../errors.ts";
import type { ObjectStore } from "./object-store.ts";

const LEFT = 1;
const RIGHT = 2;
const BOTH = LEFT | RIGHT;
/** An ancestor of a common commit that is nearer. */
const STALE = 4;

const MAX_COMMITS = 500_000;
/** Clocks of committers differ; a commit may look older than its parent by this much. */
const CLOCK_SKEW_MS = 86_400_000;
const SLICE_MS = 12;

export interface MergeBases {
  /**
   * Common commits that are no ancestors of others, the newest first: several after merges in both directions, none
   * where the two never met.
   */
  readonly bases: readonly string[];
  /** Where the history at hand of that side ends too early to be sure of the answer. */
  readonly left: HistoryEnd | undefined;
  readonly right: HistoryEnd | undefined;
}

export interface HistoryEnd {
  /** Of the nearest commit without its parents, counted from the tip, which is 1. */
  readonly depth: number;
  /** Of the latest such commit. */
  readonly timeMs: number;
  /** All such commits. */
  readonly commits: readonly string[];
}

interface Visit {
  readonly oid: string;
  readonly timeMs: number;
  readonly parents: readonly string[];
  marks: number;
  /** Commits from the tips, as far as seen. */
  depth: number;
  queued: boolean;
}

/** Walks both histories back until only common commits are left. Gives the event loop a turn every few milliseconds. */
export async function findMergeBases(
  store: ObjectStore,
  left: string,
  right: string,
  signal: AbortSignal,
): Promise<MergeBases> {
  const walk = new Walk(store);
  walk.mark(left, LEFT, 1);
  walk.mark(right, RIGHT, 1);
  let sliceStart = performance.now();
  while (walk.step()) {
    if (performance.now() - sliceStart < SLICE_MS) continue;
    await yieldToLoop();
    signal.throwIfAborted();
    sliceStart = performance.now();
  }
  return walk.result();
}

class Walk {
  readonly #store: ObjectStore;
  readonly #seen = new Map<string, Visit>();
  readonly #queue = new NewestFirst();
  /** Queued commits that may lead to a common one. */
  #open = 0;
  readonly #common = new Set<Visit>();
  #oldestCommonMs = Number.POSITIVE_INFINITY;
  /** Commits with a parent that is not here. */
  readonly #ends = new Set<Visit>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Whether the commit is here. */
  mark(oid: string, marks: number, depth: number): boolean {
    const visit = this.#seen.get(oid) ?? this.#visit(oid, depth);
    if (visit === undefined) return false;
    visit.depth = Math.min(visit.depth, depth);
    if ((visit.marks | marks) === visit.marks) return true;
    if (visit.queued && !isStale(visit)) this.#open--;
    visit.marks |= marks;
    if (!visit.queued) this.#queue.push(visit);
    visit.queued = true;
    if (!isStale(visit)) this.#open++;
    return true;
  }

  #visit(oid: string, depth: number): Visit | undefined {
    if (!this.#store.has(oid)) return undefined;
    if (this.#seen.size >= MAX_COMMITS) {
      throw gitTooLarge("the history since the branches parted", `${MAX_COMMITS} commits`);
    }
    const { parents, committer } = this.#store.readCommit(oid);
    const visit = { oid, parents, timeMs: committer.timeMs, marks: 0, depth, queued: false };
    this.#seen.set(oid, visit);
    return visit;
  }

  /** Looks at one commit; `false` when what is left cannot change the answer. */
  step(): boolean {
    const next = this.#queue.first;
    if (next === undefined || (this.#open === 0 && next.timeMs < this.#untilMs)) return false;
    this.#queue.pop();
    next.queued = false;
    if (!isStale(next)) this.#open--;
    if (isCommon(next) && !isStale(next)) {
      this.#common.add(next);
      this.#oldestCommonMs = Math.min(this.#oldestCommonMs, next.timeMs);
    }
    const marks = isCommon(next) ? BOTH | STALE : next.marks;
    for (const parent of next.parents) if (!this.mark(parent, marks, next.depth + 1)) this.#ends.add(next);
    return true;
  }

  /** Of several common commits one may be an ancestor of another, which shows within the time between them. */
  get #untilMs(): number {
    return this.#common.size < 2 ? Number.POSITIVE_INFINITY : this.#oldestCommonMs - CLOCK_SKEW_MS;
  }

  result(): MergeBases {
    const bases = [...this.#common].filter((visit) => !isStale(visit));
    bases.sort((a, b) => b.timeMs - a.timeMs || (a.oid < b.oid ? -1 : 1));
    const isMet = bases.length > 0;
    return {
      bases: bases.map((visit) => visit.oid),
      left: this.#endOf(LEFT, isMet ? this.#oldest(RIGHT) : undefined),
      right: this.#endOf(RIGHT, isMet ? this.#oldest(LEFT) : undefined) ?? this.#endOfCommon(bases.length),
    };
  }

  /** What lies behind an end and is nearer than what is known would be a commit of the other side, and no younger. */
  #endOf(side: number, otherMs: number | undefined): HistoryEnd | undefined {
    return endOf(
      [...this.#ends].filter((end) => {
        return end.marks === side && (otherMs === undefined || end.timeMs >= otherMs - CLOCK_SKEW_MS);
      }),
    );
  }

  /** What is common is reached from either side, so that more of one tells whether one base follows another. */
  #endOfCommon(bases: number): HistoryEnd | undefined {
    if (bases < 2) return undefined;
    return endOf([...this.#ends].filter((end) => isCommon(end) && end.timeMs >= this.#untilMs));
  }

  #oldest(side: number): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const visit of this.#seen.values()) if (visit.marks === side) oldest = Math.min(oldest, visit.timeMs);
    return oldest;
  }
}

function isStale(visit: Visit): boolean {
  return (visit.marks & STALE) !== 0;
}

function isCommon(visit: Visit): boolean {
  return (visit.marks & BOTH) === BOTH;
}

function endOf(ends: readonly Visit[]): HistoryEnd | undefined {
  if (ends.length === 0) return undefined;
  const depth = ends.reduce((least, end) => Math.min(least, end.depth), Number.POSITIVE_INFINITY);
  const timeMs = ends.reduce((latest, end) => Math.max(latest, end.timeMs), Number.NEGATIVE_INFINITY);
  return { depth, timeMs, commits: ends.map((end) => end.oid) };
}

/** A binary heap of commits. */
class NewestFirst {
  readonly #visits: Visit[] = [];

  get first(): Visit | undefined {
    return this.#visits[0];
  }

  push(visit: Visit): void {
    const visits = this.#visits;
    let place = visits.push(visit) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = visits[above] as Visit;
      if (parent.timeMs >= visit.timeMs) break;
      visits[place] = parent;
      place = above;
    }
    visits[place] = visit;
  }

  pop(): void {
    const visits = this.#visits;
    const moved = visits.pop();
    if (moved === undefined || visits.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= visits.length) break;
      // Both indices are below the length.
      if (child + 1 < visits.length && (visits[child + 1] as Visit).timeMs > (visits[child] as Visit).timeMs) child++;
      const below = visits[child] as Visit;
      if (below.timeMs <= moved.timeMs) break;
      visits[place] = below;
      place = child;
    }
    visits[place] = moved;
  }
}
