// What the control plane's account in a member has to be allowed: from the kinds in use there to the rules of its role.
import { parseApiVersion } from "../../kube/object.ts";
import type { KindsInUse } from "./kinds-in-use.ts";
import type { PolicyRule } from "./policy-rule.ts";

/** The plural name of a kind's resource; undefined while nobody knows it. */
export type ResourceOf = (apiVersion: string, kind: string) => string | undefined;

const RBAC_GROUP = "rbac.authorization.k8s.io";
const READ = ["get", "list", "watch"];
const MANAGE = ["create", "delete", "get", "list", "patch", "update", "watch"];

/** All that `--cluster-admin` gives, as Karmada's join. */
export const EVERYTHING: readonly PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["get"] },
];

/** What is asked of every member: its health, its APIs, its identity, and the room on its nodes. */
const ALWAYS: readonly PolicyRule[] = [
  {
    nonResourceURLs: [
      ...["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez"],
      ...["/openapi", "/openapi/*", "/readyz", "/version", "/version/"],
    ],
    verbs: ["get"],
  },
  { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
  { apiGroups: [""], resources: ["events", "nodes", "pods", "resourcequotas"], verbs: READ },
  // Replicas that a scaler of the member sets are not ours.
  { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: READ },
];

/**
 * The rules for an account that does in a member what `use` calls for, and nothing else. Kinds that `resourceOf` does not
 * know are left out: there is nothing to be allowed yet. The account may give its rights up by deleting `ownRole`.
 *
 * An API server lets nobody hand out rights that he has not: the rules of Roles that are propagated are therefore held
 * by the account, too, and the roles that propagated bindings name may be bound. The order of the result depends on
 * nothing but the content.
 */
export function memberRules(use: KindsInUse, ownRole: string, resourceOf: ResourceOf): PolicyRule[] {
  const byGroup = new Map<string, Set<string>>();
  for (const { apiVersion, kind } of use.kinds) {
    const resource = resourceOf(apiVersion, kind);
    if (resource === undefined) continue;
    const { group } = parseApiVersion(apiVersion);
    byGroup.set(group, (byGroup.get(group) ?? new Set()).add(resource));
  }
  const managed = [...byGroup]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, resources]) => ({ apiGroups: [group], resources: [...resources].sort(), verbs: MANAGE }));
  const parameters = use.parameterKinds.flatMap(({ apiVersion, kind }) => {
    const resource = resourceOf(apiVersion, kind);
    return resource === undefined
      ? []
      : [{ apiGroups: [parseApiVersion(apiVersion).group], resources: [resource], verbs: READ }];
  });
  return distinct([
    ...ALWAYS,
    ...namedRules("delete", "clusterroles", [ownRole]),
    ...managed,
    ...parameters,
    ...use.heldRules,
    ...namedRules("bind", "clusterroles", use.boundClusterRoles),
    ...namedRules("bind", "roles", use.boundRoles),
    // Whoever writes a role that gathers others must be allowed everything, or this.
    ...namedRules("escalate", "clusterroles", use.aggregatedClusterRoles),
  ]);
}

function namedRules(verb: string, resource: string, names: readonly string[]): PolicyRule[] {
  if (names.length === 0) return [];
  return [{ apiGroups: [RBAC_GROUP], resources: [resource], resourceNames: [...new Set(names)].sort(), verbs: [verb] }];
}

function distinct(rules: readonly PolicyRule[]): PolicyRule[] {
  const byText = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  return [...byText.values()];
}
