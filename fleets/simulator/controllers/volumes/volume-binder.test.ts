import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { createFleet } from "../../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: Date.UTC(2026, 0, 1), readyAfterMs: 500 });
  closers.push(() => fleet.close());
  const { client } = fleet.cluster("member1");
  async function get(kind: "PersistentVolume" | "PersistentVolumeClaim", name: string): Promise<KubeObject> {
    return client.get({ apiVersion: "v1", kind, namespace: kind === "PersistentVolume" ? undefined : "default", name });
  }
  async function phaseOf(kind: "PersistentVolume" | "PersistentVolumeClaim", name: string): Promise<unknown> {
    return ((await get(kind, name))["status"] as { phase?: string }).phase;
  }
  async function eventsOf(name: string): Promise<unknown[]> {
    const events = (await client.list("v1", "Event", { namespace: "default" })).items;
    return events
      .filter((event) => (event["involvedObject"] as { name: string }).name === name)
      .map((event) => `${event["type"]} ${event["reason"]}: ${event["message"]}`);
  }
  return { fleet, client, get, phaseOf, eventsOf };
}

function claim(spec: Record<string, unknown> = {}, name = "data"): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  };
}

function volume(name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      nfs: { server: "nfs.example.org", path: "/" },
      persistentVolumeReclaimPolicy: "Retain",
      ...spec,
    },
  };
}

function storageClass(name: string, fields: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
    provisioner: "disks.example.org",
    allowVolumeExpansion: true,
    ...fields,
  };
}

describe("binding of claims and volumes", () => {
  it("gives a claim the smallest volume of its class that will do, and marks who chose", async () => {
    const { fleet, client, get } = await start();
    for (const [name, storage] of [
      ["large", "8Gi"],
      ["small", "2Gi"],
      ["tiny", "500Mi"],
    ])
      await client.create(volume(name ?? "", { capacity: { storage } }));
    await client.create(volume("other", { storageClassName: "other" }));
    await fleet.clock.advance(100);

    await client.create(claim({ storageClassName: "" }));
    await fleet.clock.advance(100);

    expect(await get("PersistentVolumeClaim", "data")).toMatchObject({
      metadata: {
        annotations: { "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes" },
      },
      spec: { volumeName: "small" },
      status: { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "2Gi" } },
    });
    expect(await get("PersistentVolume", "small")).toMatchObject({
      metadata: { annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } },
      spec: { claimRef: { kind: "PersistentVolumeClaim", namespace: "default", name: "data" } },
      status: { phase: "Bound" },
    });
  });

  it("has a volume made by the class of the claim, and removed with the claim", async () => {
    const { fleet, client, get, phaseOf, eventsOf } = await start();
    await client.create(storageClass("disks", { volumeBindingMode: "Immediate" }));

    const { metadata } = await client.create(claim({ storageClassName: "disks" }));
    await fleet.clock.advance(5_000);

    const name = `pvc-${metadata.uid}`;
    expect(await get("PersistentVolumeClaim", "data")).toMatchObject({
      metadata: { annotations: { "volume.kubernetes.io/storage-provisioner": "disks.example.org" } },
      spec: { volumeName: name },
      status: { phase: "Bound" },
    });
    expect((await get("PersistentVolume", name)).metadata.annotations).not.toHaveProperty([
      "pv.kubernetes.io/bound-by-controller",
    ]);
    expect(await eventsOf("data")).toContain(`Normal ProvisioningSucceeded: Successfully provisioned volume ${name}`);

    await client.delete({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name: "data" });
    await fleet.clock.advance(5_000);
    await expect(phaseOf("PersistentVolume", name)).rejects.toMatchObject({ code: "api-not-found" });
  });

  it("gives the default class to claims that name none, and lets them wait for their first Pod", async () => {
    const { fleet, client, get, eventsOf } = await start();

    await client.create(claim());
    await fleet.clock.advance(1_000);

    expect(await get("PersistentVolumeClaim", "data")).toMatchObject({
      spec: { storageClassName: "standard" },
      status: { phase: "Pending" },
    });
    expect(await eventsOf("data")).toEqual([
      "Normal WaitForFirstConsumer: waiting for first consumer to be created before binding",
    ]);
  });

  it("makes the volume once the scheduler has selected a node", async () => {
    const { fleet, client, phaseOf } = await start();
    const created = await client.create(claim());

    const annotations = { "volume.kubernetes.io/selected-node": "member1-node-1" };
    await client.update({ ...created, metadata: { ...created.metadata, annotations } });
    await fleet.clock.advance(1_000);

    expect(await phaseOf("PersistentVolumeClaim", "data")).toBe("Bound");
  });

  it.each([
    ["Retain", {}, "Released", []],
    ["Recycle", {}, "Available", ["Normal VolumeRecycled: Volume recycled"]],
    [
      "Delete",
      {},
      "Failed",
      [
        'Warning VolumeFailedDelete: error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
      ],
    ],
    [
      "Delete",
      { nfs: undefined, hostPath: { path: "/data" } },
      "Failed",
      ["Warning VolumeFailedDelete: host_path deleter only supports /tmp/.+ but received provided /data"],
    ],
  ])("leaves a volume of policy %s (%o) %s when its claim goes", async (policy, source, phase, events) => {
    const { fleet, client, phaseOf, eventsOf } = await start();
    await client.create(volume("v", { persistentVolumeReclaimPolicy: policy, ...source }));
    await client.create(claim({ storageClassName: "" }));
    await fleet.clock.advance(20_000);
    expect(await phaseOf("PersistentVolume", "v")).toBe("Bound");

    await client.delete({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name: "data" });
    await fleet.clock.advance(1_000);

    expect(await phaseOf("PersistentVolume", "v")).toBe(phase);
    expect(await eventsOf("v")).toEqual(events);
  });

  it("tells a claim that its volume is lost", async () => {
    const { fleet, client, phaseOf, eventsOf } = await start();
    await client.create(volume("v"));
    await client.create(claim({ storageClassName: "" }));
    await fleet.clock.advance(20_000);

    const lost = { apiVersion: "v1", kind: "PersistentVolume", name: "v" };
    await client.delete(lost);
    await client.patch(lost, { metadata: { finalizers: null } }, "merge");
    await fleet.clock.advance(1_000);

    expect(await phaseOf("PersistentVolumeClaim", "data")).toBe("Lost");
    expect(await eventsOf("data")).toContain(
      "Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    );
  });

  it.each([
    [{ capacity: { storage: "500Mi" } }, "requested PV is too small"],
    [{ storageClassName: "other" }, "storageClassName does not match"],
    [{ volumeMode: "Block" }, "incompatible volumeMode"],
    [{ accessModes: ["ReadOnlyMany"] }, "incompatible accessMode"],
  ])("does not bind a claim to a volume it names that has %o", async (spec, why) => {
    const { fleet, client, phaseOf, eventsOf } = await start();
    await client.create(volume("v", spec));
    await client.create(claim({ storageClassName: "", volumeName: "v" }));
    await fleet.clock.advance(1_000);

    expect(await phaseOf("PersistentVolumeClaim", "data")).toBe("Pending");
    expect(await eventsOf("data")).toContain(`Warning VolumeMismatch: Cannot bind to requested volume "v": ${why}`);
  });

  it("grows a volume at once, and its file system when a Pod mounts it", async () => {
    const { fleet, client, get } = await start();
    await client.create(storageClass("disks", { volumeBindingMode: "Immediate" }));
    await client.create(claim({ storageClassName: "disks" }));
    await fleet.clock.advance(2_000);
    const ref = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name: "data" };

    await client.patch(ref, { spec: { resources: { requests: { storage: "3Gi" } } } }, "merge");
    await fleet.clock.advance(2_000);

    expect((await get("PersistentVolumeClaim", "data"))["status"]).toMatchObject({
      allocatedResourceStatuses: { storage: "NodeResizePending" },
      capacity: { storage: "1Gi" },
      conditions: [{ type: "FileSystemResizePending", status: "True" }],
    });

    await client.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "user", namespace: "default" },
      spec: {
        containers: [{ name: "c", image: "web:1" }],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      },
    });
    await fleet.clock.advance(10_000);

    const { status } = await get("PersistentVolumeClaim", "data");
    expect(status).toMatchObject({ capacity: { storage: "3Gi" }, phase: "Bound" });
    expect(status).not.toHaveProperty("conditions");
  });

  it("refuses to grow a claim whose class does not allow it", async () => {
    const { fleet, client } = await start();
    await client.create(storageClass("disks", { volumeBindingMode: "Immediate", allowVolumeExpansion: false }));
    await client.create(claim({ storageClassName: "disks" }));
    await fleet.clock.advance(2_000);
    const ref = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name: "data" };

    await expect(client.patch(ref, { spec: { resources: { requests: { storage: "3Gi" } } } }, "merge")).rejects.toThrow(
      'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  });
});
