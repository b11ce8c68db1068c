// What differs in one cluster's copy of an object.

import type { Cluster } from "../../api/cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy, Overriders } from "../../api/policy.ts";
import { equalJson, type KubeObject } from "../../kube/object.ts";
import { onceEach } from "../../runtime/once-each.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { APPLIED_CLUSTER_OVERRIDES_ANNOTATION, APPLIED_OVERRIDES_ANNOTATION } from "../works/metadata-keys.ts";
import { applyRule } from "./apply-rule.ts";
import { Draft } from "./draft.ts";
import { type AnyOverridePolicy, asSelected, overridersPath, rulesOf, selectOverridePolicies } from "./order.ts";
import { listedOverridePolicies, type OverridePolicySource } from "./override-policies.ts";
import {
  type AppliedOverride,
  describePolicy,
  type OverrideChange,
  type OverrideResult,
  type PolicyRef,
} from "./override-result.ts";
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
  readonly #clusterWide: Stages<ClusterOverridePolicy>;
  readonly #namespaced: Stages<OverridePolicy>;
  readonly #results = onceEach((first: Stage) => onceEach((second: Stage) => resultOf(first, second)));

  constructor(policies: OverridePolicySource, options: OverrideOptions = {}) {
    this.#clusterWide = new Stages((object) => policies.clusterWide(object), options);
    this.#namespaced = new Stages((object) => policies.ofNamespace(object), options);
  }

  /**
   * Applies the policies to one cluster's copy: cluster-wide ones first, then those of the object's namespace, matched
   * against what the first left behind. Clusters for which the same rules are meant share one result for one object.
   *
   * Throws `override-failed`, with the policy, rule, overrider and path in its details, when a rule cannot be carried
   * out: then nothing may be sent to that cluster.
   */
  apply(object: KubeObject, cluster: Cluster): OverrideResult {
    const first = this.#clusterWide.apply(object, cluster);
    return this.#results(first)(this.#namespaced.apply(first.object, cluster));
  }
}

function resultOf(first: Stage, second: Stage): OverrideResult {
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

/** One stage: what it selects, remembered for the next copy, and what came of it for clusters that are meant alike. */
class Stages<P extends AnyOverridePolicy> {
  readonly #find: (object: KubeObject) => readonly P[];
  readonly #options: OverrideOptions;
  readonly #known = onceEach((_object: KubeObject) => new Map<string, Stage>());
  #object: KubeObject | undefined;
  #selected: readonly P[] = [];

  constructor(find: (object: KubeObject) => readonly P[], options: OverrideOptions) {
    this.#find = find;
    this.#options = options;
  }

  apply(object: KubeObject, cluster: Cluster): Stage {
    const rules = this.#select(object).flatMap((policy) => meantRules(policy, cluster));
    const make = (): Stage => applyStage(object, cluster, rules, this.#options);
    // Variables are another text in each cluster.
    if (rules.some(({ policy }) => policy.spec.flaghoist?.variables === true)) return make();
    const known = this.#known(object);
    const key = rules.map(({ policy, rule }) => `${describePolicy(policyRef(policy))} ${rule}`).join("\n");
    const stage = known.get(key) ?? make();
    known.set(key, stage);
    return stage;
  }

  #select(copy: KubeObject): readonly P[] {
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

/** A rule that is meant for a cluster. */
interface MeantRule {
  readonly policy: AnyOverridePolicy;
  readonly rule: number;
  readonly overriders: Overriders;
}

function meantRules(policy: AnyOverridePolicy, cluster: Cluster): MeantRule[] {
  return rulesOf(policy).flatMap(({ targetCluster, overriders }, rule) =>
    targetCluster != null && !clusterMatches(cluster, targetCluster) ? [] : [{ policy, rule, overriders }],
  );
}

function applyStage(
  object: KubeObject,
  cluster: Cluster,
  rules: readonly MeantRule[],
  options: OverrideOptions,
): Stage {
  if (rules.length === 0) return { object, applied: [], changes: [] };
  const draft = new Draft(object);
  const applied: AppliedOverride[] = [];
  const changes: OverrideChange[] = [];
  const resolvers = onceEach((policy: AnyOverridePolicy) =>
    policy.spec.flaghoist?.variables === true ? new VariableResolver(cluster) : undefined,
  );
  for (const { policy, rule, overriders } of rules) {
    const application = { policy: policyRef(policy), rule, overriders };
    const at = { ...application, field: overridersPath(policy, rule), cluster, variables: resolvers(policy) };
    for (const change of applyRule(draft, at, options)) changes.push(change);
    applied.push(application);
  }
  return { object: draft.object, applied, changes };
}

function policyRef(policy: AnyOverridePolicy): PolicyRef {
  const { namespace, name = "" } = policy.metadata;
  return policy.kind === "OverridePolicy"
    ? { kind: policy.kind, ...(namespace === undefined ? {} : { namespace }), name }
    : { kind: policy.kind, name };
}
