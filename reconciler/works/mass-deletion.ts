// Whether a cluster is about to lose more than anybody meant: by a policy, a label, a namespace or a source that went. One
// decision for all causes, at the last moment before objects are deleted in the member.
import type { Condition } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { formatDuration } from "../../runtime/duration.ts";

/** What is too much: more than both, within the window. */
export interface DeletionLimits {
  /** Share of the cluster's objects, in percent. */
  readonly sharePercent: number;
  /** Number of objects. */
  readonly count: number;
  readonly windowMs: number;
}

export const DEFAULT_DELETION_LIMITS: DeletionLimits = { sharePercent: 30, count: 20, windowMs: 600_000 };

/** What a cluster has and is to lose. Deletions that somebody confirmed, or that are moves, are in none of the figures. */
export interface DeletionFigures {
  /** Objects that were applied there and are there still, those to delete among them. */
  readonly present: number;
  /** Objects that are to be deleted. */
  readonly waiting: number;
  /** Objects that were deleted within the window. */
  readonly done: number;
  /** When the first and the last of those that wait were asked for. */
  readonly firstAskedMs: number;
  readonly lastAskedMs: number;
}

export type DeletionVerdict =
  | { readonly kind: "go" }
  /** More may be on their way: how many it is to be is known in a moment. */
  | { readonly kind: "gather"; readonly afterMs: number }
  | { readonly kind: "hold" };

/** Deletions come one by one. Few go at once; of more the whole is waited for, for so long after the last, and no longer. */
const GATHER_MS = 1_000;
const GATHER_AT_MOST_MS = 5_000;

/** Decides for all deletions that wait in a cluster together. */
export function decideDeletions(figures: DeletionFigures, limits: DeletionLimits, nowMs: number): DeletionVerdict {
  const losing = figures.waiting + figures.done;
  const had = figures.present + figures.done;
  if (losing > limits.count && losing * 100 > had * limits.sharePercent) return { kind: "hold" };
  // It takes more than the count to be held, so a small cluster and a single object never wait.
  if (had <= limits.count || losing <= limits.count / 2) return { kind: "go" };
  const quietAtMs = figures.lastAskedMs + GATHER_MS;
  const goesAtMs = Math.min(quietAtMs, figures.firstAskedMs + GATHER_AT_MOST_MS);
  return goesAtMs <= nowMs ? { kind: "go" } : { kind: "gather", afterMs: goesAtMs - nowMs };
}

/** On a Cluster in which much was deleted of late, so that the next process counts on from there. */
export const RECENT_DELETIONS_CONDITION = "RecentDeletions";
const TOLD = /^(\d{1,6}) objects? .*, the last at ([^ ]+)\. /;

/**
 * What is told of deletions at those times (milliseconds, oldest first) within the window. Few are not worth a write: less is
 * forgotten over a restart than half of what may go unasked.
 */
export function recentDeletionsCondition(done: readonly number[], limits: DeletionLimits, nowMs: number): Condition {
  const last = done.at(-1);
  const isMuch = last !== undefined && done.length * 2 > limits.count;
  return {
    type: RECENT_DELETIONS_CONDITION,
    status: isMuch ? "True" : "False",
    reason: isMuch ? "Counted" : "FewDeletions",
    message: isMuch
      ? `${done.length} ${done.length === 1 ? "object was" : "objects were"} deleted within ${formatDuration(limits.windowMs)}, ` +
        `the last at ${rfc3339(last)}. They count when it is decided whether more is held as a mass deletion.`
      : "few or no objects were deleted of late",
    lastTransitionTime: rfc3339(nowMs),
  };
}

/** The times of deletions that an earlier process told of and that still count: all at that of the last. */
export function recentDeletions(told: Condition | undefined, limits: DeletionLimits, nowMs: number): number[] {
  const [, count, last] = (told?.status === "True" ? TOLD.exec(told.message ?? "") : undefined) ?? [];
  const lastMs = Math.min(Date.parse(last ?? ""), nowMs);
  // Nothing that is not a time is later than anything.
  return lastMs > nowMs - limits.windowMs ? Array.from({ length: Number(count) }, () => lastMs) : [];
}
