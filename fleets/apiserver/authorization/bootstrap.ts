// The roles that every server starts with, and roles that gather the rules of others.
import { cloneJson, equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../../kube/selectors.ts";
import { createServerObject } from "../controllers/server-objects.ts";
import type { ServerContext } from "../server-context.ts";
import table from "./bootstrap-rbac.table.json" with { type: "json" };
import { type PolicyRule, RBAC_GROUP, RBAC_STORAGE } from "./rbac-objects.ts";

const MANAGER = "kube-apiserver";
const LABELS = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const ANNOTATIONS = { "rbac.authorization.kubernetes.io/autoupdate": "true" };

/** Creates the roles and bindings that are missing, and keeps aggregated roles up to date from then on. */
export function startRbac(server: ServerContext): void {
  for (const { name, labels, ...role } of table.clusterRoles as readonly (JsonObject & { name: string })[]) {
    create(server, "clusterroles", "ClusterRole", name, (labels as JsonObject | undefined) ?? LABELS, role);
  }
  for (const { name, ...binding } of table.clusterRoleBindings as readonly (JsonObject & { name: string })[]) {
    create(server, "clusterrolebindings", "ClusterRoleBinding", name, LABELS, binding);
  }
  aggregate(server);
  server.store.subscribe(RBAC_STORAGE.clusterRoles, () => aggregate(server));
}

function create(
  server: ServerContext,
  plural: string,
  kind: string,
  name: string,
  labels: JsonObject,
  fields: JsonObject,
): void {
  const json: JsonObject = {
    ...cloneJson(fields),
    apiVersion: `${RBAC_GROUP}/v1`,
    kind,
    metadata: { name, labels: { ...labels }, annotations: { ...ANNOTATIONS } },
  };
  createServerObject(server, { group: RBAC_GROUP, version: "v1", plural }, json, MANAGER);
}

/** Writes the gathered rules of every role that has an aggregationRule. */
function aggregate(server: ServerContext): void {
  const roles = server.store.list(RBAC_STORAGE.clusterRoles);
  for (const stored of roles) {
    const selectors = selectorsOf(stored.object);
    if (selectors.length === 0) continue;
    const rules: PolicyRule[] = [];
    for (const other of roles) {
      if (
        other === stored ||
        !selectors.some((selector) => matchesLabelSelector(selector, other.object.metadata.labels))
      )
        continue;
      for (const rule of rulesOf(other.object)) if (!rules.some((each) => equalJson(each, rule))) rules.push(rule);
    }
    if (equalJson(rules, rulesOf(stored.object))) continue;
    const updated = cloneJson(stored.object);
    updated["rules"] = cloneJson(rules);
    server.store.put(stored, updated);
  }
}

function selectorsOf(role: KubeObject): readonly LabelSelector[] {
  // A decoded ClusterRole.
  const rule = role["aggregationRule"] as { clusterRoleSelectors?: readonly LabelSelector[] | null } | null | undefined;
  return rule?.clusterRoleSelectors ?? [];
}

function rulesOf(role: KubeObject): readonly PolicyRule[] {
  return (role["rules"] as readonly PolicyRule[] | null | undefined) ?? [];
}
