// What an agent, and a token that makes one, may do in the control plane: roles and bindings, by Karmada's names.
import { AGENT_GROUP, AGENT_OF_LABEL, agentUser, BOOTSTRAP_GROUP, RBAC_GENERATOR } from "../../api/agent-identity.ts";
import type { KubeObject } from "../../kube/object.ts";
import { executionNamespace } from "../works/naming.ts";

const GROUP = "rbac.authorization.k8s.io";
const API = `${GROUP}/v1`;
const LEASES_NAMESPACE = "karmada-cluster";
const SYSTEM_NAMESPACE = "karmada-system";
const SYSTEM = { "karmada.io/system": "true" };
const BOOTSTRAPPING = { "karmada.io/bootstrapping": "rbac-defaults" };

/** Which program the agent of a cluster is, which decides what it needs. */
export type AgentProgram = "flaghoist" | "karmada";

export function agentRoleName(cluster: string): string {
  return `system:karmada:${cluster}:agent`;
}

/**
 * Roles and bindings of one agent, the ClusterRole first. It reads and reports its own Cluster, its own Works and its own
 * Lease. Differs from Karmada: no Secrets, no namespaces, no other Clusters, and nothing with which it could give itself
 * more. Karmada's own agent gets what it asks for besides, but leases by name instead of all there are.
 */
export function agentAccess(cluster: string, program: AgentProgram): readonly KubeObject[] {
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
  const isKarmada = program === "karmada";
  const leases = (resourceNames: readonly string[]): object[] => [
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames, verbs: ["get", "patch", "update"] },
    // Under which name is for admission to say.
    ...(isKarmada ? [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] }] : []),
  ];
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
      ...(isKarmada
        ? [
            { apiGroups: ["cluster.karmada.io"], resources: ["clusters"], verbs: ["list", "watch"] },
            { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
          ]
        : []),
    ]),
    binding("ClusterRole", name, undefined),
    role("Role", `${name}-work`, works, [
      {
        apiGroups: ["work.karmada.io"],
        resources: ["works"],
        verbs: ["get", "list", "watch", "patch", "update", ...(isKarmada ? ["create", "delete"] : [])],
      },
      { apiGroups: ["work.karmada.io"], resources: ["works/status"], verbs: ["get", "patch", "update"] },
    ]),
    binding("Role", `${name}-work`, works),
    role("Role", `${name}-lease`, LEASES_NAMESPACE, leases([cluster])),
    binding("Role", `${name}-lease`, LEASES_NAMESPACE),
    ...(isKarmada
      ? [
          role("Role", `${name}-secret`, LEASES_NAMESPACE, [
            {
              apiGroups: [""],
              resources: ["secrets"],
              resourceNames: [cluster, `${cluster}-impersonator`],
              verbs: ["get", "patch"],
            },
            { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
          ]),
          binding("Role", `${name}-secret`, LEASES_NAMESPACE),
          // Its replicas elect one among them in the control plane.
          role("Role", `${name}-election`, SYSTEM_NAMESPACE, leases([`karmada-agent-${cluster}`])),
          binding("Role", `${name}-election`, SYSTEM_NAMESPACE),
        ]
      : []),
  ];
}

/**
 * What tokens of the default group need to ask for an agent's certificate and to have it approved, and what agents need to
 * renew theirs. With `generators` there is the account of `karmadactl register`, too. Differs from Karmada, where that may
 * do everything: here it creates roles by which it can hand on no more than it has, and admission says which.
 */
export function bootstrapAccess(generators: boolean): readonly KubeObject[] {
  const role = (name: string, resource: string): KubeObject => ({
    apiVersion: API,
    kind: "ClusterRole",
    metadata: { name, labels: BOOTSTRAPPING },
    rules: [{ apiGroups: ["certificates.k8s.io"], resources: [resource], verbs: ["create"] }],
  });
  const binding = (name: string, roleName: string, subject: object): KubeObject => ({
    apiVersion: API,
    kind: "ClusterRoleBinding",
    metadata: { name, labels: BOOTSTRAPPING },
    roleRef: { apiGroup: GROUP, kind: "ClusterRole", name: roleName },
    subjects: [subject],
  });
  const group = (name: string): object => ({ kind: "Group", name, apiGroup: GROUP });
  const generator = "system:karmada:agent-rbac-generator";
  const approver = "system:karmada:certificatesigningrequest:autoapprover";
  const selfApprover = "system:karmada:certificatesigningrequest:selfautoapprover";
  return [
    role(approver, "certificatesigningrequests/clusteragent"),
    role(selfApprover, "certificatesigningrequests/selfclusteragent"),
    binding("system:karmada:agent-bootstrap", "system:node-bootstrapper", group(BOOTSTRAP_GROUP)),
    binding("system:karmada:agent-autoapprove-bootstrap", approver, group(BOOTSTRAP_GROUP)),
    binding("system:karmada:agent-autoapprove-certificate-rotation", selfApprover, group(AGENT_GROUP)),
    ...(generators
      ? [
          generatorRole(generator),
          binding(generator, generator, { kind: "User", name: agentUser(RBAC_GENERATOR), apiGroup: GROUP }),
        ]
      : []),
  ];
}

function generatorRole(name: string): KubeObject {
  return {
    apiVersion: API,
    kind: "ClusterRole",
    metadata: { name, labels: BOOTSTRAPPING },
    rules: [
      { apiGroups: ["cluster.karmada.io"], resources: ["clusters"], verbs: ["get"] },
      {
        apiGroups: [GROUP],
        resources: ["clusterroles", "clusterrolebindings", "roles", "rolebindings"],
        verbs: ["create"],
      },
      { apiGroups: [""], resources: ["namespaces"], verbs: ["create"] },
      { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["delete"] },
    ],
  };
}
