// The mark by which a policy holds an object: on the template and on its binding.

import type { ClusterPropagationPolicy, PropagationPolicy } from "../../api/policy.ts";
import {
  CLUSTER_POLICY_ID_LABEL,
  CLUSTER_POLICY_NAME_ANNOTATION,
  POLICY_ID_LABEL,
  POLICY_NAME_ANNOTATION,
  POLICY_NAMESPACE_ANNOTATION,
} from "./metadata-keys.ts";

export type AnyPropagationPolicy = PropagationPolicy | ClusterPropagationPolicy;

export interface ClaimMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What `policy` writes on the objects it holds. */
export function claimMetadata(policy: AnyPropagationPolicy): ClaimMetadata {
  const { labels, name = "", namespace = "" } = policy.metadata;
  if (policy.kind === "PropagationPolicy") {
    return {
      labels: { [POLICY_ID_LABEL]: labels?.[POLICY_ID_LABEL] ?? "" },
      annotations: { [POLICY_NAMESPACE_ANNOTATION]: namespace, [POLICY_NAME_ANNOTATION]: name },
    };
  }
  return {
    labels: { [CLUSTER_POLICY_ID_LABEL]: labels?.[CLUSTER_POLICY_ID_LABEL] ?? "" },
    annotations: { [CLUSTER_POLICY_NAME_ANNOTATION]: name },
  };
}
