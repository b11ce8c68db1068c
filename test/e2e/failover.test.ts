// A cluster stops answering: with failover its workloads move, without it nothing does; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_NODE, nodeObject } from "../../fleets/simulator/nodes.ts";
import { Informer } from "../../kube/client/informer.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
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

/** Moves at once, as it would without any toleration. */
const SOON = [
  { key: "cluster.karmada.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 0 },
  { key: "cluster.karmada.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 0 },
];

/** Free room decides, so that the rest can take what one lost. */
const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};

/** Records the sum of available replicas over members at every change of any of them. */
function watchAvailability(
  plane: Plane,
  namespace: string,
  members: readonly string[],
): { readonly sums: number[]; stop(): Promise<void> } {
  const available = new Map<string, number>();
  const sums: number[] = [];
  const informers = members.map((name) => {
    const informer = new Informer({
      client: plane.member(name).client,
      apiVersion: "apps/v1",
      kind: "Deployment",
      clock: systemClock,
      logger: silentLogger,
    });
    informer.subscribe((change) => {
      if (change.object.metadata.namespace !== namespace) return;
      const now = change.type === "deleted" ? 0 : Number(at(change.object, "status", "availableReplicas") ?? 0);
      available.set(name, now);
      if (available.size === members.length) sums.push([...available.values()].reduce((a, b) => a + b, 0));
    });
    return informer.start();
  });
  return {
    sums,
    stop: async () => {
      await Promise.all(informers.map((informer) => informer.stop()));
    },
  };
}

async function deploy(
  plane: Plane,
  namespace: string,
  placement: Record<string, unknown>,
  replicas = 6,
): Promise<void> {
  await applyAll(
    plane.client,
    namespaceObject(namespace),
    policy({ namespace, placement }),
    deployment({ namespace, replicas }),
  );
  await eventually(async () => {
    expect(at(await readDeployment(plane.client, namespace), "status")).toMatchObject({ readyReplicas: replicas });
  });
}

async function untilReady(plane: Plane, cluster: string, status: "True" | "False"): Promise<void> {
  await eventually(async () => {
    expect(conditionOf(await plane.client.get(ref(CLUSTER, "", cluster)), "Ready")).toMatchObject({ status });
  });
}

describe.each(engines())("failover, store: %s", (engine) => {
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

  it("starts replicas elsewhere, and never has fewer than the desired ones minus those that died", async () => {
    await deploy(plane, "moving", { clusterTolerations: SOON, replicaScheduling: DYNAMIC });
    expect(await orderedReplicas(plane, "moving")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    const watched = watchAvailability(plane, "moving", ["tokyo-1", "paris-2"]);
    await eventually(() => watched.sums.length > 0);

    plane.member("paris-1").setFault("down");

    await untilReady(plane, "paris-1", "False");
    await eventually(async () => expect(await availableReplicas(plane, "moving", ["tokyo-1", "paris-2"])).toBe(6));
    await watched.stop();
    // Two of six died with paris-1.
    expect(Math.min(...watched.sums)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...watched.sums)).toBe(6);
    const taints = at(await plane.client.get(ref(CLUSTER, "", "paris-1")), "spec", "taints");
    expect(taints).toContainEqual(
      expect.objectContaining({ key: "cluster.karmada.io/not-ready", effect: "NoExecute" }),
    );
    await eventually(async () => {
      const reasons = await eventReasons(plane, "moving", "Deployment", "web");
      expect(reasons).toContain("EvictWorkloadFromClusterSucceed");
    });
  });

  it("counts in the template only what serves", async () => {
    await eventually(async () => {
      const binding = await readBinding(plane, "moving", "web-deployment");
      expect(Object.keys(targetsOf(binding)).sort()).toEqual(["paris-2", "tokyo-1"]);
      expect(binding.spec.gracefulEvictionTasks ?? []).toEqual([]);
      expect(at(await readDeployment(plane.client, "moving"), "status")).toMatchObject({
        replicas: 6,
        readyReplicas: 6,
      });
    });
  });

  it("does not hold up the others while a cluster is down", async () => {
    const started = Date.now();
    await applyAll(
      plane.client,
      namespaceObject("meanwhile"),
      policy({
        namespace: "meanwhile",
        selectors: [{ apiVersion: "v1", kind: "ConfigMap" }],
      }),
      configMap("meanwhile", "settings"),
    );

    const settings = ref("v1 ConfigMap", "meanwhile", "settings");
    await eventually(async () => {
      for (const name of ["tokyo-1", "paris-2"]) expect(await plane.member(name).client.find(settings)).toBeDefined();
    });
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it("removes the old copy once the cluster answers again, and keeps what was moved", async () => {
    plane.member("paris-1").setFault("none");

    await untilReady(plane, "paris-1", "True");
    await eventually(async () => {
      expect(Object.keys(await orderedReplicas(plane, "moving")).sort()).toEqual(["paris-2", "tokyo-1"]);
      expect(at(await plane.client.get(ref(CLUSTER, "", "paris-1")), "spec", "taints") ?? []).toEqual([]);
    });
    expect(await availableReplicas(plane, "moving")).toBe(6);
  });

  it("sends what a cluster missed once it answers again", async () => {
    const clusterTolerations = SOON.map((toleration) => ({ ...toleration, tolerationSeconds: 300 }));
    await deploy(plane, "missed", { clusterAffinity: { clusterNames: ["paris-2"] }, clusterTolerations }, 2);
    plane.member("paris-2").setFault("down");
    await untilReady(plane, "paris-2", "False");
    await applyAll(plane.client, deployment({ namespace: "missed", replicas: 3 }));

    plane.member("paris-2").setFault("none");

    await eventually(async () => expect(await orderedReplicas(plane, "missed")).toEqual({ "paris-2": 3 }));
  });

  it("takes a workload back that found no other place, without ever removing its copy", async () => {
    const affinity = { clusterNames: ["paris-2"] };
    await deploy(plane, "stranded", { clusterAffinity: affinity, clusterTolerations: [] }, 2);
    const uid = (await plane.member("paris-2").client.get(ref("apps/v1 Deployment", "stranded", "web"))).metadata.uid;

    plane.member("paris-2").setFault("down");
    await eventually(async () => {
      const binding = await readBinding(plane, "stranded", "web-deployment");
      expect(binding.spec.gracefulEvictionTasks?.map((task) => task.fromCluster)).toEqual(["paris-2"]);
      expect(conditionOf(binding, "Scheduled")?.status).toBe("False");
    });
    plane.member("paris-2").setFault("none");

    await eventually(async () => {
      const binding = await readBinding(plane, "stranded", "web-deployment");
      expect(binding.spec.clusters).toEqual([{ name: "paris-2", replicas: 2 }]);
      expect(binding.spec.gracefulEvictionTasks ?? []).toEqual([]);
    });
    expect((await plane.member("paris-2").client.get(ref("apps/v1 Deployment", "stranded", "web"))).metadata.uid).toBe(
      uid,
    );
  });

  it("removes the old copy of a cluster that a person empties only when the new copies serve", async () => {
    await untilReady(plane, "paris-2", "True");
    await deploy(plane, "drained", { clusterTolerations: [], replicaScheduling: DYNAMIC });
    const watched = watchAvailability(plane, "drained", ["tokyo-1", "paris-1", "paris-2"]);
    await eventually(() => watched.sums.length > 0);

    const taints = [{ key: "maintenance", value: "true", effect: "NoExecute" }];
    await plane.client.patch(ref(CLUSTER, "", "tokyo-1"), { spec: { taints } }, "merge");

    await eventually(async () => {
      const ordered = await orderedReplicas(plane, "drained");
      expect(Object.keys(ordered).sort()).toEqual(["paris-1", "paris-2"]);
      expect(await availableReplicas(plane, "drained")).toBe(6);
    });
    await watched.stop();
    expect(Math.min(...watched.sums)).toBeGreaterThanOrEqual(6);
    await plane.client.patch(ref(CLUSTER, "", "tokyo-1"), { spec: { taints: [] } }, "merge");
  });

  it("passes over a hiccup that is shorter than the threshold", async () => {
    await untilReady(plane, "tokyo-1", "True");
    await deploy(plane, "hiccup", { clusterTolerations: SOON, replicaScheduling: DYNAMIC });
    const before = (await readBinding(plane, "hiccup", "web-deployment")).metadata.generation;

    plane.member("tokyo-1").setFault("down");
    await consistently(() => {}, { forMs: 150 });
    plane.member("tokyo-1").setFault("none");

    await consistently(
      async () => {
        expect(conditionOf(await plane.client.get(ref(CLUSTER, "", "tokyo-1")), "Ready")?.status).toBe("True");
        expect((await readBinding(plane, "hiccup", "web-deployment")).metadata.generation).toBe(before);
      },
      { forMs: 1_000 },
    );
  });
});

describe.each(engines())("room, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("says when there is not room enough, and goes on as soon as a cluster has grown", async () => {
    // Three nodes in each of three clusters. By Karmada's resource models, nodes of 16 cores and 64 GiB are of the grade that
    // has at least 8 cores: 18 times 4 cores.
    const resources = { requests: { cpu: "4" } };
    await applyAll(
      plane.client,
      namespaceObject("large"),
      policy({ namespace: "large", placement: { replicaScheduling: DYNAMIC } }),
      deployment({ namespace: "large", replicas: 19, container: { resources } }),
    );
    await eventually(async () => {
      const binding = await readBinding(plane, "large", "web-deployment");
      expect(conditionOf(binding, "Scheduled")).toMatchObject({ status: "False", reason: "Unschedulable" });
      expect(targetsOf(binding)).toEqual({});
    });

    const node = nodeObject("tokyo-1-node-3", DEFAULT_NODE, systemClock.now());
    const { client } = plane.member("tokyo-1");
    await client.update({ ...(await client.create(node)), status: node["status"] }, { subresource: "status" });

    await eventually(async () => {
      const binding = await readBinding(plane, "large", "web-deployment");
      expect(conditionOf(binding, "Scheduled")).toMatchObject({ status: "True", reason: "Success" });
      const total = Object.values(targetsOf(binding)).reduce((sum: number, replicas) => sum + (replicas ?? 0), 0);
      expect(total).toBe(19);
    });
  });
});

describe.each(engines())("no failover, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("leaves everything where it is, and says that the cluster is not reachable", async () => {
    await deploy(plane, "staying", { clusterTolerations: SOON, replicaScheduling: DYNAMIC });

    plane.member("paris-1").setFault("hang");

    await eventually(async () => {
      expect(conditionOf(await plane.client.get(ref(CLUSTER, "", "paris-1")), "Ready")).toMatchObject({
        status: "False",
        reason: "ClusterNotReachable",
      });
    });
    await consistently(
      async () => {
        const targets = targetsOf(await readBinding(plane, "staying", "web-deployment"));
        expect(targets).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
      },
      { forMs: 800 },
    );
  });

  it("places nothing new on it", async () => {
    await applyAll(
      plane.client,
      namespaceObject("new"),
      policy({ namespace: "new", placement: { replicaScheduling: DYNAMIC } }),
      deployment({ namespace: "new" }),
    );

    await eventually(async () => {
      expect(targetsOf(await readBinding(plane, "new", "web-deployment"))).toEqual({ "tokyo-1": 3, "paris-2": 3 });
    });
  });

  it("comes to an end while a cluster hangs", async () => {
    const started = Date.now();

    await plane.restart();

    expect(Date.now() - started).toBeLessThan(10_000);
  });
});
