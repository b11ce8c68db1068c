// Who an agent is to its control plane. The names are Karmada's.

/** Common name of an agent's certificate, before the name of its cluster. */
export const AGENT_USER_PREFIX = "system:karmada:agent:";
/** Organization of it. */
export const AGENT_GROUP = "system:karmada:agents";
/** By which Karmada's own register command asks for the right to write any roles. No cluster can have that name here. */
export const RBAC_GENERATOR = "rbac-generator";
/** Whoever has a token of this group may ask for the certificate of a new agent. */
export const BOOTSTRAP_GROUP = "system:bootstrappers:karmada:default-cluster-token";
/** With a cluster's name behind it: the token is for that cluster alone, whether it is new or not. */
export const BOOTSTRAP_CLUSTER_GROUP_PREFIX = "system:bootstrappers:karmada:cluster:";
/** In the member, as Karmada's agent has it. */
export const AGENT_NAMESPACE = "karmada-system";
/** Secret there with the kubeconfig of the control plane, and the key in it. */
export const AGENT_KUBECONFIG_SECRET = "karmada-kubeconfig";

export function agentUser(cluster: string): string {
  return `${AGENT_USER_PREFIX}${cluster}`;
}

/** The cluster whose agent a user is; undefined for users that are none. */
export function clusterOfAgent(userName: string): string | undefined {
  return userName.startsWith(AGENT_USER_PREFIX) ? userName.slice(AGENT_USER_PREFIX.length) : undefined;
}
