// What the scheduling loop does about bindings, as one sees it by reading them; on both engines.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { ResourceBinding } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, orderedReplicas, readBinding, targetsOf } from "./support/reading.ts";

const CLUSTER = "cluster.karmada.io/v1alpha1 Cluster";
const BINDING = "work.karmada.io/v1alpha2 ResourceBinding";
/** Templates in line before the one that matters. */
const BURST = Number(process.env["FLAGHOIST_BURST"] ?? 150);

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};
const EVEN = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" };

/** Three nodes of 16 cores in each of three clusters. */
function withCores(cpu: string, namespace: string, replicas: number, name = "web"): KubeObject {
  return deployment({ namespace, name, replicas, container: { resources: { requests: { cpu } } } });
}

async function edit(plane: Plane, namespace: string, spec: Record<string, unknown>, name = "web-deployment") {
  return plane.client.patch<ResourceBinding>(ref(BINDING, namespace, name), { spec }, "merge");
}

async function untilTargets(
  plane: Plane,
  namespace: string,
  targets: Record<string, number | undefined>,
  name = "web-deployment",
): Promise<ResourceBinding> {
  return eventually(async () => {
    const binding = await readBinding(plane, namespace, name);
    expect(targetsOf(binding)).toEqual(targets);
    return binding;
  });
}

async function untilCondition(plane: Plane, namespace: string, condition: Record<string, unknown>) {
  return eventually(async () => {
    const binding = await readBinding(plane, namespace, "web-deployment");
    expect(conditionOf(binding, "Scheduled")).toMatchObject(condition);
    return binding;
  });
}

/** Messages of the events of one reason about an object, in no order. */
async function messagesOf(plane: Plane, namespace: string, kind: string, name: string, reason: string) {
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=${reason}`;
  const { items } = await plane.client.list("v1", "Event", { namespace, fieldSelector });
  return items.map((event) => String(event["message"]));
}

async function label(plane: Plane, cluster: string, labels: Record<string, string | null>): Promise<void> {
  await plane.client.patch(ref(CLUSTER, "", cluster), { metadata: { labels } }, "merge");
}

describe.each(engines())("scheduling, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      // Room is what the sums say.
      profile: { featureGates: featureGates({ CustomizedClusterResourceModeling: false }) },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  describe("what a binding says of its scheduling", () => {
    it("is Success, with result, time, generation, placement and an event", async () => {
      const namespace = "success";
      const placement = { clusterAffinity: { clusterNames: ["tokyo-1", "paris-1"] }, replicaScheduling: EVEN };
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement }),
        deployment({ namespace }),
      );

      const binding = await untilCondition(plane, namespace, {
        status: "True",
        reason: "Success",
        message: "Binding has been scheduled successfully.",
      });

      expect(targetsOf(binding)).toEqual({ "tokyo-1": 3, "paris-1": 3 });
      expect(binding.status?.schedulerObservedGeneration).toBe(binding.metadata.generation);
      expect(binding.status?.lastScheduledTime).toMatch(/^\d{4}-/);
      expect(JSON.parse(binding.metadata.annotations?.["policy.karmada.io/applied-placement"] ?? "")).toEqual(
        placement,
      );
      for (const [kind, name] of [
        ["ResourceBinding", "web-deployment"],
        ["Deployment", "web"],
      ] as const) {
        await eventually(async () => {
          const told = await messagesOf(plane, namespace, kind, name, "ScheduleBindingSucceed");
          expect(told).toContainEqual(
            expect.stringMatching(
              /^Binding has been scheduled successfully\. Result: \{(paris-1:3, tokyo-1:3|tokyo-1:3, paris-1:3)\}$/,
            ),
          );
        });
      }
    });

    it("is Unschedulable for want of room, with the clusters it had, until room is freed", async () => {
      const namespace = "full";
      // Four pods of 10 cores are one on each node of tokyo-1, and one too many.
      const onTokyo = { clusterAffinity: { clusterNames: ["tokyo-1"] }, replicaScheduling: DYNAMIC };
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement: onTokyo }),
        withCores("10", namespace, 2, "first"),
      );
      await eventually(async () => expect(await orderedReplicas(plane, namespace, "first")).toEqual({ "tokyo-1": 2 }));
      // The cluster says what it has left only when the pods are there.
      await eventually(async () => {
        const summary = at(
          await plane.client.get(ref(CLUSTER, "", "tokyo-1")),
          "status",
          "resourceSummary",
          "allocated",
        );
        expect(at(summary, "cpu")).toMatch(/^20/);
      });
      await applyAll(plane.client, withCores("10", namespace, 3));

      const waiting = await untilCondition(plane, namespace, {
        status: "False",
        reason: "Unschedulable",
        message: expect.stringMatching(/Clusters available replicas \d are not enough to schedule\.$/),
      });
      expect(waiting.spec.clusters).toBeUndefined();
      expect(waiting.metadata.annotations?.["policy.karmada.io/applied-placement"]).toBeUndefined();
      await eventually(async () => {
        const told = await messagesOf(plane, namespace, "Deployment", "web", "ScheduleBindingFailed");
        expect(told).toContainEqual(expect.stringContaining("are not enough to schedule."));
      });

      await plane.client.delete(ref("apps/v1 Deployment", namespace, "first"));

      await untilTargets(plane, namespace, { "tokyo-1": 3 });
      await untilCondition(plane, namespace, { status: "True", reason: "Success" });
      await plane.client.delete(ref("apps/v1 Deployment", namespace, "web"));
    });

    it("is NoClusterFit where nothing fits, and its clusters are taken away", async () => {
      const namespace = "nowhere";
      const placement = (name: string) => ({ clusterAffinity: { clusterNames: [name] }, replicaScheduling: EVEN });
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement: placement("paris-1") }),
        deployment({ namespace, replicas: 1 }),
      );
      await untilTargets(plane, namespace, { "paris-1": 1 });

      await applyAll(plane.client, policy({ namespace, placement: placement("atlantis") }));

      const message =
        "0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint.";
      const binding = await untilCondition(plane, namespace, { status: "False", reason: "NoClusterFit", message });
      expect(binding.spec.clusters ?? []).toEqual([]);
      await eventually(async () => {
        expect(await messagesOf(plane, namespace, "Deployment", "web", "ScheduleBindingFailed")).toContain(message);
      });
      await eventually(async () => expect(await orderedReplicas(plane, namespace)).toEqual({}));

      await applyAll(plane.client, policy({ namespace, placement: placement("paris-2") }));
      await untilTargets(plane, namespace, { "paris-2": 1 });
      await untilCondition(plane, namespace, { status: "True", reason: "Success" });
    });

    it("is SchedulerError for any other failure, and its clusters stay", async () => {
      const namespace = "spread";
      const spread = (minGroups: number) => ({
        replicaScheduling: DYNAMIC,
        spreadConstraints: [{ spreadByField: "cluster", minGroups, maxGroups: 5 }],
      });
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement: spread(3) }),
        deployment({ namespace, replicas: 3 }),
      );
      await untilCondition(plane, namespace, { status: "True", reason: "Success" });
      const before = targetsOf(await readBinding(plane, namespace, "web-deployment"));

      await applyAll(plane.client, policy({ namespace, placement: spread(4) }));

      const binding = await untilCondition(plane, namespace, {
        status: "False",
        reason: "SchedulerError",
        message: expect.stringContaining("the number of feasible clusters is less than spreadConstraint.MinGroups"),
      });
      expect(targetsOf(binding)).toEqual(before);
      await applyAll(plane.client, policy({ namespace, placement: spread(2) }));
      await untilCondition(plane, namespace, { status: "True", reason: "Success" });
    });
  });

  describe("what is left alone", () => {
    it("is a binding whose scheduling is suspended, until that is lifted", async () => {
      const namespace = "suspended";
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement: { replicaScheduling: EVEN } }),
        deployment({ namespace, replicas: 3 }),
      );
      await untilTargets(plane, namespace, { "tokyo-1": 1, "paris-1": 1, "paris-2": 1 });
      await edit(plane, namespace, { suspension: { scheduling: true } });

      await applyAll(plane.client, deployment({ namespace, replicas: 6 }));

      await eventually(async () =>
        expect((await readBinding(plane, namespace, "web-deployment")).spec.replicas).toBe(6),
      );
      await consistently(
        async () => {
          const binding = await readBinding(plane, namespace, "web-deployment");
          expect(targetsOf(binding)).toEqual({ "tokyo-1": 1, "paris-1": 1, "paris-2": 1 });
        },
        { forMs: 300 },
      );
      await edit(plane, namespace, { suspension: null });
      await untilTargets(plane, namespace, { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    });

    it("is a binding for another scheduler", async () => {
      const namespace = "others";
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, spec: { schedulerName: "somebody-else" } }),
        deployment({ namespace }),
      );

      await eventually(async () => {
        const binding = await readBinding(plane, namespace, "web-deployment");
        expect(binding.spec.schedulerName).toBe("somebody-else");
      });
      await consistently(
        async () => {
          const { spec, status } = await readBinding(plane, namespace, "web-deployment");
          expect([spec.clusters, status?.conditions]).toEqual([undefined, undefined]);
        },
        { forMs: 300 },
      );
      // That scheduler's word counts.
      await edit(plane, namespace, { clusters: [{ name: "paris-2", replicas: 6 }] });
      await eventually(async () => expect(await orderedReplicas(plane, namespace)).toEqual({ "paris-2": 6 }));
    });
  });

  describe("changes of clusters", () => {
    it("move what goes to every cluster that fits, and not what is divided", async () => {
      const namespace = "labels";
      const clusterAffinity = { labelSelector: { matchLabels: { tier: "gold" } } };
      await label(plane, "tokyo-1", { tier: "gold" });
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement: { clusterAffinity, replicaScheduling: EVEN } }),
        policy({
          namespace,
          name: "settings",
          selectors: [{ apiVersion: "v1", kind: "ConfigMap", name: "settings" }],
          placement: { clusterAffinity },
        }),
        deployment({ namespace, replicas: 4 }),
        configMap(namespace, "settings"),
      );
      await untilTargets(plane, namespace, { "tokyo-1": 4 });
      await untilTargets(plane, namespace, { "tokyo-1": undefined }, "settings-configmap");

      await label(plane, "paris-1", { tier: "gold" });

      await untilTargets(plane, namespace, { "tokyo-1": undefined, "paris-1": undefined }, "settings-configmap");
      await label(plane, "tokyo-1", { tier: null });
      await untilTargets(plane, namespace, { "paris-1": undefined }, "settings-configmap");
      await consistently(
        async () => {
          const binding = await readBinding(plane, namespace, "web-deployment");
          expect(targetsOf(binding)).toEqual({ "tokyo-1": 4 });
        },
        { forMs: 300 },
      );
      await label(plane, "paris-1", { tier: null });
    });

    it("that take away the clusters of one group lead on to the next, and not back", async () => {
      const namespace = "groups";
      const placement = {
        replicaScheduling: EVEN,
        clusterAffinities: [
          { affinityName: "near", labelSelector: { matchLabels: { near: "yes" } } },
          { affinityName: "far", clusterNames: ["paris-2"] },
        ],
      };
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement }),
        deployment({ namespace, replicas: 2 }),
      );

      const binding = await untilTargets(plane, namespace, { "paris-2": 2 });

      expect(binding.status?.schedulerObservingAffinityName ?? "far").toBe("far");
      await eventually(async () => {
        const told = await messagesOf(plane, namespace, "ResourceBinding", "web-deployment", "ScheduleBindingFailed");
        expect(told).toContain(
          "failed to schedule ResourceBinding(groups/web-deployment) with clusterAffiliates index(0): " +
            "0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint.",
        );
        const { status } = await readBinding(plane, namespace, "web-deployment");
        expect(status?.schedulerObservingAffinityName).toBe("far");
      });
      await label(plane, "tokyo-1", { near: "yes" });
      await applyAll(plane.client, deployment({ namespace, replicas: 4 }));
      await untilTargets(plane, namespace, { "paris-2": 4 });
      await label(plane, "tokyo-1", { near: null });
    });
  });

  describe("clusters written into a binding by hand", () => {
    it("are corrected when their replicas do not add up, and kept when they do", async () => {
      const namespace = "by-hand";
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, placement: { replicaScheduling: EVEN } }),
        deployment({ namespace, replicas: 6 }),
      );
      await untilTargets(plane, namespace, { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });

      await edit(plane, namespace, { clusters: [{ name: "tokyo-1", replicas: 1 }] });
      await untilTargets(plane, namespace, { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });

      await edit(plane, namespace, { clusters: [{ name: "tokyo-1", replicas: 6 }] });
      await eventually(async () => {
        const { metadata, status } = await readBinding(plane, namespace, "web-deployment");
        expect(status?.schedulerObservedGeneration).toBe(metadata.generation);
      });
      await untilTargets(plane, namespace, { "tokyo-1": 6 });
    });

    it("are put right at once where every cluster is to have the object", async () => {
      const namespace = "by-hand-all";
      await applyAll(plane.client, namespaceObject(namespace), policy({ namespace }), deployment({ namespace }));
      await untilTargets(plane, namespace, { "tokyo-1": 6, "paris-1": 6, "paris-2": 6 });

      await edit(plane, namespace, { clusters: [] });

      await untilTargets(plane, namespace, { "tokyo-1": 6, "paris-1": 6, "paris-2": 6 });
    });
  });

  it.runIf(engine === "embedded")("counts what it does under the names of karmada-scheduler", async () => {
    const { body } = await plane.client.transport({ method: "GET", path: "/metrics" });
    const text = Buffer.from(body as Uint8Array).toString("utf8");

    for (const line of [
      /^karmada_scheduler_schedule_attempts_total\{result="scheduled",schedule_type="ReconcileSchedule"\} [1-9]/m,
      /^karmada_scheduler_schedule_attempts_total\{result="error",schedule_type="ReconcileSchedule"\} [1-9]/m,
      /^karmada_scheduler_e2e_scheduling_duration_seconds_count\{.*\} [1-9]/m,
      /^karmada_scheduler_queue_incoming_bindings_total\{event="ClusterChanged"\} [1-9]/m,
      /^karmada_scheduler_pending_bindings\{queue="active"\} \d/m,
    ])
      expect(text).toMatch(line);
  });

  it("sends what is divided elsewhere when its cluster is unregistered", async () => {
    const namespace = "leaving";
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, placement: { replicaScheduling: DYNAMIC } }),
      deployment({ namespace, replicas: 6 }),
    );
    await untilTargets(plane, namespace, { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });

    await plane.client.delete(ref(CLUSTER, "", "paris-2"));

    await eventually(async () => {
      const targets = targetsOf(await readBinding(plane, namespace, "web-deployment"));
      expect(Object.keys(targets).sort()).toEqual(["paris-1", "tokyo-1"]);
      expect(Object.values(targets).reduce((sum: number, replicas) => sum + (replicas ?? 0), 0)).toBe(6);
    });
  });
});

describe.each(engines())("a burst, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: { "tokyo-1": {} } });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it(`of ${BURST} templates does not hold up the one that matters, which came last`, async () => {
    const namespace = "burst";
    const ofClass = (name: string, priorityClassName: string): KubeObject =>
      policy({
        namespace,
        name,
        selectors: [{ apiVersion: "v1", kind: "ConfigMap", labelSelector: { matchLabels: { rank: name } } }],
        spec: { schedulePriority: { priorityClassSource: "KubePriorityClass", priorityClassName } },
      });
    const priorityClass = (name: string, value: number): KubeObject => ({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value,
    });
    const template = (name: string, rank: string): KubeObject => {
      const made = configMap(namespace, name);
      return { ...made, metadata: { ...made.metadata, labels: { rank } } };
    };
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      priorityClass("everyday", 10),
      priorityClass("matters", 1_000),
      ofClass("low", "everyday"),
      ofClass("high", "matters"),
    );
    // As after a failure of the program: everything is there at once.
    await plane.restart(async (store) => {
      for (let i = 0; i < BURST; i++) await store.create(template(`low-${String(i).padStart(5, "0")}`, "low"));
      await store.create(template("zz-matters", "high"));
    });

    // The cache of the loops has bindings in the order in which they came to be.
    const bindings = plane.control.context.informers.of<ResourceBinding>("work.karmada.io/v1alpha2", "ResourceBinding");
    await eventually(() => bindings.size === BURST + 1, { withinMs: 60_000 + BURST * 50 });

    const order = [...bindings.all()].map(({ metadata }) => metadata.name);

    expect(order.indexOf("zz-matters-configmap")).toBeGreaterThanOrEqual(0);
    // Not behind more than what was begun before it was known.
    expect(order.indexOf("zz-matters-configmap")).toBeLessThan(Math.max(40, BURST / 20));
  }, 300_000);
});
