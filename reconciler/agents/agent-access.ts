// What an agent, and a token that makes one, may do in the control plane: roles and bindings, by Karmada's names.
import { AGENT_GROUP, agentUser, BOOTSTRAP_GROUP } from "../../api/agent-identity.ts";
import type { KubeObject } from "../../kube/object.ts";
import { executionNamespace } from "../works/naming.ts";

const GROUP = "rbac.authorization.k8s.io";
const API = `${GROUP}/v1`;
const LEASES_NAMESPACE = "karmada-cluster";
/** On what is made for the agent of a cluster: whose it is. */
export const AGENT_OF_LABEL = "gitops.flaghoist.io/agent-of";
const SYSTEM = { "karmada.io/system": "true" };
const BOOTSTRAPPING = { "karmada.io/bootstrapping": "rbac-defaults" };

export function agentRoleName(cluster: string): string {
  return `system:karmada:${cluster}:agent`;
}

/**
 * Roles and bindings of one agent, the ClusterRole first. It reads and reports its own Cluster, its own Works and its own
 * Lease. Differs from Karmada: no Secrets, no namespaces, no other Clusters, and nothing with which it could give itself
 * more.
 */
export function agentAccess(cluster: string): readonly KubeObject[] {
  const name = agentRoleName(cluster);
  const works = executionNamespace(cluster);
  const labels = { ...SYSTEM, [AGENT_OF_LABEL]: cluster };
  const user = { kind: "User", name: agentUser(cluster), apiGroup: GROUP };
  const role = (
    kind: string,
    roleName: string,
    namespace: string | undefined,
    rules: readonly object[],
  ): KubeObject => ({
    apiVersion: API,
    kind,
    metadata: { name: roleName, labels, ...(namespace === undefined ? {} : { namespace }) },
    rules,
  });
  const binding = (kind: string, roleName: string, namespace: string | undefined): KubeObject => ({
    apiVersion: API,
    kind: `${kind}Binding`,
    metadata: { name: roleName, labels, ...(namespace === undefined ? {} : { namespace }) },
    roleRef: { apiGroup: GROUP, kind, name: roleName },
    subjects: [user],
  });
  const clusters = { apiGroups: ["cluster.karmada.io"], resourceNames: [cluster] };
  return [
    role("ClusterRole", name, undefined, [
      { ...clusters, resources: ["clusters"], verbs: ["get", "list", "watch", "delete"] },
      // Under which name is for admission to say.
      { apiGroups: ["cluster.karmada.io"], resources: ["clusters"], verbs: ["create"] },
      { ...clusters, resources: ["clusters/status"], verbs: ["get", "patch", "update"] },
      {
        apiGroups: ["config.karmada.io"],
        resources: ["resourceinterpretercustomizations", "resourceinterpreterwebhookconfigurations"],
        verbs: ["get", "list", "watch"],
      },
      // Where interpreter webhooks are found.
      { apiGroups: [""], resources: ["services"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: ["events"], verbs: ["create", "patch", "update"] },
      { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create", "get"] },
    ]),
    binding("ClusterRole", name, undefined),
    role("Role", `${name}-work`, works, [
      { apiGroups: ["work.karmada.io"], resources: ["works"], verbs: ["get", "list", "watch", "patch", "update"] },
      { apiGroups: ["work.karmada.io"], resources: ["works/status"], verbs: ["get", "patch", "update"] },
    ]),
    binding("Role", `${name}-work`, works),
    role("Role", `${name}-lease`, LEASES_NAMESPACE, [
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        resourceNames: [cluster],
        verbs: ["get", "patch", "update"],
      },
    ]),
    binding("Role", `${name}-lease`, LEASES_NAMESPACE),
  ];
}

/**
 * What tokens of the default group need to ask for an agent's certificate and to have it approved, and what agents need to
 * renew theirs. Differs from Karmada: there is no account that may write any role.
 */
export function bootstrapAccess(): readonly KubeObject[] {
  const role = (name: string, resource: string): KubeObject => ({
    apiVersion: API,
    kind: "ClusterRole",
    metadata: { name, labels: BOOTSTRAPPING },
    rules: [{ apiGroups: ["certificates.k8s.io"], resources: [resource], verbs: ["create"] }],
  });
  const binding = (name: string, roleName: string, group: string): KubeObject => ({
    apiVersion: API,
    kind: "ClusterRoleBinding",
    metadata: { name, labels: BOOTSTRAPPING },
    roleRef: { apiGroup: GROUP, kind: "ClusterRole", name: roleName },
    subjects: [{ kind: "Group", name: group, apiGroup: GROUP }],
  });
  const approver = "system:karmada:certificatesigningrequest:autoapprover";
  const selfApprover = "system:karmada:certificatesigningrequest:selfautoapprover";
  return [
    role(approver, "certificatesigningrequests/clusteragent"),
    role(selfApprover, "certificatesigningrequests/selfclusteragent"),
    binding("system:karmada:agent-bootstrap", "system:node-bootstrapper", BOOTSTRAP_GROUP),
    binding("system:karmada:agent-autoapprove-bootstrap", approver, BOOTSTRAP_GROUP),
    binding("system:karmada:agent-autoapprove-certificate-rotation", selfApprover, AGENT_GROUP),
  ];
}
