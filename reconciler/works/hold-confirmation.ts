// Whether a person's word, which is a time, is about this hold and not about an earlier one: also where clocks jumped back.
import { isApprovedSince } from "../../api/gitops.ts";

/** No clock is that far off: a word of a later time is none, and does not count for every hold to come. */
const WRONG_BY_AT_MOST_MS = 366 * 86_400_000;

/**
 * The time (milliseconds) that a hold which begins now goes by. It is after that of every confirmation there is, for that was
 * about another hold; clocks that jumped back must not make it one of this.
 */
export function holdTime(word: string | undefined, nowMs: number): number {
  const saidMs = word === undefined ? Number.NaN : Date.parse(word);
  const isOfSomeHold = saidMs >= nowMs - WRONG_BY_AT_MOST_MS && saidMs <= nowMs + WRONG_BY_AT_MOST_MS;
  // Words tell whole seconds.
  return isOfSomeHold ? Math.max(nowMs, saidMs + 1_000) : nowMs;
}

/** Whether a person's word, as annotated, confirms the hold of that time. */
export function isHoldConfirmed(word: string | undefined, heldSinceMs: number, nowMs: number): boolean {
  if (word === undefined || !isApprovedSince(word, heldSinceMs)) return false;
  return Date.parse(word) <= Math.max(nowMs, heldSinceMs) + WRONG_BY_AT_MOST_MS;
}
