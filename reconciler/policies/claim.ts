// The marks by which a template, and its binding, belong to a policy.

import type { ObjectMeta } from "../../kube/object.ts";
import {
  CLUSTER_POLICY_ID_LABEL,
  CLUSTER_POLICY_NAME_ANNOTATION,
  POLICY_ID_LABEL,
  POLICY_NAME_ANNOTATION,
  POLICY_NAMESPACE_ANNOTATION,
} from "../works/metadata-keys.ts";
import { isNamespaced, type Policy } from "./policy-index.ts";

/** The policy an object says it belongs to. The policy is found by name; the id only guards cleaning up. */
export interface Claim {
  readonly kind: "PropagationPolicy" | "ClusterPropagationPolicy";
  /** Empty for cluster-scoped policies. */
  readonly namespace: string;
  readonly name: string;
  readonly id: string;
}

/** Labels and annotations to write; undefined values are to be removed. */
export interface MetadataChange {
  readonly labels: Readonly<Record<string, string | undefined>>;
  readonly annotations: Readonly<Record<string, string | undefined>>;
}

const WITHOUT_CLUSTER_CLAIM: MetadataChange = {
  labels: { [CLUSTER_POLICY_ID_LABEL]: undefined },
  annotations: { [CLUSTER_POLICY_NAME_ANNOTATION]: undefined },
};

const WITHOUT_CLAIM: MetadataChange = {
  labels: { [POLICY_ID_LABEL]: undefined },
  annotations: { [POLICY_NAMESPACE_ANNOTATION]: undefined, [POLICY_NAME_ANNOTATION]: undefined },
};

/** The claim in an object's metadata; half a claim is none. */
export function readClaim(metadata: ObjectMeta): Claim | undefined {
  const labels = metadata.labels ?? {};
  const annotations = metadata.annotations ?? {};
  const namespace = annotations[POLICY_NAMESPACE_ANNOTATION];
  const own = { name: annotations[POLICY_NAME_ANNOTATION], id: labels[POLICY_ID_LABEL] };
  if (namespace && own.name && own.id) {
    return { kind: "PropagationPolicy", namespace, name: own.name, id: own.id };
  }
  const cluster = { name: annotations[CLUSTER_POLICY_NAME_ANNOTATION], id: labels[CLUSTER_POLICY_ID_LABEL] };
  if (cluster.name && cluster.id) {
    return { kind: "ClusterPropagationPolicy", namespace: "", name: cluster.name, id: cluster.id };
  }
  return undefined;
}

/** Whether `claim` names `policy`. */
export function claimNames(claim: Claim | undefined, policy: Policy): boolean {
  return (
    claim !== undefined &&
    claim.kind === policy.kind &&
    claim.namespace === (policy.metadata.namespace ?? "") &&
    claim.name === policy.metadata.name
  );
}

/** The policy's permanent id; empty when it has none yet. */
export function policyId(policy: Policy): string {
  return policy.metadata.labels?.[isNamespaced(policy) ? POLICY_ID_LABEL : CLUSTER_POLICY_ID_LABEL] ?? "";
}

/** The marks of a claim: on the template, and likewise on its binding. A namespaced policy displaces a cluster's claim. */
export function claimMarks(policy: Policy): MetadataChange {
  if (!isNamespaced(policy)) {
    return {
      labels: { [CLUSTER_POLICY_ID_LABEL]: policyId(policy) },
      annotations: { [CLUSTER_POLICY_NAME_ANNOTATION]: policy.metadata.name ?? "" },
    };
  }
  return {
    labels: { [POLICY_ID_LABEL]: policyId(policy), ...WITHOUT_CLUSTER_CLAIM.labels },
    annotations: {
      [POLICY_NAMESPACE_ANNOTATION]: policy.metadata.namespace ?? "",
      [POLICY_NAME_ANNOTATION]: policy.metadata.name ?? "",
      ...WITHOUT_CLUSTER_CLAIM.annotations,
    },
  };
}

/** What must be written on the template so that it belongs to `policy`; undefined when it does already. */
export function claimTemplate(metadata: ObjectMeta, policy: Policy): MetadataChange | undefined {
  const label = isNamespaced(policy) ? POLICY_ID_LABEL : CLUSTER_POLICY_ID_LABEL;
  const sameId = metadata.labels?.[label] === policyId(policy);
  if (!isNamespaced(policy)) return sameId ? undefined : claimMarks(policy);
  const hadClusterClaim =
    metadata.labels?.[CLUSTER_POLICY_ID_LABEL] !== undefined ||
    metadata.annotations?.[CLUSTER_POLICY_NAME_ANNOTATION] !== undefined;
  return sameId && !hadClusterClaim ? undefined : claimMarks(policy);
}

/** What must be removed so that an object no longer belongs to a policy of this kind. */
export function releaseMarks(kind: Claim["kind"]): MetadataChange {
  return kind === "PropagationPolicy" ? WITHOUT_CLAIM : WITHOUT_CLUSTER_CLAIM;
}

/** The metadata with the change made; the argument is left alone. Empty maps stay out of the result. */
export function changeMetadata<M extends ObjectMeta>(metadata: M, change: MetadataChange): M {
  const labels = changeMap(metadata.labels, change.labels);
  const annotations = changeMap(metadata.annotations, change.annotations);
  const { labels: _labels, annotations: _annotations, ...rest } = metadata;
  // The rest has every field of M but the two optional ones that are put back.
  return {
    ...rest,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  } as M;
}

function changeMap(
  map: Record<string, string> | undefined,
  change: Readonly<Record<string, string | undefined>>,
): Record<string, string> | undefined {
  const result = { ...map };
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete result[key];
    else result[key] = value;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}
