import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { UseIndex } from "./kinds-in-use.ts";
import { memberRules } from "./member-rules.ts";
import { rulesAllow } from "./policy-rule.ts";

const RBAC = "rbac.authorization.k8s.io/v1";
const DEPLOYMENTS = [{ apiVersion: "apps/v1", kind: "Deployment" }];
const RESOURCES: Readonly<Record<string, string>> = {
  "apps/v1/Deployment": "deployments",
  "v1/Secret": "secrets",
  [`${RBAC}/ClusterRole`]: "clusterroles",
  [`${RBAC}/RoleBinding`]: "rolebindings",
  "acme.dev/v1/Limit": "limits",
};

function cluster(name: string, labels: Record<string, string> = {}): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name, labels },
    spec: { syncMode: "Push" },
  };
}

function object(apiVersion: string, kind: string, fields: Record<string, unknown> = {}, name = "a"): KubeObject {
  return { apiVersion, kind, metadata: { name }, ...fields };
}

function may(index: UseIndex, name: string, verb: string, group: string, resource: string, of?: string): boolean {
  const rules = memberRules(index.of(cluster(name)), "own", (apiVersion, kind) => RESOURCES[`${apiVersion}/${kind}`]);
  return rulesAllow(rules, { verb, group, resource, name: of });
}

describe("UseIndex", () => {
  it("has the kinds of a cluster's Works, and of no other's", () => {
    const index = new UseIndex();
    index.setWork("m1", "w", [object("v1", "Secret")]);

    expect(may(index, "m1", "create", "", "secrets")).toBe(true);
    expect(may(index, "m2", "get", "", "secrets")).toBe(false);
  });

  it("lets a kind go with the last Work that has it, and tells of changes only", () => {
    const index = new UseIndex();

    expect(index.setWork("m1", "w", [object("v1", "Secret")])).toBe(true);
    expect(index.setWork("m1", "x", [object("v1", "Secret")])).toBe(false);
    expect(index.setWork("m1", "w", [])).toBe(false);
    expect(may(index, "m1", "delete", "", "secrets")).toBe(true);
    expect(index.setWork("m1", "x", [])).toBe(true);
    expect(may(index, "m1", "delete", "", "secrets")).toBe(false);
  });

  it.each<[string, Placement | undefined, boolean]>([
    ["no placement", undefined, true],
    ["another cluster", { clusterAffinity: { clusterNames: ["m2"] } }, false],
    ["a label it has", { clusterAffinity: { labelSelector: { matchLabels: { stage: "prod" } } } }, true],
    ["an exclusion of it", { clusterAffinity: { exclude: ["m1"] } }, false],
    [
      "a second choice that it is",
      {
        clusterAffinities: [
          { affinityName: "a", clusterNames: ["m2"] },
          { affinityName: "b", clusterNames: ["m1"] },
        ],
      },
      true,
    ],
  ])("has what policies select that may choose the cluster: %s", (_, placement, expected) => {
    const index = new UseIndex();
    index.setPolicy("p", DEPLOYMENTS, placement);

    const { kinds } = index.of(cluster("m1", { stage: "prod" }));

    expect(kinds.length === 1).toBe(expected);
  });

  it("follows a policy that changes or goes", () => {
    const index = new UseIndex();
    index.setPolicy("p", DEPLOYMENTS, undefined);
    index.setPolicy("p", [{ apiVersion: "v1", kind: "Secret" }], undefined);
    expect(index.of(cluster("m1")).kinds).toEqual([{ apiVersion: "v1", kind: "Secret" }]);

    index.setPolicy("p", [], undefined);

    expect(index.of(cluster("m1")).kinds).toEqual([]);
  });
});

describe("memberRules", () => {
  it("always allow what health, APIs and room are read from, and to go, and nothing to be written", () => {
    const rules = memberRules(new UseIndex().of(cluster("m1")), "own", () => undefined);

    const writes = rules.filter(({ verbs }) => verbs.some((verb) => !["get", "list", "watch"].includes(verb)));
    expect(writes).toMatchObject([{ resources: ["clusterroles"], resourceNames: ["own"], verbs: ["delete"] }]);
    expect(rulesAllow(rules, { verb: "watch", group: "", resource: "nodes" })).toBe(true);
    expect(rulesAllow(rules, { verb: "get", group: "", resource: "namespaces", name: "kube-system" })).toBe(true);
    expect(rulesAllow(rules, { verb: "get", group: "", resource: "namespaces", name: "other" })).toBe(false);
  });

  it("hold the rules of propagated roles, and name the roles of propagated bindings", () => {
    const index = new UseIndex();
    const rules = [{ apiGroups: ["batch"], resources: ["jobs"], verbs: ["get"] }];
    index.setWork("m1", "role", [object(RBAC, "ClusterRole", { rules })]);
    index.setWork("m1", "binding", [object(RBAC, "RoleBinding", { roleRef: { kind: "ClusterRole", name: "view" } })]);

    expect(may(index, "m1", "get", "batch", "jobs")).toBe(true);
    expect(may(index, "m1", "delete", "batch", "jobs")).toBe(false);
    expect(may(index, "m1", "bind", "rbac.authorization.k8s.io", "clusterroles", "view")).toBe(true);
    expect(may(index, "m1", "bind", "rbac.authorization.k8s.io", "clusterroles", "cluster-admin")).toBe(false);
    expect(may(index, "m1", "escalate", "rbac.authorization.k8s.io", "clusterroles", "a")).toBe(false);
  });

  it("let a propagated role gather others, by its name alone", () => {
    const index = new UseIndex();
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] };
    index.setWork("m1", "role", [object(RBAC, "ClusterRole", { aggregationRule }, "gathering")]);

    expect(may(index, "m1", "escalate", "rbac.authorization.k8s.io", "clusterroles", "gathering")).toBe(true);
    expect(may(index, "m1", "escalate", "rbac.authorization.k8s.io", "clusterroles", "other")).toBe(false);
  });

  it("let the parameters of propagated admission policies be read", () => {
    const index = new UseIndex();
    const spec = { paramKind: { apiVersion: "acme.dev/v1", kind: "Limit" } };
    index.setWork("m1", "w", [object("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", { spec })]);

    expect(may(index, "m1", "get", "acme.dev", "limits")).toBe(true);
    expect(may(index, "m1", "delete", "acme.dev", "limits")).toBe(false);
  });

  it("do not stumble over roles that are no roles", () => {
    const index = new UseIndex();
    for (const rules of [null, "x", [1], [{ verbs: "get" }], [{ verbs: ["get", 1], resources: {} }]])
      index.setWork("m1", "w", [object(RBAC, "ClusterRole", { rules })]);

    expect(may(index, "m1", "patch", "rbac.authorization.k8s.io", "clusterroles")).toBe(true);
  });

  it("are the same whatever the order of changes", () => {
    const one = new UseIndex();
    const other = new UseIndex();
    one.setWork("m1", "a", [object("v1", "Secret")]);
    one.setPolicy("p", DEPLOYMENTS, undefined);
    other.setPolicy("p", DEPLOYMENTS, undefined);
    other.setWork("m1", "a", [object("v1", "Secret")]);
    const resourceOf = (apiVersion: string, kind: string) => RESOURCES[`${apiVersion}/${kind}`];

    expect(memberRules(one.of(cluster("m1")), "own", resourceOf)).toEqual(
      memberRules(other.of(cluster("m1")), "own", resourceOf),
    );
  });
});
