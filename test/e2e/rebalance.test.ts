// Requests to place workloads anew, and replicas that are taken back: what they move, report, and how they end; on both engines.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WorkloadRebalancer } from "../../api/apps.ts";
import { DEFAULT_FEATURE_GATES } from "../../api/feature-gates.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { availableReplicas, eventReasons, readBinding, targetsOf } from "./support/reading.ts";

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};

const WEB = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };

function rebalancer(name: string, spec: Record<string, unknown>): WorkloadRebalancer {
  return {
    apiVersion: "apps.karmada.io/v1alpha1",
    kind: "WorkloadRebalancer",
    metadata: { name },
    spec: { workloads: [], ...spec },
  };
}

describe.each(engines())("rebalancing, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  function readRebalancer(name: string): Promise<WorkloadRebalancer> {
    return plane.client.get<WorkloadRebalancer>(ref("apps.karmada.io/v1alpha1 WorkloadRebalancer", "", name));
  }

  function findRebalancer(name: string): Promise<unknown> {
    return plane.client.find(ref("apps.karmada.io/v1alpha1 WorkloadRebalancer", "", name));
  }

  /** Six replicas on two clusters, with a third that the policy names later, so that only a request uses it. */
  async function deployLopsided(namespace: string): Promise<void> {
    const place = (clusterNames: readonly string[]) =>
      policy({ namespace, placement: { clusterAffinity: { clusterNames }, replicaScheduling: DYNAMIC } });
    await applyAll(plane.client, namespaceObject(namespace), place(["tokyo-1", "paris-1"]), deployment({ namespace }));
    await eventually(async () =>
      expect(targetsOf(await readBinding(plane, namespace, "web-deployment"))).toEqual({ "tokyo-1": 3, "paris-1": 3 }),
    );
    await applyAll(plane.client, place(["tokyo-1", "paris-1", "paris-2"]));
    await eventually(async () => {
      const binding = await readBinding(plane, namespace, "web-deployment");
      expect(binding.metadata.annotations?.["policy.karmada.io/applied-placement"]).toContain("paris-2");
      expect(binding.status?.schedulerObservedGeneration).toBe(binding.metadata.generation);
      // Times are whole seconds: a request of the same one would count as no later.
      expect(Date.parse(binding.status?.lastScheduledTime ?? "") + 1_000).toBeLessThan(Date.now());
    });
    expect(targetsOf(await readBinding(plane, namespace, "web-deployment"))).toEqual({ "tokyo-1": 3, "paris-1": 3 });
  }

  it("places a workload anew, and says which it did not find", async () => {
    await deployLopsided("lopsided");
    const missing = { ...WEB, namespace: "lopsided", name: "none" };
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "none" };

    await plane.client.create(rebalancer("now", { workloads: [{ ...WEB, namespace: "lopsided" }, missing, role] }));

    await eventually(async () =>
      expect(targetsOf(await readBinding(plane, "lopsided", "web-deployment"))).toEqual({
        "tokyo-1": 2,
        "paris-1": 2,
        "paris-2": 2,
      }),
    );
    await eventually(async () => expect((await readRebalancer("now")).status?.finishTime).toBeDefined());
    const { metadata, status } = await readRebalancer("now");
    expect(status).toEqual({
      observedGeneration: 1,
      finishTime: expect.any(String),
      observedWorkloads: [
        { workload: missing, result: "Failed", reason: "ReferencedBindingNotFound" },
        { workload: { ...WEB, namespace: "lopsided" }, result: "Successful" },
        { workload: role, result: "Failed", reason: "ReferencedBindingNotFound" },
      ],
    });
    const binding = await readBinding(plane, "lopsided", "web-deployment");
    expect(binding.spec.rescheduleTriggeredAt).toBe(metadata.creationTimestamp);
  });

  it("follows its list: what is added is asked for, what was done stays reported", async () => {
    await deployLopsided("edited");
    const first = { ...WEB, namespace: "edited", name: "absent" };
    await plane.client.create(rebalancer("edited", { workloads: [first, { ...WEB, namespace: "edited" }] }));
    await eventually(async () => expect((await readRebalancer("edited")).status?.finishTime).toBeDefined());
    const other = { ...WEB, namespace: "edited", name: "other" };

    await plane.client.patch(
      ref("apps.karmada.io/v1alpha1 WorkloadRebalancer", "", "edited"),
      { spec: { workloads: [other] } },
      "merge",
    );

    await eventually(async () => {
      const { status } = await readRebalancer("edited");
      expect(status?.observedGeneration).toBe(2);
      expect(status?.observedWorkloads).toEqual([
        { workload: other, result: "Failed", reason: "ReferencedBindingNotFound" },
        { workload: { ...WEB, namespace: "edited" }, result: "Successful" },
      ]);
    });
  });

  it("asks for cluster-scoped objects too, and goes at once when it is told to", async () => {
    await applyAll(
      plane.client,
      {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterPropagationPolicy",
        metadata: { name: "roles" },
        spec: {
          resourceSelectors: [{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "viewer" }],
          placement: {},
        },
      },
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "viewer" }, rules: [] },
    );
    const bindingRef = ref("work.karmada.io/v1alpha2 ClusterResourceBinding", "", "viewer-clusterrole");
    await eventually(async () => expect(await plane.client.find(bindingRef)).toBeDefined());

    const created = await plane.client.create(
      rebalancer("short", {
        ttlSecondsAfterFinished: 0,
        workloads: [{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: "viewer" }],
      }),
    );

    await eventually(async () => expect(await findRebalancer("short")).toBeUndefined());
    const binding = await plane.client.get(bindingRef);
    expect(binding["spec"]).toMatchObject({ rescheduleTriggeredAt: created.metadata.creationTimestamp });
  });

  it("says so when the workload was scheduled no earlier than it was asked for", async () => {
    await deployLopsided("late");
    await plane.client.patch(
      ref("work.karmada.io/v1alpha2 ResourceBinding", "late", "web-deployment"),
      { status: { lastScheduledTime: "2099-01-01T00:00:00Z" } },
      "merge",
      { subresource: "status" },
    );
    await eventually(async () => {
      const cached = plane.control.context.informers
        .known("work.karmada.io/v1alpha2", "ResourceBinding")
        ?.get("late", "web-deployment");
      expect(cached?.["status"]).toMatchObject({ lastScheduledTime: "2099-01-01T00:00:00Z" });
    });

    await plane.client.create(rebalancer("late", { workloads: [{ ...WEB, namespace: "late" }] }));

    await eventually(async () => {
      expect((await readRebalancer("late")).status?.observedWorkloads?.[0]?.result).toBe("Successful");
      expect(await eventReasons(plane, "late", "Deployment", "web")).toContain("RebalanceWithoutEffect");
      expect(await eventReasons(plane, "default", "WorkloadRebalancer", "late")).toEqual(["RebalanceWithoutEffect"]);
    });
    expect(targetsOf(await readBinding(plane, "late", "web-deployment"))).toEqual({ "tokyo-1": 3, "paris-1": 3 });
  });
});

describe.each(engines())("descheduling, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: {
        descheduler: { intervalMs: 300, thresholdMs: 0, timeoutMs: 3_000 },
        // By models of nodes it would not come to this.
        featureGates: { ...DEFAULT_FEATURE_GATES, CustomizedClusterResourceModeling: false },
      },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("takes replicas back that find no node, and has them run elsewhere", async () => {
    // Three nodes of 16 cores a cluster: by the sum 48 cores are four times 12, by the nodes three times.
    const container = { resources: { requests: { cpu: "12" } } };
    const replicaScheduling = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" };
    await applyAll(
      plane.client,
      namespaceObject("crowded"),
      policy({ namespace: "crowded", placement: { replicaScheduling } }),
      deployment({ namespace: "crowded", replicas: 4, container }),
    );

    await eventually(async () => {
      const binding = await readBinding(plane, "crowded", "web-deployment");
      expect(Object.values(targetsOf(binding)).sort()).toEqual([1, 3]);
      expect(await availableReplicas(plane, "crowded")).toBe(4);
    });
    await eventually(async () => {
      expect(await eventReasons(plane, "crowded", "Deployment", "web")).toContain("DescheduleBindingSucceed");
      expect(await eventReasons(plane, "crowded", "ResourceBinding", "web-deployment")).toContain(
        "DescheduleBindingSucceed",
      );
    });
  });
});
