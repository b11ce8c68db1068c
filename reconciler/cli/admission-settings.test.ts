import { describe, expect, it } from "vitest";
import { readAdmissionSettings } from "./admission-settings.ts";
import { type Invocation, UsageError } from "./command.ts";

function read(values: Invocation["values"]) {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: "/" };
  const { signal } = new AbortController();
  return readAdmissionSettings({ values, positionals: [], io, signal, runCommand: async () => 0 });
}

describe("readAdmissionSettings", () => {
  it("is as Karmada by default", () => {
    expect(read({})).toEqual({ allowNoExecuteTaintPolicy: false, quotaRecountMs: 300_000 });
  });

  it("takes what the flags say", () => {
    expect(read({ "allow-no-execute-taint-policy": true, "federated-resource-quota-sync-period": "0s" })).toEqual({
      allowNoExecuteTaintPolicy: true,
      quotaRecountMs: 0,
    });
  });

  it("refuses what is no time", () => {
    expect(() => read({ "federated-resource-quota-sync-period": "often" })).toThrow(UsageError);
    expect(() => read({ "federated-resource-quota-sync-period": "often" })).toThrow('not "often"');
  });
});
