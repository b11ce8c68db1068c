// The end of a Sync that has hooks for it, over a fleet, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, eventReasons, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const HOOK = "argocd.argoproj.io/hook";
const DELETE_POLICY = "argocd.argoproj.io/hook-delete-policy";
const SYNC = "gitops.flaghoist.io/v1alpha1 Sync";
const CLUSTERS = ["tokyo-1", "paris-1"];
const KEEP = { "argocd.argoproj.io/sync-options": "Delete=false" };

function job(namespace: string, metadata: KubeObject["metadata"], command = "run"): KubeObject {
  const containers = [{ name: "main", image: "registry.example/job:1", args: [command] }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { namespace, ...metadata },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: "Never", containers } } },
  };
}

describe.runIf(hasGit()).each(engines())("the end of a Sync, store: %s", (engine) => {
  let plane: Plane;
  const repositories: ServedRepository[] = [];

  beforeAll(async () => {
    // Nobody acts in the members but the test: it says when a Job has ended.
    plane = await startPlane({ engine, members: THREE_CLUSTERS, memberLevel: "idle" });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    for (const repository of repositories) await repository.close();
  });

  /** A Sync with these objects, beside a ConfigMap and the policy of everything, applied whole. */
  async function begin(namespace: string, objects: readonly KubeObject[], spec: Record<string, unknown> = {}) {
    const repository = await serveRepository();
    repositories.push(repository);
    const selectors = [
      { apiVersion: "batch/v1", kind: "Job" },
      { apiVersion: "v1", kind: "ConfigMap" },
    ];
    const rest = [policy({ namespace, clusters: CLUSTERS, selectors }), configMap(namespace, "data")];
    const commit = repository.push("first", { "all.yaml": yamlOf(...rest, ...objects) });
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      gitRepository(namespace, "shop", repository.url),
      sync(namespace, "shop", spec),
    );
    await eventually(async () =>
      expect(conditionOf(await readSync(plane, namespace, "shop"), "Ready")).toMatchObject({
        status: "True",
        message: `Applied revision: main@sha1:${commit}`,
      }),
    );
    await eventually(async () => expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual(CLUSTERS.toSorted()));
    return { repository, rest };
  }

  async function whereIs(kind: string, namespace: string, name: string): Promise<string[]> {
    const found: string[] = [];
    for (const { name: cluster } of plane.members)
      if ((await plane.member(cluster).client.find(ref(kind, namespace, name))) !== undefined) found.push(cluster);
    return found.sort();
  }

  async function ends(
    namespace: string,
    name: string,
    type: "Complete" | "Failed",
    clusters: readonly string[] = CLUSTERS,
  ): Promise<void> {
    const now = "2026-01-01T00:00:00Z";
    const announced = type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
    const conditions = [announced, type].map((each) => ({
      type: each,
      status: "True",
      lastTransitionTime: now,
      lastProbeTime: now,
    }));
    const counts = type === "Complete" ? { succeeded: 1, completionTime: now } : { failed: 1 };
    for (const cluster of clusters) {
      await eventually(async () => expect(await whereIs("batch/v1 Job", namespace, name)).toContain(cluster));
      const { client } = plane.member(cluster);
      const status = { startTime: now, conditions, ...counts };
      await client.patch(ref("batch/v1 Job", namespace, name), { status }, "merge", { subresource: "status" });
    }
  }

  async function deleteSync(namespace: string): Promise<void> {
    await plane.client.delete(ref(SYNC, namespace, "shop"));
  }

  async function untilGone(namespace: string): Promise<void> {
    await eventually(async () => expect(await plane.client.find(ref(SYNC, namespace, "shop"))).toBeUndefined());
  }

  async function message(namespace: string): Promise<string> {
    const object = await readSync(plane, namespace, "shop");
    return String(conditionOf(object, "Reconciling")?.message ?? conditionOf(object, "Ready")?.message);
  }

  async function annotate(namespace: string, annotations: Record<string, string>): Promise<void> {
    await plane.client.patch(ref(SYNC, namespace, "shop"), { metadata: { annotations } }, "merge");
  }

  it("runs PreDelete hooks before its objects go and PostDelete hooks after, though its source is gone", async () => {
    const namespace = "ending";
    await begin(namespace, [
      job(namespace, { name: "backup", annotations: { [HOOK]: "PreDelete" } }),
      job(namespace, { name: "farewell", annotations: { "helm.sh/hook": "post-delete" } }),
    ]);
    expect(await whereIs("batch/v1 Job", namespace, "backup")).toEqual([]);
    await plane.client.delete(ref("gitops.flaghoist.io/v1alpha1 GitRepository", namespace, "shop"));

    await deleteSync(namespace);

    await ends(namespace, "backup", "Complete", ["tokyo-1"]);
    await eventually(async () => expect(await message(namespace)).toContain("waiting for PreDelete hook batch/v1 Job"));
    expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual(CLUSTERS.toSorted());
    expect(await plane.client.find(ref("v1 ConfigMap", namespace, "data"))).toBeDefined();
    await ends(namespace, "backup", "Complete", ["paris-1"]);
    await eventually(async () => {
      expect(await whereIs("batch/v1 Job", namespace, "farewell")).toEqual(CLUSTERS.toSorted());
      expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual([]);
      expect(await whereIs("batch/v1 Job", namespace, "backup")).toEqual([]);
    });
    // It stays until they have ended, and so does the policy that places them.
    expect(await plane.client.find(ref(SYNC, namespace, "shop"))).toBeDefined();
    await ends(namespace, "farewell", "Complete");
    await untilGone(namespace);
    const placed = ref("policy.karmada.io/v1alpha1 PropagationPolicy", namespace, "everywhere");
    await eventually(async () => expect(await plane.client.find(placed)).toBeUndefined());
    expect(await plane.client.find(ref("v1 Secret", namespace, "shop-deletion-hooks"))).toBeUndefined();
  });

  it("deletes nothing while a PreDelete hook fails, says what to do, and runs the mended hook", async () => {
    const namespace = "held-back";
    const backup = (command: string) =>
      job(
        namespace,
        { name: "backup", annotations: { [HOOK]: "PreDelete", [DELETE_POLICY]: "HookSucceeded" } },
        command,
      );
    const { repository, rest } = await begin(namespace, [backup("break")], { retry: { limit: 0 } });

    await deleteSync(namespace);
    await ends(namespace, "backup", "Failed", ["paris-1"]);
    await ends(namespace, "backup", "Complete", ["tokyo-1"]);

    await eventually(async () => {
      const object = await readSync(plane, namespace, "shop");
      expect(conditionOf(object, "Stalled")).toMatchObject({ status: "True", reason: "DeletionHeld" });
      const words = String(conditionOf(object, "Ready")?.message);
      expect(words).toContain("held: PreDelete hook batch/v1 Job held-back/backup failed in paris-1");
      expect(words).toContain("nothing of Sync held-back/shop is deleted");
      expect(words).toContain("kubectl annotate sync shop -n held-back --overwrite gitops.flaghoist.io/requestedAt=");
      expect(at(object, "status", "operation", "phase")).toBe("Failed");
      expect(await eventReasons(plane, namespace, "Sync", "shop")).toContain("DeletionHeld");
    });
    await consistently(
      async () => expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual(CLUSTERS.toSorted()),
      { forMs: 300 },
    );

    const commit = repository.push("mend", { "all.yaml": yamlOf(...rest, backup("work")) });
    await plane.client.patch(
      ref("gitops.flaghoist.io/v1alpha1 GitRepository", namespace, "shop"),
      { metadata: { annotations: { "gitops.flaghoist.io/requestedAt": "mended" } } },
      "merge",
    );
    await eventually(async () => {
      const source = await plane.client.get(ref("gitops.flaghoist.io/v1alpha1 GitRepository", namespace, "shop"));
      expect(JSON.stringify(source)).toContain(commit);
    });
    await annotate(namespace, { "gitops.flaghoist.io/requestedAt": "again" });
    await eventually(async () => {
      const made = await plane.member("paris-1").client.find(ref("batch/v1 Job", namespace, "backup"));
      expect(JSON.stringify(made)).toContain('"work"');
    });
    await ends(namespace, "backup", "Complete");
    await untilGone(namespace);
    await eventually(async () => expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual([]));
  });

  it("goes without its hooks once a person says so", async () => {
    const namespace = "unhooked";
    await begin(namespace, [job(namespace, { generateName: "backup-", annotations: { [HOOK]: "PreDelete" } })]);

    await deleteSync(namespace);
    await eventually(async () =>
      expect(await message(namespace)).toMatch(/Job unhooked\/backup-[0-9a-f]{7}-predelete-/),
    );
    const { deletionTimestamp = "" } = (await plane.client.get(ref(SYNC, namespace, "shop"))).metadata;
    await annotate(namespace, { "gitops.flaghoist.io/skip-deletion-hooks": deletionTimestamp });

    await untilGone(namespace);
    await eventually(async () => {
      expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual([]);
      expect((await plane.client.list("batch/v1", "Job", { namespace })).items).toEqual([]);
    });
  });

  it("goes on under another name without deleting anything, and runs no hook for that", async () => {
    const namespace = "renamed";
    await begin(namespace, [job(namespace, { name: "backup", annotations: { [HOOK]: "PreDelete" } })]);
    const before = await plane.client.get(ref("v1 ConfigMap", namespace, "data"));

    await applyAll(plane.client, sync(namespace, "store", { sourceRef: { kind: "GitRepository", name: "shop" } }));
    await deleteSync(namespace);

    await untilGone(namespace);
    await eventually(async () =>
      expect(conditionOf(await readSync(plane, namespace, "store"), "Ready")?.status).toBe("True"),
    );
    const after = await plane.client.get(ref("v1 ConfigMap", namespace, "data"));
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.labels?.["gitops.flaghoist.io/sync-name"]).toBe("store");
    expect(await plane.client.find(ref("batch/v1 Job", namespace, "backup"))).toBeUndefined();
    expect(at(await readSync(plane, namespace, "store"), "status", "inventory", "entries")).toHaveLength(2);
  });

  // A bare kube-apiserver has nobody who deletes what is in a namespace.
  it.runIf(engine === "embedded")("goes with its namespace, and leaves elsewhere what asks to be kept", async () => {
    const namespace = "terminating";
    const other = "terminating-data";
    await begin(namespace, [
      namespaceObject(other),
      configMap(other, "goes"),
      { ...configMap(other, "stays"), metadata: { name: "stays", namespace: other, annotations: KEEP } },
    ]);

    await plane.client.delete(ref("v1 Namespace", "", namespace));

    await untilGone(namespace);
    expect(await plane.client.find(ref("v1 ConfigMap", other, "goes"))).toBeUndefined();
    // Its namespace would take it along.
    expect(await plane.client.find(ref("v1 ConfigMap", other, "stays"))).toBeDefined();
    const kept = await plane.client.get(ref("v1 Namespace", "", other));
    expect(kept.metadata.deletionTimestamp).toBeUndefined();
  });

  it("runs no hook of a Sync that leaves its objects", async () => {
    const namespace = "leaving";
    await begin(namespace, [job(namespace, { name: "backup", annotations: { [HOOK]: "PreDelete" } })], {
      deletionPolicy: "Orphan",
    });

    await deleteSync(namespace);

    await untilGone(namespace);
    expect(await plane.client.find(ref("batch/v1 Job", namespace, "backup"))).toBeUndefined();
    expect(await whereIs("v1 ConfigMap", namespace, "data")).toEqual(CLUSTERS.toSorted());
  });
});
