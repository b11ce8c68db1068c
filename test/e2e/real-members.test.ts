// Three real clusters as members: joined with the rights of the kinds in use, served, mended and let go. The first has
// controllers, a scheduler and kwok's nodes where these programs are; the others are API servers alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { openHttpTransportFile } from "../../kube/client/http-transport.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { missingPrograms, type RealCluster, startRealCluster } from "../conformance/workloads/real-cluster.ts";
import { NODES } from "../conformance/workloads/script.ts";
import { eventually } from "./support/eventually.ts";
import { flaghoist } from "./support/joinable-member.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, readBinding } from "./support/reading.ts";
import { findKubeAssets, startRealApiServer } from "./support/real-api-server.ts";

const NAMES = ["real-1", "real-2", "real-3"] as const;
const SHOP = "shop";
const WEB = ref("apps/v1 Deployment", SHOP, "web");
const MAP = ref("v1 ConfigMap", SHOP, "settings");
const assets = findKubeAssets();
const missing = assets === undefined ? [] : missingPrograms(assets);
const withNodes = assets !== undefined && missing.length === 0;
if (missing.length > 0) console.warn(`skipped with nodes: ${assets} has no ${missing.join(", ")}`);

describe.runIf(assets !== undefined)("three real members", () => {
  let plane: Plane;
  const servers: RealCluster[] = [];
  const clients: KubeClient[] = [];
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: {} });
    for (const [index] of NAMES.entries()) {
      const server =
        index === 0 && withNodes ? await startRealCluster(assets ?? "") : await startRealApiServer(assets ?? "");
      servers.push(server);
      const transport = await openHttpTransportFile(server.kubeconfig);
      clients.push(new KubeClient(transport.send));
      closers.push(async () => {
        await transport.close();
        await server.close();
      });
    }
    const selectors = ["apps/v1 Deployment", "v1 ConfigMap"].map((kind) => {
      const { apiVersion, kind: name } = ref(kind, "", "");
      return { apiVersion, kind: name };
    });
    await applyAll(plane.client, namespaceObject(SHOP), policy({ namespace: SHOP, selectors }));
    for (const [index, name] of NAMES.entries()) {
      const joined = await flaghoist(plane, "join", name, "--cluster-kubeconfig", servers[index]?.kubeconfig ?? "");
      expect(joined).toMatchObject({ code: 0, err: "", out: expect.stringContaining(`${name} is joined and ready`) });
    }
  }, 300_000);

  afterAll(async () => {
    await plane?.close();
    await Promise.all(closers.map((close) => close()));
  });

  async function clusterOf(name: string): Promise<Cluster> {
    return plane.client.get<Cluster>({ apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name });
  }

  it("have an identity, their version and all of their APIs", async () => {
    const clusters = await Promise.all(NAMES.map(clusterOf));

    expect(new Set(clusters.map(({ spec }) => spec.id)).size).toBe(3);
    for (const { status } of clusters) {
      expect(status?.kubernetesVersion).toMatch(/^v1\./);
      expect(status?.apiEnablements?.map(({ groupVersion }) => groupVersion)).toContain("apps/v1");
      expect(status?.conditions?.find(({ type }) => type === "CompleteAPIEnablements")?.reason).toBe("Complete");
    }
    const twice = await flaghoist(plane, "join", "again", "--cluster-kubeconfig", servers[1]?.kubeconfig ?? "");
    expect(twice).toMatchObject({ code: 1, err: expect.stringContaining("joined already, as real-2") });
  });

  it("get what is propagated, and nothing is refused", async () => {
    await applyAll(plane.client, deployment({ namespace: SHOP, replicas: 2 }), configMap(SHOP, "settings"));

    await eventually(async () => {
      for (const client of clients) {
        expect(at(await client.get(WEB), "spec", "replicas")).toBe(2);
        expect(await client.find(MAP)).toBeDefined();
      }
    });
    for (const name of NAMES) {
      const types = (await clusterOf(name)).status?.conditions?.map(({ type }) => type);
      expect(types).not.toContain("SufficientRights");
    }
  });

  it.runIf(withNodes)(
    "tell of replicas that run, and of nodes by their grades",
    async () => {
      // The others have nobody who makes Pods.
      await eventually(
        async () => {
          const binding = await readBinding(plane, SHOP, "web-deployment");
          const item = binding.status?.aggregatedStatus?.find(({ clusterName }) => clusterName === "real-1");
          expect(item).toMatchObject({ health: "Healthy", status: { readyReplicas: 2 } });
        },
        { withinMs: 60_000 },
      );
      await eventually(async () => {
        const { status } = await clusterOf("real-1");
        expect(status?.nodeSummary?.readyNum).toBe(NODES);
        const counts = status?.resourceSummary?.allocatableModelings?.map(({ count }) => count) ?? [];
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(NODES);
      });
    },
    120_000,
  );

  it("are mended when somebody changes a copy", async () => {
    const [, second] = clients;
    await second?.patch(
      WEB,
      { spec: { template: { spec: { containers: [{ name: "web", image: "evil:1" }] } } } },
      "strategic",
    );

    await eventually(async () => {
      const copy = await second?.get(WEB);
      expect(at(copy, "spec", "template", "spec", "containers", 0, "image")).toBe("registry.example/web:1");
    });
  });

  it("keep what runs there when they are let go so", async () => {
    expect(await flaghoist(plane, "unjoin", "real-3", "--keep-resources")).toMatchObject({ code: 0 });

    const [, , third] = clients;
    expect(await third?.find(WEB)).toBeDefined();
    expect(
      await third?.find(
        ref("rbac.authorization.k8s.io/v1 ClusterRole", "", "karmada-controller-manager:karmada-real-3"),
      ),
    ).toBeUndefined();
  }, 60_000);

  it("are left empty otherwise", async () => {
    expect(await flaghoist(plane, "unjoin", "real-2")).toMatchObject({ code: 0 });

    const [, second] = clients;
    expect(await second?.find(WEB)).toBeUndefined();
    expect(await second?.find(MAP)).toBeUndefined();
    expect(
      (await plane.client.list("v1", "Secret", { namespace: "karmada-cluster" })).items
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(["real-1", "real-1-impersonator", "real-1-rights"]);
  }, 60_000);
});
