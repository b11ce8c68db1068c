import { describe, expect, it } from "vitest";
import type { Cluster, Taint } from "../../api/cluster.ts";
import type { ClusterTaintPolicy } from "../../api/taint-policy.ts";
import type { ResourceBinding } from "../../api/work.ts";
import { changeTaints, NOT_READY_TAINT, taintsForCondition, UNREACHABLE_TAINT } from "./condition-taints.ts";
import { evictFromCluster } from "./evict.ts";
import { decideEvictionTasks } from "./eviction-tasks.ts";
import { decideTaintEviction, toleratedUntil } from "./taint-eviction.ts";
import { taintsForPolicies } from "./taint-policies.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function cluster(ready: "True" | "False" | "Unknown" | undefined, taints: Taint[] = []): Cluster {
  const condition = { type: "Ready", reason: "Probe", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name: "paris-1", labels: { env: "prod" } },
    spec: { syncMode: "Push", taints },
    status: ready === undefined ? {} : { conditions: [{ ...condition, status: ready }] },
  };
}

function binding(change: Partial<ResourceBinding["spec"]> = {}, applied = "{}"): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web-deployment",
      namespace: "shop",
      generation: 3,
      annotations: { "policy.karmada.io/applied-placement": applied },
    },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" },
      clusters: [
        { name: "paris-1", replicas: 2 },
        { name: "tokyo-1", replicas: 3 },
      ],
      ...change,
    },
    status: { schedulerObservedGeneration: 3 },
  };
}

describe("taintsForCondition", () => {
  it.each([
    [undefined, [NOT_READY_TAINT], []],
    ["False", [NOT_READY_TAINT], [UNREACHABLE_TAINT]],
    ["Unknown", [UNREACHABLE_TAINT], [NOT_READY_TAINT]],
    ["True", [], [NOT_READY_TAINT, UNREACHABLE_TAINT]],
  ] as const)("for Ready %s adds %j and removes %j", (ready, add, remove) => {
    const change = taintsForCondition(cluster(ready));

    expect(change.add.map((taint) => taint.key)).toEqual(add);
    expect(change.remove.map((taint) => taint.key)).toEqual(remove);
    expect([...change.add, ...change.remove].every((taint) => taint.effect === "NoSchedule")).toBe(true);
  });
});

describe("changeTaints", () => {
  const change = { add: [{ key: "a", effect: "NoSchedule" as const }], remove: [] };

  it("stamps what it adds, and adds nothing twice", () => {
    const once = changeTaints(undefined, change, NOW);

    expect(once).toEqual([{ key: "a", effect: "NoSchedule", timeAdded: "2026-01-01T00:00:00Z" }]);
    expect(changeTaints(once, change, NOW + 60_000)).toBeUndefined();
  });

  it("removes by key and effect, whatever the value", () => {
    const taints: Taint[] = [
      { key: "a", value: "x", effect: "NoSchedule" },
      { key: "a", effect: "NoExecute" },
    ];

    expect(changeTaints(taints, { add: [], remove: change.add }, NOW)).toEqual([{ key: "a", effect: "NoExecute" }]);
  });
});

describe("taintsForPolicies", () => {
  function taintPolicy(name: string, spec: Partial<ClusterTaintPolicy["spec"]>): ClusterTaintPolicy {
    return {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "ClusterTaintPolicy",
      metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { taints: [{ key: "failed", effect: "NoExecute" }], ...spec },
    };
  }
  const onFailure = [{ conditionType: "Ready", operator: "NotIn", statusValues: ["True"] }];
  const onSuccess = [{ conditionType: "Ready", operator: "In", statusValues: ["True"] }];
  const failed: Taint = { key: "failed", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z" };

  it("adds taints when all conditions match, and removes them likewise", () => {
    const policy = taintPolicy("p", { addOnConditions: onFailure, removeOnConditions: onSuccess });

    expect(taintsForPolicies(cluster("Unknown"), [policy], NOW)).toEqual([failed]);
    expect(taintsForPolicies(cluster("True", [failed]), [policy], NOW)).toEqual([]);
    expect(taintsForPolicies(cluster("Unknown", [failed]), [policy], NOW)).toBeUndefined();
  });

  it("matches no condition that the cluster does not have, and no empty list", () => {
    expect(taintsForPolicies(cluster(undefined), [taintPolicy("p", { addOnConditions: onFailure })], NOW)).toBe(
      undefined,
    );
    expect(taintsForPolicies(cluster("False"), [taintPolicy("p", { addOnConditions: [] })], NOW)).toBeUndefined();
  });

  it("lets removal win within a policy", () => {
    const policy = taintPolicy("p", { addOnConditions: onFailure, removeOnConditions: onFailure });

    expect(taintsForPolicies(cluster("False"), [policy], NOW)).toBeUndefined();
  });

  it("leaves clusters alone that it does not target", () => {
    const policy = taintPolicy("p", { addOnConditions: onFailure, targetClusters: { clusterNames: ["tokyo-1"] } });

    expect(taintsForPolicies(cluster("False"), [policy], NOW)).toBeUndefined();
  });
});

describe("toleratedUntil", () => {
  const added = "2025-12-31T23:59:00Z";
  const first: Taint = { key: "a", effect: "NoExecute", timeAdded: added };
  const second: Taint = { key: "b", effect: "NoExecute", timeAdded: "2025-12-31T23:59:30Z" };

  it.each([
    ["no toleration", undefined, NOW],
    ["one taint untolerated", [{ key: "a", operator: "Exists" }], NOW],
    ["tolerations without an end", [{ operator: "Exists" }], Number.POSITIVE_INFINITY],
    ["an end that passed", [{ operator: "Exists", tolerationSeconds: 30 }], NOW],
    [
      "an end to come, counted from the earliest taint",
      [{ operator: "Exists", tolerationSeconds: 300 }],
      NOW + 240_000,
    ],
    [
      "the earlier of two ends",
      [
        { key: "a", operator: "Exists", tolerationSeconds: 500 },
        { key: "b", operator: "Exists", tolerationSeconds: 100 },
      ],
      NOW + 70_000,
    ],
  ])("with %s", (_, tolerations, expected) => {
    expect(toleratedUntil([first, second], tolerations, NOW)).toBe(expected);
  });
});

describe("decideTaintEviction", () => {
  const taint: Taint = { key: "failed", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z" };

  it("drives out what does not tolerate the taint, as the policy says", () => {
    const failover = { cluster: { purgeMode: "Directly" as const } };

    const decision = decideTaintEviction(binding({ failover }), cluster("False", [taint]), NOW);

    expect(decision).toMatchObject({
      verdict: "evict",
      request: { cluster: "paris-1", purgeMode: "Directly", producer: "TaintManager", reason: "TaintUntolerated" },
    });
  });

  it("waits while the applied placement tolerates the taint", () => {
    const applied = '{"clusterTolerations":[{"key":"failed","operator":"Exists","tolerationSeconds":60}]}';

    const decision = decideTaintEviction(binding({}, applied), cluster("False", [taint]), NOW);

    expect(decision).toMatchObject({ verdict: "later", atMs: NOW + 60_000 });
  });

  it("leaves alone what is not there, and taints of other effects", () => {
    expect(decideTaintEviction(binding({ clusters: [] }), cluster("False", [taint]), NOW).verdict).toBe("stay");
    const noSchedule = cluster("False", [{ ...taint, effect: "NoSchedule" }]);
    expect(decideTaintEviction(binding(), noSchedule, NOW).verdict).toBe("stay");
  });

  it("cannot decide without the applied placement", () => {
    expect(decideTaintEviction(binding({}, ""), cluster("False", [taint]), NOW).verdict).toBe("error");
  });
});

describe("evictFromCluster", () => {
  const request = { cluster: "paris-1", purgeMode: "Gracefully", producer: "TaintManager", reason: "X" } as const;

  it("removes the target and keeps its copy with a task", () => {
    const { spec } = binding();

    const after = evictFromCluster(spec, request);

    expect(after?.clusters).toEqual([{ name: "tokyo-1", replicas: 3 }]);
    expect(after?.gracefulEvictionTasks).toEqual([
      { fromCluster: "paris-1", purgeMode: "Gracefully", producer: "TaintManager", reason: "X", replicas: 2 },
    ]);
    expect(spec.clusters).toHaveLength(2);
  });

  it("changes nothing the second time, and makes no second task", () => {
    const once = evictFromCluster(binding().spec, request);
    if (once === undefined) throw new Error("the first eviction did nothing");

    expect(evictFromCluster(once, request)).toBeUndefined();
    const back = { ...once, clusters: [{ name: "paris-1", replicas: 1 }] };
    expect(evictFromCluster(back, request)?.gracefulEvictionTasks).toHaveLength(1);
  });
});

describe("decideEvictionTasks", () => {
  const task = { fromCluster: "lima-1", producer: "TaintManager", reason: "X" };
  const begun = { ...task, creationTimestamp: "2026-01-01T00:00:00Z" };
  const healthy = (clusterName: string) => ({ clusterName, health: "Healthy" as const });

  it("starts the time of a new task", () => {
    const decision = decideEvictionTasks(binding({ gracefulEvictionTasks: [task] }), NOW);

    expect(decision.tasks).toEqual([begun]);
    expect(decision.nextMs).toBe(NOW + 600_000);
  });

  it("keeps the copy until every target is healthy", () => {
    const waiting = binding({ gracefulEvictionTasks: [begun] });
    waiting.status = { schedulerObservedGeneration: 3, aggregatedStatus: [healthy("paris-1")] };
    expect(decideEvictionTasks(waiting, NOW + 1000).tasks).toBeUndefined();

    waiting.status.aggregatedStatus = [healthy("paris-1"), healthy("tokyo-1")];
    expect(decideEvictionTasks(waiting, NOW + 1000).tasks).toEqual([]);
  });

  it("does not believe in health while the scheduler is behind", () => {
    const behind = binding({ gracefulEvictionTasks: [begun], clusters: [] });
    behind.status = { schedulerObservedGeneration: 2 };

    expect(decideEvictionTasks(behind, NOW + 1000).tasks).toBeUndefined();
  });

  it("lets the copy go when its time is over", () => {
    const short = binding({ gracefulEvictionTasks: [{ ...begun, gracePeriodSeconds: 30 }] });

    expect(decideEvictionTasks(short, NOW + 30_000).tasks).toBeUndefined();
    expect(decideEvictionTasks(short, NOW + 31_000).verdicts[0]?.reason).toBe("its grace period is over");
  });

  it("leaves to a person what is suppressed", () => {
    const suppressed = binding({ gracefulEvictionTasks: [{ ...begun, suppressDeletion: true }] });
    const released = binding({ gracefulEvictionTasks: [{ ...begun, suppressDeletion: false }] });

    expect(decideEvictionTasks(suppressed, NOW + 9_999_000).tasks).toBeUndefined();
    expect(decideEvictionTasks(suppressed, NOW).nextMs).toBeUndefined();
    expect(decideEvictionTasks(released, NOW).tasks).toEqual([]);
  });
});
