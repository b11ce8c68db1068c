// Unified authorization: whom the account that acts for others may act for in a member, from who may go through
// `clusters/proxy` in the control plane.
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { PolicyRule } from "./policy-rule.ts";

/** The kinds of subjects in the order in which Karmada lists them, with the resources that stand for them. */
const RESOURCES = [
  ["User", "users"],
  ["ServiceAccount", "serviceaccounts"],
  ["Group", "groups"],
] as const;

/** Whether a ClusterRole lets its subjects through to the cluster. As Karmada: any verb will do. */
export function opensCluster(role: KubeObject, cluster: string): boolean {
  return rulesOf(role).some(
    (rule) =>
      (matches(rule, "cluster.karmada.io", "clusters/proxy") && namesCluster(rule, cluster)) ||
      matches(rule, "search.karmada.io", "proxying/proxy"),
  );
}

/**
 * The rules of the account: every subject that a ClusterRoleBinding gives such a role, by name. As Karmada: subjects of
 * ServiceAccounts are named without their namespace.
 */
export function impersonationRules(
  cluster: string,
  roles: Iterable<KubeObject>,
  bindings: Iterable<KubeObject>,
): PolicyRule[] {
  const open = new Set<string>();
  for (const role of roles) if (opensCluster(role, cluster)) open.add(role.metadata.name ?? "");
  const names = new Map<string, Set<string>>();
  if (open.size === 0) return [];
  for (const binding of bindings) {
    const roleRef = isObject(binding["roleRef"]) ? binding["roleRef"] : {};
    if (roleRef["kind"] !== "ClusterRole" || !open.has(String(roleRef["name"]))) continue;
    const subjects = Array.isArray(binding["subjects"]) ? binding["subjects"].filter(isObject) : [];
    for (const { kind, name } of subjects) {
      if (typeof kind !== "string" || typeof name !== "string") continue;
      names.set(kind, (names.get(kind) ?? new Set()).add(name));
    }
  }
  return RESOURCES.flatMap(([kind, resource]) => {
    const found = names.get(kind);
    if (found === undefined) return [];
    return [{ verbs: ["impersonate"], apiGroups: [""], resources: [resource], resourceNames: [...found].sort() }];
  });
}

function rulesOf(role: KubeObject): readonly Record<string, unknown>[] {
  return Array.isArray(role["rules"]) ? role["rules"].filter(isObject) : [];
}

function matches(rule: Record<string, unknown>, group: string, resource: string): boolean {
  return has(rule["apiGroups"], group) && has(rule["resources"], resource);
}

function has(list: unknown, value: string): boolean {
  return Array.isArray(list) && (list.includes("*") || list.includes(value));
}

function namesCluster({ resourceNames }: Record<string, unknown>, cluster: string): boolean {
  return !Array.isArray(resourceNames) || resourceNames.length === 0 || resourceNames.includes(cluster);
}
