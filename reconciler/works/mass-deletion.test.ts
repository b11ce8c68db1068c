import { describe, expect, it } from "vitest";
import {
  DEFAULT_DELETION_LIMITS,
  decideDeletions,
  recentDeletions,
  recentDeletionsCondition,
} from "./mass-deletion.ts";

const NOW = 1_000_000;

function verdict(present: number, waiting: number, done = 0, askedAgoMs = 60_000): string {
  const asked = NOW - askedAgoMs;
  const figures = { present, waiting, done, firstAskedMs: asked, lastAskedMs: asked };
  return decideDeletions(figures, DEFAULT_DELETION_LIMITS, NOW).kind;
}

describe("decideDeletions", () => {
  it.each([
    [1_000, 1, 0, "go", "a single object"],
    [1, 1, 0, "go", "the only object"],
    [20, 20, 0, "go", "everything of a small cluster"],
    [60, 20, 0, "go", "a third, but no more than the count"],
    [60, 21, 0, "hold", "more than both"],
    [1_000, 300, 0, "go", "much, but exactly the share"],
    [1_000, 301, 0, "hold", "more than the share of a large cluster"],
    [21, 21, 0, "hold", "everything"],
    [45, 6, 15, "hold", "too much within the window, little by little"],
    [45, 6, 12, "go", "little by little, within the limits"],
  ])("of %i deleting %i after %i: %s (%s)", (present, waiting, done, expected) => {
    expect(verdict(present, waiting, done)).toBe(expected);
  });

  it("lets few go at once, and of more waits for the whole", () => {
    expect(verdict(100, 10, 0, 0)).toBe("go");
    expect(verdict(100, 11, 0, 0)).toBe("gather");
    expect(verdict(100, 11, 0, 999)).toBe("gather");
    expect(verdict(100, 11, 0, 1_000)).toBe("go");
  });

  it("waits no longer than five seconds for a stream that does not end", () => {
    const figures = { present: 1_000, waiting: 100, done: 0, firstAskedMs: NOW - 4_900, lastAskedMs: NOW };

    expect(decideDeletions(figures, DEFAULT_DELETION_LIMITS, NOW)).toEqual({ kind: "gather", afterMs: 100 });
    expect(decideDeletions(figures, DEFAULT_DELETION_LIMITS, NOW + 100).kind).toBe("go");
  });

  it("makes nobody wait in a cluster that has too little to be held", () => {
    expect(verdict(20, 15, 0, 0)).toBe("go");
  });

  it("holds at once what is too much already, however young it is", () => {
    expect(verdict(100, 50, 0, 0)).toBe("hold");
  });
});

describe("recentDeletions", () => {
  const at = Date.parse("2026-02-03T04:05:06Z");
  const done = Array.from({ length: 15 }, (_, i) => at - (15 - i) * 1_000);

  it("are those that the condition tells of, all at the time of the last", () => {
    const told = recentDeletionsCondition(done, DEFAULT_DELETION_LIMITS, at);

    expect(told.status).toBe("True");
    expect(recentDeletions(told, DEFAULT_DELETION_LIMITS, at)).toEqual(done.map(() => at - 1_000));
    expect(recentDeletions(told, DEFAULT_DELETION_LIMITS, at - 3_600_000)).toEqual(done.map(() => at - 3_600_000));
    expect(recentDeletions(told, DEFAULT_DELETION_LIMITS, at + 600_000)).toEqual([]);
  });

  it("are not told of while they are few", () => {
    expect(recentDeletionsCondition(done.slice(0, 10), DEFAULT_DELETION_LIMITS, at).status).toBe("False");
  });

  it("are none where the condition tells of none", () => {
    const told = recentDeletionsCondition(done, DEFAULT_DELETION_LIMITS, at);

    expect(recentDeletions(undefined, DEFAULT_DELETION_LIMITS, at)).toEqual([]);
    expect(recentDeletions({ ...told, message: "many" }, DEFAULT_DELETION_LIMITS, at)).toEqual([]);
    expect(recentDeletions({ ...told, status: "False" }, DEFAULT_DELETION_LIMITS, at)).toEqual([]);
  });
});
