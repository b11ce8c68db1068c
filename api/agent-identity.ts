// Who an agent is to its control plane. The names are Karmada's.

/** Common name of an agent's certificate, before the name of its cluster. */
export const AGENT_USER_PREFIX = "system:karmada:agent:";
/** Organization of it. */
export const AGENT_GROUP = "system:karmada:agents";
/** By which `karmadactl register` makes the roles of a new agent, in place of a cluster. No cluster can have that name. */
export const RBAC_GENERATOR = "rbac-generator";
/** Names of requests for a certificate of it begin so; the cluster follows, and five random characters. */
const GENERATOR_REQUEST = /^agent-rbac-generator-(.+)[a-z0-9]{5}$/;
/** On what is made for the agent of a cluster: whose it is. */
export const AGENT_OF_LABEL = "gitops.flaghoist.io/agent-of";
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

/** The cluster that is being registered by a request of that name; undefined for names of other requests. */
export function clusterOfGeneratorRequest(requestName: string): string | undefined {
  return GENERATOR_REQUEST.exec(requestName)?.[1];
}
