import type { Cluster } from "../../../api/cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy } from "../../../api/policy.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { applyOverrides } from "../../../reconciler/overrides/apply-overrides.ts";
import type { AnyOverridePolicy } from "../../../reconciler/overrides/order.ts";
import { caseSuite } from "../karmada-cases.ts";
import type { Suite } from "../suite.ts";

export interface OverrideInput {
  readonly object: KubeObject;
  readonly cluster: Cluster;
  readonly policies: readonly AnyOverridePolicy[];
}

/** Our answer in the form of the recorded ones; throws where Karmada fails. */
export function answerOverride({ object, cluster, policies }: OverrideInput): unknown {
  const result = applyOverrides({
    object,
    cluster,
    clusterOverridePolicies: policies.filter((policy): policy is ClusterOverridePolicy => isClusterWide(policy)),
    overridePolicies: policies.filter((policy): policy is OverridePolicy => !isClusterWide(policy)),
  });
  const names = (kind: AnyOverridePolicy["kind"]) =>
    result.applied.filter(({ policy }) => policy.kind === kind).map(({ policy }) => policy.name);
  return {
    object: result.object,
    appliedClusterPolicies: names("ClusterOverridePolicy"),
    appliedPolicies: names("OverridePolicy"),
    workAnnotations: Object.keys(result.appliedAnnotations).length === 0 ? undefined : result.appliedAnnotations,
  };
}

function isClusterWide(policy: AnyOverridePolicy): boolean {
  return policy.kind === "ClusterOverridePolicy";
}

export const suite: Suite = caseSuite<OverrideInput>("override.json", answerOverride);
