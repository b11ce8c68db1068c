// How many replicas of a workload found no node in a cluster, for those who would place them elsewhere.

/** A workload as its binding names it. */
export interface WorkloadRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface UnschedulableSource {
  /**
   * Replicas of `workload` in `cluster` whose pods the scheduler there could not place for longer than `thresholdMs`;
   * undefined when nobody knows: no estimator for that cluster, not heard from yet, an answer that did not come in time,
   * or a kind that it does not count (as Karmada's: Deployments only). Rejects only when `signal` aborts.
   */
  unschedulable(
    cluster: string,
    workload: WorkloadRef,
    thresholdMs: number,
    signal: AbortSignal,
  ): Promise<number | undefined>;
}
