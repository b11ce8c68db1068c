// Beyond Karmada: replicas that follow labels and health of clusters, and workloads that return; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import {
  at,
  availableReplicas,
  conditionOf,
  eventReasons,
  orderedReplicas,
  readBinding,
  readDeployment,
  targetsOf,
} from "./support/reading.ts";

const CLUSTER = "cluster.karmada.io/v1alpha1 Cluster";

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};

const PROD = { labelSelector: { matchLabels: { stage: "prod" } } };

async function deploy(plane: Plane, namespace: string, placement: Record<string, unknown>): Promise<void> {
  await applyAll(
    plane.client,
    namespaceObject(namespace),
    policy({ namespace, placement }),
    deployment({ namespace, replicas: 6 }),
  );
  await eventually(async () => {
    expect(at(await readDeployment(plane.client, namespace), "status")).toMatchObject({ readyReplicas: 6 });
  });
}

async function targets(plane: Plane, namespace: string): Promise<Record<string, number | undefined>> {
  return targetsOf(await readBinding(plane, namespace, "web-deployment"));
}

async function label(plane: Plane, cluster: string, stage: string | null): Promise<void> {
  await plane.client.patch(ref(CLUSTER, "", cluster), { metadata: { labels: { stage } } }, "merge");
}

async function untilReady(plane: Plane, cluster: string, status: "True" | "False"): Promise<void> {
  await eventually(async () => {
    expect(conditionOf(await plane.client.get(ref(CLUSTER, "", cluster)), "Ready")).toMatchObject({ status });
  });
}

/** The smallest number of available replicas seen while `act` runs. */
async function lowestDuring(plane: Plane, namespace: string, act: () => Promise<void>): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      lowest = Math.min(lowest, await availableReplicas(plane, namespace));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await act();
  isOver = true;
  await watching;
  return lowest;
}

describe.each(engines())("following labels, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("moves what a cluster's new label drives out, and nothing else; without the field nothing moves", async () => {
    const flaghoist = { rescheduleOn: ["ClusterLabels"] };
    await deploy(plane, "following", { clusterAffinity: PROD, replicaScheduling: DYNAMIC, flaghoist });
    await deploy(plane, "staying", { clusterAffinity: PROD, replicaScheduling: DYNAMIC });
    const everywhere = { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 };
    expect(await targets(plane, "following")).toEqual(everywhere);

    const lowest = await lowestDuring(plane, "following", async () => {
      await label(plane, "paris-2", "test");

      await eventually(async () => {
        expect(await orderedReplicas(plane, "following")).toEqual({ "tokyo-1": 3, "paris-1": 3 });
        expect(await availableReplicas(plane, "following")).toBe(6);
      });
    });
    expect(lowest).toBe(6);
    expect(await targets(plane, "following")).toEqual({ "tokyo-1": 3, "paris-1": 3 });
    await eventually(async () =>
      expect(await eventReasons(plane, "following", "Deployment", "web")).toContain("RelocateWorkloadSucceed"),
    );
    const { annotations } = (await readBinding(plane, "following", "web-deployment")).metadata;
    // For `flaghoist explain`.
    expect(annotations?.["scheduling.flaghoist.io/decision"]).toContain("cluster paris-2 no longer matches");
    expect(await targets(plane, "staying")).toEqual(everywhere);
  });

  it("keeps replicas where they are when nothing takes their place, until something does", async () => {
    await label(plane, "paris-2", "test");
    const flaghoist = { rescheduleOn: ["ClusterLabels"] };
    const clusterAffinity = { labelSelector: { matchLabels: { stage: "test" } } };
    await deploy(plane, "alone", { clusterAffinity, replicaScheduling: DYNAMIC, flaghoist });
    expect(await targets(plane, "alone")).toEqual({ "paris-2": 6 });

    await label(plane, "paris-2", "prod");
    await eventually(async () =>
      expect(await eventReasons(plane, "alone", "Deployment", "web")).toContain("RelocateWorkloadPostponed"),
    );
    expect(await targets(plane, "alone")).toEqual({ "paris-2": 6 });
    await label(plane, "paris-1", "test");

    await eventually(async () => expect(await orderedReplicas(plane, "alone")).toEqual({ "paris-1": 6 }));
    await label(plane, "paris-1", "prod");
  });

  it("follows the weights of a cluster that matches now, and loses no replica on the way", async () => {
    await label(plane, "tokyo-1", "test");
    const flaghoist = { rescheduleOn: ["ClusterLabels"] };
    const replicaScheduling = {
      replicaSchedulingType: "Divided",
      replicaDivisionPreference: "Weighted",
      weightPreference: { staticWeightList: [{ targetCluster: PROD, weight: 1 }] },
    };
    await deploy(plane, "weighted", { clusterAffinity: PROD, replicaScheduling, flaghoist });
    expect(await targets(plane, "weighted")).toEqual({ "paris-1": 3, "paris-2": 3 });

    const lowest = await lowestDuring(plane, "weighted", async () => {
      await label(plane, "tokyo-1", "prod");

      await eventually(async () => {
        expect(await orderedReplicas(plane, "weighted")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
        expect(await availableReplicas(plane, "weighted")).toBe(6);
      });
    });
    expect(lowest).toBe(6);
  });
});

describe.each(engines())("following health, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS, profile: { clusterHealthDampingMs: 1_000 } });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("moves away from a cluster that stays not ready, and without the field does not", async () => {
    const flaghoist = { rescheduleOn: ["ClusterHealth"] };
    await deploy(plane, "following", { replicaScheduling: DYNAMIC, flaghoist });
    await deploy(plane, "staying", { replicaScheduling: DYNAMIC });

    plane.member("paris-1").setFault("down");

    await untilReady(plane, "paris-1", "False");
    await eventually(async () => {
      expect(await targets(plane, "following")).toEqual({ "tokyo-1": 3, "paris-2": 3 });
      expect(await availableReplicas(plane, "following", ["tokyo-1", "paris-2"])).toBe(6);
    });
    expect(await targets(plane, "staying")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    await eventually(async () => {
      const binding = await readBinding(plane, "following", "web-deployment");
      expect(binding.spec.gracefulEvictionTasks ?? []).toEqual([]);
    });
  });

  it("does not return by itself, and empties the cluster once it answers", async () => {
    plane.member("paris-1").setFault("none");
    await untilReady(plane, "paris-1", "True");

    await eventually(async () =>
      expect(await orderedReplicas(plane, "following")).toEqual({ "tokyo-1": 3, "paris-2": 3 }),
    );
    expect(await targets(plane, "following")).toEqual({ "tokyo-1": 3, "paris-2": 3 });
  });
});

describe.each(engines())("returning, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { failover: true, unreachableTaintAfterMs: 300, gracefulEvictionTimeoutMs: 60_000 },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  const SOON = [{ key: "cluster.karmada.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 0 }];

  const PREFERRED = [
    { affinityName: "home", clusterNames: ["tokyo-1"] },
    { affinityName: "away", clusterNames: ["paris-1"] },
  ];

  it("returns to the better affinity group after the window, not before, and loses no replica", async () => {
    const base = { clusterAffinities: PREFERRED, clusterTolerations: SOON, replicaScheduling: DYNAMIC };
    const flaghoist = { failBack: { stabilizationSeconds: 3 } };
    await deploy(plane, "returning", { ...base, flaghoist });
    await deploy(plane, "settled", base);
    expect(await targets(plane, "returning")).toEqual({ "tokyo-1": 6 });
    plane.member("tokyo-1").setFault("down");
    await eventually(async () => {
      expect(await targets(plane, "returning")).toEqual({ "paris-1": 6 });
      expect(await targets(plane, "settled")).toEqual({ "paris-1": 6 });
      expect(await availableReplicas(plane, "returning", ["paris-1"])).toBe(6);
    });
    plane.member("tokyo-1").setFault("none");
    await untilReady(plane, "tokyo-1", "True");
    const ready = conditionOf(await plane.client.get(ref(CLUSTER, "", "tokyo-1")), "Ready");

    const lowest = await lowestDuring(plane, "returning", async () => {
      await eventually(async () => expect(await targets(plane, "returning")).toEqual({ "tokyo-1": 6 }));
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(ready?.lastTransitionTime ?? "") + 3_000);
      await eventually(async () => expect(await orderedReplicas(plane, "returning")).toEqual({ "tokyo-1": 6 }));
    });
    expect(lowest).toBeGreaterThanOrEqual(6);
    const binding = await readBinding(plane, "returning", "web-deployment");
    expect(binding.status?.schedulerObservingAffinityName).toBe("home");
    expect(await targets(plane, "settled")).toEqual({ "paris-1": 6 });
  });

  it("returns to the clusters that it was driven out of, each with what it had", async () => {
    const flaghoist = { failBack: { stabilizationSeconds: 1 } };
    await deploy(plane, "evicted", { clusterTolerations: SOON, replicaScheduling: DYNAMIC, flaghoist });
    const home = { "tokyo-1": 2, "paris-1": 2, "paris-2": 2 };
    expect(await targets(plane, "evicted")).toEqual(home);
    plane.member("paris-1").setFault("down");
    await eventually(async () => expect(await targets(plane, "evicted")).toEqual({ "tokyo-1": 3, "paris-2": 3 }));
    await plane.restart();

    const lowest = await lowestDuring(plane, "evicted", async () => {
      plane.member("paris-1").setFault("none");
      await eventually(async () => {
        expect(await targets(plane, "evicted")).toEqual(home);
        expect(await orderedReplicas(plane, "evicted")).toEqual(home);
      });
    });
    expect(lowest).toBeGreaterThanOrEqual(6);
    await eventually(async () => expect(await availableReplicas(plane, "evicted")).toBe(6));
  });

  it("stays where it is for as long as the better cluster flaps", async () => {
    const flaghoist = { failBack: { stabilizationSeconds: 2 } };
    await deploy(plane, "flapping", { clusterAffinities: PREFERRED, clusterTolerations: SOON, flaghoist });
    plane.member("tokyo-1").setFault("down");
    await eventually(async () => expect(await targets(plane, "flapping")).toEqual({ "paris-1": 6 }));

    for (let round = 0; round < 2; round++) {
      plane.member("tokyo-1").setFault("none");
      await untilReady(plane, "tokyo-1", "True");
      plane.member("tokyo-1").setFault("down");
      await untilReady(plane, "tokyo-1", "False");
      expect(await targets(plane, "flapping")).toEqual({ "paris-1": 6 });
    }
    plane.member("tokyo-1").setFault("none");

    await eventually(async () => expect(await targets(plane, "flapping")).toEqual({ "tokyo-1": 6 }));
  });

  it("stays where it is while the better cluster has not room for all, and says so", async () => {
    await untilReady(plane, "tokyo-1", "True");
    const flaghoist = { failBack: { stabilizationSeconds: 0 } };
    const clusterAffinities = [
      { affinityName: "home", clusterNames: ["tokyo-1"] },
      { affinityName: "away", clusterNames: ["paris-1", "paris-2"] },
    ];
    // Three nodes of 16 cores each, of which three are left; by Karmada's models an empty one has room for 8.
    const large = { resources: { requests: { cpu: "13" } } };
    const container = { resources: { requests: { cpu: "8" } } };
    const { client } = plane.member("tokyo-1");
    const filler = deployment({ namespace: "default", name: "filler", replicas: 3, container: large });
    await applyAll(client, filler);
    await eventually(async () => {
      const cluster = await plane.client.get(ref(CLUSTER, "", "tokyo-1"));
      expect(at(cluster, "status", "resourceSummary", "allocated", "cpu")).toBe("39");
    });
    await applyAll(
      plane.client,
      namespaceObject("tight"),
      policy({ namespace: "tight", placement: { clusterAffinities, replicaScheduling: DYNAMIC, flaghoist } }),
      deployment({ namespace: "tight", replicas: 2, container }),
    );
    await eventually(async () => {
      expect(await targets(plane, "tight")).toEqual({ "paris-1": 1, "paris-2": 1 });
      expect(await eventReasons(plane, "tight", "Deployment", "web")).toContain("RelocateWorkloadPostponed");
    });

    await client.delete(ref("apps/v1 Deployment", "default", "filler"));

    await eventually(async () => expect(await orderedReplicas(plane, "tight")).toEqual({ "tokyo-1": 2 }));
  });
});
