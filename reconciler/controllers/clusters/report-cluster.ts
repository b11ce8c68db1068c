// An agent's account of its own cluster: status and Lease.
import type { Cluster } from "../../../api/cluster.ts";
import type { ProbeMemory } from "../../../fleets/cluster-health.ts";
import type { Fleet } from "../../../fleets/fleet.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { startClusterLease } from "./cluster-lease.ts";
import { CLUSTER_API } from "./cluster-object.ts";
import { observeCluster } from "./observe-cluster.ts";
import { CLUSTER_FINALIZER } from "./remove-cluster.ts";

/**
 * Looks at the cluster at the interval of the profile, once the control plane has taken its object up. The Lease begins
 * with the first healthy look, as Karmada's.
 */
export function startClusterReport(context: ControllerContext, fleet: Fleet, name: string): Controller {
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  let memory: ProbeMemory | undefined;
  let lease: Controller | undefined;
  const queue = new WorkQueue(
    { name: "cluster", clock: context.clock, logger: context.logger, workers: 1, maxBackoffMs: 10_000 },
    step,
  );
  clusters.subscribe((change) => {
    if (change.object.metadata.name !== name) return;
    if (change.type === "deleted") context.logger.warn("the cluster was taken out of the fleet", { cluster: name });
    const isStatusOnly =
      change.type === "updated" && change.object.metadata.generation === change.previous.metadata.generation;
    const wasCalledSilent = change.object.status?.conditions?.some(({ reason }) => reason === "ClusterStatusUnknown");
    if (!isStatusOnly || wasCalledSilent === true) queue.add(name);
  });

  async function step(_key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const cluster = clusters.get(undefined, name);
    if (cluster === undefined || !(cluster.metadata.finalizers ?? []).includes(CLUSTER_FINALIZER)) {
      memory = undefined;
      await lease?.stop();
      lease = undefined;
      // The finalizer comes without a new generation.
      return cluster === undefined ? undefined : { requeueAfterMs: Math.min(1_000, interval()) };
    }
    const seen = await observeCluster(context, fleet, cluster, memory, signal);
    memory = seen.memory;
    if (seen.isHealthy) lease ??= startClusterLease(context, name);
    return { requeueAfterMs: Math.min(interval(), seen.publishInMs ?? interval()) };
  }

  function interval(): number {
    return context.profile.clusterStatusIntervalMs;
  }

  return {
    stop: async () => {
      await queue.stop();
      await lease?.stop();
    },
  };
}
