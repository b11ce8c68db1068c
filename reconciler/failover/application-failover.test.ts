import { describe, expect, it } from "vitest";
import type { WorkloadRebalancer } from "../../api/apps.ts";
import type { AggregatedStatusItem, ResourceBinding } from "../../api/work.ts";
import { decideApplicationFailover } from "./application-failover.ts";
import { canDeschedule, decideDescheduling } from "./deschedule.ts";
import { preserveState } from "./preserve-state.ts";
import { decideRebalance, rebalancerExpiry, statusAfterRebalance } from "./rebalance.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

const DYNAMIC =
  '{"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"dynamicWeight":"AvailableReplicas"}}}';

function binding(items: AggregatedStatusItem[], change: Partial<ResourceBinding["spec"]> = {}): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web-deployment",
      namespace: "shop",
      annotations: { "policy.karmada.io/applied-placement": DYNAMIC },
    },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" },
      clusters: [
        { name: "paris-1", replicas: 4 },
        { name: "tokyo-1", replicas: 2 },
      ],
      propagateDeps: true,
      failover: { application: { decisionConditions: { tolerationSeconds: 60 }, gracePeriodSeconds: 600 } },
      ...change,
    },
    status: { aggregatedStatus: items },
  };
}

describe("decideApplicationFailover", () => {
  const sick: AggregatedStatusItem = { clusterName: "paris-1", health: "Unhealthy" };
  const context = { healthIsInterpreted: true };

  it("waits before it moves an application, and never moves at first sight", () => {
    const first = decideApplicationFailover(binding([sick]), new Map(), NOW, context);
    expect(first.evictions).toEqual([]);

    const soon = decideApplicationFailover(binding([sick]), first.unhealthySince, NOW + 60_000, context);
    const late = decideApplicationFailover(binding([sick]), soon.unhealthySince, NOW + 60_001, context);

    expect(soon).toMatchObject({ evictions: [], nextMs: NOW + 60_001 });
    expect(late.evictions).toEqual([
      {
        cluster: "paris-1",
        purgeMode: "Gracefully",
        producer: "resource-binding-application-failover-controller",
        reason: "ApplicationFailure",
        gracePeriodSeconds: 600,
      },
    ]);
  });

  it("starts the time anew when the health is good or unknown in between", () => {
    const before = new Map([["paris-1", NOW]]);

    const between = decideApplicationFailover(binding([{ ...sick, health: "Unknown" }]), before, NOW + 50_000, context);

    expect([...between.unhealthySince]).toEqual([]);
  });

  it("leaves clusters alone that it is leaving already", () => {
    const gracefulEvictionTasks = [{ fromCluster: "paris-1", producer: "x", reason: "X" }];

    const decision = decideApplicationFailover(
      binding([sick], { gracefulEvictionTasks }),
      new Map([["paris-1", 0]]),
      NOW,
      context,
    );

    expect(decision.evictions).toEqual([]);
  });

  it.each([
    ["no application failover is asked for", { failover: {} }, context],
    ["dependencies are not sent along", { propagateDeps: false }, context],
    ["nothing interprets the health", {}, { healthIsInterpreted: false }],
  ])("does nothing when %s", (_, change, where) => {
    const decision = decideApplicationFailover(binding([sick], change), new Map([["paris-1", 0]]), NOW, where);

    expect(decision.evictions).toEqual([]);
  });

  it("keeps the old copy when a person is to remove it, and hands on its state", () => {
    const failover = { application: { decisionConditions: { tolerationSeconds: 0 }, purgeMode: "Never" as const } };
    const preservedLabels = () => ({ "job-id": "42" });

    const decision = decideApplicationFailover(binding([sick], { failover }), new Map([["paris-1", NOW - 1]]), NOW, {
      healthIsInterpreted: true,
      preservedLabels,
    });

    expect(decision.evictions).toMatchObject([
      {
        purgeMode: "Never",
        suppressDeletion: true,
        preservedLabelState: { "job-id": "42" },
        clustersBeforeFailover: ["paris-1", "tokyo-1"],
      },
    ]);
  });
});

describe("preserveState", () => {
  const rules = [{ aliasLabelName: "ready", jsonPath: "{.readyReplicas}" }];

  it("reads labels from the status of the old copy", () => {
    expect(preserveState({ rules }, { clusterName: "paris-1", status: { readyReplicas: 2 } })).toEqual({ ready: "2" });
  });

  it("fails when there is nothing to read", () => {
    expect(() => preserveState({ rules }, undefined)).toThrow("no status");
    expect(() => preserveState({ rules }, { clusterName: "paris-1", status: {} })).toThrow();
  });
});

describe("decideDescheduling", () => {
  const items = [
    { clusterName: "paris-1", status: { readyReplicas: 1 } },
    { clusterName: "tokyo-1", status: { readyReplicas: 2 } },
  ];

  it("takes back what cannot run, but nothing that is ready", () => {
    expect(decideDescheduling(binding(items), () => 2)).toEqual({
      clusters: [
        { name: "paris-1", replicas: 2 },
        { name: "tokyo-1", replicas: 2 },
      ],
      message: "Binding has been descheduled, 2 replica(s) in cluster(paris-1), 2 total descheduled replica(s)",
    });
    expect(decideDescheduling(binding(items), () => 4)?.clusters[0]).toEqual({ name: "paris-1", replicas: 1 });
    expect(decideDescheduling(binding(items), () => 0)).toBeUndefined();
    expect(decideDescheduling(binding(items), () => 5)).toBeUndefined();
  });

  it("is for Deployments that are divided by room", () => {
    const one = binding(items);
    expect(canDeschedule(one)).toBe(true);

    one.metadata.annotations = { "policy.karmada.io/applied-placement": "{}" };
    expect(canDeschedule(one)).toBe(false);
  });
});

describe("rebalancing", () => {
  const web = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
  const cart = { ...web, name: "cart" };
  function rebalancer(status: WorkloadRebalancer["status"] = {}): WorkloadRebalancer {
    return {
      apiVersion: "apps.karmada.io/v1alpha1",
      kind: "WorkloadRebalancer",
      metadata: { name: "now", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: { workloads: [web, cart], ttlSecondsAfterFinished: 60 },
      status,
    };
  }

  it("asks for a fresh choice as of the request, and reports what it does not find", () => {
    const request = rebalancer();
    const steps = decideRebalance(request, (workload) => (workload.name === "web" ? binding([]) : undefined));

    expect(steps).toEqual([
      { workload: web, verdict: "trigger", rescheduleTriggeredAt: "2026-01-01T00:00:00Z" },
      { workload: cart, verdict: "missing" },
    ]);
    expect(statusAfterRebalance(request, steps, new Set(), NOW)).toEqual({
      observedWorkloads: [
        { workload: cart, result: "Failed", reason: "ReferencedBindingNotFound" },
        { workload: web, result: "Successful" },
      ],
      observedGeneration: 1,
      finishTime: "2026-01-01T00:00:00Z",
    });
  });

  it("does nothing more once every workload is done", () => {
    const observedWorkloads = [
      { workload: web, result: "Successful" },
      { workload: cart, result: "Failed", reason: "ReferencedBindingNotFound" },
    ];

    expect(decideRebalance(rebalancer({ observedWorkloads }), () => binding([]))).toEqual([]);
  });

  it("does not ask twice for the same time", () => {
    const asked = binding([], { rescheduleTriggeredAt: "2026-01-01T00:00:00Z" });

    expect(decideRebalance(rebalancer(), () => asked)[0]?.verdict).toBe("triggered");
  });

  it("asks once for what is listed twice, and writes an empty namespace as none", () => {
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "viewer" };
    const request = rebalancer();
    const spec = { workloads: [web, { ...web }, role, { ...role, namespace: "" }] };

    const steps = decideRebalance({ ...request, spec }, () => undefined);

    expect(steps.map((step) => step.workload)).toEqual([web, role]);
  });

  it("says when the last scheduling is no earlier than the request, which has no effect then", () => {
    const asWritten = (lastScheduledTime: string) =>
      decideRebalance({ ...rebalancer(), spec: { workloads: [web] } }, () => ({
        ...binding([]),
        status: { lastScheduledTime },
      }))[0];

    expect(asWritten("2025-12-31T23:59:59Z")?.withoutEffect).toBeUndefined();
    expect(asWritten("2026-01-01T00:00:00Z")).toMatchObject({
      verdict: "trigger",
      withoutEffect: expect.stringContaining("Deployment shop/web is not placed anew"),
    });
  });

  it("stays unfinished while a write fails, and expires after it is finished", () => {
    const request = rebalancer();
    const steps = decideRebalance(request, () => binding([]));

    expect(statusAfterRebalance(request, steps, new Set(steps.slice(0, 1)), NOW).finishTime).toBeUndefined();
    expect(rebalancerExpiry(rebalancer({ finishTime: "2026-01-01T00:00:00Z" }))).toBe(NOW + 60_000);
    expect(rebalancerExpiry(request)).toBeUndefined();
  });
});
