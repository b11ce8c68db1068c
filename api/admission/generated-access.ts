// What `karmadactl register` may write of the rights of a new agent. Roles cannot say under which names things are created.

import { isObject, type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { AGENT_OF_LABEL, agentUser, clusterOfAgent, RBAC_GENERATOR } from "../agent-identity.ts";
import type { Cluster } from "../cluster.ts";

const RBAC_GROUP = "rbac.authorization.k8s.io";
const CLUSTERS_NAMESPACE = "karmada-cluster";
const SYSTEM_NAMESPACE = "karmada-system";
const NAMESPACE_PREFIX = "karmada-es-";
const SYSTEM_LABEL = { "karmada.io/system": "true" };
const REQUEST_PREFIX = "agent-rbac-generator-";
const ROLE_NAME = /^system:karmada:([a-z0-9-]+):agent(-secret|-work)?$/;

export interface AccessWrite {
  readonly userName: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** The present one for DELETE. */
  readonly object: KubeObject;
  /** The Clusters there are. */
  readonly others: Iterable<Cluster>;
}

/** Kinds of which agents, and who registers them, may create some. */
const KINDS = new Set([
  `${RBAC_GROUP}/ClusterRole`,
  `${RBAC_GROUP}/ClusterRoleBinding`,
  `${RBAC_GROUP}/Role`,
  `${RBAC_GROUP}/RoleBinding`,
  "/Namespace",
  "/Secret",
  "coordination.k8s.io/Lease",
]);

export function concernsAccess(group: string, kind: string): boolean {
  return KINDS.has(`${group}/${kind}`);
}

/**
 * Who registers an agent names its roles; what they allow is the control plane's to say. So roles are stored without any
 * rule until the agent's certificate is approved. Undefined for what stays as it is.
 */
export function withoutRules({ userName, operation, object }: AccessWrite): KubeObject | undefined {
  if (operation !== "CREATE" || clusterOfAgent(userName) !== RBAC_GENERATOR) return undefined;
  const { name = "", namespace } = object.metadata;
  const cluster = clusterOfRole(object);
  const labels = cluster === undefined ? SYSTEM_LABEL : { ...SYSTEM_LABEL, [AGENT_OF_LABEL]: cluster };
  const metadata = { name, labels, ...(namespace === undefined ? {} : { namespace }) };
  if (!isRole(object)) return { ...object, metadata };
  const { aggregationRule: _, ...rest } = object as KubeObject & { readonly aggregationRule?: unknown };
  return { ...rest, metadata, rules: [] };
}

/** Why such a write is refused; undefined for one that is fine, and for everybody else's. */
export function accessRefusal(write: AccessWrite): string | undefined {
  const own = clusterOfAgent(write.userName);
  if (own === undefined) return undefined;
  return own === RBAC_GENERATOR ? generatorRefusal(write) : agentRefusal(write, own);
}

function generatorRefusal({ userName, operation, object, others }: AccessWrite): string | undefined {
  const { kind } = object;
  const { name = "", namespace = "" } = object.metadata;
  const what = `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
  const refusal = `${userName} makes the rights of new agents as 'karmadactl register' does, and nothing else: not ${what}`;
  if (operation === "DELETE")
    return kind === "CertificateSigningRequest" && name.startsWith(REQUEST_PREFIX) ? undefined : refusal;
  if (operation !== "CREATE") return refusal;
  if (kind === "Namespace")
    return name === CLUSTERS_NAMESPACE || name.startsWith(NAMESPACE_PREFIX) ? undefined : refusal;
  const cluster = clusterOfRole(object);
  if (cluster === undefined) return refusal;
  if ([...others].some((other) => other.metadata.name === cluster)) return `cluster ${cluster} exists already`;
  return isRole(object) || bindsItsOwn(object, cluster) ? undefined : refusal;
}

/** The cluster whose agent a role or binding is for, by its place; undefined for all others. */
function clusterOfRole({ apiVersion, kind, metadata }: KubeObject): string | undefined {
  if (parseApiVersion(apiVersion).group !== RBAC_GROUP) return undefined;
  const [, cluster, part] = ROLE_NAME.exec(metadata.name ?? "") ?? [];
  if (cluster === undefined) return undefined;
  const namespace =
    part === "-secret" ? CLUSTERS_NAMESPACE : part === "-work" ? `${NAMESPACE_PREFIX}${cluster}` : undefined;
  const isClusterWide = kind === "ClusterRole" || kind === "ClusterRoleBinding";
  return isClusterWide === (part === undefined) && metadata.namespace === namespace ? cluster : undefined;
}

function isRole({ kind }: KubeObject): boolean {
  return kind === "ClusterRole" || kind === "Role";
}

function bindsItsOwn(object: KubeObject, cluster: string): boolean {
  const { roleRef, subjects } = object;
  if (!isObject(roleRef) || roleRef["name"] !== object.metadata.name) return false;
  if (`${String(roleRef["kind"])}Binding` !== object.kind) return false;
  if (!Array.isArray(subjects) || subjects.length !== 1) return false;
  const [subject] = subjects as readonly unknown[];
  return isObject(subject) && subject["kind"] === "User" && subject["name"] === agentUser(cluster);
}

/** Karmada's agent keeps credentials of its cluster for the proxy, a lease for its health and one for its election. */
function agentRefusal({ operation, object }: AccessWrite, own: string): string | undefined {
  if (operation !== "CREATE") return undefined;
  const { kind } = object;
  const place = `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
  const allowed: Readonly<Record<string, readonly string[]>> = {
    Secret: [`${CLUSTERS_NAMESPACE}/${own}`, `${CLUSTERS_NAMESPACE}/${own}-impersonator`],
    Lease: [`${CLUSTERS_NAMESPACE}/${own}`, `${SYSTEM_NAMESPACE}/karmada-agent-${own}`],
  };
  if (allowed[kind]?.includes(place) !== false) return undefined;
  return `the agent of cluster ${own} may not create ${kind} ${place}`;
}
