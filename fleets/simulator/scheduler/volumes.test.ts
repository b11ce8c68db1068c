import { afterEach, describe, expect, it } from "vitest";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { podCondition } from "../controllers/pod-object.ts";
import { createFleet, type SimulatedFleet } from "../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(): Promise<SimulatedFleet> {
  const fleet = await createFleet({ clusters: ["c"], nodesPerCluster: 2, pace: "stepped" });
  closers.push(() => fleet.close());
  return fleet;
}

const POD: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "db", namespace: "default" },
  spec: {
    containers: [{ name: "c", image: "db:1" }],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
  },
};

function claim(storageClassName: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default" },
    spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
}

function storageClass(provisioner: string): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "late" },
    provisioner,
    volumeBindingMode: "WaitForFirstConsumer",
  };
}

function localVolume(node: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `on-${node}` },
    spec: {
      storageClassName: "late",
      capacity: { storage: "2Gi" },
      accessModes: ["ReadWriteOnce"],
      local: { path: "/data" },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
          ],
        },
      },
    },
  };
}

async function podOf(fleet: SimulatedFleet): Promise<KubeObject> {
  return fleet.cluster("c").client.get({ apiVersion: "v1", kind: "Pod", namespace: "default", name: "db" });
}

const nodeOf = (pod: KubeObject): unknown => isObject(pod["spec"]) && pod["spec"]["nodeName"];

describe("Pods with claims", () => {
  it("wait for a claim that is not there, and say so", async () => {
    const fleet = await start();

    await fleet.cluster("c").client.create(POD);
    await fleet.clock.advance(1_000);

    expect(podCondition(await podOf(fleet), "PodScheduled")).toMatchObject({
      message: '0/2 nodes are available: persistentvolumeclaim "data" not found. not found',
    });
  });

  it("go to the node of the volume that is free for them", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("c");
    await client.create(storageClass("kubernetes.io/no-provisioner"));
    await client.create(localVolume("c-node-1"));
    await client.create(claim("late"));

    await client.create(POD);
    await fleet.clock.advance(30_000);

    expect(nodeOf(await podOf(fleet))).toBe("c-node-1");
    const bound = await client.get({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace: "default",
      name: "data",
    });
    expect(bound).toMatchObject({ spec: { volumeName: "on-c-node-1" }, status: { phase: "Bound" } });
  });

  it("find no node when no volume can be had", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("c");
    await client.create(storageClass("kubernetes.io/no-provisioner"));
    await client.create(claim("late"));

    await client.create(POD);
    await fleet.clock.advance(1_000);

    expect(podCondition(await podOf(fleet), "PodScheduled")?.["message"]).toMatch(
      /^0\/2 nodes are available: 2 node\(s\) didn't find available persistent volumes to bind\./,
    );
  });

  it("have volumes made where they go", async () => {
    const fleet = await start();
    const { client } = fleet.cluster("c");
    const [usual] = (await client.list("storage.k8s.io/v1", "StorageClass", {})).items;
    await client.create(storageClass(String(usual?.["provisioner"])));
    await client.create(claim("late"));

    await client.create(POD);
    await fleet.clock.advance(60_000);

    const pod = await podOf(fleet);
    const bound = await client.get({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace: "default",
      name: "data",
    });
    expect(bound["status"]).toMatchObject({ phase: "Bound" });
    expect(bound.metadata.annotations?.["volume.kubernetes.io/selected-node"]).toBe(nodeOf(pod));
  });
});
