// Nobody may grant what they do not hold: checked on every write of roles and bindings.
import { equalJson, type KubeObject } from "../../../kube/object.ts";
import type { AdmissionPlugin, AdmissionRefusal, AdmissionRequest } from "../registry/admission.ts";
import type { FieldError } from "../registry/kind.ts";
import type { Rbac } from "./rbac.ts";
import { MASTERS, type PolicyRule, RBAC_GROUP, type RoleRef, ruleAllows } from "./rbac-objects.ts";

const ROLES = new Set(["Role", "ClusterRole"]);
const BINDINGS = new Set(["RoleBinding", "ClusterRoleBinding"]);

/** The check as an admission plugin. */
export function escalationCheck(rbac: Rbac): AdmissionPlugin {
  return {
    handles: (kind, operation) =>
      kind.group === RBAC_GROUP && operation !== "DELETE" && (ROLES.has(kind.kind) || BINDINGS.has(kind.kind)),
    validate: (request) => (request.user.groups.includes(MASTERS) ? [] : checkGrant(rbac, request)),
  };
}

function checkGrant(rbac: Rbac, request: AdmissionRequest): readonly FieldError[] | AdmissionRefusal {
  const { user, kind, object, oldObject, namespace, name } = request;
  const isRole = ROLES.has(kind.kind);
  const field = isRole ? "rules" : "roleRef";
  // A change that grants nothing new needs no rights.
  if (
    oldObject !== undefined &&
    equalJson(oldObject[field], object[field]) &&
    (isRole || equalJson(oldObject["subjects"], object["subjects"]))
  )
    return [];
  const roleRef = object["roleRef"] as RoleRef;
  const verb = isRole ? "escalate" : "bind";
  const resource = isRole ? request.resource : roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  const target = { group: RBAC_GROUP, resource, subresource: undefined, namespace, name: isRole ? name : roleRef.name };
  if (rbac.decide({ user, verb, resource: target, path: "" }).allowed) return [];

  const granted = isRole ? rulesOf(object) : rbac.rulesOfRole(roleRef, namespace);
  const held = [...rbac.rulesOf(user, namespace)].map(({ rule }) => rule);
  const missing = granted.flatMap(partsOf).filter((part) => !held.some((rule) => covers(rule, part)));
  if (missing.length === 0) return [];
  const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
  const rules = granted.filter((rule) => partsOf(rule).some((part) => missing.some((each) => equalJson(each, part))));
  const message = `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${rules.map(formatRule).join("\n")}`;
  return { code: 403, message };
}

function rulesOf(role: KubeObject): readonly PolicyRule[] {
  // A decoded role.
  return (role["rules"] as readonly PolicyRule[] | null | undefined) ?? [];
}

/** A rule as rules of one verb and one resource or path each. */
function partsOf(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames ?? [];
        const base = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (names.length === 0) parts.push(base);
        else for (const name of names) parts.push({ ...base, resourceNames: [name] });
      }
    }
  }
  return parts;
}

function covers(held: PolicyRule, part: PolicyRule): boolean {
  const [url] = part.nonResourceURLs ?? [];
  const [resource = "", subresource] = (part.resources?.[0] ?? "").split("/");
  return ruleAllows(held, {
    verb: part.verbs![0]!,
    group: part.apiGroups?.[0] ?? "",
    resource,
    subresource,
    name: part.resourceNames?.[0],
    path: url,
  });
}

/** As Go prints a rule. */
function formatRule(rule: PolicyRule): string {
  const fields = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["ResourceNames", rule.resourceNames],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["Verbs", rule.verbs],
  ] as const;
  const shown = fields.filter(([, values]) => (values ?? []).length > 0);
  return `{${shown.map(([name, values]) => `${name}:${JSON.stringify(values)}`).join(", ")}}`;
}
