// The estimator that works from what clusters report: replicas, or whole sets of components, per cluster.
import type { Cluster } from "../../../api/cluster.ts";
import type { Component, ReplicaRequirements } from "../../../api/work.ts";
import { readCapacity } from "../../../reconciler/scheduler/estimates/capacity.ts";
import { estimateBesideAssumed } from "../../../reconciler/scheduler/estimates/overcommit.ts";
import type { AssumedWorkload } from "../../../reconciler/scheduler/options.ts";
import { caseSuite } from "../karmada-cases.ts";

export interface EstimateInput {
  readonly clusters: readonly Cluster[];
  readonly replicaRequirements?: ReplicaRequirements;
  readonly components?: readonly Component[];
  readonly assumedWorkloads?: Readonly<Record<string, readonly AssumedWorkload[]>>;
  readonly featureGates?: Readonly<Record<string, boolean>>;
}

/** How much we think fits. */
export function answerEstimate(input: EstimateInput): unknown {
  const gates = input.featureGates ?? {};
  const options = { resourceModels: gates["CustomizedClusterResourceModeling"] ?? true };
  const wanted =
    input.components === undefined ? { requirements: input.replicaRequirements } : { components: input.components };
  const clusters = input.clusters.map((cluster) => {
    const name = cluster.metadata.name ?? "";
    const assumed = gates["SchedulingOvercommitProtection"] === true ? (input.assumedWorkloads?.[name] ?? []) : [];
    const room = estimateBesideAssumed(readCapacity(cluster), assumed, wanted, options);
    return input.components === undefined ? { name, replicas: room } : { name, sets: room };
  });
  return { clusters };
}

export const suite = caseSuite("estimator.json", answerEstimate);
