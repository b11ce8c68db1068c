// The objects of rbac.authorization.k8s.io as the authorizer reads them. The kinds' own decoding gives them this shape.

export interface PolicyRule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
  readonly resourceNames?: readonly string[] | null;
  readonly nonResourceURLs?: readonly string[] | null;
}

export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

export const RBAC_GROUP = "rbac.authorization.k8s.io";
export const RBAC_STORAGE = {
  clusterRoles: `${RBAC_GROUP}/clusterroles`,
  clusterRoleBindings: `${RBAC_GROUP}/clusterrolebindings`,
  roles: `${RBAC_GROUP}/roles`,
  roleBindings: `${RBAC_GROUP}/rolebindings`,
} as const;
export const MASTERS = "system:masters";

function has(list: readonly string[] | null | undefined, value: string): boolean {
  return list !== null && list !== undefined && (list.includes(value) || list.includes("*"));
}

/** A question to a rule: exactly one of resource and path is asked about. */
export interface RuleQuestion {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly name: string | undefined;
  /** Set for a path that is no resource. */
  readonly path: string | undefined;
}

/** Whether one rule allows it. */
export function ruleAllows(rule: PolicyRule, question: RuleQuestion): boolean {
  if (!has(rule.verbs, question.verb)) return false;
  const { path } = question;
  if (path !== undefined) {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1))),
    );
  }
  if (!has(rule.apiGroups, question.group)) return false;
  const { resource, subresource } = question;
  const wanted =
    subresource === undefined || subresource === "" ? [resource] : [`${resource}/${subresource}`, `*/${subresource}`];
  if (!(rule.resources ?? []).some((each) => each === "*" || wanted.includes(each))) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(question.name ?? "");
}
