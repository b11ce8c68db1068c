// What a namespace may take over all clusters, kept while bindings are written; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { FederatedResourceQuota } from "../../api/quota.ts";
import type { KubeObject } from "../../kube/object.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, eventReasons, orderedReplicas, readBinding } from "./support/reading.ts";

const QUOTA = "policy.karmada.io/v1alpha1 FederatedResourceQuota";
const RESOURCE_QUOTA = "v1 ResourceQuota";
const DYNAMIC = {
  replicaSchedulingType: "Divided",
  replicaDivisionPreference: "Weighted",
  weightPreference: { dynamicWeight: "AvailableReplicas" },
};

function quota(namespace: string, spec: object): KubeObject {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "FederatedResourceQuota",
    metadata: { name: "team", namespace },
    spec,
  };
}

function workload(namespace: string, replicas: number, name = "web"): KubeObject {
  return deployment({ namespace, name, replicas, container: { resources: { requests: { cpu: "500m" } } } });
}

describe.each(engines())("quotas over all clusters, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { featureGates: featureGates({ FederatedQuotaEnforcement: true }) },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function readQuota(namespace: string): Promise<FederatedResourceQuota> {
    return plane.client.get<FederatedResourceQuota>(ref(QUOTA, namespace, "team"));
  }

  async function untilUsed(namespace: string, used: Record<string, string> | undefined): Promise<void> {
    await eventually(async () => {
      const { status } = await readQuota(namespace);
      expect(Object.keys(status?.overallUsed ?? {}).length === 0 ? undefined : status?.overallUsed).toEqual(used);
    });
  }

  async function untilLimited(namespace: string, limits: Record<string, string>): Promise<void> {
    await eventually(async () => expect((await readQuota(namespace)).status?.overall).toEqual(limits));
  }

  async function scaled(namespace: string, replicas: number): Promise<number> {
    const ordered = Object.values(await orderedReplicas(plane, namespace)).map(Number);
    expect(ordered.reduce((a, b) => a + b, 0)).toBe(replicas);
    return replicas;
  }

  it("lets a workload have what is left, refuses more, and counts again when it goes", async () => {
    const namespace = "limited";
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      quota(namespace, { overall: { cpu: "3" } }),
      policy({ namespace, placement: { replicaScheduling: DYNAMIC } }),
      workload(namespace, 6),
    );
    await eventually(() => scaled(namespace, 6));
    await untilUsed(namespace, { cpu: "3" });
    await untilLimited(namespace, { cpu: "3" });

    await applyAll(plane.client, workload(namespace, 8));

    await eventually(async () => {
      const scheduled = conditionOf(await readBinding(plane, namespace, "web-deployment"), "Scheduled");
      expect(scheduled).toMatchObject({ status: "False", reason: "QuotaExceeded" });
      expect(scheduled?.message).toContain(
        "FederatedResourceQuota(limited/team) exceeded for resource cpu: requested sum 4, limit 3.",
      );
    });
    await scaled(namespace, 6);
    await untilUsed(namespace, { cpu: "3" });

    // More is allowed: the refused write is tried again without anybody touching the workload.
    await applyAll(plane.client, quota(namespace, { overall: { cpu: "5" } }));
    await eventually(() => scaled(namespace, 8), { withinMs: 60_000 });
    await untilUsed(namespace, { cpu: "4" });
    await untilLimited(namespace, { cpu: "5" });

    await plane.client.delete(ref("apps/v1 Deployment", namespace, "web"));
    await untilUsed(namespace, undefined);
  });

  it("brings each cluster its part as a ResourceQuota, and collects what they report", async () => {
    const namespace = "assigned";
    const staticAssignments = [
      { clusterName: "tokyo-1", hard: { cpu: "2" } },
      { clusterName: "paris-1", hard: { cpu: "1" } },
    ];
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      quota(namespace, { overall: { cpu: "8" }, staticAssignments }),
    );
    const copy = ref(RESOURCE_QUOTA, namespace, "team");
    for (const { clusterName, hard } of staticAssignments) {
      await eventually(async () => {
        expect(at(await plane.member(clusterName).client.get(copy), "spec", "hard")).toEqual(hard);
      });
    }
    expect(await plane.member("paris-2").client.find(copy)).toBeUndefined();

    const tokyo = plane.member("tokyo-1").client;
    const reported = { hard: { cpu: "2" }, used: { cpu: "1500m" } };
    const container = { name: "c", image: "busy:1", resources: { requests: { cpu: "1500m" } } };
    await tokyo.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "busy", namespace },
      spec: { containers: [container] },
    });

    await eventually(async () => {
      expect((await readQuota(namespace)).status?.aggregatedStatus).toEqual(
        expect.arrayContaining([{ clusterName: "tokyo-1", ...reported }]),
      );
    });
    await eventually(async () => {
      expect(await eventReasons(plane, namespace, "FederatedResourceQuota", "team")).toContain(
        "AggregateStatusSucceed",
      );
    });

    await applyAll(
      plane.client,
      quota(namespace, { overall: { cpu: "8" }, staticAssignments: [{ clusterName: "paris-1", hard: { cpu: "3" } }] }),
    );
    await eventually(async () => {
      expect(await tokyo.find(copy)).toBeUndefined();
      expect(at(await plane.member("paris-1").client.get(copy), "spec", "hard")).toEqual({ cpu: "3" });
    });

    await plane.client.delete(ref(QUOTA, namespace, "team"));
    await eventually(async () => expect(await plane.member("paris-1").client.find(copy)).toBeUndefined());
  });
});
