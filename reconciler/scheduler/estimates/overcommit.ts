// Room in a cluster when workloads are on their way there that it does not report yet.

import type { Component, ReplicaRequirements } from "../../../api/work.ts";
import type { AssumedWorkload } from "../options.ts";
import type { Amount, Capacity } from "./capacity.ts";
import { type EstimatorOptions, estimateReplicas, estimateSets } from "./estimator.ts";
import { type ComponentRequest, readComponents, readRequest } from "./requirements.ts";

/** What is to be estimated: replicas with requirements, or whole sets of components. */
export type Wanted =
  | { readonly components: readonly Component[] }
  | { readonly requirements: ReplicaRequirements | undefined };

/**
 * As the estimator answers, after taking what the assumed workloads need from the cluster's room. Lists and workloads that
 * were given once must not be changed in place: what follows from them is kept for the next binding that asks.
 */
export function estimateBesideAssumed(
  capacity: Capacity | undefined,
  assumed: readonly AssumedWorkload[],
  wanted: Wanted,
  options: EstimatorOptions,
): number {
  const rest = restOf(capacity, assumed);
  const key = `${options.resourceModels ? "models" : "summary"} ${contentOf(wanted)}`;
  let answer = rest.answers.get(key);
  if (answer === undefined) {
    answer = estimate(rest, wanted, options);
    rest.answers.set(key, answer);
  }
  return answer;
}

function estimate({ left, pending }: Rest, wanted: Wanted, options: EstimatorOptions): number {
  if ("components" in wanted) return estimateSets(left, readComponents(wanted.components), options, pending);
  const request = wanted.requirements == null ? undefined : readRequest(wanted.requirements);
  return estimateReplicas(left, request, options, pending);
}

/** What a list of assumed workloads leaves of a capacity. */
interface Rest {
  readonly capacity: Capacity | undefined;
  readonly left: Capacity | undefined;
  readonly pending: readonly (readonly ComponentRequest[])[];
  /** Estimates, by what they were asked for. */
  readonly answers: Map<string, number>;
}

const RESTS = new WeakMap<readonly AssumedWorkload[], Rest>();
const REQUESTS = new WeakMap<AssumedWorkload, readonly ComponentRequest[]>();
const CONTENTS = new WeakMap<object, string>();

function restOf(capacity: Capacity | undefined, assumed: readonly AssumedWorkload[]): Rest {
  const known = RESTS.get(assumed);
  if (known !== undefined && known.capacity === capacity) return known;
  const pending = assumed.map(requestsOf);
  const left = capacity === undefined ? undefined : subtract(capacity, pending.flat());
  const rest = { capacity, left, pending, answers: new Map<string, number>() };
  RESTS.set(assumed, rest);
  return rest;
}

function requestsOf(workload: AssumedWorkload): readonly ComponentRequest[] {
  let requests = REQUESTS.get(workload);
  if (requests === undefined) {
    requests = workload.components.map(({ replicas, replicaRequirements }) => ({
      replicas,
      ...readRequest(replicaRequirements),
    }));
    REQUESTS.set(workload, requests);
  }
  return requests;
}

function contentOf(wanted: Wanted): string {
  const asked: object | undefined = "components" in wanted ? wanted.components : wanted.requirements;
  if (asked == null) return "nothing";
  let content = CONTENTS.get(asked);
  if (content === undefined) {
    content =
      "components" in wanted ? JSON.stringify(asked) : JSON.stringify(wanted.requirements?.resourceRequest ?? {});
    CONTENTS.set(asked, content);
  }
  return content;
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
