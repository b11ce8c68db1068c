import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { impersonationRules, opensCluster } from "./impersonation-rules.ts";

const RBAC = "rbac.authorization.k8s.io/v1";

function role(name: string, rule: Record<string, unknown>): KubeObject {
  return { apiVersion: RBAC, kind: "ClusterRole", metadata: { name }, rules: [rule] };
}

function binding(roleName: string, ...subjects: readonly { kind: string; name: string }[]): KubeObject {
  const roleRef = { kind: "ClusterRole", name: roleName };
  return { apiVersion: RBAC, kind: "ClusterRoleBinding", metadata: { name: "b" }, roleRef, subjects };
}

const PROXY = { apiGroups: ["cluster.karmada.io"], resources: ["clusters/proxy"], verbs: ["*"] };

describe("opensCluster", () => {
  it.each([
    ["the subresource", PROXY, true],
    ["everything", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }, true],
    ["this cluster by name", { ...PROXY, resourceNames: ["m1"] }, true],
    ["another cluster by name", { ...PROXY, resourceNames: ["m2"] }, false],
    ["the kind alone", { ...PROXY, resources: ["clusters"] }, false],
    ["another group", { ...PROXY, apiGroups: ["apps"] }, false],
    ["the global proxy", { apiGroups: ["search.karmada.io"], resources: ["proxying/proxy"], verbs: ["get"] }, true],
  ])("reads a rule on %s", (_, rule, expected) => {
    expect(opensCluster(role("r", rule), "m1")).toBe(expected);
  });
});

describe("impersonationRules", () => {
  it("name every subject once, in Karmada's order", () => {
    const bindings = [
      binding("through", { kind: "Group", name: "ops" }, { kind: "User", name: "carol" }),
      binding("through", { kind: "User", name: "alice" }, { kind: "ServiceAccount", name: "bot" }),
      binding("through", { kind: "User", name: "alice" }),
      binding("other", { kind: "User", name: "mallory" }),
    ];

    const rules = impersonationRules(
      "m1",
      [role("through", PROXY), role("other", { ...PROXY, resources: [] })],
      bindings,
    );

    const common = { verbs: ["impersonate"], apiGroups: [""] };
    expect(rules).toEqual([
      { ...common, resources: ["users"], resourceNames: ["alice", "carol"] },
      { ...common, resources: ["serviceaccounts"], resourceNames: ["bot"] },
      { ...common, resources: ["groups"], resourceNames: ["ops"] },
    ]);
  });

  it("are none where nobody may go through", () => {
    expect(impersonationRules("m1", [], [binding("through", { kind: "User", name: "alice" })])).toEqual([]);
  });
});
