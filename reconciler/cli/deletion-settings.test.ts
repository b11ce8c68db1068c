import { describe, expect, it } from "vitest";
import { type Invocation, UsageError } from "./command.ts";
import { readDeletionSettings } from "./deletion-settings.ts";

function read(values: Invocation["values"], compatibility: "karmada" | "flaghoist" = "flaghoist") {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  return readDeletionSettings({ values, positionals: [], io, signal, runCommand: async () => 0 }, compatibility)
    .deletionLimits;
}

describe("readDeletionSettings", () => {
  it("holds mass deletions by default, and none where it is to do as Karmada", () => {
    expect(read({})).toEqual({ sharePercent: 30, count: 20, windowMs: 600_000 });
    expect(read({}, "karmada")).toBeUndefined();
  });

  it("takes other limits, and none", () => {
    expect(read({ "deletion-limit-percent": "5", "deletion-limit-count": "0" }, "karmada")).toMatchObject({
      sharePercent: 5,
      count: 0,
    });
    expect(read({ "deletion-limit-percent": "100" })).toBeUndefined();
  });

  it.each(["-1", "101", "ten", "1.5", ""])("refuses a share of %j", (text) => {
    expect(() => read({ "deletion-limit-percent": text })).toThrow(UsageError);
  });
});
