// What becomes of a copy whose removal was ordered while its cluster was away, once the cluster is back.

import type { Binding } from "../scheduler/occasion.ts";

export type ReturnedCopy =
  | { readonly verdict: "remove" }
  /** It stays for now: others are not there yet. */
  | { readonly verdict: "wait"; readonly reason: string }
  /** It stays for good: the workload is to run there again. */
  | { readonly verdict: "keep" };

export interface ReturnedCopyRequest {
  /** Undefined: nobody wants the object any more. */
  readonly binding: Binding | undefined;
  readonly cluster: string;
  /** When (milliseconds) its removal was ordered. */
  readonly removedAt: number;
  /** Since when (milliseconds) the cluster has answered without a break. */
  readonly answersSince: number;
  /** Whether every present target answers and has all of its replicas. */
  readonly isReplaced: boolean;
  /** As `isReplaced`, for the targets other than `cluster`. */
  readonly othersAreWell: boolean;
  /** How many replicas of it were ready when it was last heard of; 0 for kinds without any. */
  readonly readyReplicas: number;
}

/**
 * Beyond Karmada: a workload was moved, its new copies came up, and then those were lost while the old one came back. The
 * order to remove it is older than that, so it is looked at again: what serves goes only when others do. Where it is to run
 * again with fewer replicas than it has, that is so for those that are too many.
 */
export function decideReturnedCopy(request: ReturnedCopyRequest): ReturnedCopy {
  const { binding, cluster, removedAt, answersSince, isReplaced, othersAreWell, readyReplicas } = request;
  if (binding === undefined || binding.metadata.deletionTimestamp != null) return { verdict: "remove" };
  if (binding.spec.failover?.cluster?.purgeMode === "Directly") return { verdict: "remove" };
  // Times are whole seconds.
  if (removedAt > answersSince) return { verdict: "remove" };
  const { clusters = [] } = binding.spec;
  const target = clusters.find(({ name }) => name === cluster);
  if (target !== undefined) {
    if (target.replicas == null || target.replicas >= readyReplicas || othersAreWell) return { verdict: "keep" };
    return { verdict: "wait", reason: `the copy in ${cluster} is to have fewer replicas, but the others are not well` };
  }
  if (clusters.length > 0 && isReplaced) return { verdict: "remove" };
  return { verdict: "wait", reason: `what has replaced the copy in ${cluster} is not well, so that it stays` };
}
