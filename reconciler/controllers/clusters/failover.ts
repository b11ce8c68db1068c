// Moves workloads away from clusters that drive them out, and removes the old copies once the new ones are well.
import type { Cluster } from "../../../api/cluster.ts";
import type { GracefulEvictionTask } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { findCondition } from "../../../kube/conditions.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { decideEvictionTasks, isReplaced } from "../../failover/eviction-tasks.ts";
import { TAINT_MANAGER } from "../../failover/taint-eviction.ts";
import { takeBackTo } from "../../failover/take-back.ts";
import { strategyOf } from "../../scheduler/division/assign.ts";
import { isReady } from "../../scheduler/fleet/cluster-wellness.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { BINDING_KINDS, bindingKey, findBinding } from "../scheduling/binding-key.ts";
import type { BindingWriter } from "../scheduling/binding-writer.ts";
import type { FleetState } from "../scheduling/fleet-state.ts";
import type { WorkIndex } from "../works/work-index.ts";
import { watchAwaiting } from "./awaiting-bindings.ts";
import type { FailoverGuard } from "./blast-radius.ts";
import { tellEviction, writeSpec } from "./evicted-binding.ts";
import { drivesOut, startTaintEvictionController } from "./taint-evictions.ts";

/**
 * `guard` says which clusters nothing may be moved away from; absent: nobody does. `works` says what copies report at this
 * moment; absent: what bindings say of them is believed.
 */
export function startFailoverController(
  context: ControllerContext,
  fleet: FleetState,
  writer: BindingWriter,
  { guard, works }: { readonly guard?: FailoverGuard | undefined; readonly works?: WorkIndex } = {},
): Controller {
  const { profile, clock, logger } = context;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const evictions = profile.failover ? startTaintEvictionController(context, fleet, writer, guard) : undefined;
  const tasks = new WorkQueue({ name: "eviction-tasks", clock, logger, workers: 4, minBackoffMs: 200 }, taskStep);
  const isOurs = profile.compatibility === "flaghoist";

  watchAwaiting(context, fleet, hasTasks, (key) => tasks.add(key));
  for (const kind of BINDING_KINDS) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      if (change.type !== "deleted" && hasTasks(change.object)) tasks.add(bindingKey(change.object));
    });
  }

  async function taskStep(key: string): Promise<StepResult | undefined> {
    const binding = findBinding(context, key);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return undefined;
    if (isOurs && (await takeBack(binding))) return undefined;
    const { gracefulEvictionTimeoutMs: timeoutMs, safeFailover } = profile;
    const reported = presently(binding);
    const decision = decideEvictionTasks(reported, clock.now(), {
      timeoutMs,
      mayReplace: maySucceed(reported),
      ...(safeFailover === undefined ? {} : { mustKeep: (task: GracefulEvictionTask) => whyKept(binding, task) }),
    });
    if (decision.tasks !== undefined) {
      try {
        const { gracefulEvictionTasks: _tasks, ...spec } = binding.spec;
        const kept = decision.tasks.length === 0 ? spec : { ...spec, gracefulEvictionTasks: [...decision.tasks] };
        await writeSpec(context, binding, kept);
        for (const { task, verdict, reason } of decision.verdicts) {
          if (verdict !== "remove") continue;
          tellEviction(context, binding, task.fromCluster);
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

  /** As Karmada, what the binding says is believed where we are to be the same. */
  function presently(binding: AnyBinding): AnyBinding {
    return isOurs ? (works?.withPresentReports(binding) ?? binding) : binding;
  }

  /**
   * Differs from Karmada: a health report from before the move must not let the old copy go. Targets have to report the
   * replicas that they have now; with the guard, those that do not answer report nothing.
   */
  function maySucceed(binding: AnyBinding): boolean {
    if (!isOurs) return true;
    if (profile.safeFailover !== undefined && !(binding.spec.clusters ?? []).every(({ name }) => answers(name)))
      return false;
    return isUpToStrength(binding);
  }

  /** Why the copy stays although its time is over, or others are well; undefined when it need not. */
  function whyKept(binding: AnyBinding, task: GracefulEvictionTask): ReturnType<KeepRule> {
    if (task.producer !== TAINT_MANAGER || task.purgeMode === "Directly") return undefined;
    const cluster = clusters.get(undefined, task.fromCluster);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return undefined;
    // Nobody can remove it before the cluster is back. Then it goes on as it is where it is to run there anyway; and an
    // agent knows nothing of what has become of the others meanwhile.
    const isHeldBack = !isDivided(binding) || cluster.spec.syncMode === "Pull";
    if (isHeldBack && !isReady(cluster)) return { until: "returned", reason: "its cluster does not answer" };
    return { until: "replaced", reason: "nothing has replaced it" };
  }

  /**
   * Differs from Karmada: a workload may return to the cluster that drove it out, once that has recovered, if it found no
   * other place, or is to run there beside the others. Its task would otherwise end in the removal of a copy that serves.
   * The task goes and the cluster comes back in one write, so that the copy is never without a reason to be there.
   */
  async function takeBack(binding: AnyBinding): Promise<boolean> {
    const isStranded = findCondition(binding.status?.conditions, "Scheduled")?.status === "False";
    if (!isStranded && !(profile.safeFailover !== undefined && runsBeside(binding))) return false;
    const ended = (binding.spec.gracefulEvictionTasks ?? []).filter((task) =>
      hasRecovered(task, clusters.get(undefined, task.fromCluster)),
    );
    if (ended.length === 0) return false;
    const spec = takeBackTo(binding.spec, ended);
    try {
      // The same kind with fewer tasks.
      await writer.write(binding, { ...binding, spec } as AnyBinding);
      logger.info("took workload back", { binding: bindingKey(binding) });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return true;
  }

  /** Whether the copy that left runs beside the others: it goes everywhere, or the others are well without it. */
  function runsBeside(binding: AnyBinding): boolean {
    if (isDivided(binding)) return false;
    const isLimited = (binding.spec.placement?.spreadConstraints?.length ?? 0) > 0;
    const reported = presently(binding);
    return !isLimited || (isReplaced(reported) && maySucceed(reported));
  }

  function answers(name: string): boolean {
    const cluster = clusters.get(undefined, name);
    return cluster !== undefined && isReady(cluster);
  }

  return {
    stop: async () => {
      await Promise.all([evictions?.stop(), tasks.stop()]);
    },
  };
}

type KeepRule = NonNullable<NonNullable<Parameters<typeof decideEvictionTasks>[2]>["mustKeep"]>;

function hasTasks({ spec }: AnyBinding): boolean {
  return (spec.gracefulEvictionTasks?.length ?? 0) > 0;
}

function isDivided({ spec }: AnyBinding): boolean {
  const strategy = spec.placement == null ? undefined : strategyOf(spec.placement);
  return (spec.replicas ?? 0) > 0 && strategy !== undefined && strategy !== "Duplicated";
}

/** The cluster answers, and drives nothing out. */
function isWell(cluster: Cluster): boolean {
  return isReady(cluster) && !drivesOut(cluster);
}

/** The cluster of an eviction by taints works again. */
function hasRecovered(task: GracefulEvictionTask, cluster: Cluster | undefined): boolean {
  return task.producer === TAINT_MANAGER && cluster !== undefined && isWell(cluster);
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
