// What feature gates of Karmada's scheduler add, from the template on; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { KubeObject } from "../../kube/object.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf, orderedReplicas, readBinding, targetsOf } from "./support/reading.ts";

const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};
const ONE_CLUSTER = [{ spreadByField: "cluster", minGroups: 1, maxGroups: 1 }];
const NAMES = ["one", "two", "three", "four"];

function workload(namespace: string, name: string, cpu = "1", replicas = 1): KubeObject {
  return deployment({
    namespace,
    name,
    replicas,
    labels: { team: "blue" },
    container: { resources: { requests: { cpu } } },
  });
}

async function outcomes(plane: Plane, namespace: string, names: readonly string[]): Promise<string[]> {
  const bindings = await Promise.all(names.map((name) => readBinding(plane, namespace, `${name}-deployment`)));
  return bindings.map((binding) => {
    const [target] = Object.keys(targetsOf(binding));
    return target ?? String(conditionOf(binding, "Scheduled")?.reason);
  });
}

describe.each(engines())("gates of the scheduler, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: {
        featureGates: featureGates({
          WorkloadAffinity: true,
          SchedulingOvercommitProtection: true,
          CustomizedClusterResourceModeling: false,
        }),
      },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("WorkloadAffinity keeps workloads with one value of a label apart, whatever comes at once", async () => {
    const namespace = "apart";
    const workloadAffinity = { antiAffinity: { groupByLabelKey: "team" } };
    const placement = { replicaScheduling: DYNAMIC, spreadConstraints: ONE_CLUSTER, workloadAffinity };
    await applyAll(plane.client, namespaceObject(namespace), policy({ namespace, placement }));
    await Promise.all(NAMES.map((name) => applyAll(plane.client, workload(namespace, name))));

    await eventually(async () => {
      expect((await outcomes(plane, namespace, NAMES)).sort()).toEqual([
        "NoClusterFit",
        "paris-1",
        "paris-2",
        "tokyo-1",
      ]);
    });

    const binding = await readBinding(plane, namespace, "one-deployment");
    expect(binding.spec.workloadAffinityGroups).toEqual({ antiAffinityGroup: "team=blue" });
  });

  it("WorkloadAffinity keeps them together", async () => {
    const namespace = "together";
    const workloadAffinity = { affinity: { groupByLabelKey: "team" } };
    const placement = { replicaScheduling: DYNAMIC, spreadConstraints: ONE_CLUSTER, workloadAffinity };
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, placement }),
      workload(namespace, "one"),
    );
    await eventually(async () => expect((await outcomes(plane, namespace, ["one"]))[0]).toMatch(/^(paris|tokyo)-/));
    const [first] = await outcomes(plane, namespace, ["one"]);

    // Alone it would go where there is more room.
    await applyAll(plane.client, workload(namespace, "two", "1", 3), workload(namespace, "three"));

    await eventually(async () => {
      expect(await outcomes(plane, namespace, ["one", "two", "three"])).toEqual([first, first, first]);
    });
  });

  it("SchedulingOvercommitProtection counts what was placed before the cluster reports it", async () => {
    const namespace = "twice";
    const placement = { clusterAffinity: { clusterNames: ["paris-2"] }, replicaScheduling: DYNAMIC };
    await applyAll(plane.client, namespaceObject(namespace), policy({ namespace, placement }));
    // One of them fills the three nodes of paris-2.
    await Promise.all(["one", "two"].map((name) => applyAll(plane.client, workload(namespace, name, "10", 3))));

    await eventually(async () => {
      expect((await outcomes(plane, namespace, ["one", "two"])).sort()).toEqual(["Unschedulable", "paris-2"]);
    });
    const [placed = "", waiting = ""] =
      (await outcomes(plane, namespace, ["one"]))[0] === "paris-2" ? ["one", "two"] : ["two", "one"];
    await eventually(async () => expect(await orderedReplicas(plane, namespace, placed)).toEqual({ "paris-2": 3 }));

    await plane.client.delete(ref("apps/v1 Deployment", namespace, placed));

    await eventually(
      async () => {
        expect(await orderedReplicas(plane, namespace, waiting)).toEqual({ "paris-2": 3 });
      },
      { withinMs: 30_000 },
    );
  });
});
