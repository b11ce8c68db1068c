import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import { createFleet, type SimulatedFleet } from "../../simulated-fleet.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const fleet: SimulatedFleet = await createFleet({
    clusters: 1,
    pace: "stepped",
    startMs: Date.UTC(2026, 0, 1),
    readyAfterMs: 2_000,
  });
  closers.push(() => fleet.close());
  const { client, server } = fleet.cluster("member1");
  const story: string[] = [];
  server.state.subscribeAll(({ type, object }) => {
    const { resource, object: it } = object;
    if (resource === "pods" && type !== "MODIFIED") story.push(`${type === "ADDED" ? "+" : "-"}${it.metadata.name}`);
    if (resource === "apps/statefulsets" && type === "MODIFIED") story.push(statusText(it));
  });
  return { fleet, client, server, story };
}

function statusText(set: KubeObject): string {
  const status = (set["status"] ?? {}) as Record<string, number | string>;
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, currentReplicas = 0, updatedReplicas = 0 } = status;
  return `${replicas} ready ${readyReplicas} available ${availableReplicas} current ${currentReplicas} updated ${updatedReplicas}`;
}

const SET = { apiVersion: "apps/v1", kind: "StatefulSet", namespace: "default", name: "db" };

function statefulSet(spec: Record<string, unknown> = {}, image = "db:1"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "default" },
    spec: {
      replicas: 2,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image }] } },
      ...spec,
    },
  };
}

describe("the controller of StatefulSets", () => {
  it("creates one Pod after the other, each when the one before is ready", async () => {
    const { fleet, client, story } = await start();

    await client.create(statefulSet());
    await fleet.clock.advance(10_000);

    expect(story.filter((entry, index) => entry !== story[index - 1])).toEqual([
      "+db-0",
      "0 ready 0 available 0 current 0 updated 0",
      "1 ready 0 available 0 current 1 updated 1",
      "+db-1",
      "1 ready 1 available 1 current 1 updated 1",
      "2 ready 1 available 1 current 2 updated 2",
      "2 ready 2 available 2 current 2 updated 2",
    ]);
  });

  it("takes the new template from the highest Pod down, and goes back by its history", async () => {
    const { fleet, client } = await start();
    await client.create(statefulSet());
    await fleet.clock.advance(10_000);
    const first = ((await client.get(SET))["status"] as { currentRevision: string }).currentRevision;

    await client.patch(SET, { spec: statefulSet({}, "db:2")["spec"] as Record<string, unknown> }, "merge");
    await fleet.clock.advance(20_000);
    const second = ((await client.get(SET))["status"] as { currentRevision: string }).currentRevision;
    await client.patch(SET, { spec: statefulSet()["spec"] as Record<string, unknown> }, "merge");
    await fleet.clock.advance(20_000);

    expect(second).not.toBe(first);
    expect((await client.get(SET))["status"]).toMatchObject({ currentRevision: first, updateRevision: first });
    const revisions = await client.list("apps/v1", "ControllerRevision", { namespace: "default" });
    expect(Object.fromEntries(revisions.items.map(({ metadata, revision }) => [metadata.name, revision]))).toEqual({
      [first]: 3,
      [second]: 2,
    });
  });

  it("creates the claims of each Pod before it, tells of both, and lets the claims go with Pods that are scaled away", async () => {
    const { fleet, client } = await start();
    const template = {
      metadata: { name: "data", labels: { tier: "back" } },
      spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
    };
    await client.create(
      statefulSet({
        podManagementPolicy: "Parallel",
        volumeClaimTemplates: [template],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Delete" },
      }),
    );
    await fleet.clock.advance(1_000);

    const claims = await client.list("v1", "PersistentVolumeClaim", { namespace: "default" });
    expect(claims.items.map(({ metadata }) => [metadata.name, metadata.labels])).toEqual([
      ["data-db-0", { app: "db", tier: "back" }],
      ["data-db-1", { app: "db", tier: "back" }],
    ]);
    const events = await client.list("v1", "Event", { namespace: "default" });
    expect(
      events.items
        .filter((event) => (event["involvedObject"] as { kind: string }).kind === "StatefulSet")
        .map((event) => `${event["reason"]}: ${event["message"]}`)
        .slice(0, 2),
    ).toEqual([
      "SuccessfulCreate: Create Claim data-db-0 Pod db-0 in StatefulSet db success",
      "SuccessfulCreate: Create Pod db-0 in StatefulSet db successful",
    ]);

    await client.patch(SET, { spec: { replicas: 1 } }, "merge");
    await fleet.clock.advance(30_000);
    const left = await client.list("v1", "PersistentVolumeClaim", { namespace: "default" });
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(["data-db-0"]);
  });

  it("tells why a Pod cannot be created, and tries again", async () => {
    const { fleet, client } = await start();
    const policy = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: "no-pods" },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
        },
        validations: [{ expression: "false", message: "not today" }],
      },
    };
    const binding = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: "no-pods" },
      spec: { policyName: "no-pods", validationActions: ["Deny"] },
    };
    await client.create(policy);
    await client.create(binding);

    await client.create(statefulSet());
    await fleet.clock.advance(1_000);

    const told = (await client.list("v1", "Event", { namespace: "default" })).items.find(
      (event) => event["reason"] === "FailedCreate",
    );
    expect(told?.["message"]).toMatch(/^Create Pod db-0 in StatefulSet db failed error: .*not today/);
    expect((await client.get(SET))["status"]).toMatchObject({ observedGeneration: 1, replicas: 0 });
    await client.delete({ ...binding, name: "no-pods" });
    await fleet.clock.advance(60_000);
    expect((await client.get(SET))["status"]).toMatchObject({ readyReplicas: 2 });
  });

  it("takes over Pods and revisions that another set of its name has left", async () => {
    const { fleet, client } = await start();
    await client.create(statefulSet());
    await fleet.clock.advance(10_000);
    const before = (await client.list("v1", "Pod", { namespace: "default" })).items.map(({ metadata }) => metadata.uid);

    await client.delete(SET, { propagationPolicy: "Orphan" });
    await fleet.clock.advance(1_000);
    const { metadata } = await client.create(statefulSet());
    await fleet.clock.advance(10_000);

    const pods = (await client.list("v1", "Pod", { namespace: "default" })).items;
    expect(pods.map((pod) => pod.metadata.uid)).toEqual(before);
    expect(pods.map((pod) => pod.metadata.ownerReferences?.[0]?.uid)).toEqual([metadata.uid, metadata.uid]);
    expect((await client.list("apps/v1", "ControllerRevision", { namespace: "default" })).items).toHaveLength(1);
  });
});
