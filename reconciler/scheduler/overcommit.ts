// Room in a cluster when workloads are on their way there that it does not report yet.

import type { Component, ReplicaRequirements } from "../../api/work.ts";
import type { Amount, Capacity } from "./capacity.ts";
import { type EstimatorOptions, estimateReplicas, estimateSets } from "./estimator.ts";
import type { AssumedWorkload } from "./options.ts";
import { type ComponentRequest, readComponents, readRequest } from "./requirements.ts";

/** What is to be estimated: replicas with requirements, or whole sets of components. */
export type Wanted =
  | { readonly components: readonly Component[] }
  | { readonly requirements: ReplicaRequirements | undefined };

/** As the estimator answers, after taking what the assumed workloads need from the cluster's room. */
export function estimateBesideAssumed(
  capacity: Capacity | undefined,
  assumed: readonly AssumedWorkload[],
  wanted: Wanted,
  options: EstimatorOptions,
): number {
  const pending = assumed.map((workload) =>
    workload.components.map((component) => ({
      replicas: component.replicas,
      ...readRequest(component.replicaRequirements),
    })),
  );
  const left = capacity === undefined ? undefined : subtract(capacity, pending.flat());
  if ("components" in wanted) return estimateSets(left, readComponents(wanted.components), options, pending);
  const request = wanted.requirements == null ? undefined : readRequest(wanted.requirements);
  return estimateReplicas(left, request, options, pending);
}

function subtract(capacity: Capacity, pending: readonly ComponentRequest[]): Capacity {
  let { pods } = capacity;
  const available = new Map(capacity.available);
  for (const component of pending) {
    pods -= component.replicas;
    for (const [resource, amount] of component.resources) {
      const left = available.get(resource);
      if (left !== undefined) available.set(resource, minus(resource, left, amount, component.replicas));
    }
  }
  return { pods, available, models: capacity.models };
}

function minus(resource: string, left: Amount, amount: Amount, times: number): Amount {
  const milli = left.milli - amount.milli * times;
  return {
    // Only cpu is counted in fractions here.
    units: resource === "cpu" ? Math.ceil(milli / 1000) : left.units - amount.units * times,
    milli,
    own: left.own - amount.own * times,
  };
}
