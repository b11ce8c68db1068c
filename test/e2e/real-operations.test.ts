// Waves, hooks, a staged rollout and a lost cluster over three real kube-apiservers. Nothing of Kubernetes runs beside
// them: the test says when a copy is up, as a member's controllers would.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { flaghoist } from "./support/joinable-member.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, conditionOf, readBinding, readSync, targetsOf } from "./support/reading.ts";
import { findKubeAssets, type RealApiServer, startRealApiServer } from "./support/real-api-server.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NAMES = ["real-1", "real-2", "real-3"];
const DEPLOYMENT = "apps/v1 Deployment";
const JOB = "batch/v1 Job";
const WAVE = "argocd.argoproj.io/sync-wave";
const HOOK = "argocd.argoproj.io/hook";
const SELECTORS = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "batch/v1", kind: "Job" },
];
const assets = findKubeAssets();

interface Member {
  readonly server: RealApiServer;
  readonly client: KubeClient;
  close(): Promise<void>;
}

describe.runIf(assets !== undefined && hasGit())("over three real members", () => {
  let plane: Plane;
  let repository: ServedRepository | undefined;
  const members = new Map<string, Member>();

  beforeAll(async () => {
    plane = await startPlane({
      engine: "embedded",
      members: {},
      profile: { failover: true, unreachableTaintAfterMs: 300, gracefulEvictionTimeoutMs: 60_000 },
    });
    // What the rights in members are made for.
    await applyAll(plane.client, namespaceObject("first"), policy({ namespace: "first", selectors: SELECTORS }));
    for (const name of NAMES) {
      const server = await startRealApiServer(assets ?? "");
      const transport = await openHttpTransportFile(server.kubeconfig);
      const close = async (): Promise<void> => {
        await transport.close();
        await server.close();
      };
      members.set(name, { server, client: new KubeClient(transport.send), close });
      const joined = await flaghoist(plane, "join", name, "--cluster-kubeconfig", server.kubeconfig);
      expect(joined).toMatchObject({ code: 0, err: "" });
    }
  }, 300_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
    await Promise.all([...members.values()].map((member) => member.close()));
  });

  function clientOf(name: string): KubeClient {
    const member = members.get(name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member.client;
  }

  async function whereIs(kind: string, namespace: string, name: string): Promise<string[]> {
    const found = await Promise.all(
      NAMES.map(async (cluster) => (await clientOf(cluster).find(ref(kind, namespace, name))) && cluster),
    );
    return found.filter((cluster) => cluster !== undefined);
  }

  async function images(namespace: string): Promise<Record<string, unknown>> {
    const found = NAMES.map(async (cluster) => {
      const copy = await clientOf(cluster).find(ref(DEPLOYMENT, namespace, "web"));
      return [cluster, at(copy, "spec", "template", "spec", "containers", 0, "image")] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  }

  async function report(cluster: string, kind: string, namespace: string, name: string, status: object): Promise<void> {
    await clientOf(cluster).patch(ref(kind, namespace, name), { status }, "merge", { subresource: "status" });
  }

  async function comesUp(namespace: string, name: string, clusters: readonly string[] = NAMES): Promise<void> {
    for (const cluster of clusters) {
      const copy = await clientOf(cluster).get(ref(DEPLOYMENT, namespace, name));
      const replicas = at(copy, "spec", "replicas");
      await report(cluster, DEPLOYMENT, namespace, name, {
        observedGeneration: copy.metadata.generation,
        replicas,
        readyReplicas: replicas,
        updatedReplicas: replicas,
        availableReplicas: replicas,
      });
    }
  }

  async function untilRolledOut(namespace: string): Promise<void> {
    await eventually(async () =>
      expect(conditionOf(await readBinding(plane, namespace, "web-deployment"), "RolledOut")).toMatchObject({
        status: "True",
      }),
    );
  }

  async function completes(namespace: string, name: string): Promise<void> {
    const now = "2026-01-01T00:00:00Z";
    const conditions = ["SuccessCriteriaMet", "Complete"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: now,
      lastProbeTime: now,
    }));
    for (const cluster of NAMES)
      await report(cluster, JOB, namespace, name, { startTime: now, completionTime: now, succeeded: 1, conditions });
  }

  it("a hook ends before what it prepares, and a wave is up before the next", async () => {
    const namespace = "waves";
    repository = await serveRepository();
    const commit = repository.push("first", {
      "all.yaml": yamlOf(
        policy({ namespace, clusters: NAMES, selectors: SELECTORS }),
        migration(namespace),
        deployment({ namespace, name: "database", replicas: 1 }),
        deployment({ namespace, name: "web", replicas: 2, annotations: { [WAVE]: "1" } }),
      ),
    });
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      gitRepository(namespace, "shop", repository.url),
      sync(namespace, "shop"),
    );

    await eventually(async () => expect(await whereIs(JOB, namespace, "migrate")).toEqual(NAMES));
    expect(await whereIs(DEPLOYMENT, namespace, "database")).toEqual([]);
    await completes(namespace, "migrate");
    await eventually(async () => expect(await whereIs(DEPLOYMENT, namespace, "database")).toEqual(NAMES));
    await comesUp(namespace, "database", ["real-1", "real-2"]);
    await consistently(async () => expect(await whereIs(DEPLOYMENT, namespace, "web")).toEqual([]), { forMs: 700 });
    await comesUp(namespace, "database", ["real-3"]);

    await eventually(async () => expect(await whereIs(DEPLOYMENT, namespace, "web")).toEqual(NAMES));
    await eventually(async () =>
      expect(conditionOf(await readSync(plane, namespace, "shop"), "Ready")).toMatchObject({
        status: "True",
        message: `Applied revision: main@sha1:${commit}`,
      }),
    );
  }, 60_000);

  it("a change goes to the canary first, and back when it is not healthy in time", async () => {
    const namespace = "staged";
    const rollout = {
      waves: [{ name: "canary", clusterAffinity: { clusterNames: ["real-2"] } }],
      minSuccessTime: "0s",
      progressDeadline: "4s",
    };
    const placement = { clusterAffinity: { clusterNames: NAMES }, flaghoist: { rollout } };
    const web = (image: string): KubeObject => deployment({ namespace, replicas: 2, image });
    await applyAll(plane.client, namespaceObject(namespace), policy({ namespace, placement }), web("example/web:1"));
    await eventually(async () => expect(await whereIs(DEPLOYMENT, namespace, "web")).toEqual(["real-2"]));
    await comesUp(namespace, "web", ["real-2"]);
    await eventually(async () => expect(await whereIs(DEPLOYMENT, namespace, "web")).toEqual(NAMES));
    await comesUp(namespace, "web", ["real-1", "real-3"]);
    await untilRolledOut(namespace);

    await applyAll(plane.client, web("example/web:2"));
    const first = { "real-1": "example/web:1", "real-2": "example/web:2", "real-3": "example/web:1" };
    await eventually(async () => expect(await images(namespace)).toEqual(first));
    await comesUp(namespace, "web", ["real-2"]);
    const second = { "real-1": "example/web:2", "real-2": "example/web:2", "real-3": "example/web:2" };
    await eventually(async () => expect(await images(namespace)).toEqual(second));
    await comesUp(namespace, "web", ["real-1", "real-3"]);
    await untilRolledOut(namespace);

    await applyAll(plane.client, web("example/web:3"));
    await eventually(async () => expect(await images(namespace)).toEqual({ ...second, "real-2": "example/web:3" }));
    await eventually(async () => expect(await images(namespace)).toEqual(second), { withinMs: 20_000 });
    await comesUp(namespace, "web", ["real-2"]);
    await eventually(async () =>
      expect(conditionOf(await readBinding(plane, namespace, "web-deployment"), "RolledOut")).toMatchObject({
        status: "False",
        reason: "ReturnedToLastHealthy",
      }),
    );
  }, 90_000);

  it("replicas of a cluster that is gone are ordered elsewhere, and nothing is taken from the others", async () => {
    const namespace = "moving";
    const tolerations = ["not-ready", "unreachable"].map((condition) => ({
      key: `cluster.karmada.io/${condition}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 0,
    }));
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({
        namespace,
        weights: { "real-1": 1, "real-2": 1, "real-3": 1 },
        placement: { clusterTolerations: tolerations },
      }),
      deployment({ namespace, replicas: 6 }),
    );
    const replicas = async (cluster: string): Promise<unknown> =>
      at(await clientOf(cluster).find(ref(DEPLOYMENT, namespace, "web")), "spec", "replicas");
    await eventually(async () => expect(await Promise.all(NAMES.map(replicas))).toEqual([2, 2, 2]));
    await comesUp(namespace, "web");

    await members.get("real-3")?.close();
    members.delete("real-3");

    await eventually(
      async () =>
        expect(targetsOf(await readBinding(plane, namespace, "web-deployment"))).toEqual({ "real-1": 3, "real-2": 3 }),
      { withinMs: 20_000 },
    );
    await eventually(async () => expect(await Promise.all(["real-1", "real-2"].map(replicas))).toEqual([3, 3]));
    const lost = await plane.client.get(ref("cluster.karmada.io/v1alpha1 Cluster", "", "real-3"));
    expect(conditionOf(lost, "Ready")).toMatchObject({ status: "False" });
  }, 60_000);
});

function migration(namespace: string): KubeObject {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate", namespace, annotations: { [HOOK]: "PreSync" } },
    spec: {
      backoffLimit: 0,
      template: {
        spec: { restartPolicy: "Never", containers: [{ name: "main", image: "registry.example/job:1" }] },
      },
    },
  };
}
