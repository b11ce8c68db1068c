// How bindings, Works and the namespaces that hold them are called. The names are Karmada's, because users and tools
// look objects up by them, and because a control plane taken over must find its own objects again.

import { hashSuffix } from "../../kube/hash.ts";
import { AppError } from "../../runtime/errors.ts";

export const EXECUTION_NAMESPACE_PREFIX = "karmada-es-";

// Role names such as `system:node` are no valid names of other objects.
function withoutColons(name: string): string {
  return name.replaceAll(":", ".");
}

/** Name of the (Cluster)ResourceBinding of a template. The group is not part of it: equal kinds of two groups collide. */
export function bindingName(kind: string, name: string): string {
  return `${withoutColons(name)}-${kind}`.toLowerCase();
}

/** Name of the Work of an object; the same in every cluster. `namespace` is empty for cluster-scoped objects. */
export function workName(kind: string, name: string, namespace: string): string {
  const stem = withoutColons(name).toLowerCase();
  const key = namespace === "" ? `${stem}-${kind}` : `${namespace}-${stem}-${kind}`;
  return `${stem}-${hashSuffix(key.toLowerCase())}`;
}

/** Suffix of the labels that say which binding an attached binding follows. */
export function bindingReferenceKey(namespace: string, name: string): string {
  return hashSuffix(namespace === "" ? name : `${namespace}/${name}`);
}

/** Name of the policy made when a member's object is promoted. `gvk` is spelled as Go prints it: `apps/v1, Kind=Deployment`. */
export function promotedPolicyName(namespace: string, name: string, gvk: string): string {
  return `${withoutColons(name)}-${hashSuffix(namespace + gvk)}`.toLowerCase();
}

/** The namespace of the control plane that holds the Works of `cluster`. */
export function executionNamespace(cluster: string): string {
  return EXECUTION_NAMESPACE_PREFIX + cluster;
}

/** The cluster whose Works `namespace` holds. Throws `work-namespace-malformed` for any other namespace. */
export function clusterOfExecutionNamespace(namespace: string): string {
  if (!namespace.startsWith(EXECUTION_NAMESPACE_PREFIX)) {
    throw new AppError("work-namespace-malformed", "the execution space name is in wrong format", {
      recovery: "stall",
      details: { namespace },
    });
  }
  return namespace.slice(EXECUTION_NAMESPACE_PREFIX.length);
}

/** True for namespaces of the control plane itself, whose objects are never propagated. */
export function isReservedNamespace(namespace: string): boolean {
  return (
    namespace === "karmada-system" ||
    namespace === "karmada-cluster" ||
    namespace.startsWith(EXECUTION_NAMESPACE_PREFIX)
  );
}

export function memberServiceAccountName(cluster: string): string {
  return `karmada-${cluster}`;
}

export function memberRoleName(serviceAccount: string): string {
  return `karmada-controller-manager:${serviceAccount}`;
}

export function impersonationSecretName(cluster: string): string {
  return `${cluster}-impersonator`;
}

export function estimatorServiceName(prefix: string, cluster: string): string {
  return `${prefix}-${cluster}`;
}

/** Name, in other clusters, of a Service imported from elsewhere. */
export function derivedServiceName(service: string): string {
  return `derived-${service}`;
}

export function importedEndpointSliceName(slice: string, cluster: string): string {
  return `imported-${cluster}-${slice}`;
}
