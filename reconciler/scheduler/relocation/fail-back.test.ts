import { describe, expect, it } from "vitest";
import type { Cluster } from "../../../api/cluster.ts";
import type { Placement } from "../../../api/policy.ts";
import type { ResourceBinding, TargetCluster } from "../../../api/work.ts";
import { binding as bindingOf, cluster as clusterOf, deployment, policy } from "../../../test/builders.ts";
import { FleetIndex } from "../fleet/fleet-index.ts";
import { withTargets } from "../testing/moved-targets.ts";
import { decideFailBack, type FailBackOptions } from "./fail-back.ts";
import { rememberHome } from "./home-clusters.ts";

const NOW = Date.parse("2026-02-03T04:05:00Z");

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
} as const;

interface ClusterWords {
  readonly ready?: boolean;
  readonly forSeconds?: number;
  readonly pods?: number;
  readonly taints?: Cluster["spec"]["taints"];
}

function cluster(name: string, words: ClusterWords = {}): Cluster {
  const { ready = true, forSeconds = 3_600, pods = 100, taints } = words;
  const made = clusterOf({
    name,
    ready,
    allocatable: { pods: String(pods) },
    ...(taints === undefined ? {} : { taints }),
  });
  const lastTransitionTime = new Date(NOW - forSeconds * 1_000).toISOString();
  const conditions = made.status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime }));
  return { ...made, status: { ...made.status, ...(conditions === undefined ? {} : { conditions }) } };
}

function binding(
  placement: Placement,
  targets: Readonly<Record<string, number>>,
  words: { readonly group?: string; readonly replicas?: number } = {},
): ResourceBinding {
  const clusters: TargetCluster[] = Object.entries(targets).map(([name, replicas]) => ({ name, replicas }));
  const sum = clusters.reduce((total, target) => total + (target.replicas ?? 0), 0);
  const { group, replicas = sum } = words;
  const status = group === undefined ? {} : { schedulerObservingAffinityName: group };
  return bindingOf({ template: deployment(), policy: policy({ name: "web", placement }), clusters, replicas, status });
}

/** The binding after it was driven out of some of its clusters, to `targets`. */
function driven(home: ResourceBinding, targets: Readonly<Record<string, number>>): ResourceBinding {
  const annotations = { ...home.metadata.annotations, ...rememberHome(home, NOW - 7_200_000) };
  const clusters = Object.entries(targets).map(([name, replicas]) => ({ name, replicas }));
  return { ...home, metadata: { ...home.metadata, annotations }, spec: { ...home.spec, clusters } };
}

function failBack(one: ResourceBinding, clusters: readonly Cluster[], options: FailBackOptions = {}) {
  return withTargets(decideFailBack(one, new FleetIndex(clusters), NOW, options));
}

describe("decideFailBack to an earlier affinity group", () => {
  const placement: Placement = {
    clusterAffinities: [
      { affinityName: "first", clusterNames: ["a", "b"] },
      { affinityName: "second", clusterNames: ["c"] },
      { affinityName: "third", clusterNames: ["d"] },
    ],
    replicaScheduling: DYNAMIC,
    flaghoist: { failBack: { stabilizationSeconds: 300 } },
  };
  const away = binding(placement, { d: 6 }, { group: "third" });

  it("returns once clusters there have been ready without a break for the window, and not before", () => {
    const at = (forSeconds: number) =>
      failBack(away, [cluster("a", { forSeconds }), cluster("b", { ready: false }), cluster("d")]);

    expect(at(299)).toMatchObject({ verdict: "none", nextMs: NOW + 1_000 });
    expect(at(300)).toMatchObject({
      verdict: "move",
      occasion: { kind: "fail-back", reason: "returns: affinity group first has been well for 300s" },
      decision: { status: { schedulerObservingAffinityName: "first" } },
      targets: { a: 6 },
    });
  });

  it("returns to the first group that would take it", () => {
    const clusters = [cluster("a", { ready: false }), cluster("c"), cluster("d")];

    expect(failBack(away, clusters)).toMatchObject({
      targets: { c: 6 },
      decision: { status: { schedulerObservingAffinityName: "second" } },
    });
  });

  it("stays where it is unless there is room for every replica", () => {
    const decision = failBack(away, [cluster("a", { pods: 3 }), cluster("b", { pods: 2 }), cluster("d")]);

    expect(decision.verdict).toBe("stay");
    expect(decision.reason).toContain("affinity group first: it would fail there");
    expect(failBack(away, [cluster("a", { pods: 3 }), cluster("b", { pods: 3 }), cluster("d")]).targets).toEqual({
      a: 3,
      b: 3,
    });
  });

  it("asks for room also where copies of all replicas or static weights do not", () => {
    const { replicaScheduling: _, ...full } = placement;
    const copies = binding(full, { d: 6 }, { group: "third" });
    const fixed: Placement = {
      ...placement,
      replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" },
    };
    const clusters = [cluster("a", { pods: 5 }), cluster("b", { pods: 100 }), cluster("d")];

    expect(failBack(copies, clusters)).toMatchObject({
      verdict: "stay",
      reason:
        "stays where it is: affinity group first: cluster a has room for 5 of 6 replicas; affinity group second: no cluster has been well for 300s",
    });
    const tight = [cluster("a", { pods: 2 }), cluster("b", { pods: 100 }), cluster("d")];
    expect(failBack(binding(fixed, { d: 6 }, { group: "third" }), tight)).toMatchObject({ verdict: "stay" });
  });

  it("passes over clusters with a taint that keeps it away, and those that are known to have lost one lately", () => {
    const taints = [{ key: "maintenance", effect: "NoExecute" as const }];

    expect(failBack(away, [cluster("a", { taints }), cluster("d")]).verdict).toBe("stay");
    const untaintedSince = (name: string) => (name === "a" ? NOW - 60_000 : undefined);
    expect(failBack(away, [cluster("a"), cluster("d")], { untaintedSince })).toMatchObject({
      verdict: "none",
      nextMs: NOW + 240_000,
    });
  });

  it("does nothing in the first group, without the field, or while copies of the last move are about", () => {
    const clusters = [cluster("a"), cluster("d")];
    const { flaghoist: _, ...plain } = placement;
    const task = { fromCluster: "c", producer: "TaintManager", reason: "TaintUntolerated" };

    expect(failBack(binding(placement, { a: 6 }, { group: "first" }), clusters).verdict).toBe("none");
    expect(failBack(binding(plain, { d: 6 }, { group: "third" }), clusters).verdict).toBe("none");
    expect(failBack({ ...away, spec: { ...away.spec, gracefulEvictionTasks: [task] } }, clusters)).toMatchObject({
      verdict: "none",
      reason: "it is still leaving other clusters",
    });
  });

  it("waits five minutes unless told otherwise, and not at all for a window of none", () => {
    const withWindow = (failBackField: { stabilizationSeconds?: number }) =>
      binding({ ...placement, flaghoist: { failBack: failBackField } }, { d: 6 }, { group: "third" });

    expect(failBack(withWindow({}), [cluster("a", { forSeconds: 299 }), cluster("d")]).verdict).toBe("none");
    expect(failBack(withWindow({}), [cluster("a", { forSeconds: 300 }), cluster("d")]).verdict).toBe("move");
    expect(
      failBack(withWindow({ stabilizationSeconds: 0 }), [cluster("a", { forSeconds: 0 }), cluster("d")]).verdict,
    ).toBe("move");
  });
});

describe("decideFailBack to clusters that were left", () => {
  const placement: Placement = {
    replicaScheduling: DYNAMIC,
    flaghoist: { failBack: { stabilizationSeconds: 60 } },
  };
  const home = binding(placement, { a: 2, b: 2, c: 2 });

  it("restores the targets from before the eviction", () => {
    const decision = failBack(driven(home, { b: 3, c: 3 }), [cluster("a"), cluster("b"), cluster("c")]);

    expect(decision).toMatchObject({ targets: { a: 2, b: 2, c: 2 }, endsAtHome: true });
    expect(decision.reason).toBe("returns: left cluster a has been well for 60s");
  });

  it("returns to those of several that are well, and to the rest later", () => {
    const decision = failBack(driven(home, { c: 6 }), [cluster("a"), cluster("b", { forSeconds: 20 }), cluster("c")]);

    expect(decision).toMatchObject({ verdict: "move", endsAtHome: false, nextMs: NOW + 40_000 });
    expect(Object.keys(decision.targets ?? {}).sort()).toEqual(["a", "c"]);
  });

  it("brings replicas that were added meanwhile along", () => {
    const grown = driven(home, { b: 6, c: 6 });
    const decision = failBack({ ...grown, spec: { ...grown.spec, replicas: 12 } }, [
      cluster("a"),
      cluster("b"),
      cluster("c"),
    ]);

    expect(Object.values(decision.targets ?? {}).reduce((sum: number, each) => sum + (each ?? 0), 0)).toBe(12);
    expect(decision.targets?.["a"]).toBeGreaterThanOrEqual(2);
  });

  it("stays where it is when the left cluster has too little room, or no longer matches", () => {
    const fleet = (words: ClusterWords) => [cluster("a", words), cluster("b"), cluster("c")];

    expect(failBack(driven(home, { b: 3, c: 3 }), fleet({ pods: 1 }))).toMatchObject({
      verdict: "stay",
      reason: "stays where it is: left cluster a: cluster a has room for 1 of 2 replicas",
    });
    expect(failBack(driven(home, { b: 3, c: 3 }), fleet({ ready: false }))).toMatchObject({ verdict: "none" });
    expect(failBack(driven(home, { b: 3, c: 3 }), [cluster("b"), cluster("c")])).toMatchObject({ verdict: "none" });
  });

  it("forgets where it was when the placement changed, or clusters were chosen afresh since", () => {
    const clusters = [cluster("a"), cluster("b"), cluster("c")];
    const away = driven(home, { b: 3, c: 3 });
    const fresh = { ...away, spec: { ...away.spec, rescheduleTriggeredAt: "2026-02-03T04:00:00Z" } };
    const other: Placement = { ...placement, clusterTolerations: [{ key: "x", operator: "Exists" }] };
    const applied = { "policy.karmada.io/applied-placement": JSON.stringify(other) };
    const changed = {
      ...away,
      metadata: { ...away.metadata, annotations: { ...away.metadata.annotations, ...applied } },
      spec: { ...away.spec, placement: other },
    };

    expect(failBack(fresh, clusters).verdict).toBe("none");
    expect(failBack(changed, clusters).verdict).toBe("none");
  });
});

describe("rememberHome", () => {
  const placement: Placement = { replicaScheduling: DYNAMIC, flaghoist: { failBack: {} } };

  it("keeps the first home while the workload is away, and takes a new one once it is back", () => {
    const home = binding(placement, { a: 3, b: 3 });
    const away = driven(home, { b: 6 });

    expect(rememberHome(away, NOW)).toBeUndefined();
    expect(rememberHome(driven(home, { a: 2, b: 4 }), NOW)).toBeDefined();
  });

  it("remembers nothing for a placement without failBack, and reads nothing that it did not write", () => {
    const { flaghoist: _, ...plain } = placement;
    const broken = driven(binding(placement, { a: 3 }), { b: 3 });
    const annotations = { ...broken.metadata.annotations, "scheduling.flaghoist.io/home-clusters": "[1]" };

    expect(rememberHome(binding(plain, { a: 3 }), NOW)).toBeUndefined();
    expect(
      failBack({ ...broken, metadata: { ...broken.metadata, annotations } }, [cluster("a"), cluster("b")]).verdict,
    ).toBe("none");
  });
});
