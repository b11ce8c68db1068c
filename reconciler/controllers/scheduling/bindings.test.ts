import { afterEach, describe, expect, it } from "vitest";
import { featureGates } from "../../../api/feature-gates.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import type { ApiRequest, ApiResponse } from "../../../kube/client/transport.ts";
import { cluster } from "../../../test/builders.ts";
import { consistently, eventually } from "../../../test/e2e/support/eventually.ts";
import { conditionOf, targetsOf } from "../../../test/e2e/support/reading.ts";
import {
  DYNAMIC,
  type LoopUnderTest,
  type LoopWords,
  openLoop,
  roomy,
  unscheduled,
} from "../../../test/e2e/support/scheduling-loop.ts";
import { DEFAULT_SCHEDULING, type SchedulingProfile } from "../context.ts";

const open: LoopUnderTest[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function begin(words: LoopWords = {}): Promise<LoopUnderTest> {
  const store = await openLoop(words);
  open.push(store);
  return store;
}

async function untilScheduled(store: LoopUnderTest, name: string, reason: string): Promise<ResourceBinding> {
  let found: ResourceBinding | undefined;
  await eventually(async () => {
    found = await store.read(name);
    expect(conditionOf(found, "Scheduled")?.reason).toBe(reason);
  });
  return found as ResourceBinding;
}

/** What the server answers to the writes of bindings that this picks. */
function refusing(picks: (request: ApiRequest) => boolean, code: number, reason: string, message: string) {
  const status = { apiVersion: "v1", kind: "Status", status: "Failure", code, reason, message };
  return (request: ApiRequest): ApiResponse | undefined =>
    picks(request)
      ? { status: code, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(status)) }
      : undefined;
}

function isBindingWrite(request: ApiRequest): boolean {
  return request.method === "PUT" && /\/resourcebindings\/[^/?]+(\?|$)/.test(request.path);
}

describe("the order of bindings", () => {
  it("is by priority, then by time", async () => {
    const order: string[] = [];
    const store = await begin({
      intercept: (request) => {
        if (isBindingWrite(request)) order.push(/resourcebindings\/([^/?]+)/.exec(request.path)?.[1] ?? "");
        return undefined;
      },
    });
    await store.putCluster(cluster({ name: "a" }));
    for (let i = 0; i < 100; i++) await store.client.create(unscheduled(`low-${String(i).padStart(3, "0")}`, {}));
    await store.client.create(unscheduled("negative", {}, { schedulePriority: { priority: -1 } }));
    await store.client.create(unscheduled("high", {}, { schedulePriority: { priority: 1_000 } }));

    await store.start();

    await untilScheduled(store, "negative", "Success");
    expect(order[0]).toBe("high");
    expect(order.at(-1)).toBe("negative");
    expect(order.slice(1, -1)).toEqual([...order.slice(1, -1)].sort());
  });

  it("is that of their coming with gate PriorityBasedScheduling off", async () => {
    const order: string[] = [];
    const store = await begin({
      profile: { featureGates: featureGates({ PriorityBasedScheduling: false }) },
      intercept: (request) => {
        if (isBindingWrite(request)) order.push(/resourcebindings\/([^/?]+)/.exec(request.path)?.[1] ?? "");
        return undefined;
      },
    });
    await store.putCluster(cluster({ name: "a" }));
    for (let i = 0; i < 20; i++) await store.client.create(unscheduled(`low-${String(i).padStart(3, "0")}`, {}));
    await store.client.create(unscheduled("z-high", {}, { schedulePriority: { priority: 1_000 } }));

    await store.start();

    await untilScheduled(store, "z-high", "Success");
    expect(order.at(-1)).toBe("z-high");
  });
});

describe("what is not the scheduler's business", () => {
  it("is left alone: another scheduler's, suspended ones, and those that no policy claims", async () => {
    const store = await begin({ profile: { scheduling: { ...DEFAULT_SCHEDULING, schedulerName: "mine" } } });
    const mine = { schedulerName: "mine" };
    await store.putCluster(cluster({ name: "a" }));
    const unclaimed = unscheduled("unclaimed", {}, mine);
    const { labels: _, ...metadata } = unclaimed.metadata;
    await store.client.create({ ...unclaimed, metadata });
    await store.client.create(unscheduled("others", {}));
    await store.client.create(unscheduled("suspended", {}, { ...mine, suspension: { scheduling: true } }));
    await store.client.create(unscheduled("own", {}, mine));
    await store.start();
    await untilScheduled(store, "own", "Success");

    for (const name of ["unclaimed", "others", "suspended"])
      expect((await store.read(name)).spec.clusters, name).toBeUndefined();

    await store.edit("suspended", { suspension: { scheduling: null } });
    await untilScheduled(store, "suspended", "Success");
  });

  it("becomes it when a policy claims a binding, although its generation stays", async () => {
    const store = await begin();
    await store.putCluster(cluster({ name: "a" }));
    const made = unscheduled("late", {});
    const { labels, ...metadata } = made.metadata;
    await store.client.create({ ...made, metadata });
    await store.start();

    const ref = { apiVersion: made.apiVersion, kind: made.kind, namespace: "shop", name: "late" };
    await store.client.patch(ref, { metadata: { labels } }, "merge");

    const scheduled = await untilScheduled(store, "late", "Success");
    expect(Object.keys(targetsOf(scheduled))).toEqual(["a"]);
  });
});

describe("a binding whose kind no cluster serves", () => {
  it("goes on as soon as a cluster of its own serves it", async () => {
    const store = await begin();
    await store.putCluster(cluster({ name: "a", kinds: ["v1 ConfigMap"] }));
    await store.client.create(unscheduled("web", {}));
    await store.start();
    await untilScheduled(store, "web", "NoClusterFit");

    await store.putCluster(cluster({ name: "a", kinds: ["v1 ConfigMap", "apps/v1 Deployment"] }));

    expect(targetsOf(await untilScheduled(store, "web", "Success"))).toHaveProperty("a");
  });
});

describe("a binding without room", () => {
  it("goes on as soon as a cluster of its own reports more room", async () => {
    const store = await begin();
    await store.putCluster(roomy("a", 1));
    await store.putCluster(roomy("other", 1));
    await store.client.create(unscheduled("web", { ...DYNAMIC, clusterAffinity: { clusterNames: ["a"] } }));
    const { loop } = await store.start();
    await untilScheduled(store, "web", "Unschedulable");
    const before = await store.read("web");

    await store.putCluster(roomy("other", 100));
    await store.clock.advance(11_000);
    expect((await store.read("web")).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    await store.putCluster(roomy("a", 2));
    await eventually(async () => {
      await store.clock.advance(1_000);
      expect(targetsOf(await store.read("web"))).toEqual({ a: 2 });
    });
    await loop.stop();
  });

  it("is tried again after five minutes although nothing was reported", async () => {
    let attempts = 0;
    const store = await begin();
    await store.putCluster(roomy("a", 1));
    await store.client.create(unscheduled("web", { ...DYNAMIC, clusterAffinity: { clusterNames: ["a"] } }));
    const { writer } = await store.start();
    writer.subscribe(() => attempts++);
    await untilScheduled(store, "web", "Unschedulable");
    await eventually(() => attempts === 1);

    await store.clock.advance(299_000);
    expect(attempts).toBe(1);
    await store.clock.advance(60_000);

    await eventually(() => attempts === 2);
  });
});

describe("a result that the server does not take", () => {
  it("leaves the binding as it is, says that the quota is exceeded, and is tried again after 1, 2, 4 seconds", async () => {
    const message = "FederatedResourceQuota(shop/q) exceeded for resource cpu: requested sum 4, limit 2.";
    let isExceeded = true;
    let tries = 0;
    const store = await begin({
      intercept: (request) => {
        const refused = refusing((one) => isExceeded && isBindingWrite(one), 403, "QuotaExceeded", message)(request);
        if (refused !== undefined) tries++;
        return refused;
      },
    });
    await store.putCluster(roomy("a", 10));
    await store.client.create(unscheduled("web", DYNAMIC));
    await store.start();

    const denied = await untilScheduled(store, "web", "QuotaExceeded");
    expect(conditionOf(denied, "Scheduled")).toMatchObject({ status: "False", message });
    expect(denied.spec.clusters).toBeUndefined();
    expect(denied.metadata.annotations?.["policy.karmada.io/applied-placement"]).toBeUndefined();
    expect(tries).toBe(1);
    for (const [index, rest] of [1_000, 2_000, 4_000].entries()) {
      await store.clock.advance(rest - 1_000);
      expect(tries).toBe(index + 1);
      await store.clock.advance(1_000);
      await eventually(() => tries === index + 2);
    }
    isExceeded = false;
    await store.clock.advance(8_000);

    expect(targetsOf(await untilScheduled(store, "web", "Success"))).toEqual({ a: 2 });
  });

  it("says what went wrong otherwise", async () => {
    const store = await begin({ intercept: refusing(isBindingWrite, 500, "InternalError", "out of order") });
    await store.putCluster(roomy("a", 10));
    await store.client.create(unscheduled("web", DYNAMIC));
    await store.start();

    const failed = await untilScheduled(store, "web", "SchedulerError");

    expect(conditionOf(failed, "Scheduled")).toMatchObject({ status: "False", message: "out of order" });
  });

  it("names both failures when nothing fits and that cannot be written", async () => {
    const store = await begin({ intercept: refusing(isBindingWrite, 500, "InternalError", "out of order") });
    await store.putCluster(roomy("a", 10));
    const placement = { clusterAffinity: { clusterNames: ["nowhere"] } };
    await store.client.create(unscheduled("web", placement, { clusters: [{ name: "a", replicas: 2 }] }));
    await store.start();

    const failed = await untilScheduled(store, "web", "NoClusterFit");

    expect(conditionOf(failed, "Scheduled")?.message).toMatch(/^\[0\/1 clusters are available: .*, out of order\]$/);
    expect(targetsOf(failed)).toEqual({ a: 2 });
  });

  it("is written in the end, status included, when at first only the status could not be", async () => {
    let failures = 2;
    const isStatus = (request: ApiRequest): boolean =>
      request.method === "PATCH" && request.path.includes("/resourcebindings/web/status") && failures-- > 0;
    const store = await begin({ intercept: refusing(isStatus, 500, "InternalError", "out of order") });
    await store.putCluster(roomy("a", 10));
    await store.client.create(unscheduled("web", DYNAMIC));
    await store.start();
    await eventually(async () => expect(targetsOf(await store.read("web"))).toEqual({ a: 2 }));

    await eventually(async () => {
      await store.clock.advance(1_000);
      expect(conditionOf(await store.read("web"), "Scheduled")?.status).toBe("True");
    });
    const { metadata, status } = await store.read("web");
    expect(status?.schedulerObservedGeneration).toBe(metadata.generation);
    expect(status?.lastScheduledTime).toBeDefined();
  });
});

describe("gate WorkloadAffinity", () => {
  const GATES = { featureGates: featureGates({ WorkloadAffinity: true }) };
  const ONE = { spreadConstraints: [{ spreadByField: "cluster" as const, minGroups: 1, maxGroups: 1 }] };
  const names = Array.from({ length: 6 }, (_, i) => `w${i}`);

  it("keeps workloads of one group together, also those that are scheduled at the same moment", async () => {
    const store = await begin({ profile: GATES });
    for (const name of ["a", "b", "c"]) await store.putCluster(roomy(name, 10));
    const groups = { workloadAffinityGroups: { affinityGroup: "app=web" } };
    for (const name of names) await store.client.create(unscheduled(name, { ...DYNAMIC, ...ONE }, groups));
    await store.start();

    const places = new Set<string>();
    for (const name of names)
      for (const target of Object.keys(targetsOf(await untilScheduled(store, name, "Success")))) places.add(target);

    expect(places.size).toBe(1);
  });

  it("keeps workloads of one group apart, and leaves over those for which there is no other cluster", async () => {
    const store = await begin({ profile: GATES });
    for (const name of ["a", "b", "c"]) await store.putCluster(roomy(name, 10));
    const groups = { workloadAffinityGroups: { antiAffinityGroup: "app=web" } };
    for (const name of names) await store.client.create(unscheduled(name, { ...DYNAMIC, ...ONE }, groups));
    // The same group elsewhere has nothing to do with it.
    await store.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "elsewhere" } });
    const stranger = unscheduled(
      "stranger",
      { ...DYNAMIC, ...ONE },
      { ...groups, clusters: [{ name: "a", replicas: 2 }] },
    );
    await store.client.create({ ...stranger, metadata: { ...stranger.metadata, namespace: "elsewhere" } });
    await store.start();

    await eventually(async () => {
      const outcomes = await Promise.all(
        names.map(async (name) => conditionOf(await store.read(name), "Scheduled")?.reason),
      );
      expect(outcomes.sort()).toEqual([...Array(3).fill("NoClusterFit"), ...Array(3).fill("Success")]);
    });
    const places = (await Promise.all(names.map((name) => store.read(name)))).flatMap((each) =>
      Object.keys(targetsOf(each)),
    );
    expect(places.sort()).toEqual(["a", "b", "c"]);
    const left = (await Promise.all(names.map((name) => store.read(name)))).find(
      (each) => targetsOf(each)["a"] === undefined && each.spec.clusters === undefined,
    );
    expect(conditionOf(left as ResourceBinding, "Scheduled")?.message).toContain(
      "3 cluster already has workload with the same anti-affinity group",
    );
  });
});

describe("gate SchedulingOvercommitProtection", () => {
  async function placeTwo(gate: boolean) {
    const store = await begin({ profile: { featureGates: featureGates({ SchedulingOvercommitProtection: gate }) } });
    await store.putCluster(roomy("a", 3));
    await store.client.create(unscheduled("first", DYNAMIC));
    await store.start();
    await untilScheduled(store, "first", "Success");
    await store.client.create(unscheduled("second", DYNAMIC));
    return store;
  }

  it("counts what was placed and is not yet in the reports", async () => {
    const store = await placeTwo(true);

    await untilScheduled(store, "second", "Unschedulable");
  });

  it("counts nothing when it is off, as by default", async () => {
    const store = await placeTwo(false);

    await untilScheduled(store, "second", "Success");
  });

  it.each<[what: string, release: (store: LoopUnderTest) => Promise<void>]>([
    [
      "the workload is healthy there",
      async ({ client }) => {
        const ref = {
          apiVersion: "work.karmada.io/v1alpha2",
          kind: "ResourceBinding",
          namespace: "shop",
          name: "first",
        };
        const aggregatedStatus = [{ clusterName: "a", health: "Healthy" }];
        await client.patch(ref, { status: { aggregatedStatus } }, "merge", { subresource: "status" });
      },
    ],
    [
      "the workload leaves",
      async (store) => {
        await store.edit("first", { placement: { ...DYNAMIC, clusterAffinity: { clusterNames: ["nowhere"] } } });
        await untilScheduled(store, "first", "NoClusterFit");
      },
    ],
    [
      "its binding is deleted",
      async ({ client }) => {
        await client.delete({
          apiVersion: "work.karmada.io/v1alpha2",
          kind: "ResourceBinding",
          namespace: "shop",
          name: "first",
        });
      },
    ],
    ["five minutes are over", ({ clock }) => clock.advance(300_000)],
  ])("forgets it, and tries those that wait, when %s", async (what, release) => {
    const store = await placeTwo(true);
    await untilScheduled(store, "second", "Unschedulable");
    await release(store);

    // The time at which a decision is made next: nobody asks before, so that what is over is not noticed.
    if (what.includes("minutes")) await store.edit("second", { rescheduleTriggeredAt: "2030-01-01T00:00:00Z" });

    await eventually(async () => {
      await store.clock.advance(200);
      expect(conditionOf(await store.read("second"), "Scheduled")?.reason).toBe("Success");
    });
  });

  it("does not count a result that was not written", async () => {
    let isExceeded = true;
    const store = await begin({
      profile: { featureGates: featureGates({ SchedulingOvercommitProtection: true }) },
      intercept: (request) =>
        refusing(
          (one) => isExceeded && isBindingWrite(one) && one.path.includes("first"),
          403,
          "QuotaExceeded",
          "no",
        )(request),
    });
    await store.putCluster(roomy("a", 3));
    await store.client.create(unscheduled("first", DYNAMIC));
    await store.start();
    await untilScheduled(store, "first", "QuotaExceeded");
    await store.client.create(unscheduled("second", DYNAMIC));
    await untilScheduled(store, "second", "Success");

    isExceeded = false;
    await eventually(async () => {
      await store.clock.advance(1_000);
      expect(conditionOf(await store.read("first"), "Scheduled")?.reason).toBe("Unschedulable");
    });
  });
});

describe("changes of the fleet", () => {
  it("reach bindings that are not divided, and write only those that they move", async () => {
    const store = await begin();
    await store.putCluster(cluster({ name: "a", labels: { env: "prod" } }));
    await store.putCluster(cluster({ name: "b" }));
    const prod = { clusterAffinity: { labelSelector: { matchLabels: { env: "prod" } } } };
    const weights = {
      replicaScheduling: { replicaSchedulingType: "Divided" as const, replicaDivisionPreference: "Weighted" as const },
    };
    await store.client.create(unscheduled("everywhere", {}));
    await store.client.create(unscheduled("prod", prod));
    await store.client.create(unscheduled("divided", { ...prod, ...weights }));
    await store.start();
    for (const name of ["everywhere", "prod", "divided"]) await untilScheduled(store, name, "Success");
    const before = await Promise.all(["everywhere", "divided"].map((name) => store.read(name)));

    await store.putCluster(cluster({ name: "b", labels: { env: "prod" } }));

    await eventually(async () => expect(targetsOf(await store.read("prod"))).toEqual({ a: 2, b: 2 }));
    await consistently(
      async () => {
        const after = await Promise.all(["everywhere", "divided"].map((name) => store.read(name)));
        expect(after).toEqual(before);
      },
      { forMs: 50 },
    );
  });
});

describe("settings of the scheduler", () => {
  function scheduling(change: Partial<SchedulingProfile>): LoopWords {
    return { profile: { scheduling: { ...DEFAULT_SCHEDULING, ...change } } };
  }

  it("leave out filters that are switched off", async () => {
    const store = await begin(scheduling({ disabledPlugins: ["TaintToleration"] }));
    await store.putCluster(cluster({ name: "a", taints: [{ key: "maintenance", effect: "NoSchedule" }] }));
    await store.client.create(unscheduled("web", {}));
    await store.start();

    expect(targetsOf(await untilScheduled(store, "web", "Success"))).toEqual({ a: 2 });
  });

  it.each([
    [[], { a: 3 }],
    [["ClusterLocality"], { b: 3 }],
  ])("prefer present clusters unless ClusterLocality is off (%j)", async (disabledPlugins, targets) => {
    const store = await begin(scheduling({ disabledPlugins }));
    await store.putCluster(roomy("a", 10));
    await store.putCluster(roomy("b", 20));
    const spreadConstraints = [{ spreadByField: "cluster" as const, minGroups: 1, maxGroups: 1 }];
    const clusters = [{ name: "a", replicas: 2 }];
    await store.client.create(unscheduled("web", { ...DYNAMIC, spreadConstraints }, { replicas: 3, clusters }));
    await store.start();

    expect(targetsOf(await untilScheduled(store, "web", "Success"))).toEqual(targets);
  });

  it("send workloads also to chosen clusters that get no replicas, if so wished", async () => {
    const store = await begin(scheduling({ emptyWorkloadPropagation: true }));
    await store.putCluster(roomy("a", 10));
    await store.putCluster(roomy("b", 10));
    await store.client.create(unscheduled("web", DYNAMIC, { replicas: 1 }));
    await store.start();

    const { spec } = await untilScheduled(store, "web", "Success");

    expect(spec.clusters).toHaveLength(2);
    expect(spec.clusters?.map(({ replicas }) => replicas ?? 0).sort()).toEqual([0, 1]);
  });
});

describe("gate MultiplePodTemplatesScheduling", () => {
  const request = (cpu: string) => ({ resourceRequest: { cpu } });
  const components = [
    { name: "leader", replicas: 1, replicaRequirements: request("2") },
    { name: "worker", replicas: 4, replicaRequirements: request("1") },
  ];
  const ONE = { spreadConstraints: [{ spreadByField: "cluster" as const, minGroups: 1, maxGroups: 1 }] };

  async function place(gate: boolean, cpu: number): Promise<LoopUnderTest> {
    const gates = featureGates({ MultiplePodTemplatesScheduling: gate });
    const store = await begin({ profile: { featureGates: gates } });
    await store.putCluster(roomy("a", 4));
    await store.putCluster(roomy("b", cpu));
    const { replicas: _, replicaRequirements: __, ...spec } = unscheduled("flink", { ...DYNAMIC, ...ONE }).spec;
    const made = unscheduled("flink", {});
    await store.client.create({ ...made, spec: { ...spec, components } });
    await store.start();
    return store;
  }

  it("places all components together where one set of them has room", async () => {
    const store = await place(true, 6);

    const { spec } = await untilScheduled(store, "flink", "Success");

    expect(spec.clusters).toEqual([{ name: "b" }]);
  });

  it("waits where no cluster has room for one set", async () => {
    const store = await place(true, 5);

    const binding = await untilScheduled(store, "flink", "SchedulerError");

    expect(conditionOf(binding, "Scheduled")?.message).toContain("no enough resource when selecting 1 clusters");
    await store.putCluster(roomy("b", 6));
    await eventually(async () => {
      await store.clock.advance(1_000);
      expect((await store.read("flink")).spec.clusters).toEqual([{ name: "b" }]);
    });
  });
});
