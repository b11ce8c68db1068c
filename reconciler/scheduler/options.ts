// What one call of the scheduler may be told beside the binding and the fleet.

import type { TargetCluster } from "../../api/work.ts";
import type { FilterName } from "./fleet/filters.ts";
import type { ClusterScore } from "./fleet/scores.ts";

/** The feature gates that scheduling looks at, by Karmada's names. */
export interface SchedulerGates {
  readonly CustomizedClusterResourceModeling: boolean;
  readonly MultiplePodTemplatesScheduling: boolean;
  readonly WorkloadAffinity: boolean;
  readonly SchedulingOvercommitProtection: boolean;
}

export const DEFAULT_GATES: SchedulerGates = {
  CustomizedClusterResourceModeling: true,
  MultiplePodTemplatesScheduling: false,
  WorkloadAffinity: false,
  SchedulingOvercommitProtection: false,
};

/** An answer from elsewhere on how much fits into a cluster, such as an estimator inside the cluster. */
export interface ExternalEstimate {
  /** Who says so, for people: `estimator member1`. */
  readonly name?: string;
  /** Replicas (or component sets) that fit; undefined or negative when it does not know the cluster. */
  replicasOf(cluster: string): number | undefined;
}

/** Another binding of the same namespace and affinity group. */
export interface GroupMember {
  readonly clusters: readonly TargetCluster[];
}

export interface SchedulingOptions {
  /** Gates that differ from `DEFAULT_GATES`. */
  readonly featureGates?: Partial<SchedulerGates>;
  /** Adds every selected cluster that got nothing, with 0 replicas. */
  readonly emptyWorkloadPropagation?: boolean;
  /**
   * The Karmada whose ways are followed where its versions differ; the newest release unless told otherwise. From 1.19 on
   * a requested reschedule tries the ordered affinity groups from the first, and the targets of a workload of several
   * components record the replicas of each.
   */
  readonly compatibility?: "1.18" | "1.19";
  /** Filters that are switched off. */
  readonly disabledFilters?: readonly FilterName[];
  /** Current targets are not preferred: Karmada's score ClusterLocality is switched off. */
  readonly withoutLocality?: boolean;
  /** Each can only lower the estimates; one that failed is left out by the caller. */
  readonly estimates?: readonly ExternalEstimate[];
  /** The other bindings with the binding's affinity group and anti-affinity group; for gate WorkloadAffinity. */
  readonly affinityMembers?: readonly GroupMember[];
  readonly antiAffinityMembers?: readonly GroupMember[];
  /** What was placed on each cluster lately and is not yet in its reports; for gate SchedulingOvercommitProtection. */
  readonly assumedWorkloads?: ReadonlyMap<string, readonly AssumedWorkload[]>;
  /** What plugins of the user say of clusters, by name. */
  readonly pluginScores?: ReadonlyMap<string, readonly ClusterScore[]>;
  readonly pluginRefusals?: ReadonlyMap<string, PluginRefusal>;
  /** Clusters that they were asked about; those that came after that must wait. */
  readonly pluginsAsked?: ReadonlySet<string>;
  /** A plugin did not answer as it should: nothing is decided, and this says why. */
  readonly pluginFailure?: string;
  /** Sums of all scores of expressions and plugins, as they were then, in place of asking again. */
  readonly recordedScores?: ReadonlyMap<string, number>;
  /** Return a full trace of the decision. */
  readonly explain?: boolean;
}

/** A plugin's refusal of one cluster. */
export interface PluginRefusal {
  readonly plugin: string;
  readonly reason: string;
}

/** Why plugins keep the cluster out of this decision. */
export function pluginRefusalOf(
  { pluginRefusals, pluginsAsked }: SchedulingOptions,
  cluster: string,
): PluginRefusal | undefined {
  const refusal = pluginRefusals?.get(cluster);
  if (refusal !== undefined || pluginsAsked === undefined || pluginsAsked.has(cluster)) return refusal;
  return { plugin: "all", reason: "not asked about this cluster yet" };
}

export function resolveGates(options: SchedulingOptions | undefined): SchedulerGates {
  return options?.featureGates === undefined ? DEFAULT_GATES : { ...DEFAULT_GATES, ...options.featureGates };
}

/** Pods that are on their way to a cluster. */
export interface AssumedWorkload {
  readonly namespace?: string;
  readonly components: readonly AssumedComponent[];
}

export interface AssumedComponent {
  readonly name?: string;
  readonly replicas: number;
  readonly replicaRequirements?: { readonly resourceRequest?: Readonly<Record<string, string | number>> };
}
