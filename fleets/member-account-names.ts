// How what a join makes in a member, and the Secrets with its credentials, are called.

/** Namespace of the accounts in a member, and of the Secrets in the control plane. */
export const MEMBER_NAMESPACE = "karmada-cluster";

/** As Karmada's: one for all control planes that the cluster has joined. */
export const IMPERSONATOR = "karmada-impersonator";

/** On a Cluster: how the rights of its account are decided, see `MemberRightsMode`. */
export const MEMBER_RIGHTS_ANNOTATION = "gitops.flaghoist.io/member-rights";

/**
 * `kinds-in-use`: the rules follow the kinds in use, by an account that may change them. `granted`: they change when a
 * person grants them. Anything else, or nothing: whoever joined the cluster has seen to them.
 */
export type MemberRightsMode = "kinds-in-use" | "granted" | "cluster-admin";

/** The ServiceAccount by which the control plane works in a member. */
export function accountName(clusterName: string): string {
  return `karmada-${clusterName}`;
}

/** The ClusterRole of that account. */
export function accountRoleName(clusterName: string): string {
  return `karmada-controller-manager:${accountName(clusterName)}`;
}

/** The ServiceAccount that may change that ClusterRole, and nothing else. */
export function rightsAccountName(clusterName: string): string {
  return `${accountName(clusterName)}-rights`;
}

/** The ClusterRole of the account that keeps the rights. */
export function rightsRoleName(clusterName: string): string {
  return `karmada-rights:${accountName(clusterName)}`;
}

/** The Secret of the control plane with the token of the account that keeps the rights. */
export function rightsSecretName(clusterName: string): string {
  return `${clusterName}-rights`;
}

/** As Karmada's: the Secret of the control plane with the token of the account that acts for others. */
export function impersonatorSecretName(clusterName: string): string {
  return `${clusterName}-impersonator`;
}
