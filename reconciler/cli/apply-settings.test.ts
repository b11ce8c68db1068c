import { describe, expect, it } from "vitest";
import { memberRateOf, readApplySettings } from "./apply-settings.ts";
import { type Invocation, UsageError } from "./command.ts";

function read(values: Invocation["values"]) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  return readApplySettings({ values, positionals: [], io, signal, runCommand: async () => 0 });
}

describe("readApplySettings", () => {
  it("goes by compatibility unless told otherwise", () => {
    const { memberRate } = read({});

    expect(memberRateOf({ memberRate, compatibility: "karmada" })).toEqual({ perSecond: 40, burst: 60 });
    expect(memberRateOf({ memberRate, compatibility: "flaghoist" })).toEqual({ perSecond: 400, burst: 800 });
  });

  it("takes numbers, one for both or each of its own", () => {
    expect(read({ "cluster-api-qps": "10", "cluster-api-burst": "15" }).memberRate).toEqual({
      perSecond: 10,
      burst: 15,
    });
    expect(read({ "cluster-api-qps": "0.5" }).memberRate).toEqual({ perSecond: 0.5, burst: 1 });
    expect(read({ "cluster-api-burst": "9", compatibility: "karmada" }).memberRate).toEqual({
      perSecond: 40,
      burst: 9,
    });
  });

  it("has no bound where none is wanted", () => {
    const { memberRate } = read({ "cluster-api-qps": "-1" });

    expect(memberRateOf({ memberRate, compatibility: "karmada" })).toBeUndefined();
  });

  it.each([
    [{ "cluster-api-qps": "fast" }, 'takes a number, not "fast"'],
    [{ "cluster-api-qps": "-2" }, 'not "-2"'],
    [{ "cluster-api-qps": "0" }, "more than 0"],
    [{ "cluster-api-burst": "1.5" }, 'not "1.5"'],
    [{ "cluster-api-qps": "-1", "cluster-api-burst": "5" }, "has no effect"],
  ])("refuses %j", (values, message) => {
    expect(() => read(values)).toThrow(UsageError);
    expect(() => read(values)).toThrow(message);
  });
});
