// Moves that policies ask for: an application that stays unhealthy, and taints that follow conditions; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, eventReasons, orderedReplicas, readBinding, targetsOf } from "./support/reading.ts";

const CLUSTER = "cluster.karmada.io/v1alpha1 Cluster";

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};

/** Asks for more than any node has, in one cluster. */
function neverRunningIn(namespace: string, cluster: string): KubeObject {
  const value = [{ name: "web", image: "registry.example/web:1", resources: { requests: { cpu: "500" } } }];
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name: "heavy", namespace },
    spec: {
      overrideRules: [
        {
          targetCluster: { clusterNames: [cluster] },
          overriders: { plaintext: [{ path: "/spec/template/spec/containers", operator: "replace", value }] },
        },
      ],
    },
  };
}

function taintPolicy(name: string): KubeObject {
  const on = (status: string) => [{ conditionType: "Ready", operator: "In", statusValues: [status] }];
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterTaintPolicy",
    metadata: { name },
    spec: {
      targetClusters: { clusterNames: ["paris-2"] },
      addOnConditions: on("False"),
      removeOnConditions: on("True"),
      taints: [{ key: "shop.example/down", value: "yes", effect: "NoSchedule" }],
    },
  };
}

describe.each(engines())("failover by policies, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS, profile: { failover: true } });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function deployBroken(namespace: string, spec: Record<string, unknown>): Promise<void> {
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      neverRunningIn(namespace, "paris-1"),
      policy({ namespace, placement: { replicaScheduling: DYNAMIC }, spec: { propagateDeps: true, ...spec } }),
      deployment({ namespace, replicas: 6 }),
    );
  }

  it("moves an application away from a cluster where it stays unhealthy, and only if its policy says so", async () => {
    const application = { decisionConditions: { tolerationSeconds: 1 }, purgeMode: "Gracefully" };
    await deployBroken("moving", { failover: { application } });
    await deployBroken("staying", {});

    await eventually(async () => {
      expect(targetsOf(await readBinding(plane, "moving", "web-deployment"))).toEqual({ "tokyo-1": 3, "paris-2": 3 });
      expect(await eventReasons(plane, "moving", "Deployment", "web")).toContain("EvictWorkloadFromClusterSucceed");
      // The old copy went once the others served.
      expect(await orderedReplicas(plane, "moving")).toEqual({ "tokyo-1": 3, "paris-2": 3 });
    });
    expect(targetsOf(await readBinding(plane, "staying", "web-deployment"))).toEqual({
      "tokyo-1": 2,
      "paris-1": 2,
      "paris-2": 2,
    });
  });

  it("leaves the old copy for a person to remove when the policy never purges", async () => {
    const application = { decisionConditions: { tolerationSeconds: 1 }, purgeMode: "Never" };
    await deployBroken("kept", { failover: { application } });

    await eventually(async () => {
      const binding = await readBinding(plane, "kept", "web-deployment");
      expect(targetsOf(binding)).toEqual({ "tokyo-1": 3, "paris-2": 3 });
      expect(binding.spec.gracefulEvictionTasks).toMatchObject([
        {
          fromCluster: "paris-1",
          producer: "resource-binding-application-failover-controller",
          reason: "ApplicationFailure",
          suppressDeletion: true,
        },
      ]);
    });
    await consistently(async () => expect(Object.keys(await orderedReplicas(plane, "kept"))).toContain("paris-1"), {
      forMs: 300,
    });
  });

  it("taints a cluster by its condition, and takes the taint away again", async () => {
    await applyAll(plane.client, taintPolicy("down"));
    const taints = async () => at(await plane.client.get(ref(CLUSTER, "", "paris-2")), "spec", "taints") ?? [];
    const own = expect.objectContaining({ key: "shop.example/down", value: "yes", effect: "NoSchedule" });

    plane.member("paris-2").setFault("down");
    await eventually(async () => expect(await taints()).toContainEqual(own));
    await eventually(async () =>
      expect(await eventReasons(plane, "default", "Cluster", "paris-2")).toContain("TaintClusterSucceed"),
    );

    plane.member("paris-2").setFault("none");
    await eventually(async () => expect(await taints()).toEqual([]));
    const cluster = await plane.client.get(ref(CLUSTER, "", "paris-2"));
    expect(conditionOf(cluster, "Ready")?.status).toBe("True");
  });
});
