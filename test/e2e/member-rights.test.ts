// What the account that join makes may do in a member that decides by RBAC: the kinds in use and nothing else, growing and
// shrinking with them, never more than the joiner may grant.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type PolicyRule, rulesAllow } from "../../reconciler/works/policy-rule.ts";
import { eventually } from "./support/eventually.ts";
import { flaghoist, type JoinableMember, startJoinableMember } from "./support/joinable-member.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";

const RBAC = "rbac.authorization.k8s.io/v1";
const NAMESPACE = "shop";
/** What it takes to make the accounts, but not to give them any rights. */
const MAKES_ACCOUNTS = [
  { apiGroups: [""], resources: ["namespaces", "serviceaccounts", "secrets", "serviceaccounts/token"], verbs: ["*"] },
  {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["clusterroles", "clusterrolebindings"],
    verbs: ["get", "list", "create", "update", "patch", "delete"],
  },
];
const READS = [
  { apiGroups: [""], resources: ["nodes", "pods", "events", "resourcequotas"], verbs: ["get", "list", "watch"] },
];

describe.each(engines())("rights in a member: %s", (engine) => {
  let plane: Plane;
  let member: JoinableMember;

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: {} });
    member = await startJoinableMember(engine);
    await applyAll(plane.client, namespaceObject(NAMESPACE), policy({ namespace: NAMESPACE }));
    const joined = await flaghoist(plane, "join", "m1", "--cluster-kubeconfig", member.kubeconfig);
    expect(joined).toMatchObject({ code: 0, err: "", out: expect.stringContaining("m1 is joined and ready") });
  }, 180_000);

  afterAll(async () => {
    await plane?.close();
    await member?.close();
  });

  async function rules(): Promise<PolicyRule[]> {
    const role = await member.client.get({
      apiVersion: RBAC,
      kind: "ClusterRole",
      name: "karmada-controller-manager:karmada-m1",
    });
    return role["rules"] as PolicyRule[];
  }

  async function mayManage(group: string, resource: string): Promise<boolean> {
    return rulesAllow(await rules(), { verb: "delete", group, resource });
  }

  it("are those of the kinds that policies select, from the first moment", async () => {
    expect(await mayManage("apps", "deployments")).toBe(true);
    expect(await mayManage("", "secrets")).toBe(false);
    expect((await rules()).flatMap(({ verbs, resources = [] }) => [...verbs, ...resources])).not.toContain("*");
  });

  it("suffice for what is propagated", async () => {
    await applyAll(plane.client, deployment({ namespace: NAMESPACE }));

    await eventually(async () => {
      expect(await member.client.find(ref("apps/v1 Deployment", NAMESPACE, "web"))).toBeDefined();
    });
  });

  it("grow when a kind comes into use, and shrink when it goes", async () => {
    const selectors = [{ apiVersion: "v1", kind: "ConfigMap" }];
    await applyAll(
      plane.client,
      policy({ namespace: NAMESPACE, name: "maps", selectors }),
      configMap(NAMESPACE, "settings"),
    );
    await eventually(async () => {
      expect(await member.client.find(ref("v1 ConfigMap", NAMESPACE, "settings"))).toBeDefined();
    });
    expect(await mayManage("", "configmaps")).toBe(true);

    await plane.client.delete(ref("policy.karmada.io/v1alpha1 PropagationPolicy", NAMESPACE, "maps"));
    await plane.client.delete(ref("v1 ConfigMap", NAMESPACE, "settings"));

    await eventually(async () => {
      expect(await member.client.find(ref("v1 ConfigMap", NAMESPACE, "settings"))).toBeUndefined();
      expect(await mayManage("", "configmaps")).toBe(false);
    });
    expect(await mayManage("apps", "deployments")).toBe(true);
  });

  it("hold for custom resources as soon as the member has their definition", async () => {
    const kind = { group: "acme.dev", names: { kind: "Gadget", plural: "gadgets" }, scope: "Namespaced" };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const definition: KubeObject = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "gadgets.acme.dev" },
      spec: { ...kind, versions: [{ name: "v1", served: true, storage: true, schema }] },
    };
    await applyAll(plane.client, definition, {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "ClusterPropagationPolicy",
      metadata: { name: "definitions" },
      spec: {
        resourceSelectors: [{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" }],
        placement: {},
      },
    });
    const gadget: KubeObject = {
      apiVersion: "acme.dev/v1",
      kind: "Gadget",
      metadata: { name: "a", namespace: NAMESPACE },
    };
    await eventually(async () => {
      await applyAll(
        plane.client,
        policy({ namespace: NAMESPACE, name: "gadgets", selectors: [{ apiVersion: "acme.dev/v1", kind: "Gadget" }] }),
        gadget,
      );
    });

    await eventually(
      async () => expect(await member.client.find(ref("acme.dev/v1 Gadget", NAMESPACE, "a"))).toBeDefined(),
      { withinMs: 30_000 },
    );
  }, 60_000);

  it("hold for roles and bindings, which hand out rights that the account has not", async () => {
    const selectors = ["ClusterRole", "ClusterRoleBinding"].map((kind) => ({
      apiVersion: RBAC,
      kind,
      name: "auditor",
    }));
    const rolesRules = [{ apiGroups: ["batch"], resources: ["jobs"], verbs: ["get", "list"] }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "auditor" };
    await applyAll(
      plane.client,
      { apiVersion: RBAC, kind: "ClusterRole", metadata: { name: "auditor" }, rules: rolesRules },
      { apiVersion: RBAC, kind: "ClusterRoleBinding", metadata: { name: "auditor" }, roleRef, subjects: [] },
      {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterPropagationPolicy",
        metadata: { name: "rbac" },
        spec: { resourceSelectors: selectors, placement: {} },
      },
    );

    await eventually(async () => {
      const copy = await member.client.find(ref(`${RBAC} ClusterRole`, "", "auditor"));
      expect(copy?.["rules"]).toEqual(rolesRules);
      expect(await member.client.find(ref(`${RBAC} ClusterRoleBinding`, "", "auditor"))).toBeDefined();
    });
    expect((await rules()).some(({ verbs }) => verbs.includes("escalate"))).toBe(false);
  });

  it("come back when somebody takes them away", async () => {
    const role = { apiVersion: RBAC, kind: "ClusterRole", name: "karmada-controller-manager:karmada-m1" };
    await member.client.patch(role, { rules: [] }, "merge");
    await applyAll(plane.client, deployment({ namespace: NAMESPACE, name: "second" }));

    await eventually(
      async () => expect(await member.client.find(ref("apps/v1 Deployment", NAMESPACE, "second"))).toBeDefined(),
      { withinMs: 30_000 },
    );
  }, 40_000);

  it("go with the cluster", async () => {
    expect(await flaghoist(plane, "unjoin", "m1")).toMatchObject({ code: 0 });

    expect((await plane.client.list("v1", "Secret", { namespace: "karmada-cluster" })).items).toEqual([]);
    const role = ref(`${RBAC} ClusterRole`, "", "karmada-controller-manager:karmada-m1");
    expect(await member.client.find(role)).toBeUndefined();
  }, 40_000);
});

describe.each(engines())("rights of a joiner who has few himself: %s", (engine) => {
  let plane: Plane;
  let member: JoinableMember;

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: {} });
    member = await startJoinableMember(engine);
    await applyAll(plane.client, namespaceObject(NAMESPACE), policy({ namespace: NAMESPACE }));
  }, 180_000);

  afterAll(async () => {
    await plane?.close();
    await member?.close();
  });

  async function cluster(): Promise<Cluster> {
    return plane.client.get<Cluster>({ apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "m2" });
  }

  it("are all that the account gets; what is missing is told with the command that grants it", async () => {
    const few = await member.kubeconfigOf("joiner", [...MAKES_ACCOUNTS, ...READS]);

    const joined = await flaghoist(plane, "join", "m2", "--cluster-kubeconfig", few);

    expect(joined).toMatchObject({ code: 0, out: expect.stringContaining("m2 is joined and ready") });
    expect(joined.err).toContain("deployments.apps");
    expect(joined.err).toContain("flaghoist grant m2 --cluster-kubeconfig FILE");
    await applyAll(plane.client, deployment({ namespace: NAMESPACE }));
    await eventually(async () => {
      const condition = (await cluster()).status?.conditions?.find(({ type }) => type === "SufficientRights");
      expect(condition).toMatchObject({ status: "False", reason: "RightsMissing" });
      expect(condition?.message).toMatch(/may not .*deployments\.apps.*flaghoist grant m2/);
    });
    expect(await member.client.find(ref("apps/v1 Deployment", NAMESPACE, "web"))).toBeUndefined();
  }, 40_000);

  it("are widened by one who has more", async () => {
    const granted = await flaghoist(plane, "grant", "m2", "--cluster-kubeconfig", member.kubeconfig);

    expect(granted).toMatchObject({ code: 0, out: expect.stringContaining("the account has what") });
    await eventually(
      async () => {
        expect(await member.client.find(ref("apps/v1 Deployment", NAMESPACE, "web"))).toBeDefined();
        const types = (await cluster()).status?.conditions?.map(({ type }) => type);
        expect(types).not.toContain("SufficientRights");
      },
      { withinMs: 45_000 },
    );
  }, 60_000);

  it("can be everything, when asked for", async () => {
    expect(await flaghoist(plane, "grant", "m2", "--cluster-admin")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/resources:\n\s+- '\*'/),
    });
  });
});
