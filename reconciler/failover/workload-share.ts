// How much of one workload may be on the move at the same time.

import type { Binding } from "../scheduler/occasion.ts";

/**
 * Why the copy in `cluster` has to wait until others of its workload have found their new place; undefined when it may
 * leave. Replicas count, or whole copies where replicas are not divided. Only copies that may be up count: those in
 * clusters that answer, as `answers` says, and of which something is reported ready or nothing is known. One copy may always leave
 * when no other is leaving, so that everything can be moved in the end.
 */
export function whyTooMuchAtOnce(
  binding: Binding,
  cluster: string,
  share: number,
  answers: (cluster: string) => boolean,
): string | undefined {
  const { clusters = [], gracefulEvictionTasks = [] } = binding.spec;
  const target = clusters.find((entry) => entry.name === cluster);
  if (target === undefined || !mayBeUp(binding, cluster, answers)) return undefined;
  const leaving = gracefulEvictionTasks.filter(
    (task) => task.suppressDeletion !== true && mayBeUp(binding, task.fromCluster, answers),
  );
  if (leaving.length === 0) return undefined;
  const isCounted = [...clusters, ...gracefulEvictionTasks].some((entry) => (entry.replicas ?? 0) > 0);
  const sizeOf = (entry: { readonly replicas?: number | undefined }): number => (isCounted ? (entry.replicas ?? 0) : 1);
  const moving = leaving.reduce((sum, task) => sum + sizeOf(task), 0) + sizeOf(target);
  const all = Math.max(
    binding.spec.replicas ?? 0,
    [...clusters, ...leaving].reduce((sum, entry) => sum + sizeOf(entry), 0),
  );
  if (moving <= share * all) return undefined;
  const what = isCounted ? "replicas" : "copies";
  return `${moving} of ${all} ${what} would be leaving at once: those in ${leaving.map((task) => task.fromCluster).join(", ")} come first`;
}

/** Whether the copy may serve: its cluster answers, and does not say that nothing of it is ready. */
function mayBeUp({ status }: Binding, cluster: string, answers: (cluster: string) => boolean): boolean {
  if (!answers(cluster)) return false;
  const item = status?.aggregatedStatus?.find((entry) => entry.clusterName === cluster);
  const ready = item?.status?.["readyReplicas"];
  return !(item?.health === "Unhealthy" && (ready === undefined || ready === 0));
}
