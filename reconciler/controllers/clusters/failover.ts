// Moves workloads away from clusters that drive them out, and removes the old copies once the new ones are well.
import type { Cluster } from "../../../api/cluster.ts";
import type { GracefulEvictionTask } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { findCondition, isConditionTrue } from "../../../kube/conditions.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { evictFromCluster } from "../../failover/evict.ts";
import { decideEvictionTasks } from "../../failover/eviction-tasks.ts";
import { decideTaintEviction } from "../../failover/taint-eviction.ts";
import { rememberHome } from "../../scheduler/relocation/home-clusters.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { allBindings, bindingKey, findBinding } from "../scheduling/binding-key.ts";
import { type BindingWriter, templateSubject } from "../scheduling/binding-writer.ts";
import type { FleetState } from "../scheduling/fleet-state.ts";

export function startFailoverController(
  context: ControllerContext,
  fleet: FleetState,
  writer: BindingWriter,
): Controller {
  const { profile, clock, logger } = context;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const evictions = new WorkQueue({ name: "evictions", clock, logger, workers: 1, minBackoffMs: 200 }, evictStep);
  const tasks = new WorkQueue({ name: "eviction-tasks", clock, logger, workers: 4, minBackoffMs: 200 }, taskStep);
  let nextEvictionAt = 0;

  if (profile.failover) {
    fleet.subscribe(({ after }) => {
      if (after === undefined || !drivesOut(after)) return;
      for (const binding of allBindings(context)) {
        if (binding.spec.clusters?.some((target) => target.name === after.metadata.name) === true)
          evictions.add(bindingKey(binding));
      }
    });
    // A cluster that is lost may not change for long: bindings say themselves when they target one, as they do at a start.
    for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
      context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
        if (change.type === "deleted") return;
        if (change.type === "updated" && change.previous.metadata.generation === change.object.metadata.generation)
          return;
        const lost = (change.object.spec.clusters ?? []).some((target) => {
          const cluster = clusters.get(undefined, target.name);
          return cluster !== undefined && drivesOut(cluster);
        });
        if (lost) evictions.add(bindingKey(change.object));
      });
    }
  }
  fleet.subscribe(({ before, after }) => {
    if (before === undefined || after === undefined || !drivesOut(before) || drivesOut(after)) return;
    for (const binding of allBindings(context)) {
      if (binding.spec.gracefulEvictionTasks?.some((task) => task.fromCluster === after.metadata.name) === true)
        tasks.add(bindingKey(binding));
    }
  });
  for (const kind of ["ResourceBinding", "ClusterResourceBinding"]) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type !== "deleted" && (change.object.spec.gracefulEvictionTasks?.length ?? 0) > 0)
        tasks.add(bindingKey(change.object));
    });
  }

  async function evictStep(key: string): Promise<StepResult | undefined> {
    const binding = findBinding(context, key);
    if (binding === undefined) return undefined;
    const now = clock.now();
    let againAt = Number.POSITIVE_INFINITY;
    for (const target of binding.spec.clusters ?? []) {
      const cluster = clusters.get(undefined, target.name);
      if (cluster === undefined) continue;
      const decision = decideTaintEviction(binding, cluster, now);
      if (decision.verdict === "later") againAt = Math.min(againAt, decision.atMs);
      if (decision.verdict === "error") throw new Error(decision.reason);
      if (decision.verdict !== "evict") continue;
      if (now < nextEvictionAt) return { requeueAfterMs: nextEvictionAt - now };
      const spec = evictFromCluster(binding.spec, decision.request);
      if (spec === undefined) continue;
      nextEvictionAt = now + (profile.evictionRate > 0 ? 1_000 / profile.evictionRate : 1_800_000);
      return evict(binding, spec, target.name);
    }
    return againAt === Number.POSITIVE_INFINITY ? undefined : { requeueAfterMs: againAt - now };
  }

  async function evict(
    binding: AnyBinding,
    spec: AnyBinding["spec"],
    cluster: string,
  ): Promise<StepResult | undefined> {
    const subjects = [subjectOf(binding), templateSubject(binding)];
    try {
      await write(context, binding, spec, rememberHome(binding, clock.now()));
      for (const subject of subjects)
        context.events.record(
          subject,
          "Normal",
          "EvictWorkloadFromClusterSucceed",
          `Evict from cluster ${cluster} succeed.`,
        );
      logger.info("evicted workload", { binding: bindingKey(binding), cluster });
      // Another of its clusters may be lost too.
      return { requeueAfterMs: 0 };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (isConflict(error)) return { requeueAfterMs: 20 };
      for (const subject of subjects)
        context.events.record(
          subject,
          "Warning",
          "EvictWorkloadFromClusterFailed",
          `Evict from cluster ${cluster} failed: ${messageOf(error)}`,
        );
      throw error;
    }
  }

  async function taskStep(key: string): Promise<StepResult | undefined> {
    const binding = findBinding(context, key);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return undefined;
    if (profile.compatibility === "flaghoist" && (await takeBack(binding))) return undefined;
    // Differs from Karmada: a health report from before the move must not let the old copy go. Targets have to report
    // the replicas that they have now.
    const mayReplace = profile.compatibility !== "flaghoist" || isUpToStrength(binding);
    const decision = decideEvictionTasks(binding, clock.now(), profile.gracefulEvictionTimeoutMs, mayReplace);
    if (decision.tasks !== undefined) {
      try {
        const { gracefulEvictionTasks: _tasks, ...spec } = binding.spec;
        await write(
          context,
          binding,
          decision.tasks.length === 0 ? spec : { ...spec, gracefulEvictionTasks: [...decision.tasks] },
        );
        for (const { task, verdict, reason } of decision.verdicts) {
          if (verdict === "remove")
            logger.info("removed old copy", { binding: key, cluster: task.fromCluster, reason });
        }
      } catch (error) {
        if (isNotFound(error)) return undefined;
        if (isConflict(error)) return { requeueAfterMs: 20 };
        throw error;
      }
    }
    return decision.nextMs === undefined ? undefined : { requeueAfterMs: Math.max(1, decision.nextMs - clock.now()) };
  }

  /**
   * Differs from Karmada: a workload that found no other place may return to the cluster that drove it out, once that
   * has recovered. Its task would otherwise end in the removal of the only copy. The task goes and the cluster comes
   * back in one write, so that the copy is never without a reason to be there.
   */
  async function takeBack(binding: AnyBinding): Promise<boolean> {
    if (findCondition(binding.status?.conditions, "Scheduled")?.status !== "False") return false;
    const kept = (binding.spec.gracefulEvictionTasks ?? []).filter(
      (task) => !hasRecovered(task, clusters.get(undefined, task.fromCluster)),
    );
    if (kept.length === (binding.spec.gracefulEvictionTasks ?? []).length) return false;
    const { gracefulEvictionTasks: _tasks, ...rest } = binding.spec;
    const spec = kept.length === 0 ? rest : { ...rest, gracefulEvictionTasks: kept };
    try {
      // The same kind with fewer tasks.
      await writer.write(binding, { ...binding, spec } as AnyBinding);
      logger.info("took workload back", { binding: bindingKey(binding) });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return true;
  }

  return {
    stop: async () => {
      await Promise.all([evictions.stop(), tasks.stop()]);
    },
  };
}

async function write(
  context: ControllerContext,
  binding: AnyBinding,
  spec: AnyBinding["spec"],
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const metadata = { ...binding.metadata, annotations: { ...binding.metadata.annotations, ...annotations } };
  // The same kind with another spec of its type.
  const changed = { ...binding, metadata, spec } as AnyBinding;
  const stored = await context.client.update(changed, { fieldManager: "flaghoist-failover" });
  context.informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind).adopt(stored);
}

/** The cluster of an eviction by taints works again, and drives nothing out. */
function hasRecovered(task: GracefulEvictionTask, cluster: Cluster | undefined): boolean {
  if (task.producer !== "TaintManager" || cluster === undefined || drivesOut(cluster)) return false;
  return isConditionTrue(cluster.status?.conditions, "Ready");
}

function drivesOut(cluster: Cluster): boolean {
  return cluster.spec.taints?.some((taint) => taint.effect === "NoExecute") === true;
}

/** Kinds whose status says nothing of ready replicas while there are none. */
const COUNTED = /^apps\/\w+ (Deployment|ReplicaSet|StatefulSet)$/;

/** Every target that counts ready replicas has all of its own. Kinds that do not count are taken at their health. */
export function isUpToStrength(binding: AnyBinding): boolean {
  const { apiVersion, kind } = binding.spec.resource;
  const isCounted = COUNTED.test(`${apiVersion} ${kind}`);
  return (binding.spec.clusters ?? []).every((target) => {
    const item = binding.status?.aggregatedStatus?.find((entry) => entry.clusterName === target.name);
    const wanted = target.replicas ?? 0;
    if (item === undefined) return false;
    const ready = item.status?.["readyReplicas"];
    if (!isCounted && ready === undefined) return wanted === 0 || item.status !== undefined;
    return Number(ready ?? 0) >= wanted;
  });
}
