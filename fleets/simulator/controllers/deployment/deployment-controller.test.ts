import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject, ObjectRef } from "../../../../kube/object.ts";
import { createFleet } from "../../simulated-fleet.ts";
import type { DeploymentStatus } from "./deployment.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const START = Date.UTC(2026, 0, 1);
const WEB: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "web" };
const REVISION = "deployment.kubernetes.io/revision";

async function start(spec: Record<string, unknown> = {}) {
  const fleet = await createFleet({ clusters: 1, pace: "stepped", startMs: START });
  closers.push(() => fleet.close());
  const { client, disturbances, server } = fleet.cluster("member1");
  /** Everything that the status said of a condition, one after the other. */
  const said: string[] = [];
  server.state.subscribeAll(({ object: { object } }) => {
    if (object.kind !== "Deployment") return;
    const { conditions = [] } = (object["status"] ?? {}) as DeploymentStatus;
    for (const { type, status, reason } of conditions) {
      const text = `${type}=${status} ${reason}`;
      if (said.findLast((each) => each.startsWith(`${type}=`)) !== text) said.push(text);
    }
  });
  async function roll(image: string): Promise<void> {
    const path = "/spec/template/spec/containers/0/image";
    await client.patch(WEB, [{ op: "replace", path, value: image }], "json");
  }
  async function status(): Promise<DeploymentStatus> {
    return (await client.get(WEB))["status"] as DeploymentStatus;
  }
  async function says(type: string): Promise<string> {
    const condition = (await status()).conditions?.find((each) => each.type === type);
    return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
  }
  async function sets(): Promise<KubeObject[]> {
    return (await client.list("apps/v1", "ReplicaSet", { namespace: "default" })).items;
  }
  /** `image=replicas revision` of each set, by revision. */
  async function history(): Promise<string[]> {
    const lines = (await sets()).map((set) => {
      const { replicas, template } = set["spec"] as {
        replicas: number;
        template: { spec: { containers: { image: string }[] } };
      };
      return `${set.metadata.annotations?.[REVISION]}: ${template.spec.containers[0]?.image} x ${replicas}`;
    });
    return lines.sort();
  }
  async function events(reason: string): Promise<string[]> {
    const { items } = await client.list("v1", "Event", { namespace: "default" });
    return items.filter((event) => event["reason"] === reason).map((event) => String(event["message"]));
  }
  const pass = (ms = 20_000): Promise<void> => fleet.clock.advance(ms);
  await client.create(deployment(spec));
  await pass();
  return { client, disturbances, clock: fleet.clock, roll, status, says, said, sets, history, events, pass };
}

function deployment(spec: Record<string, unknown>): KubeObject {
  const labels = { app: "web" };
  return {
    apiVersion: WEB.apiVersion,
    kind: WEB.kind,
    metadata: { name: WEB.name, namespace: "default" },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "web:1" }] } },
      ...spec,
    },
  };
}

function hashOf(set: KubeObject | undefined): string {
  return set?.metadata.labels?.["pod-template-hash"] ?? "";
}

describe("deploymentController", () => {
  it("says what happens from the first ReplicaSet to the last Pod", async () => {
    const { client, said, says, sets, status } = await start();

    expect(said).toEqual([
      "Progressing=True NewReplicaSetCreated",
      "Available=False MinimumReplicasUnavailable",
      "Progressing=True ReplicaSetUpdated",
      "Available=True MinimumReplicasAvailable",
      "Progressing=True NewReplicaSetAvailable",
    ]);
    const [set] = await sets();
    expect(await says("Progressing")).toBe(
      `True NewReplicaSetAvailable: ReplicaSet "web-${hashOf(set)}" has successfully progressed.`,
    );
    expect(await status()).toMatchObject({ replicas: 3, updatedReplicas: 3, terminatingReplicas: 0 });
    expect(await status()).not.toHaveProperty("unavailableReplicas");
    expect((await client.get(WEB)).metadata.annotations).toEqual({ [REVISION]: "1" });
    expect(set?.metadata.annotations).toEqual({
      [REVISION]: "1",
      "deployment.kubernetes.io/desired-replicas": "3",
      "deployment.kubernetes.io/max-replicas": "4",
    });
  });

  it("goes back to an old template by giving its ReplicaSet the next revision", async () => {
    const { roll, pass, history, sets } = await start();
    await roll("web:2");
    await pass();
    expect(await history()).toEqual(["1: web:1 x 0", "2: web:2 x 3"]);

    await roll("web:1");
    await pass();

    expect(await history()).toEqual(["2: web:2 x 0", "3: web:1 x 3"]);
    const [back] = (await sets()).filter((set) => set.metadata.annotations?.[REVISION] === "3");
    expect(back?.metadata.annotations?.["deployment.kubernetes.io/revision-history"]).toBe("1");
  });

  it("keeps as many old ReplicaSets as its history is long", async () => {
    const { roll, pass, history } = await start({ revisionHistoryLimit: 1 });

    for (const image of ["web:2", "web:3", "web:4"]) {
      await roll(image);
      await pass();
    }

    expect(await history()).toEqual(["3: web:3 x 0", "4: web:4 x 3"]);
  });

  it("waits for the last old Pod to be gone before it recreates", async () => {
    const { clock, roll, history, status, pass } = await start({ strategy: { type: "Recreate" } });

    await roll("web:2");
    await clock.advance(1);
    expect(await history()).toEqual(["1: web:1 x 0"]);
    expect(await status()).toMatchObject({ terminatingReplicas: 3 });
    await pass();

    expect(await history()).toEqual(["1: web:1 x 0", "2: web:2 x 3"]);
    expect(await status()).toMatchObject({ terminatingReplicas: 0, availableReplicas: 3 });
  });

  it("rolls nothing while it is paused, and speaks of a pause and its end", async () => {
    const { client, roll, pass, history, says, said } = await start();

    await client.patch(WEB, { spec: { paused: true } }, "merge");
    await roll("web:2");
    await pass();
    expect(await says("Progressing")).toBe("Unknown DeploymentPaused: Deployment is paused");
    expect(await history()).toEqual(["1: web:1 x 3"]);
    said.length = 0;
    await client.patch(WEB, { spec: { paused: false } }, "merge");
    await pass();

    expect(await history()).toEqual(["1: web:1 x 0", "2: web:2 x 3"]);
    // The ReplicaSet that is made at once after a pause is not spoken of.
    expect(said.filter((text) => text.startsWith("Progressing"))).toEqual([
      "Progressing=Unknown DeploymentPaused",
      "Progressing=Unknown DeploymentResumed",
      "Progressing=True ReplicaSetUpdated",
      "Progressing=True NewReplicaSetAvailable",
    ]);
  });

  it("gives a rollout up a second after its deadline, and takes it up again", async () => {
    const { client, disturbances, roll, pass, clock, says, sets, status } = await start({
      progressDeadlineSeconds: 10,
    });
    disturbances.setImageFault("web:broken", "pull-fails");

    await roll("web:broken");
    await clock.advance(10_900);
    expect(await says("Progressing")).toContain("True ReplicaSetUpdated");
    await clock.advance(200);

    const broken = (await sets()).find((set) => set.metadata.annotations?.[REVISION] === "2");
    expect(await says("Progressing")).toBe(
      `False ProgressDeadlineExceeded: ReplicaSet "web-${hashOf(broken)}" has timed out progressing.`,
    );
    expect(await status()).toMatchObject({ replicas: 4, updatedReplicas: 1, availableReplicas: 3 });
    await client.patch(
      WEB,
      [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "web:3" }],
      "json",
    );
    await pass();
    expect(await says("Progressing")).toContain("True NewReplicaSetAvailable");
  });

  it("scales the sets of a rollout in proportion", async () => {
    const { client, disturbances, roll, pass, history } = await start({ replicas: 4 });
    disturbances.setImageFault("web:broken", "pull-fails");
    await roll("web:broken");
    await pass();
    expect(await history()).toEqual(["1: web:1 x 3", "2: web:broken x 2"]);

    await client.patch(WEB, { spec: { replicas: 8 } }, "merge");
    await client.patch(WEB, { spec: { paused: true } }, "merge");
    await pass();

    expect(await history()).toEqual(["1: web:1 x 6", "2: web:broken x 4"]);
  });

  it("counts collisions of names until it finds a free one", async () => {
    const { client, roll, pass, sets, status, says } = await start();
    await roll("web:2");
    await pass();
    const taken = (await sets()).find((set) => set.metadata.annotations?.[REVISION] === "2");
    await roll("web:1");
    await pass();
    const name = taken?.metadata.name ?? "";
    await client.delete({ apiVersion: "apps/v1", kind: "ReplicaSet", namespace: "default", name });
    const labels = { app: "other" };
    const { template } = deployment({})["spec"] as { template: Record<string, unknown> };
    await client.create({
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { name, namespace: "default", labels },
      spec: { replicas: 0, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
    });

    await roll("web:2");
    await pass();

    expect(await status()).toMatchObject({ collisionCount: 1, updatedReplicas: 3 });
    expect(await says("Progressing")).not.toContain(name);
  });

  it("tells why its Pods cannot be made", async () => {
    const { client, pass, roll, says, events } = await start({ replicas: 1 });
    await client.create({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: "no-pods" },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
        },
        validations: [{ expression: "false", message: "no Pods today" }],
      },
    });
    await client.create({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: "no-pods" },
      spec: { policyName: "no-pods", validationActions: ["Deny"] },
    });

    await roll("web:2");
    await pass();

    const said = await says("ReplicaFailure");
    expect(said).toContain("True FailedCreate: pods ");
    expect(said).toContain("no Pods today");
    const told = (await events("FailedCreate"))[0] ?? "";
    expect(told).toContain("Error creating: pods ");
  });

  it("adopts ReplicaSets that its selector finds", async () => {
    const { client, pass, sets, history } = await start();
    await client.raw("DELETE", "/apis/apps/v1/namespaces/default/deployments/web", { propagationPolicy: "Orphan" });
    await pass();
    expect((await sets())[0]?.metadata.ownerReferences ?? []).toEqual([]);

    await client.create(deployment({}));
    await pass();

    expect(await history()).toEqual(["1: web:1 x 3"]);
    expect((await sets())[0]?.metadata.ownerReferences).toMatchObject([{ kind: "Deployment", controller: true }]);
  });

  it("rolls back to the revision that an annotation names", async () => {
    const { client, roll, pass, history, events } = await start();
    await roll("web:2");
    await pass();

    const annotations = { "deprecated.deployment.rollback.to": "1" };
    await client.patch(WEB, { metadata: { annotations } }, "merge");
    await pass();

    expect(await history()).toEqual(["2: web:2 x 0", "3: web:1 x 3"]);
    expect(await events("DeploymentRollback")).toEqual(['Rolled back deployment "web" to revision 1']);
    expect((await client.get(WEB)).metadata.annotations).toEqual({ [REVISION]: "3" });
  });
});
