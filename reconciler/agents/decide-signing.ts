// Which requests for certificates are those of agents, and which of them are granted without a person.
import {
  AGENT_GROUP,
  BOOTSTRAP_CLUSTER_GROUP_PREFIX,
  clusterOfAgent,
  clusterOfGeneratorRequest,
  RBAC_GENERATOR,
} from "../../api/agent-identity.ts";

const SIGNER = "kubernetes.io/kube-apiserver-client";
const USAGES: readonly (readonly string[])[] = [
  ["client auth", "digital signature"],
  ["client auth", "digital signature", "key encipherment"],
];
/** For how long a name belongs to whoever first asked for it, when no Cluster of that name has come. */
export const CLAIM_MS = 3_600_000;

/** A CertificateSigningRequest, as far as it is looked at. */
export interface SigningFacts {
  /** Of the request. */
  readonly name: string;
  readonly signerName: string;
  readonly usages: readonly string[];
  /** Who asks. */
  readonly username: string;
  readonly groups: readonly string[];
  /** Of the certificate asked for; undefined for a request that cannot be read. */
  readonly subject:
    | { readonly name: string; readonly groups: readonly string[]; readonly hasAlternativeNames: boolean }
    | undefined;
}

/** Who asked for the agent of a cluster before. */
export interface NameClaim {
  readonly by: string;
  /** Milliseconds. */
  readonly at: number;
}

/** An agent's request: for which cluster, and which right its sender must have for an approval without a person. */
export interface AgentRequest {
  readonly cluster: string;
  readonly subresource: "clusteragent" | "selfclusteragent";
  /** Asked by `karmadactl register`, to make the roles of that cluster's agent, not to be it. */
  readonly isGenerator: boolean;
}

/** The agent's request in it; undefined for one that is other people's business. */
export function agentRequest(facts: SigningFacts): AgentRequest | undefined {
  const { signerName, usages, username, subject } = facts;
  if (signerName !== SIGNER || subject === undefined || subject.hasAlternativeNames) return undefined;
  if (subject.groups.length !== 1 || subject.groups[0] !== AGENT_GROUP) return undefined;
  const sorted = [...new Set(usages)].sort().join();
  if (!USAGES.some((allowed) => allowed.join() === sorted)) return undefined;
  const named = clusterOfAgent(subject.name);
  if (named === undefined) return undefined;
  const isGenerator = named === RBAC_GENERATOR;
  const cluster = isGenerator ? (clusterOfGeneratorRequest(facts.name) ?? "") : named;
  return { cluster, isGenerator, subresource: username === subject.name ? "selfclusteragent" : "clusteragent" };
}

/**
 * Why an agent's request is denied; undefined: it may be approved, if its sender has the right to. `claim` and `exists` are
 * about the cluster it names. Differs from Karmada, where any token gets the certificate of any agent, old or new.
 */
export function signingRefusal(
  facts: SigningFacts,
  request: AgentRequest,
  known: {
    readonly exists: boolean;
    readonly claim: NameClaim | undefined;
    /** Whether admission keeps those who make the roles of agents to that. */
    readonly keepsGenerators: boolean;
  },
  nowMs: number,
): string | undefined {
  const { cluster } = request;
  if (request.isGenerator && !known.keepsGenerators)
    return "the API server of this control plane is not ours, and nobody gets the right to write roles there: register with 'flaghoist register'";
  if (request.isGenerator && request.subresource === "selfclusteragent")
    return "who makes the roles of an agent gets a certificate by a bootstrap token only";
  if (cluster === RBAC_GENERATOR || !/^[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?$/.test(cluster))
    return `"${cluster}" cannot be the name of a cluster: lower case letters, digits and dashes, at most 48`;
  if (request.subresource === "selfclusteragent") return undefined;
  const bound = facts.groups.flatMap((group) =>
    group.startsWith(BOOTSTRAP_CLUSTER_GROUP_PREFIX) ? [group.slice(BOOTSTRAP_CLUSTER_GROUP_PREFIX.length)] : [],
  );
  if (bound.includes(cluster)) return undefined;
  if (bound.length > 0) return `this token is for cluster ${bound.join(", ")}, not for ${cluster}`;
  // As Karmada: karmadactl looks for the cluster itself then, and says so at once.
  if (known.exists && request.isGenerator) return undefined;
  if (known.exists)
    return `cluster ${cluster} exists already: choose another name, take it out by 'flaghoist unregister ${cluster}', or give its agent a new certificate with a token of 'flaghoist token create --cluster ${cluster}'`;
  const { claim } = known;
  if (claim !== undefined && claim.by !== facts.username && nowMs - claim.at < CLAIM_MS)
    return `${claim.by} is registering cluster ${cluster} just now: choose another name, or wait until ${new Date(claim.at + CLAIM_MS).toISOString()}`;
  return undefined;
}
