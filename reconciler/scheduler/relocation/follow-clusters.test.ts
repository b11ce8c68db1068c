import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding, TargetCluster } from "../../../api/work.ts";
import { binding as bindingOf, cluster as clusterOf, deployment, policy } from "../../../test/builders.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import { withTargets } from "../testing/moved-targets.ts";
import { decideFollowing } from "./follow-clusters.ts";

const NOW = Date.parse("2026-02-03T04:05:00Z");
const DAMPING = { healthDampingMs: 60_000 };

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
} as const;
const STATIC = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } as const;
const PROD = { labelSelector: { matchLabels: { stage: "prod" } } };

/** Ready, or not, for so many seconds. */
function cluster(
  name: string,
  words: { stage?: string; ready?: boolean; forSeconds?: number; pods?: number } = {},
): Cluster {
  const { stage = "prod", ready = true, forSeconds = 3_600, pods = 100 } = words;
  const made = clusterOf({ name, ready, labels: { stage }, allocatable: { pods: String(pods) } });
  const lastTransitionTime = new Date(NOW - forSeconds * 1_000).toISOString();
  const conditions = made.status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime }));
  return { ...made, status: { ...made.status, ...(conditions === undefined ? {} : { conditions }) } };
}

function binding(placement: Placement, targets: Readonly<Record<string, number>>): ResourceBinding {
  const clusters: TargetCluster[] = Object.entries(targets).map(([name, replicas]) => ({ name, replicas }));
  const replicas = clusters.reduce((sum, target) => sum + (target.replicas ?? 0), 0);
  return bindingOf({ template: deployment(), policy: policy({ name: "web", placement }), clusters, replicas });
}

function follow(one: ResourceBinding, clusters: readonly Cluster[]) {
  return withTargets(decideFollowing(one, new FleetIndex(clusters), NOW, DAMPING));
}

describe("decideFollowing by labels", () => {
  const following: Placement = {
    clusterAffinity: PROD,
    replicaScheduling: DYNAMIC,
    flaghoist: { rescheduleOn: ["ClusterLabels"] },
  };

  it("leaves a target that no longer matches, and moves nothing but its replicas", () => {
    const clusters = [cluster("a", { stage: "test" }), cluster("b"), cluster("c")];

    const decision = follow(binding(following, { a: 2, b: 3, c: 1 }), clusters);

    expect(decision).toMatchObject({
      verdict: "move",
      occasion: { kind: "target-mismatched", reason: "cluster a no longer matches placement.clusterAffinity" },
    });
    expect(decision.targets).toMatchObject({ b: 4, c: 2 });
  });

  it("does nothing unless the placement asks for it", () => {
    const { flaghoist: _, ...plain } = following;
    const clusters = [cluster("a", { stage: "test" }), cluster("b")];

    expect(follow(binding(plain, { a: 2, b: 2 }), clusters)).toMatchObject({ verdict: "none" });
    const health: Placement = { ...plain, flaghoist: { rescheduleOn: ["ClusterHealth"] } };
    expect(follow(binding(health, { a: 2, b: 2 }), clusters)).toMatchObject({ verdict: "none" });
  });

  it("keeps everything where it is when the others have too little room", () => {
    const clusters = [cluster("a", { stage: "test" }), cluster("b", { pods: 1 })];

    const decision = follow(binding(following, { a: 2, b: 2 }), clusters);

    expect(decision.verdict).toBe("stay");
    expect(decision.reason).toContain("cluster a no longer matches placement.clusterAffinity, but its replicas stay");
    expect(decision.reason).toContain("not enough to schedule");
  });

  it("never moves to a cluster that is not ready, even where its taint is tolerated", () => {
    const clusters = [cluster("a", { stage: "test" }), cluster("b", { ready: false }), cluster("c")];

    expect(follow(binding(following, { a: 2 }), clusters).targets).toEqual({ c: 2 });
    expect(follow(binding(following, { a: 2 }), clusters.slice(0, 2))).toMatchObject({ verdict: "stay" });
  });

  it("leaves replicas that are divided by room alone when another cluster matches", () => {
    const clusters = [cluster("a"), cluster("b"), cluster("new")];

    expect(follow(binding(following, { a: 2, b: 2 }), clusters)).toMatchObject({ verdict: "none" });
  });

  it("gives a cluster that matches now the share that static weights prescribe", () => {
    const clusters = [cluster("a"), cluster("b"), cluster("new")];

    const decision = follow(binding({ ...following, replicaScheduling: STATIC }, { a: 3, b: 3 }), clusters);

    expect(decision.targets).toEqual({ a: 2, b: 2, new: 2 });
    expect(decision.reason).toBe("clusters changed: new is to have replicas now");
  });

  it("goes back from an overflow tier to a cluster that joins the group itself", () => {
    const placement: Placement = {
      clusterAffinities: [
        { affinityName: "main", ...PROD, overflowAffinities: [{ affinityName: "spare", clusterNames: ["spare"] }] },
      ],
      replicaScheduling: DYNAMIC,
      flaghoist: { rescheduleOn: ["ClusterLabels"] },
    };
    const placed = binding(placement, { a: 2, spare: 2 });
    const observed = { ...placed, status: { ...placed.status, schedulerObservingAffinityName: "main" } };
    const clusters = [cluster("a", { pods: 0 }), cluster("b"), cluster("spare", { stage: "spare" })];

    expect(follow(observed, clusters).targets).toEqual({ a: 2, b: 2 });
  });

  it("is no matter of full copies, which follow clusters anyway", () => {
    const { replicaScheduling: _, ...full } = following;
    const placed = binding(full, { a: 2 });

    expect(follow({ ...placed, spec: { ...placed.spec, replicas: 2 } }, [cluster("a")])).toMatchObject({
      verdict: "none",
      reason: "its replicas are not divided",
    });
  });

  it("has nothing more to move once that was written", () => {
    const clusters = [cluster("a", { stage: "test" }), cluster("b"), cluster("c")];
    const decision = follow(binding(following, { a: 2, b: 2, c: 2 }), clusters);

    const next = follow(binding(following, decision.targets as Record<string, number>), clusters);

    expect(next).toMatchObject({ verdict: "none" });
  });
});

describe("decideFollowing by health", () => {
  const following: Placement = { replicaScheduling: DYNAMIC, flaghoist: { rescheduleOn: ["ClusterHealth"] } };
  const weighted: Placement = { ...following, replicaScheduling: STATIC };

  it("leaves a target that has not been ready for the damping time, and not before", () => {
    const at = (forSeconds: number) =>
      follow(binding(following, { a: 2, b: 2, c: 2 }), [
        cluster("a", { ready: false, forSeconds }),
        cluster("b"),
        cluster("c"),
      ]);

    expect(at(59)).toMatchObject({ verdict: "none", nextMs: NOW + 1_000 });
    expect(at(60)).toMatchObject({
      verdict: "move",
      occasion: { kind: "target-not-ready", reason: "cluster a has not been ready since 2026-02-03T04:04:00Z" },
      targets: { b: 3, c: 3 },
    });
  });

  it("moves to clusters that have been ready for the damping time only, so that one that flaps gets nothing", () => {
    const clusters = [cluster("a", { ready: false }), cluster("b", { forSeconds: 20 }), cluster("c")];

    const decision = follow(binding(following, { a: 2 }), clusters);

    expect(decision.targets).toEqual({ c: 2 });
    expect(decision.nextMs).toBe(NOW + 40_000);
  });

  it("gives a cluster its static share back once it has been ready for the damping time", () => {
    const at = (forSeconds: number) =>
      follow(binding(weighted, { b: 3, c: 3 }), [cluster("a", { forSeconds }), cluster("b"), cluster("c")]);

    expect(at(30)).toMatchObject({ verdict: "none", nextMs: NOW + 30_000 });
    expect(at(60).targets).toEqual({ a: 2, b: 2, c: 2 });
  });

  it("stays on a cluster that is not ready when no other would take its replicas", () => {
    const clusters = [cluster("a", { ready: false }), cluster("b", { ready: false })];

    expect(follow(binding(following, { a: 2, b: 2 }), clusters)).toMatchObject({ verdict: "stay" });
  });

  it("waits for no condition that does not say since when it holds", () => {
    const unsaid = cluster("a", { ready: false });
    const conditions = unsaid.status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime: "" }));
    const clusters = [{ ...unsaid, status: { ...unsaid.status, conditions: conditions ?? [] } }, cluster("b")];

    expect(follow(binding(following, { a: 2 }), clusters)).toMatchObject({ verdict: "none" });
  });
});
