// Whatever takes much away from a cluster at once is held there until a person has confirmed it; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf } from "./support/reading.ts";

const COUNT = 12;
const CONFIG_MAPS = { apiVersion: "v1", kind: "ConfigMap" };
const CONFIRM = "gitops.flaghoist.io/confirm-deletions";

describe.each(engines())("mass deletion, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { deletionLimits: { sharePercent: 30, count: 4, windowMs: 600_000 } },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** Uids of the copies in a member, by name. */
  async function copies(cluster: string, namespace: string): Promise<Record<string, string | undefined>> {
    const { items } = await plane.member(cluster).client.list("v1", "ConfigMap", { namespace });
    const own = items.filter(({ metadata }) => metadata.name?.startsWith("c-"));
    return Object.fromEntries(own.map(({ metadata }) => [metadata.name, metadata.uid]));
  }

  async function place(namespace: string, clusters: readonly string[], count = COUNT): Promise<void> {
    const maps = Array.from({ length: count }, (_, i) => configMap(namespace, `c-${i}`));
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, clusters, selectors: [CONFIG_MAPS] }),
      ...maps,
    );
    await eventually(async () => {
      for (const cluster of clusters) expect(Object.keys(await copies(cluster, namespace))).toHaveLength(count);
    });
  }

  async function held(cluster: string) {
    return conditionOf(
      await plane.client.get(ref("cluster.karmada.io/v1alpha1 Cluster", "", cluster)),
      "DeletionsHeld",
    );
  }

  async function confirm(cluster: string): Promise<void> {
    const since = (await held(cluster))?.lastTransitionTime;
    expect((await held(cluster))?.message).toContain(`${CONFIRM}=${since}`);
    const patch = { metadata: { annotations: { [CONFIRM]: since } } };
    await plane.client.patch(ref("cluster.karmada.io/v1alpha1 Cluster", "", cluster), patch, "merge");
  }

  it("holds what a policy's edit takes away, and lets it live on when the edit is taken back", async () => {
    const namespace = "edited";
    await place(namespace, ["tokyo-1", "paris-1"]);
    const before = await copies("tokyo-1", namespace);

    await applyAll(plane.client, policy({ namespace, clusters: ["paris-1"], selectors: [CONFIG_MAPS] }));

    await eventually(async () =>
      expect(await held("tokyo-1")).toMatchObject({ status: "True", reason: "MassDeletion" }),
    );
    await consistently(
      async () => expect(Object.keys(await copies("tokyo-1", namespace)).length).toBeGreaterThanOrEqual(COUNT - 4),
      { forMs: 1_500 },
    );
    const { items } = await plane.client.list("v1", "Event", { fieldSelector: "involvedObject.name=tokyo-1" });
    expect(items.map((event) => event["reason"])).toContain("DeletionsHeld");
    const kept = await copies("tokyo-1", namespace);

    await applyAll(plane.client, policy({ namespace, clusters: ["tokyo-1", "paris-1"], selectors: [CONFIG_MAPS] }));

    await eventually(async () => {
      expect(await held("tokyo-1")).toMatchObject({ status: "False" });
      expect(Object.keys(await copies("tokyo-1", namespace))).toHaveLength(COUNT);
    });
    for (const name of Object.keys(kept)) expect((await copies("tokyo-1", namespace))[name]).toBe(before[name]);
  });

  it("stays held over a restart, and goes on once it is confirmed", async () => {
    const namespace = "edited";
    await applyAll(plane.client, policy({ namespace, clusters: ["paris-1"], selectors: [CONFIG_MAPS] }));
    await eventually(async () => expect((await held("tokyo-1"))?.status).toBe("True"));
    const since = (await held("tokyo-1"))?.lastTransitionTime;

    await plane.restart();

    await consistently(
      async () => expect(Object.keys(await copies("tokyo-1", namespace)).length).toBeGreaterThan(COUNT / 2),
      { forMs: 1_000 },
    );
    expect((await held("tokyo-1"))?.lastTransitionTime).toBe(since);
    await confirm("tokyo-1");
    await eventually(async () => {
      expect(await copies("tokyo-1", namespace)).toEqual({});
      expect(await held("tokyo-1")).toMatchObject({ status: "False" });
    });
  });

  it("holds what goes with a namespace", async () => {
    const namespace = "gone";
    await place(namespace, ["paris-2"]);

    await plane.client.delete(ref("v1 Namespace", "", namespace));
    // A kube-apiserver alone deletes nothing in a namespace: kube-controller-manager does.
    if (engine === "kubernetes")
      for (let i = 0; i < COUNT; i++) await plane.client.delete(ref("v1 ConfigMap", namespace, `c-${i}`));

    await eventually(async () => expect((await held("paris-2"))?.status).toBe("True"));
    expect(Object.keys(await copies("paris-2", namespace)).length).toBeGreaterThanOrEqual(COUNT - 4);
    await confirm("paris-2");
    await eventually(async () => expect(await copies("paris-2", namespace)).toEqual({}));
  });

  it("holds neither few objects nor a cluster that leaves", async () => {
    const namespace = "leaving";
    await place(namespace, ["tokyo-1"], 8);
    for (const i of [0, 1]) await plane.client.delete(ref("v1 ConfigMap", namespace, `c-${i}`));
    await eventually(async () => expect(Object.keys(await copies("tokyo-1", namespace))).toHaveLength(6));

    await plane.client.delete(ref("cluster.karmada.io/v1alpha1 Cluster", "", "tokyo-1"));

    await eventually(async () => expect(await copies("tokyo-1", namespace)).toEqual({}));
  });
});
