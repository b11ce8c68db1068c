// Role-based access control over the roles and bindings of a store.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { Store } from "../storage/store.ts";
import type { AccessDecision, AccessRequest } from "./access.ts";
import {
  MASTERS,
  type PolicyRule,
  RBAC_STORAGE,
  type RoleRef,
  type RuleQuestion,
  ruleAllows,
  type Subject,
} from "./rbac-objects.ts";

/** A binding as found for a subject. */
interface Grant {
  readonly binding: string;
  /** Undefined for ClusterRoleBindings. */
  readonly namespace: string | undefined;
  readonly roleRef: RoleRef;
  readonly subject: string;
}

/** Rules that a user has somewhere, with where they come from. */
export interface GrantedRule {
  readonly rule: PolicyRule;
  readonly reason: string;
}

const DENIED: AccessDecision = { allowed: false, reason: "" };
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):(.+)$/;

/** Answers who may do what. Bindings are indexed by subject; the index is rebuilt when a binding has changed. */
export class Rbac {
  readonly #store: Store;
  #index: Map<string, Grant[]> | undefined;

  constructor(store: Store) {
    this.#store = store;
    const forget = (): void => {
      this.#index = undefined;
    };
    store.subscribe(RBAC_STORAGE.clusterRoleBindings, forget);
    store.subscribe(RBAC_STORAGE.roleBindings, forget);
  }

  decide(request: AccessRequest): AccessDecision {
    if (request.user.groups.includes(MASTERS)) return { allowed: true, reason: "" };
    const { resource, verb } = request;
    const question: RuleQuestion = {
      verb,
      group: resource?.group ?? "",
      resource: resource?.resource ?? "",
      subresource: resource?.subresource,
      name: resource?.name,
      path: resource === undefined ? request.path : undefined,
    };
    for (const { rule, reason } of this.rulesOf(request.user, resource?.namespace)) {
      if (ruleAllows(rule, question)) return { allowed: true, reason };
    }
    return DENIED;
  }

  /** Every rule that holds for a user in a namespace, or at the cluster scope. */
  *rulesOf(user: UserInfo, namespace: string | undefined): Iterable<GrantedRule> {
    for (const grant of this.#grantsOf(user)) {
      if (grant.namespace !== undefined && grant.namespace !== namespace) continue;
      const { kind, name } = grant.roleRef;
      const isLocal = grant.namespace !== undefined;
      const binding = isLocal
        ? `RoleBinding "${grant.binding}/${grant.namespace}"`
        : `ClusterRoleBinding "${grant.binding}"`;
      const reason = `RBAC: allowed by ${binding} of ${kind} "${name}" to ${grant.subject}`;
      for (const rule of this.rulesOfRole(grant.roleRef, grant.namespace)) yield { rule, reason };
    }
  }

  /** The rules of a role; none when it does not exist. */
  rulesOfRole(ref: RoleRef, namespace: string | undefined): readonly PolicyRule[] {
    const isCluster = ref.kind === "ClusterRole";
    if (!isCluster && namespace === undefined) return [];
    const resource = isCluster ? RBAC_STORAGE.clusterRoles : RBAC_STORAGE.roles;
    const stored = this.#store.get({ resource, namespace: isCluster ? "" : namespace!, name: ref.name });
    // A decoded role.
    return (stored?.object["rules"] as readonly PolicyRule[] | null | undefined) ?? [];
  }

  *#grantsOf(user: UserInfo): Iterable<Grant> {
    this.#index ??= this.#build();
    yield* this.#index.get(`User ${user.name}`) ?? [];
    const account = SERVICE_ACCOUNT.exec(user.name);
    if (account !== null) yield* this.#index.get(`ServiceAccount ${account[1]}/${account[2]}`) ?? [];
    for (const group of user.groups) yield* this.#index.get(`Group ${group}`) ?? [];
  }

  #build(): Map<string, Grant[]> {
    const index = new Map<string, Grant[]>();
    const bindings = [
      ...this.#store.list(RBAC_STORAGE.clusterRoleBindings),
      ...this.#store.list(RBAC_STORAGE.roleBindings),
    ];
    for (const { name, namespace, object } of bindings) {
      for (const subject of subjectsOf(object)) {
        const of = subject.namespace ?? namespace;
        const key =
          subject.kind === "ServiceAccount"
            ? `ServiceAccount ${of}/${subject.name}`
            : `${subject.kind} ${subject.name}`;
        const shown = subject.kind === "ServiceAccount" ? `"${subject.name}/${of}"` : `"${subject.name}"`;
        const grant: Grant = {
          binding: name,
          namespace: namespace === "" ? undefined : namespace,
          // A decoded binding.
          roleRef: object["roleRef"] as RoleRef,
          subject: `${subject.kind} ${shown}`,
        };
        const grants = index.get(key);
        if (grants === undefined) index.set(key, [grant]);
        else grants.push(grant);
      }
    }
    return index;
  }
}

function subjectsOf(binding: KubeObject): readonly Subject[] {
  // A decoded binding.
  return (binding["subjects"] as readonly Subject[] | null | undefined) ?? [];
}
