// Sync waves and hooks over a fleet, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const WAVE = "argocd.argoproj.io/sync-wave";
const HOOK = "argocd.argoproj.io/hook";
const CLUSTERS = ["tokyo-1", "paris-1"];

function job(namespace: string, name: string, annotations: Record<string, string>, command = "migrate"): KubeObject {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, annotations },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "main", image: "registry.example/job:1", args: [command] }],
        },
      },
    },
  };
}

const JOBS = { apiVersion: "batch/v1", kind: "Job" };
const DEPLOYMENTS = { apiVersion: "apps/v1", kind: "Deployment" };

describe.runIf(hasGit()).each(engines())("waves and hooks, store: %s", (engine) => {
  let plane: Plane;
  const repositories: ServedRepository[] = [];

  beforeAll(async () => {
    // Nobody acts in the members but the test: it says when a copy is up.
    plane = await startPlane({ engine, members: THREE_CLUSTERS, memberLevel: "idle" });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    for (const repository of repositories) await repository.close();
  });

  async function begin(
    namespace: string,
    files: Record<string, string>,
    spec: Record<string, unknown> = {},
  ): Promise<{ readonly repository: ServedRepository; readonly commit: string }> {
    const repository = await serveRepository();
    repositories.push(repository);
    const commit = repository.push("first", files);
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      gitRepository(namespace, "shop", repository.url),
      sync(namespace, "shop", spec),
    );
    return { repository, commit };
  }

  async function copy(cluster: string, kind: string, namespace: string, name: string): Promise<KubeObject | undefined> {
    return plane.member(cluster).client.find(ref(kind, namespace, name));
  }

  async function whereIs(kind: string, namespace: string, name: string): Promise<string[]> {
    const found: string[] = [];
    for (const { name: cluster } of plane.members)
      if ((await copy(cluster, kind, namespace, name)) !== undefined) found.push(cluster);
    return found.sort();
  }

  async function report(cluster: string, kind: string, namespace: string, name: string, status: object): Promise<void> {
    await eventually(async () => expect(await whereIs(kind, namespace, name)).toContain(cluster));
    await plane
      .member(cluster)
      .client.patch(ref(kind, namespace, name), { status }, "merge", { subresource: "status" });
  }

  async function comesUp(namespace: string, name: string, clusters = CLUSTERS): Promise<void> {
    for (const cluster of clusters) {
      await eventually(async () => expect(await whereIs("apps/v1 Deployment", namespace, name)).toContain(cluster));
      const { metadata, spec } = (await copy(cluster, "apps/v1 Deployment", namespace, name)) as KubeObject & {
        spec: { replicas: number };
      };
      const { replicas } = spec;
      await report(cluster, "apps/v1 Deployment", namespace, name, {
        observedGeneration: metadata.generation,
        replicas,
        readyReplicas: replicas,
        updatedReplicas: replicas,
        availableReplicas: replicas,
      });
    }
  }

  async function ends(
    namespace: string,
    name: string,
    type: "Complete" | "Failed",
    clusters = CLUSTERS,
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
    for (const cluster of clusters)
      await report(cluster, "batch/v1 Job", namespace, name, { startTime: now, conditions, ...counts });
  }

  async function readyMessage(namespace: string): Promise<string> {
    const object = await readSync(plane, namespace, "shop");
    return String(conditionOf(object, "Reconciling")?.message ?? conditionOf(object, "Ready")?.message);
  }

  async function untilApplied(namespace: string, commit: string): Promise<void> {
    await eventually(async () =>
      expect(conditionOf(await readSync(plane, namespace, "shop"), "Ready")).toMatchObject({
        status: "True",
        message: `Applied revision: main@sha1:${commit}`,
      }),
    );
  }

  it("applies a wave once the one before is up in every cluster", async () => {
    const namespace = "waves";
    const { commit } = await begin(namespace, {
      "all.yaml": yamlOf(
        policy({ namespace, clusters: CLUSTERS, selectors: [DEPLOYMENTS] }),
        deployment({ namespace, name: "web", replicas: 2, annotations: { [WAVE]: "1" } }),
        deployment({ namespace, name: "database", replicas: 1 }),
      ),
    });

    await comesUp(namespace, "database", ["tokyo-1"]);
    await eventually(async () => expect(await readyMessage(namespace)).toContain("database"));
    await consistently(async () => expect(await whereIs("apps/v1 Deployment", namespace, "web")).toEqual([]), {
      forMs: 700,
    });
    await comesUp(namespace, "database", ["paris-1"]);

    await eventually(async () =>
      expect(await whereIs("apps/v1 Deployment", namespace, "web")).toEqual([...CLUSTERS].sort()),
    );
    await untilApplied(namespace, commit);
  });

  it("prunes waves in reverse, each once the one before is gone from the members", async () => {
    const namespace = "waves";
    const repository = repositories[0] as ServedRepository;

    const commit = repository.push("away", {
      "all.yaml": yamlOf(policy({ namespace, clusters: CLUSTERS, selectors: [DEPLOYMENTS] })),
    });
    await eventually(async () => expect(await readyMessage(namespace)).toContain("would delete 2 of 3 objects"));
    await plane.client.patch(
      ref("gitops.flaghoist.io/v1alpha1 Sync", namespace, "shop"),
      { metadata: { annotations: { "gitops.flaghoist.io/confirm-prune": commit } } },
      "merge",
    );

    await untilApplied(namespace, commit);
    await eventually(async () => expect(await whereIs("apps/v1 Deployment", namespace, "database")).toEqual([]));
  });

  it("runs a PreSync hook in the clusters of its policy before anything else, and PostSync after", async () => {
    const namespace = "hooks";
    const { commit } = await begin(namespace, {
      "all.yaml": yamlOf(
        policy({ namespace, clusters: CLUSTERS, selectors: [DEPLOYMENTS, JOBS] }),
        deployment({ namespace, name: "web", replicas: 2 }),
        job(namespace, "migrate", { [HOOK]: "PreSync" }),
        job(namespace, "smoke", { [HOOK]: "PostSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded" }),
      ),
    });

    await eventually(async () =>
      expect(await whereIs("batch/v1 Job", namespace, "migrate")).toEqual([...CLUSTERS].sort()),
    );
    await ends(namespace, "migrate", "Complete", ["tokyo-1"]);
    expect(await whereIs("apps/v1 Deployment", namespace, "web")).toEqual([]);
    await ends(namespace, "migrate", "Complete", ["paris-1"]);
    await comesUp(namespace, "web");
    await ends(namespace, "smoke", "Complete");

    await untilApplied(namespace, commit);
    // Its policy says that it goes; the other stays to be read.
    await eventually(async () => expect(await whereIs("batch/v1 Job", namespace, "smoke")).toEqual([]));
    expect(await whereIs("batch/v1 Job", namespace, "migrate")).toEqual([...CLUSTERS].sort());
    const inventory = at(await readSync(plane, namespace, "shop"), "status", "inventory", "entries");
    expect(JSON.stringify(inventory)).not.toContain("migrate");
  });

  it("leaves what runs untouched when a PreSync hook fails, runs SyncFail hooks, and gives up in the end", async () => {
    const namespace = "hooks";
    const repository = repositories[1] as ServedRepository;
    await plane.client.patch(
      ref("gitops.flaghoist.io/v1alpha1 Sync", namespace, "shop"),
      { spec: { retry: { limit: 0 } } },
      "merge",
    );
    const image = "registry.example/web:2";

    repository.push("broken", {
      "all.yaml": yamlOf(
        policy({ namespace, clusters: CLUSTERS, selectors: [DEPLOYMENTS, JOBS] }),
        deployment({ namespace, name: "web", replicas: 2, image }),
        job(namespace, "migrate", { [HOOK]: "PreSync" }, "break"),
        job(namespace, "tell", { [HOOK]: "SyncFail" }),
      ),
    });
    await eventually(async () => {
      const made = await copy("tokyo-1", "batch/v1 Job", namespace, "migrate");
      expect(JSON.stringify(made)).toContain("break");
    });
    await ends(namespace, "migrate", "Failed", ["tokyo-1"]);
    await ends(namespace, "tell", "Complete");

    await eventually(async () => {
      const object = await readSync(plane, namespace, "shop");
      expect(conditionOf(object, "Stalled")).toMatchObject({ status: "True", reason: "HookFailed" });
      expect(conditionOf(object, "Ready")?.message).toContain(
        "PreSync hook batch/v1 Job hooks/migrate failed in tokyo-1",
      );
      expect(at(object, "status", "operation", "phase")).toBe("Failed");
    });
    expect(JSON.stringify(await copy("tokyo-1", "apps/v1 Deployment", namespace, "web"))).not.toContain(image);
  });

  it("says that a hook has no policy and so can run nowhere", async () => {
    const namespace = "unplaced";
    await begin(namespace, { "all.yaml": yamlOf(job(namespace, "migrate", { "helm.sh/hook": "pre-install" })) });

    await eventually(async () =>
      expect(await readyMessage(namespace)).toContain("is placed by no policy, so that it can run nowhere"),
    );
  });

  it("refuses a second Sync an object that another has, with both named", async () => {
    const namespace = "shared";
    const shared = yamlOf({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace }, data: {} });
    const { commit } = await begin(namespace, { "one/a.yaml": shared, "two/a.yaml": shared }, { path: "one" });
    await untilApplied(namespace, commit);

    await applyAll(
      plane.client,
      sync(namespace, "second", { sourceRef: { kind: "GitRepository", name: "shop" }, path: "two" }),
    );

    await eventually(async () => {
      const message = conditionOf(await readSync(plane, namespace, "second"), "Ready")?.message;
      expect(message).toContain("v1 ConfigMap shared/settings is applied by Sync shared/shop");
      expect(message).toContain("Sync shared/second must not apply it as well");
    });
    // It goes over to the other one without being deleted in between.
    const before = await plane.client.get(ref("v1 ConfigMap", namespace, "settings"));
    const next = (repositories.at(-1) as ServedRepository).push("moved", {
      "one/a.yaml": yamlOf({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "other", namespace }, data: {} }),
    });
    await untilApplied(namespace, next);
    await eventually(async () => {
      expect(conditionOf(await readSync(plane, namespace, "second"), "Ready")?.status).toBe("True");
      const now = await plane.client.get(ref("v1 ConfigMap", namespace, "settings"));
      expect(now.metadata.uid).toBe(before.metadata.uid);
      expect(now.metadata.labels?.["gitops.flaghoist.io/sync-name"]).toBe("second");
    });
  });
});
