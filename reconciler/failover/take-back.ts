// A workload that found no other place returns to the clusters that it left.

import type { GracefulEvictionTask, ResourceBindingSpec } from "../../api/work.ts";

/**
 * The spec without the tasks `ended`, whose clusters get back the replicas that they had, as far as so many are still
 * missing. What is missing beyond that, or has no number of replicas, is for the scheduler.
 */
export function takeBackTo(spec: ResourceBindingSpec, ended: readonly GracefulEvictionTask[]): ResourceBindingSpec {
  const { gracefulEvictionTasks = [], ...rest } = spec;
  const kept = gracefulEvictionTasks.filter((task) => !ended.includes(task));
  const clusters = [...(spec.clusters ?? [])];
  let missing = (spec.replicas ?? 0) - clusters.reduce((sum, { replicas = 0 }) => sum + replicas, 0);
  for (const { fromCluster: name, replicas = 0 } of ended) {
    const returning = Math.min(replicas, missing);
    if (returning <= 0 || clusters.some((target) => target.name === name)) continue;
    clusters.push({ name, replicas: returning });
    missing -= returning;
  }
  return {
    ...rest,
    ...(clusters.length === 0 ? {} : { clusters }),
    ...(kept.length === 0 ? {} : { gracefulEvictionTasks: kept }),
  };
}
