/** One rule of a ClusterRole, with the field names of rbac.authorization.k8s.io/v1. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/** Whether rules allow a request; `*` and `resource/*` as RBAC reads them. */
export function rulesAllow(
  rules: readonly PolicyRule[],
  asked: {
    readonly verb: string;
    readonly group: string;
    readonly resource: string;
    readonly name?: string | undefined;
  },
): boolean {
  return rules.some((rule) => {
    const names = rule.resourceNames ?? [];
    return (
      has(rule.verbs, asked.verb) &&
      has(rule.apiGroups, asked.group) &&
      has(rule.resources, asked.resource) &&
      (names.length === 0 || (asked.name !== undefined && names.includes(asked.name)))
    );
  });
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.includes(value) === true || list?.includes("*") === true;
}
