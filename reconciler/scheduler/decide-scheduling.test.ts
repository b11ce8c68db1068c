import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBinding } from "../../api/work.ts";
import { APPLIED_PLACEMENT_ANNOTATION, formatPlacement, whatChanged } from "./applied-placement.ts";
import { decideScheduling, type SchedulingDecision } from "./decide-scheduling.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import { findOccasion, whyIgnored } from "./occasion.ts";

const NOW = Date.parse("2026-02-03T04:05:06Z");

const DIVIDED: Placement = {
  replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" },
};

function cluster(name: string, labels: Record<string, string> = {}): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, labels, generation: 1 },
    spec: { syncMode: "Push" },
    status: {
      apiEnablements: [{ groupVersion: "apps/v1", resources: [{ kind: "Deployment", name: "deployments" }] }],
      resourceSummary: { allocatable: { pods: "110" } },
    },
  };
}

function binding(placement: Placement, change: Partial<ResourceBinding["spec"]> = {}): ResourceBinding {
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: {
      name: "web-deployment",
      namespace: "shop",
      generation: 1,
      labels: { "propagationpolicy.karmada.io/permanent-id": "id" },
    },
    spec: {
      placement,
      replicas: 4,
      replicaRequirements: {},
      resource: { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" },
      ...change,
    },
  };
}

/** The binding as it is once the decision is written. */
function written(before: ResourceBinding, decision: SchedulingDecision): ResourceBinding {
  return {
    ...before,
    metadata: { ...before.metadata, annotations: { ...before.metadata.annotations, ...decision.annotations } },
    spec: { ...before.spec, ...(decision.clusters === undefined ? {} : { clusters: [...decision.clusters] }) },
    status: { ...before.status, ...decision.status },
  };
}

const FLEET = new FleetIndex([cluster("a"), cluster("b")]);

describe("decideScheduling", () => {
  it("writes clusters, placement, condition and event", () => {
    const decision = decideScheduling(binding(DIVIDED), FLEET, NOW);

    expect(decision).toMatchObject({
      verdict: "scheduled",
      reason: "placement changed: never applied",
      clusters: [
        { name: "a", replicas: 2 },
        { name: "b", replicas: 2 },
      ],
      annotations: { [APPLIED_PLACEMENT_ANNOTATION]: formatPlacement(DIVIDED) },
      status: { schedulerObservedGeneration: 1, lastScheduledTime: "2026-02-03T04:05:06Z" },
      condition: { type: "Scheduled", status: "True", reason: "Success" },
      events: [{ message: "Binding has been scheduled successfully. Result: {a:2, b:2}" }],
      requeue: "done",
    });
  });

  it("needs nothing more once that is written", () => {
    const before = binding(DIVIDED);
    const after = written(before, decideScheduling(before, FLEET, NOW));

    const again = decideScheduling(after, FLEET, NOW + 60_000);

    expect(again).toMatchObject({ verdict: "current", events: [] });
    expect([again.clusters, again.annotations, again.status]).toEqual([undefined, undefined, undefined]);
    const edited = { ...after, metadata: { ...after.metadata, generation: 2 } };
    expect(decideScheduling(edited, FLEET, NOW)).toMatchObject({
      verdict: "observed",
      status: { schedulerObservedGeneration: 2 },
    });
  });

  it("empties the targets when nothing fits, and is done with it", () => {
    const placed = binding(
      { ...DIVIDED, clusterAffinity: { clusterNames: ["nowhere"] } },
      { clusters: [{ name: "a", replicas: 4 }] },
    );

    const decision = decideScheduling(placed, FLEET, NOW);

    expect(decision).toMatchObject({
      verdict: "failed",
      clusters: [],
      condition: { status: "False", reason: "NoClusterFit" },
      requeue: "done",
    });
    expect(decision.status?.lastScheduledTime).toBeUndefined();
  });

  it("keeps the targets when there is only too little room, and tries again", () => {
    const dynamic: Placement = {
      replicaScheduling: { ...DIVIDED.replicaScheduling, weightPreference: { dynamicWeight: "AvailableReplicas" } },
    };
    const large = binding(dynamic, { replicas: 9_000, clusters: [{ name: "a", replicas: 4 }] });

    const decision = decideScheduling(large, FLEET, NOW);

    expect(decision).toMatchObject({
      verdict: "failed",
      condition: { reason: "Unschedulable" },
      requeue: "unschedulable",
    });
    expect(decision.clusters).toBeUndefined();
    expect(decision.annotations).toBeUndefined();
  });

  it("falls back to the next affinity group, and says so", () => {
    const placement: Placement = {
      ...DIVIDED,
      clusterAffinities: [
        { affinityName: "first", clusterNames: ["nowhere"] },
        { affinityName: "second", clusterNames: ["b"] },
      ],
    };

    const decision = decideScheduling(binding(placement), FLEET, NOW);

    expect(decision.clusters).toEqual([{ name: "b", replicas: 4 }]);
    expect(decision.status?.schedulerObservingAffinityName).toBe("second");
    expect(decision.events[0]?.message).toBe(
      "failed to schedule ResourceBinding(shop/web-deployment) with clusterAffiliates index(0): " +
        "0/2 clusters are available: 2 cluster(s) did not match the placement cluster affinity constraint.",
    );
  });

  it("can leave alone targets that would only change places", () => {
    const clusters = [
      { name: "b", replicas: 4 },
      { name: "a", replicas: 4 },
    ];
    const placed = binding({}, { clusters });

    expect(decideScheduling(placed, FLEET, NOW).clusters).toEqual([clusters[1], clusters[0]]);
    expect(decideScheduling(placed, FLEET, NOW, { keepOrder: true }).clusters).toBeUndefined();
  });

  it("tells of groups that failed one by one, and at the end only that nothing fits", () => {
    const clusterAffinities = [
      { affinityName: "first", clusterNames: ["nowhere"] },
      { affinityName: "second", clusterNames: ["b"] },
    ];
    const large = { replicas: 9_000, clusters: [{ name: "b", replicas: 1 }] };
    const dynamic: Placement = {
      replicaScheduling: { ...DIVIDED.replicaScheduling, weightPreference: { dynamicWeight: "AvailableReplicas" } },
    };
    const noFit = decideScheduling(binding({ ...dynamic, clusterAffinities }, large), FLEET, NOW);
    const reversed = [...clusterAffinities].reverse();
    const noRoom = decideScheduling(binding({ ...dynamic, clusterAffinities: reversed }, large), FLEET, NOW);

    expect(noFit).toMatchObject({ condition: { reason: "NoClusterFit" }, clusters: [], requeue: "done" });
    expect(noFit.events.map(({ message }) => message.slice(0, 20))).toEqual([
      "failed to schedule R",
      "failed to schedule R",
      "0/2 clusters are ava",
    ]);
    expect(noRoom).toMatchObject({ condition: { reason: "Unschedulable" }, requeue: "unschedulable" });
    expect(noRoom.clusters).toBeUndefined();
    expect(noRoom.status?.schedulerObservingAffinityName).toBeUndefined();
    expect(noRoom.events).toHaveLength(2);
  });

  it("can say nothing where a look finds all as it was", () => {
    const placed = written(binding({}), decideScheduling(binding({}), FLEET, NOW));
    const more = new FleetIndex([cluster("a"), cluster("b"), cluster("c")]);

    expect(decideScheduling(placed, FLEET, NOW, { quiet: true })).toMatchObject({ verdict: "scheduled", events: [] });
    expect(decideScheduling(placed, FLEET, NOW, { quiet: true }).status).toBeUndefined();
    expect(decideScheduling(placed, FLEET, NOW).status?.lastScheduledTime).toBeDefined();
    expect(decideScheduling(placed, more, NOW, { quiet: true }).events).toHaveLength(1);
    const edited = { ...placed, metadata: { ...placed.metadata, generation: 2 } };
    expect(decideScheduling(edited, FLEET, NOW, { quiet: true }).status?.schedulerObservedGeneration).toBe(2);
  });

  it("can mend a condition that says less than is true", () => {
    const placed = written(binding(DIVIDED), decideScheduling(binding(DIVIDED), FLEET, NOW));
    const { conditions: _, ...rest } = placed.status ?? {};
    const unsaid = { ...placed, status: rest };

    expect(decideScheduling(unsaid, FLEET, NOW).status).toBeUndefined();
    expect(decideScheduling(unsaid, FLEET, NOW, { mendsCondition: true })).toMatchObject({
      verdict: "observed",
      status: { conditions: [{ type: "Scheduled", status: "True", reason: "Success" }] },
    });
    expect(decideScheduling(placed, FLEET, NOW, { mendsCondition: true }).status).toBeUndefined();
  });

  it("leaves the time of the condition alone while its status stays", () => {
    const before = binding({});
    const once = written(before, decideScheduling(before, FLEET, NOW));

    const twice = decideScheduling(once, FLEET, NOW + 60_000);

    expect(twice.condition?.lastTransitionTime).toBe("2026-02-03T04:05:06Z");
    expect(twice.status?.lastScheduledTime).toBe("2026-02-03T04:06:06Z");
  });
});

describe("whyIgnored", () => {
  it("passes over what is not the scheduler's business", () => {
    const own = binding(DIVIDED);

    expect(whyIgnored(own)).toBeUndefined();
    expect(whyIgnored(binding(DIVIDED, { schedulerName: "other" }))).toContain("other");
    expect(whyIgnored(binding(DIVIDED, { suspension: { scheduling: true } }))).toContain("suspended");
    expect(whyIgnored({ ...own, metadata: { ...own.metadata, labels: {} } })).toBe("no policy claims the binding");
  });
});

describe("findOccasion", () => {
  function settled(placement: Placement, change: Partial<ResourceBinding["spec"]> = {}): ResourceBinding {
    const one = binding(placement, { clusters: [{ name: "a", replicas: 4 }], ...change });
    one.metadata.annotations = { [APPLIED_PLACEMENT_ANNOTATION]: formatPlacement(placement) };
    one.status = { lastScheduledTime: "2026-01-01T00:00:00Z", schedulerObservedGeneration: 1 };
    return one;
  }

  it.each([
    ["replicas that are not placed", settled(DIVIDED, { replicas: 5 }), "replicas-changed"],
    [
      "a reschedule that is asked for",
      settled(DIVIDED, { rescheduleTriggeredAt: "2026-01-01T00:00:01Z" }),
      "reschedule-requested",
    ],
    [
      "a duplicated object, always",
      settled({ replicaScheduling: { replicaSchedulingType: "Duplicated" } }),
      "not-divided",
    ],
  ])("is %s", (_, one, kind) => {
    expect(findOccasion(one, FLEET, false)?.kind).toBe(kind);
  });

  it("is a target that is going away", () => {
    const leaving = cluster("a");
    leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";

    expect(findOccasion(settled(DIVIDED), new FleetIndex([leaving]), false)?.kind).toBe("target-deleting");
  });

  it("is none for a divided workload when only the fleet changes, or at the second of the last scheduling", () => {
    const same = settled(DIVIDED, { rescheduleTriggeredAt: "2026-01-01T00:00:00Z" });

    expect(findOccasion(same, new FleetIndex([cluster("z")]), false)).toBeUndefined();
  });
});

describe("whatChanged", () => {
  const groups: Placement = {
    clusterAffinities: [
      { affinityName: "x", clusterNames: ["a"] },
      { affinityName: "y", clusterNames: ["b"] },
    ],
  };

  it("takes equal placements for equal, however they are written", () => {
    const text =
      '{"clusterAffinities":[{"clusterNames":["a"],"affinityName":"x","exclude":[]},{"affinityName":"y","clusterNames":["b"]}]}';

    expect(whatChanged(groups, text, "x")).toBeUndefined();
  });

  it("names the field that differs", () => {
    expect(whatChanged(DIVIDED, "{}", undefined)).toBe("placement.replicaScheduling");
    expect(whatChanged(DIVIDED, "", undefined)).toBe("never applied");
    expect(whatChanged(DIVIDED, "no JSON", undefined)).toBeUndefined();
  });

  it("looks only at the affinity group in use", () => {
    const [x, y] = groups.clusterAffinities ?? [];
    if (x === undefined || y === undefined) throw new Error("two groups are expected");
    const reordered = { clusterAffinities: [{ ...y, clusterNames: ["c"] }, x] };
    const applied = formatPlacement(groups);

    expect(whatChanged(reordered, applied, "x")).toBeUndefined();
    expect(whatChanged(reordered, applied, "y")).toContain("y");
    expect(whatChanged({ clusterAffinities: [y] }, applied, "x")).toContain("gone");
    expect(whatChanged(reordered, applied, "")).toBe("placement.clusterAffinities");
  });

  it("writes the placement in Karmada's order, without what is empty", () => {
    const placement: Placement = {
      spreadConstraints: [{ minGroups: 1, maxGroups: 0, spreadByField: "cluster" }],
      clusterTolerations: [{ effect: "NoExecute", operator: "Exists", key: "a", tolerationSeconds: 0 }],
      clusterAffinity: { exclude: ["c"], clusterNames: [], labelSelector: { matchLabels: { b: "<&>", a: "1" } } },
    };

    expect(formatPlacement(placement)).toBe(
      '{"clusterAffinity":{"labelSelector":{"matchLabels":{"a":"1","b":"\\u003c\\u0026\\u003e"}},"exclude":["c"]},' +
        '"clusterTolerations":[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":0}],' +
        '"spreadConstraints":[{"spreadByField":"cluster","minGroups":1}]}',
    );
  });
});
