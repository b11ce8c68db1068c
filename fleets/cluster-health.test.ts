import { describe, expect, it } from "vitest";
import type { Condition } from "../kube/object.ts";
import { DEFAULT_THRESHOLDS, decideReady, type Probe, type ProbeMemory } from "./cluster-health.ts";

const START = Date.UTC(2026, 0, 1);

/** Probes at given seconds; answers what was published after each. */
function published(probes: readonly (readonly [second: number, probe: Probe])[], before?: Condition): string[] {
  let condition = before;
  let memory: ProbeMemory | undefined;
  return probes.map(([second, probe]) => {
    const decision = decideReady(probe, condition, memory, DEFAULT_THRESHOLDS, START + second * 1_000);
    condition = decision.condition;
    memory = decision.memory;
    return `${condition.status} ${condition.reason}`;
  });
}

function ready(status: Condition["status"]): Condition {
  return { type: "Ready", status, reason: "Before", message: "", lastTransitionTime: "2025-01-01T00:00:00Z" };
}

const GOOD = "True ClusterReady";
const OFFLINE = "False ClusterNotReachable";
const SICK = "False ClusterNotReady";

describe("decideReady", () => {
  it.each<[string, Probe, string]>([
    ["healthy", "healthy", GOOD],
    ["unhealthy", "unhealthy", SICK],
    ["offline", "offline", OFFLINE],
    ["not to be connected to", "not-configured", "False StatusCollectionFailed"],
  ])("takes the first observation as it is: %s", (_what, probe, expected) => {
    expect(published([[0, probe]])).toEqual([expected]);
    // After a restart too, whatever is published.
    expect(published([[0, probe]], ready("True"))).toEqual([expected]);
    expect(published([[0, probe]], ready("False"))).toEqual([expected]);
  });

  it("publishes a failure when it has lasted 30 s", () => {
    expect(
      published([
        [0, "healthy"],
        [10, "offline"],
        [20, "offline"],
        [39, "offline"],
        [40, "offline"],
      ]),
    ).toEqual([GOOD, GOOD, GOOD, GOOD, OFFLINE]);
  });

  it("publishes a recovery when it has lasted 30 s", () => {
    expect(
      published([
        [0, "offline"],
        [10, "healthy"],
        [39, "healthy"],
        [40, "healthy"],
      ]),
    ).toEqual([OFFLINE, OFFLINE, OFFLINE, GOOD]);
  });

  it("begins to count anew after each good observation in between", () => {
    expect(
      published([
        [0, "healthy"],
        [10, "offline"],
        [20, "healthy"],
        [30, "offline"],
        [50, "offline"],
        [60, "offline"],
      ]),
    ).toEqual([GOOD, GOOD, GOOD, GOOD, GOOD, OFFLINE]);
  });

  it("counts different ways of being bad as one", () => {
    expect(
      published([
        [0, "healthy"],
        [10, "offline"],
        [25, "unhealthy"],
        [40, "unhealthy"],
      ]),
    ).toEqual([GOOD, GOOD, GOOD, SICK]);
  });

  it("changes the reason of a cluster that is not ready at once", () => {
    expect(
      published([
        [0, "offline"],
        [10, "unhealthy"],
        [20, "offline"],
      ]),
    ).toEqual([OFFLINE, SICK, OFFLINE]);
  });

  it("moves between unknown and not ready at once", () => {
    expect(
      published(
        [
          [0, "offline"],
          [10, "offline"],
        ],
        ready("Unknown"),
      ),
    ).toEqual([OFFLINE, OFFLINE]);
  });

  it("keeps the time of the transition while the status stays", () => {
    const first = decideReady("offline", undefined, undefined, DEFAULT_THRESHOLDS, START);
    const second = decideReady("unhealthy", first.condition, first.memory, DEFAULT_THRESHOLDS, START + 10_000);

    expect(second.condition.lastTransitionTime).toBe("2026-01-01T00:00:00Z");
  });

  it("says how long until a lasting observation is published", () => {
    const first = decideReady("healthy", undefined, undefined, DEFAULT_THRESHOLDS, START);
    const second = decideReady("offline", first.condition, first.memory, DEFAULT_THRESHOLDS, START + 10_000);
    const third = decideReady("offline", second.condition, second.memory, DEFAULT_THRESHOLDS, START + 25_000);

    expect([first, second, third].map((decision) => decision.publishInMs)).toEqual([undefined, 30_000, 15_000]);
  });

  it("says why a cluster cannot be connected to", () => {
    const { condition } = decideReady("not-configured", undefined, undefined, DEFAULT_THRESHOLDS, START, "no token");

    expect(condition.message).toBe("no token");
  });
});
