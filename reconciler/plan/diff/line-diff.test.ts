import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { diffLines } from "./line-diff.ts";

function shown(before: readonly string[], after: readonly string[]): string[] {
  return diffLines(before, after).map((edit) =>
    edit.op === "+" ? `+${after[edit.after]}` : `${edit.op}${before[edit.before]}`,
  );
}

describe("diffLines", () => {
  it("says nothing of equal lines and all of new ones", () => {
    expect(shown(["a", "b"], ["a", "b"])).toEqual([" a", " b"]);
    expect(shown([], ["a"])).toEqual(["+a"]);
    expect(shown(["a"], [])).toEqual(["-a"]);
    expect(shown([], [])).toEqual([]);
  });

  it("changes as few lines as can be, the old one first", () => {
    expect(shown([..."abcabba"], [..."cbabac"]).filter((line) => !line.startsWith(" "))).toHaveLength(5);
    expect(shown(["a", "x", "c"], ["a", "y", "c"])).toEqual([" a", "-x", "+y", " c"]);
  });

  it("leads from any lines to any others", () => {
    const random = new Random(7);
    for (let round = 0; round < 500; round++) {
      const [before, after] = [0, 1].map(() => random.list(30, () => random.pick([..."abcdef"])));
      const edits = diffLines(before ?? [], after ?? []);
      const sides = { before: edits.filter(({ op }) => op !== "+"), after: edits.filter(({ op }) => op !== "-") };
      expect(sides.before.map((edit) => "before" in edit && edit.before)).toEqual(before?.map((_, index) => index));
      expect(sides.after.map((edit) => "after" in edit && edit.after)).toEqual(after?.map((_, index) => index));
      for (const edit of edits) if (edit.op === " ") expect(before?.[edit.before]).toBe(after?.[edit.after]);
    }
  });

  it("keeps lines that are there once where very much changes", () => {
    const before = Array.from({ length: 20_000 }, (_, index) => (index % 10 === 0 ? `kept ${index}` : `old ${index}`));
    const after = before.map((line) => line.replace("old", "new"));

    const kept = diffLines(before, after).filter(({ op }) => op === " ");

    expect(kept).toHaveLength(2_000);
  });
});
