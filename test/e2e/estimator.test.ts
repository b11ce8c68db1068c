// Room that no node has: what a cluster's sums promise, and what accurate estimators know; on both engines.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { featureGates } from "../../api/feature-gates.ts";
import type {
  EstimatorProfile,
  RemoteEstimatorProfile,
} from "../../reconciler/controllers/scheduling/estimator-profile.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, type EngineName, engines, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, availableReplicas, readBinding, targetsOf } from "./support/reading.ts";

const TWO_CLUSTERS = { "tokyo-1": {}, "paris-1": {} };
const PORT = 10352;

const BY_ROOM = {
  replicaScheduling: {
    replicaSchedulingType: "Divided",
    replicaDivisionPreference: "Weighted",
    weightPreference: { dynamicWeight: "AvailableReplicas" },
  },
};

const REMOTE: RemoteEstimatorProfile = {
  timeoutMs: 3_000,
  port: PORT,
  servicePrefix: "karmada-scheduler-estimator",
  serviceNamespace: "karmada-system",
  skipsPull: false,
  certFile: undefined,
  keyFile: undefined,
  caFile: undefined,
  insecureSkipVerify: false,
};

/** Each member has three nodes of 16 processors. In paris-1 something of its own takes 10 of each. */
async function startFragmented(engine: EngineName, estimators: EstimatorProfile): Promise<Plane> {
  const plane = await startPlane({
    engine,
    members: TWO_CLUSTERS,
    // By the sums: models of nodes would tell of large ones, too.
    profile: { estimators, featureGates: featureGates({ CustomizedClusterResourceModeling: false }) },
  });
  const own = plane.member("paris-1").client;
  await applyAll(
    own,
    namespaceObject("local"),
    deployment({ name: "local", namespace: "local", replicas: 3, container: asking("10") }),
  );
  await eventually(async () => {
    const paris = await plane.client.get<Cluster>(ref("cluster.karmada.io/v1alpha1 Cluster", "", "paris-1"));
    expect(paris.status?.resourceSummary).toMatchObject({ allocated: { cpu: "30" }, allocating: { pods: "0" } });
  });
  return plane;
}

function asking(cpu: string): Record<string, unknown> {
  return { resources: { requests: { cpu } } };
}

/** Six replicas that take half a node each: tokyo-1 has room for six, paris-1 for two in sum and for none in truth. */
async function deploySix(plane: Plane, namespace: string): Promise<void> {
  await applyAll(
    plane.client,
    namespaceObject(namespace),
    policy({ namespace, placement: BY_ROOM }),
    deployment({ namespace, replicas: 6, container: asking("8") }),
  );
}

async function placementOf(plane: Plane, namespace: string): Promise<Record<string, number | undefined>> {
  return eventually(async () => {
    const binding = await readBinding(plane, namespace, "web-deployment");
    expect(binding.spec.clusters).not.toEqual([]);
    expect(binding.spec.clusters).toBeDefined();
    return targetsOf(binding);
  });
}

describe.each(engines())("a cluster whose free room is spread over its nodes, on the %s engine", (engine) => {
  describe("with what clusters report of themselves", () => {
    let plane: Plane;
    beforeAll(async () => {
      plane = await startFragmented(engine, { inProcess: false, remote: undefined, serving: undefined });
    });
    afterAll(() => plane.close());

    it("gets replicas that none of its nodes takes", async () => {
      await deploySix(plane, "sums");

      const placement = await placementOf(plane, "sums");

      expect(placement["paris-1"]).toBeGreaterThan(0);
      const fits = placement["tokyo-1"] ?? 0;
      await eventually(async () => expect(await availableReplicas(plane, "sums")).toBe(fits));
    });
  });

  describe("with the estimator in process", () => {
    let plane: Plane;
    beforeAll(async () => {
      plane = await startFragmented(engine, { inProcess: true, remote: undefined, serving: undefined });
    });
    afterAll(() => plane.close());

    it("gets none, and all replicas run", async () => {
      await deploySix(plane, "nodes");

      expect(await placementOf(plane, "nodes")).toEqual({ "tokyo-1": 6 });
      await eventually(async () => expect(await availableReplicas(plane, "nodes")).toBe(6));
    });

    it("gets replicas as soon as a node has room", async () => {
      await plane.member("paris-1").client.delete(ref("apps/v1 Deployment", "local", "local"));
      await eventually(async () => {
        const paris = await plane.client.get<Cluster>(ref("cluster.karmada.io/v1alpha1 Cluster", "", "paris-1"));
        expect(at(paris, "status", "resourceSummary", "allocated")).toEqual({ pods: "0" });
      });
      await deploySix(plane, "freed");

      // tokyo-1 is full with the six from before.
      expect(await placementOf(plane, "freed")).toEqual({ "paris-1": 6 });
    });
  });

  describe("with Karmada's protocol", () => {
    let plane: Plane;
    beforeAll(async () => {
      // The control plane is its own estimators: Services lead back to it.
      const serving = {
        host: "127.0.0.1",
        port: 0,
        certFile: undefined,
        keyFile: undefined,
        clientCaFile: undefined,
        insecureSkipClientVerify: false,
      };
      plane = await startFragmented(engine, { inProcess: false, remote: REMOTE, serving });
      const { port } = plane.control.manager.estimators;
      await applyAll(
        plane.client,
        namespaceObject(REMOTE.serviceNamespace),
        ...Object.keys(TWO_CLUSTERS).map((cluster) => ({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: `${REMOTE.servicePrefix}-${cluster}`, namespace: REMOTE.serviceNamespace },
          spec: {
            type: "ExternalName",
            externalName: "localhost",
            ports: [{ name: "grpc", port: PORT, targetPort: port }],
          },
        })),
      );
    });
    afterAll(() => plane.close());

    it("gets none once the estimators are found", async () => {
      const { estimators } = plane.control.manager;
      await eventually(() => expect(Object.keys(TWO_CLUSTERS).every((name) => estimators.hasRemote(name))).toBe(true));

      await deploySix(plane, "asked");

      expect(await placementOf(plane, "asked")).toEqual({ "tokyo-1": 6 });
    });
  });
});
