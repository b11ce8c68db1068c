// Clusters that report for themselves (Pull) are Unknown when they have been silent too long.
import type { Cluster } from "../../../api/cluster.ts";
import { afterWriting, decideLiveness, type LivenessMemory } from "../../../fleets/cluster-liveness.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { setCondition } from "../../../kube/conditions.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type Controller, type ControllerContext, LEASE_NAMESPACE } from "../context.ts";
import { CLUSTER_API, findReady, isPull, refOfCluster } from "./cluster-object.ts";

export const LEASE_KIND = ["coordination.k8s.io/v1", "Lease"] as const;

/** Looks at all of them every `clusterMonitorPeriodMs`. */
export function startLeaseMonitor(context: ControllerContext): Controller {
  const { clock, logger, profile } = context;
  const clusters = context.informers.of<Cluster>(CLUSTER_API, "Cluster");
  const leases = context.informers.of(...LEASE_KIND);
  const abort = new AbortController();
  let memories = new Map<string, LivenessMemory>();

  async function look(): Promise<void> {
    const next = new Map<string, LivenessMemory>();
    for (const cluster of clusters.all()) {
      if (!isPull(cluster)) continue;
      const name = cluster.metadata.name ?? "";
      next.set(name, await lookAt(cluster, leases.get(LEASE_NAMESPACE, name), memories.get(name)));
    }
    memories = next;
  }

  async function lookAt(
    cluster: Cluster,
    lease: KubeObject | undefined,
    memory: LivenessMemory | undefined,
  ): Promise<LivenessMemory> {
    const { name = "", creationTimestamp } = cluster.metadata;
    const signs = {
      ready: findReady(cluster),
      renewTime: renewTimeOf(lease),
      createdAt: Date.parse(creationTimestamp ?? ""),
    };
    const decision = decideLiveness(signs, memory, profile.clusterLiveness, clock.now());
    const { condition } = decision;
    if (condition === undefined) return decision.memory;
    try {
      await writeReady(context, cluster, condition);
    } catch (error) {
      if (isNotFound(error)) return decision.memory;
      // Somebody else wrote it, perhaps its agent: the next look tells.
      if (!isConflict(error))
        logger.warn("failed to write a cluster's silence", { cluster: name, error: messageOf(error) });
      return decision.memory;
    }
    const { status: ready, reason } = condition;
    logger.info("cluster changed readiness", { cluster: name, ready, reason });
    return afterWriting(decision);
  }

  async function run(): Promise<void> {
    let lookedAt = clock.now();
    while (!abort.signal.aborted) {
      await sleep(clock, profile.clusterMonitorPeriodMs, abort.signal);
      // Whoever was away, or cannot hear, must not call others silent: they get a new grace.
      const wasAway = clock.now() - lookedAt > profile.clusterMonitorPeriodMs + profile.clusterLiveness.graceMs / 2;
      const isDeaf = clusters.failure !== undefined || leases.failure !== undefined;
      if (wasAway || isDeaf) memories = new Map([...memories].map(([name, memory]) => [name, heardNow(memory)]));
      lookedAt = clock.now();
      if (!isDeaf) await look();
    }
  }

  function heardNow(memory: LivenessMemory): LivenessMemory {
    return { ...memory, heardAt: clock.now() };
  }

  const running = run().catch((error: unknown) => {
    if (!abort.signal.aborted) logger.error("the lease monitor ended", { error: messageOf(error) });
  });
  return {
    stop: async () => {
      abort.abort(new AppError("stopped", "the lease monitor was stopped", { recovery: "retry" }));
      await running;
    },
  };
}

function renewTimeOf(lease: KubeObject | undefined): string | undefined {
  const spec = lease?.["spec"];
  const time = isObject(spec) ? spec["renewTime"] : undefined;
  return typeof time === "string" ? time : undefined;
}

async function writeReady(
  context: ControllerContext,
  cluster: Cluster,
  condition: NonNullable<ReturnType<typeof findReady>>,
): Promise<void> {
  const { name = "", resourceVersion } = cluster.metadata;
  const conditions = setCondition(cluster.status?.conditions ?? [], condition);
  // Of the version that was looked at: its agent may be writing just now.
  const patch = { metadata: { resourceVersion }, status: { conditions } };
  const written = await context.client.patch<Cluster>(refOfCluster(name), patch, "merge", { subresource: "status" });
  context.informers.of<Cluster>(CLUSTER_API, "Cluster").adopt(written);
}
