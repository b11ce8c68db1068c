import { describe, expect, it } from "vitest";
import type { Condition } from "../kube/object.ts";
import { rfc3339 } from "../runtime/clock.ts";
import { afterWriting, decideLiveness, type LivenessMemory, type LivenessSigns } from "./cluster-liveness.ts";

const T0 = Date.UTC(2026, 0, 1);
const TIMES = { graceMs: 40_000, startupGraceMs: 60_000 };

function ready(status: Condition["status"], at = T0): Condition {
  return { type: "Ready", status, reason: "ClusterReady", message: "", lastTransitionTime: rfc3339(at) };
}

function signs(more: Partial<LivenessSigns> = {}): LivenessSigns {
  return { ready: ready("True"), renewTime: undefined, createdAt: T0, ...more };
}

/** Looks again and again at times after T0, in seconds; answers with the reason at each. */
function reasons(looks: readonly (readonly [second: number, signs: LivenessSigns])[]): (string | undefined)[] {
  let memory: LivenessMemory | undefined;
  return looks.map(([second, seen]) => {
    const decision = decideLiveness(seen, memory, TIMES, T0 + second * 1000);
    memory = afterWriting(decision);
    return decision.condition?.reason;
  });
}

describe("decideLiveness", () => {
  it("waits longer than the grace after the last sign of life", () => {
    expect(
      reasons([
        [100, signs()],
        [140, signs()],
        [141, signs()],
      ]),
    ).toEqual([undefined, undefined, "ClusterStatusUnknown"]);
  });

  it("says so in Karmada's words", () => {
    const memory = decideLiveness(signs(), undefined, TIMES, T0).memory;

    expect(decideLiveness(signs(), memory, TIMES, T0 + 41_000).condition).toEqual({
      type: "Ready",
      status: "Unknown",
      reason: "ClusterStatusUnknown",
      message: "Cluster status controller stopped posting cluster status.",
      lastTransitionTime: "2026-01-01T00:00:41Z",
    });
  });

  it("takes a renewed Lease as a sign of life, whatever the agent's clock says", () => {
    expect(
      reasons([
        [0, signs({ renewTime: "2020-01-01T00:00:00.000000Z" })],
        [39, signs({ renewTime: "2020-01-01T00:00:10.000000Z" })],
        [79, signs({ renewTime: "2020-01-01T00:00:10.000000Z" })],
        [80, signs({ renewTime: "2020-01-01T00:00:10.000000Z" })],
      ]),
    ).toEqual([undefined, undefined, undefined, "ClusterStatusUnknown"]);
  });

  it("takes no older Lease, and none without a time, for a renewal", () => {
    const late = "2026-01-01T00:00:10.000000Z";
    expect(
      reasons([
        [0, signs({ renewTime: late })],
        [30, signs({ renewTime: "2026-01-01T00:00:05.000000Z" })],
        [41, signs({ renewTime: "no time" })],
      ]),
    ).toEqual([undefined, undefined, "ClusterStatusUnknown"]);
  });

  it("takes a changed Ready condition as a sign of life, but not the one that it wrote itself", () => {
    const unknown = decideLiveness(
      signs(),
      { ready: ready("True"), renewedAt: undefined, heardAt: T0 },
      TIMES,
      T0 + 41_000,
    );
    expect(
      reasons([
        [0, signs()],
        [30, signs({ ready: ready("False", T0 + 30_000) })],
        [70, signs({ ready: ready("False", T0 + 30_000) })],
        [71, signs({ ready: ready("False", T0 + 30_000) })],
        [72, signs({ ready: unknown.condition })],
        [90, signs({ ready: ready("True", T0 + 90_000) })],
        [131, signs({ ready: ready("True", T0 + 90_000) })],
      ]),
    ).toEqual([undefined, undefined, undefined, "ClusterStatusUnknown", undefined, undefined, "ClusterStatusUnknown"]);
  });

  it("gives a cluster that never reported the startup grace from its creation", () => {
    const silent = signs({ ready: undefined });
    const { condition } = decideLiveness(silent, undefined, TIMES, T0 + 61_000);

    expect(
      reasons([
        [59, silent],
        [60, silent],
        [61, silent],
      ]),
    ).toEqual([undefined, undefined, "ClusterStatusNeverUpdated"]);
    expect(condition?.message).toBe("Cluster status controller never posted cluster status.");
  });

  it("gives a new grace after a restart of the control plane", () => {
    expect(
      reasons([
        [86_400, signs()],
        [86_440, signs()],
      ]),
    ).toEqual([undefined, undefined]);
  });

  it("leaves an Unknown cluster as it is", () => {
    expect(
      reasons([
        [0, signs({ ready: ready("Unknown") })],
        [500, signs({ ready: ready("Unknown") })],
      ]),
    ).toEqual([undefined, undefined]);
  });
});
