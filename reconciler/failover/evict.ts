// Taking a binding off a cluster, so that its copy stays until there is another.

import type { GracefulEvictionTask, ResourceBindingSpec } from "../../api/work.ts";

export type PurgeMode = "Directly" | "Gracefully" | "Never";

export interface EvictionRequest {
  readonly cluster: string;
  readonly purgeMode: PurgeMode;
  /** Who asks. */
  readonly producer: string;
  /** Why, as one word in CamelCase. */
  readonly reason: string;
  readonly message?: string;
  readonly gracePeriodSeconds?: number;
  /** True: the copy stays until a person changes that. */
  readonly suppressDeletion?: boolean;
  readonly preservedLabelState?: Record<string, string>;
  readonly clustersBeforeFailover?: string[];
}

/**
 * The spec without the cluster, and with a task that keeps its copy for the time being; undefined when the cluster is no
 * target. The scheduler sees replicas missing, and puts them elsewhere: the task keeps it from choosing the cluster again.
 */
export function evictFromCluster(spec: ResourceBindingSpec, request: EvictionRequest): ResourceBindingSpec | undefined {
  const target = spec.clusters?.find((entry) => entry.name === request.cluster);
  if (target === undefined) return undefined;
  const clusters = (spec.clusters ?? []).filter((entry) => entry.name !== request.cluster);
  const tasks = spec.gracefulEvictionTasks ?? [];
  if (tasks.some((task) => task.fromCluster === request.cluster)) return { ...spec, clusters };
  const { cluster, ...rest } = request;
  const replicas = target.replicas ?? 0;
  const task: GracefulEvictionTask = { fromCluster: cluster, ...rest, ...(replicas > 0 ? { replicas } : {}) };
  return { ...spec, clusters, gracefulEvictionTasks: [...tasks, task] };
}
