import { describe, expect, it } from "vitest";
import { type Invocation, UsageError } from "./command.ts";
import { readLeaderSettings } from "./leader-settings.ts";

function read(values: Invocation["values"], hasStore = true) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  return readLeaderSettings({ values, positionals: [], io, signal, runCommand: async () => 0 }, hasStore);
}

describe("readLeaderSettings", () => {
  it("elects with a store of its own, by Karmada's times and namespace", () => {
    expect(read({})).toMatchObject({
      namespace: "karmada-system",
      name: "flaghoist",
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
    expect(read({})?.identity).not.toBe(read({})?.identity);
  });

  it("elects nobody when told so, and where one process has the data folder to itself", () => {
    expect(read({ "leader-elect": "false" })).toBeUndefined();
    expect(read({}, false)).toBeUndefined();
  });

  it.each([
    [{ "leader-elect": "maybe" }, true, "true or false"],
    [{ "leader-elect-lease-duration": "10s" }, true, "longer than --leader-elect-renew-deadline"],
    [{ "leader-elect-renew-deadline": "2s" }, true, "1.2 times"],
    [{ "leader-elect-retry-period": "0s" }, true, "more than 0s"],
    [{ "leader-elect-retry-period": "soon" }, true, 'not "soon"'],
    [{ "leader-elect": "true" }, false, "is for --store"],
  ])("refuses %j", (values, hasStore, message) => {
    expect(() => read(values, hasStore)).toThrow(UsageError);
    expect(() => read(values, hasStore)).toThrow(message);
  });
});
