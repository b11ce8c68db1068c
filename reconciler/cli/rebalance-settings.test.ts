import { describe, expect, it } from "vitest";
import { type Invocation, UsageError } from "./command.ts";
import { readRebalanceSettings } from "./rebalance-settings.ts";

function read(values: Invocation["values"]) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  return readRebalanceSettings({ values, positionals: [], io, signal, runCommand: async () => 0 });
}

describe("readRebalanceSettings", () => {
  it("leaves replicas alone unless told otherwise", () => {
    expect(read({})).toEqual({ descheduler: undefined, clusterHealthDampingMs: 60_000 });
  });

  it("takes Karmada's times by default, and others by its flags", () => {
    expect(read({ descheduler: true }).descheduler).toMatchObject({ intervalMs: 120_000, thresholdMs: 300_000 });
    expect(
      read({ descheduler: true, "descheduling-interval": "30s", "unschedulable-threshold": "1m" }).descheduler,
    ).toMatchObject({
      intervalMs: 30_000,
      thresholdMs: 60_000,
    });
  });

  it("reads how long a cluster's health must last", () => {
    expect(read({ "cluster-health-damping": "90s" }).clusterHealthDampingMs).toBe(90_000);
    expect(read({ "cluster-health-damping": "0s" }).clusterHealthDampingMs).toBe(0);
  });

  it.each([
    [{ "cluster-health-damping": "-1s" }, "--cluster-health-damping takes a duration"],
    [{ "descheduling-interval": "30s" }, "--descheduling-interval has no effect without --descheduler"],
    [{ descheduler: true, "descheduling-interval": "0s" }, "at least 1s"],
    [{ descheduler: true, "unschedulable-threshold": "-5m" }, "--unschedulable-threshold takes a duration"],
    [{ descheduler: true, "unschedulable-threshold": "soon" }, 'not "soon"'],
  ])("refuses %j", (values, message) => {
    expect(() => read(values)).toThrow(UsageError);
    expect(() => read(values)).toThrow(message);
  });
});
