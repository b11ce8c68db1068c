// What differs in one cluster's copy of an object.

import type { Cluster } from "../../api/cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy } from "../../api/policy.ts";
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { APPLIED_CLUSTER_OVERRIDES_ANNOTATION, APPLIED_OVERRIDES_ANNOTATION } from "../works/metadata-keys.ts";
import { applyRule } from "./apply-rule.ts";
import { Draft } from "./draft.ts";
import { type AnyOverridePolicy, asSelected, overridersPath, rulesOf, selectOverridePolicies } from "./order.ts";
import { listedOverridePolicies, type OverridePolicySource } from "./override-policies.ts";
import type { AppliedOverride, OverrideChange, OverrideResult, PolicyRef } from "./override-result.ts";
import { overrideRecord } from "./record.ts";
import { VariableResolver } from "./variables.ts";

export interface OverrideOptions {
  /**
   * `karmada` (default): results equal to Karmada's. `flaghoist`: documents inside texts keep their formatting, and an
   * override of what the object is (its kind, its name) is refused.
   */
  readonly compatibility?: "karmada" | "flaghoist" | undefined;
}

export interface OverrideRequest extends OverrideOptions {
  /** The object as it would be without overrides, replicas of this cluster included. Never changed. */
  readonly object: KubeObject;
  readonly cluster: Cluster;
  /** Of the whole fleet; those that do not select the object are passed over. */
  readonly clusterOverridePolicies: readonly ClusterOverridePolicy[];
  /** Of any namespaces; those of other namespaces are passed over. */
  readonly overridePolicies: readonly OverridePolicy[];
}

/** Applies override policies to one cluster's copy of an object; see `ObjectOverrides` for many clusters. */
export function applyOverrides(request: OverrideRequest): OverrideResult {
  const policies = listedOverridePolicies(request.clusterOverridePolicies, request.overridePolicies);
  return new ObjectOverrides(policies, request).apply(request.object, request.cluster);
}

/**
 * The override policies of one object, for all its clusters: which ones there are, and in which order, is decided once
 * for copies that are alike in what selectors look at.
 */
export class ObjectOverrides {
  readonly #options: OverrideOptions;
  readonly #clusterWide: StageSelection<ClusterOverridePolicy>;
  readonly #namespaced: StageSelection<OverridePolicy>;

  constructor(policies: OverridePolicySource, options: OverrideOptions = {}) {
    this.#options = options;
    this.#clusterWide = new StageSelection((object) => policies.clusterWide(object));
    this.#namespaced = new StageSelection((object) => policies.ofNamespace(object));
  }

  /**
   * Applies the policies to one cluster's copy: cluster-wide ones first, then those of the object's namespace, matched
   * against what the first left behind.
   *
   * Throws `override-failed`, with the policy, rule, overrider and path in its details, when a rule cannot be carried
   * out: then nothing may be sent to that cluster.
   */
  apply(object: KubeObject, cluster: Cluster): OverrideResult {
    const first = applyStage(object, cluster, this.#clusterWide.select(object), this.#options);
    const second = applyStage(first.object, cluster, this.#namespaced.select(first.object), this.#options);
    const clusterRecord = overrideRecord(first.applied);
    const record = overrideRecord(second.applied);
    return {
      object: second.object,
      applied: [...first.applied, ...second.applied],
      appliedAnnotations: {
        ...(clusterRecord === undefined ? {} : { [APPLIED_CLUSTER_OVERRIDES_ANNOTATION]: clusterRecord }),
        ...(record === undefined ? {} : { [APPLIED_OVERRIDES_ANNOTATION]: record }),
      },
      provenance: [...first.changes, ...second.changes],
    };
  }
}

/** What one stage selects, remembered for the next copy. */
class StageSelection<P extends AnyOverridePolicy> {
  readonly #find: (object: KubeObject) => readonly P[];
  #object: KubeObject | undefined;
  #selected: readonly P[] = [];

  constructor(find: (object: KubeObject) => readonly P[]) {
    this.#find = find;
  }

  select(copy: KubeObject): readonly P[] {
    const object = asSelected(copy);
    if (this.#object === undefined || !isSelectedAlike(this.#object, object)) {
      this.#object = object;
      this.#selected = selectOverridePolicies(object, this.#find(object));
    }
    return this.#selected;
  }
}

/** Equal in all that resource selectors look at. */
function isSelectedAlike(a: KubeObject, b: KubeObject): boolean {
  return (
    a.kind === b.kind &&
    a.apiVersion === b.apiVersion &&
    a.metadata.name === b.metadata.name &&
    a.metadata.namespace === b.metadata.namespace &&
    (a.metadata.labels === b.metadata.labels || equalJson(a.metadata.labels, b.metadata.labels))
  );
}

interface Stage {
  readonly object: KubeObject;
  readonly applied: readonly AppliedOverride[];
  readonly changes: readonly OverrideChange[];
}

function applyStage(
  object: KubeObject,
  cluster: Cluster,
  policies: readonly AnyOverridePolicy[],
  options: OverrideOptions,
): Stage {
  if (policies.length === 0) return { object, applied: [], changes: [] };
  const draft = new Draft(object);
  const applied: AppliedOverride[] = [];
  const changes: OverrideChange[] = [];
  for (const policy of policies) {
    const ref = policyRef(policy);
    const variables = policy.spec.flaghoist?.variables === true ? new VariableResolver(cluster) : undefined;
    for (const [rule, { targetCluster, overriders }] of rulesOf(policy).entries()) {
      if (targetCluster != null && !clusterMatches(cluster, targetCluster)) continue;
      const application = { policy: ref, rule, overriders };
      const at = { ...application, field: overridersPath(policy, rule), cluster, variables };
      for (const change of applyRule(draft, at, options)) changes.push(change);
      applied.push(application);
    }
  }
  return { object: draft.object, applied, changes };
}

function policyRef(policy: AnyOverridePolicy): PolicyRef {
  const { namespace, name = "" } = policy.metadata;
  return policy.kind === "OverridePolicy"
    ? { kind: policy.kind, ...(namespace === undefined ? {} : { namespace }), name }
    : { kind: policy.kind, name };
}
