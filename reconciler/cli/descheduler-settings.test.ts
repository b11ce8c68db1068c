import { describe, expect, it } from "vitest";
import { type Invocation, UsageError } from "./command.ts";
import { readDeschedulerSettings } from "./descheduler-settings.ts";

function read(values: Invocation["values"]) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  return readDeschedulerSettings({ values, positionals: [], io, signal, runCommand: async () => 0 });
}

describe("readDeschedulerSettings", () => {
  it("leaves replicas alone unless told otherwise", () => {
    expect(read({})).toBeUndefined();
  });

  it("takes Karmada's times by default, and others by its flags", () => {
    expect(read({ descheduler: true })).toMatchObject({ intervalMs: 120_000, thresholdMs: 300_000 });
    expect(read({ descheduler: true, "descheduling-interval": "30s", "unschedulable-threshold": "1m" })).toMatchObject({
      intervalMs: 30_000,
      thresholdMs: 60_000,
    });
  });

  it.each([
    [{ "descheduling-interval": "30s" }, "--descheduling-interval has no effect without --descheduler"],
    [{ descheduler: true, "descheduling-interval": "0s" }, "at least 1s"],
    [{ descheduler: true, "unschedulable-threshold": "-5m" }, "--unschedulable-threshold takes a duration"],
    [{ descheduler: true, "unschedulable-threshold": "soon" }, 'not "soon"'],
  ])("refuses %j", (values, message) => {
    expect(() => read(values)).toThrow(UsageError);
    expect(() => read(values)).toThrow(message);
  });
});
