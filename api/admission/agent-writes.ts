// What an agent may write of a Cluster. Roles cannot say under which name something is created.
import { clusterOfAgent } from "../agent-identity.ts";
import type { Cluster } from "../cluster.ts";

/** Where the control plane keeps credentials of clusters. */
const SECRETS_NAMESPACE = "karmada-cluster";

export interface AgentWrite {
  readonly userName: string;
  readonly operation: "CREATE" | "UPDATE";
  readonly cluster: Cluster;
  /** The Clusters there are. */
  readonly others: Iterable<Cluster>;
}

/**
 * Why an agent's write of a Cluster is refused; undefined for one that is fine, and for everybody else's. An agent that
 * could name Secrets or leave the Pull mode would have the control plane send credentials to an address of its choice.
 */
export function agentWriteRefusal({ userName, operation, cluster, others }: AgentWrite): string | undefined {
  const own = clusterOfAgent(userName);
  if (own === undefined) return undefined;
  const { name = "" } = cluster.metadata;
  if (name !== own) return `the agent of cluster ${own} may not write cluster ${name}`;
  if (operation === "UPDATE") return `the agent of cluster ${own} may report its status, and not change its spec`;
  const { spec } = cluster;
  if (spec.syncMode !== "Pull") return `the agent of cluster ${own} registers it in Pull mode only`;
  const secrets = { secretRef: own, impersonatorSecretRef: `${own}-impersonator` } as const;
  for (const [field, expected] of Object.entries(secrets) as ["secretRef" | "impersonatorSecretRef", string][]) {
    const reference = spec[field];
    if (reference !== undefined && (reference.namespace !== SECRETS_NAMESPACE || reference.name !== expected))
      return `spec.${field} of cluster ${own} can only be Secret ${SECRETS_NAMESPACE}/${expected}`;
  }
  const { id } = spec;
  if (id === undefined || id === "") return undefined;
  const twin = [...others].find((other) => other.spec.id === id && other.metadata.name !== own);
  return twin === undefined
    ? undefined
    : `this cluster is registered already, as ${twin.metadata.name} (spec.id ${id}); take that one out first`;
}
