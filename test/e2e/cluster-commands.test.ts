// Cordon, taints and remedies of clusters, by command and from Git, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { eventually } from "./support/eventually.ts";
import { flaghoist } from "./support/joinable-member.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";

const CLUSTER = ref("cluster.karmada.io/v1alpha1 Cluster", "", "member1");

describe.each(engines())("commands for clusters, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: { member1: {} } });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function taints(): Promise<string[]> {
    const { spec } = await plane.client.get<Cluster>(CLUSTER);
    return (spec.taints ?? []).map(
      ({ key, value, effect }) => `${key}${value === undefined ? "" : `=${value}`}:${effect}`,
    );
  }

  it("cordon and uncordon, in karmadactl's words", async () => {
    expect(await flaghoist(plane, "cordon", "member1", "--dry-run")).toMatchObject({
      code: 0,
      out: "member1 cluster cordoned\n",
    });
    expect(await taints()).toEqual([]);
    expect(await flaghoist(plane, "cordon", "member1")).toMatchObject({ code: 0, out: "member1 cluster cordoned\n" });
    expect(await taints()).toEqual(["cluster.karmada.io/unschedulable:NoSchedule"]);
    expect((await flaghoist(plane, "cordon", "member1")).out).toBe("member1 cluster already cordoned\n");
    expect((await flaghoist(plane, "uncordon", "member1")).out).toBe("member1 cluster uncordoned\n");
    expect(await taints()).toEqual([]);
    expect(await flaghoist(plane, "cordon", "member9")).toMatchObject({
      code: 1,
      err: expect.stringContaining("there is no cluster member9; there are member1"),
    });
  });

  it("taint as kubectl does", async () => {
    const set = await flaghoist(plane, "taint", "clusters", "member1", "dedicated=a:NoSchedule", "x:NoExecute");
    expect(set).toMatchObject({ code: 0, out: "cluster/member1 tainted\n" });
    const again = await flaghoist(plane, "taint", "clusters", "member1", "dedicated=b:NoSchedule");
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("--overwrite is false") });
    const over = await flaghoist(plane, "taint", "cluster", "member1", "dedicated=b:NoSchedule", "--overwrite");
    expect(over.out).toBe("cluster/member1 modified\n");
    expect(await taints()).toEqual(["dedicated=b:NoSchedule", "x:NoExecute"]);
    expect((await flaghoist(plane, "taint", "clusters", "member1", "dedicated-", "x:NoExecute-")).out).toBe(
      "cluster/member1 untainted\n",
    );
    expect(await taints()).toEqual([]);
    expect((await flaghoist(plane, "taint", "nodes", "member1", "a:NoSchedule")).code).toBe(2);
  });

  it("keep taints that Git gives beside those of others", async () => {
    const fromGit = (...keys: string[]) =>
      plane.client.apply(
        {
          apiVersion: CLUSTER.apiVersion,
          kind: CLUSTER.kind,
          metadata: { name: "member1" },
          spec: { taints: keys.map((key) => ({ key, effect: "NoSchedule" })) },
        },
        { fieldManager: "flaghoist-sync", force: true },
      );
    await flaghoist(plane, "taint", "clusters", "member1", "by-hand:NoSchedule");
    await fromGit("cluster.karmada.io/unschedulable");
    expect((await taints()).sort()).toEqual(["by-hand:NoSchedule", "cluster.karmada.io/unschedulable:NoSchedule"]);

    await fromGit();

    expect(await taints()).toEqual(["by-hand:NoSchedule"]);
  });

  it("follow remedies", async () => {
    const remedy = (status: string) => ({
      apiVersion: "remedy.karmada.io/v1alpha1",
      kind: "Remedy",
      metadata: { name: "traffic" },
      spec: {
        actions: ["TrafficControl"],
        decisionMatches: [
          { clusterConditionMatch: { conditionType: "Ready", operator: "Equal", conditionStatus: status } },
        ],
      },
    });
    const actions = async () => (await plane.client.get<Cluster>(CLUSTER)).status?.remedyActions ?? [];
    await applyAll(plane.client, remedy("True"));
    await eventually(async () => expect(await actions()).toEqual(["TrafficControl"]));

    await applyAll(plane.client, remedy("False"));

    await eventually(async () => expect(await actions()).toEqual([]));
  });

  it("let those through to a cluster that karmadactl joined who may go through here", async () => {
    const rbac = "rbac.authorization.k8s.io/v1";
    await applyAll(
      plane.client,
      {
        apiVersion: CLUSTER.apiVersion,
        kind: CLUSTER.kind,
        metadata: { name: "member1" },
        spec: { impersonatorSecretRef: { namespace: "karmada-cluster", name: "member1-impersonator" } },
      },
      {
        apiVersion: rbac,
        kind: "ClusterRole",
        metadata: { name: "through" },
        rules: [{ apiGroups: ["cluster.karmada.io"], resources: ["clusters/proxy"], verbs: ["get"] }],
      },
      {
        apiVersion: rbac,
        kind: "ClusterRoleBinding",
        metadata: { name: "through" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "through" },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "carol" }],
      },
    );

    await eventually(async () => {
      const { client } = plane.member("member1");
      const role = await client.get(ref(`${rbac} ClusterRole`, "", "karmada-impersonator"));
      const users = (role["rules"] as { resources: string[]; resourceNames: string[] }[]).find(({ resources }) =>
        resources.includes("users"),
      );
      expect(users?.resourceNames).toContain("carol");
      const bound = await client.get(ref(`${rbac} ClusterRoleBinding`, "", "karmada-impersonator"));
      expect(bound["subjects"]).toMatchObject([{ name: "karmada-impersonator", namespace: "karmada-cluster" }]);
    });
  });

  it("tells nodes by the grades of the cluster's resource models", async () => {
    const { client } = plane.member("member1");
    const total = async () => {
      const { status } = await plane.client.get<Cluster>(CLUSTER);
      const modelings = status?.resourceSummary?.allocatableModelings ?? [];
      return [modelings.length, modelings.reduce((sum, { count }) => sum + count, 0)];
    };
    const nodes = (await client.list("v1", "Node")).items.length;

    await eventually(async () => expect(await total()).toEqual([9, nodes]));
  });
});
