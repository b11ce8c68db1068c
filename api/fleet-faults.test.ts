import { describe, expect, it } from "vitest";
import { FAULT_TYPES, faultProblems, faultSchema } from "./fleet-faults.ts";

const all = { clusters: ["*"] };

/** The least that a fault of each type must say. */
const LEAST: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "api-group-missing": { group: "apps" },
  "clock-skew": { by: "-5m" },
  "capacity-shrink": { by: { cpu: "50%", memory: "1Gi" } },
  "slow-disk": { factor: 10 },
  "crash-loop": { images: ["web:*"] },
  "image-pull-failure": { images: ["web:*"] },
  partition: { from: ["control-plane", "cluster:edge-*"] },
  upgrade: { to: "v1.37.0" },
};

describe("a fault", () => {
  it.each(FAULT_TYPES)("of type %s needs a type, a target and little else", (type) => {
    const fault = { type, target: all, ...LEAST[type] };

    expect(faultProblems(fault)).toEqual([]);
    expect(faultSchema.safeParse(fault).success).toBe(true);
  });

  it.each<[string, unknown, string, string]>([
    ["no object", "down", "", "must be an object with a type and a target"],
    ["a misspelt type", { type: "dwn", target: all }, "type", 'there is no fault "dwn". Did you mean down?'],
    ["no type", { target: all }, "type", `is required; choose ${FAULT_TYPES.join(", ")}`],
    ["no target", { type: "down" }, "target", "is required"],
    ["an empty target", { type: "down", target: {} }, "target", 'says nothing; for all clusters write clusters: ["*"]'],
    [
      "a misspelt field",
      { type: "slow", target: all, latncy: {} },
      "latncy",
      "there is no such field. Did you mean latency?",
    ],
    ["a field of another type", { type: "down", target: all, factor: 3 }, "factor", "there is no such field"],
    [
      "a duration without a unit",
      { type: "down", target: all, for: "5" },
      "for",
      'must be a duration such as 300ms, 30s or 1h30m, not "5"',
    ],
    ["an end before the beginning", { type: "down", target: all, for: "0s" }, "for", "must be more than 0"],
    ["a restore that lasts", { type: "restore", target: all, for: "5m" }, "for", "there is no such field"],
    ["a repetition that never ends", { type: "down", target: all, every: "5m" }, "for", "is required with every"],
    [
      "repetitions that overlap",
      { type: "down", target: all, every: "5m", for: "4m", jitter: "1m" },
      "every",
      "must be longer than for and jitter together",
    ],
    [
      "two latencies",
      { type: "slow", target: all, latency: { fixed: "1s", min: "1s", max: "2s" } },
      "latency",
      "takes fixed, or min and max, or p50 and p99",
    ],
    [
      "a latency upside down",
      { type: "slow", target: all, latency: { p50: "3s", p99: "2s" } },
      "latency",
      "3s is more than 2s",
    ],
    ["a share above all", { type: "errors", target: all, percent: 101 }, "percent", "101 is more than 100"],
    [
      "an unknown party",
      { type: "partition", target: all, from: ["karmada"] },
      "from[0]",
      'must be control-plane, users, agents, nodes or cluster:NAME, not "karmada"',
    ],
  ])("says what is wrong and where: %s", (_what, fault, field, words) => {
    expect(faultProblems(fault)).toEqual([{ field, words }]);
  });
});
