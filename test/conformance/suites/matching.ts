// Which objects a selector means, which clusters an affinity means, and which policy is chosen for an object.
import type { Cluster } from "../../../api/cluster.ts";
import type {
  ClusterAffinity,
  ClusterPropagationPolicy,
  PropagationPolicy,
  ResourceSelector,
} from "../../../api/policy.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { clusterMatches } from "../../../reconciler/policies/cluster-affinity.ts";
import { rankPolicies } from "../../../reconciler/policies/match.ts";
import { PolicyIndex } from "../../../reconciler/policies/policy-index.ts";
import { selectorMatches } from "../../../reconciler/policies/resource-selector.ts";
import { caseSuite } from "../karmada-cases.ts";

export type MatchInput =
  | { readonly resource: KubeObject; readonly selector: ResourceSelector }
  | { readonly cluster: Cluster; readonly affinity: ClusterAffinity }
  | { readonly resource: KubeObject; readonly policies: readonly (PropagationPolicy | ClusterPropagationPolicy)[] };

/** What we select. */
export function answerMatch(input: MatchInput): unknown {
  if ("selector" in input) {
    const implicitPriority = selectorMatches(input.resource, input.selector);
    return { implicitPriority, matches: implicitPriority > 0 };
  }
  if ("affinity" in input) return { matches: clusterMatches(input.cluster, input.affinity) };
  const { namespaced, cluster } = rankPolicies(input.resource, new PolicyIndex(input.policies));
  const own = namespaced.find((candidate) => candidate.verdict === "best")?.policy.metadata;
  return {
    propagationPolicy: own === undefined ? null : `${own.namespace}/${own.name}`,
    clusterPropagationPolicy: cluster.find((candidate) => candidate.verdict === "best")?.policy.metadata.name ?? null,
  };
}

export const suite = caseSuite("matching.json", answerMatch);
