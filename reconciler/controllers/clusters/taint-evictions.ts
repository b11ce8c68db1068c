// Moves workloads away from clusters whose NoExecute taints they do not tolerate: what Karmada calls the taint manager.
import type { Cluster } from "../../../api/cluster.ts";
import type { AggregatedStatusItem } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import type { EvictionRequest } from "../../failover/evict.ts";
import { EvictionPace } from "../../failover/eviction-pace.ts";
import { decideTaintEviction } from "../../failover/taint-eviction.ts";
import { whyTooMuchAtOnce } from "../../failover/workload-share.ts";
import { APPLIED_PLACEMENT_ANNOTATION } from "../../scheduler/applied-placement.ts";
import { isReady } from "../../scheduler/fleet/cluster-wellness.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { BINDING_KINDS, bindingKey, findBinding } from "../scheduling/binding-key.ts";
import type { BindingWriter } from "../scheduling/binding-writer.ts";
import type { FleetState } from "../scheduling/fleet-state.ts";
import type { FailoverGuard } from "./blast-radius.ts";
import { evictBinding, tellEviction } from "./evicted-binding.ts";
import type { EvictionQueueName } from "./failover-metrics.ts";

/** As Karmada: so many for each kind of binding, each of which rests after what it did. */
const WORKERS = 3;
/** Where the guard limits how much is given up, nothing rests, and the writes of a turn are committed together. */
const SAFE_WORKERS = 64;
/** As Karmada: whatever a tainted cluster still has is looked at again this often, also what failed. */
const RECHECK_MS = 10_000;
/** Copies that wait for others of their workload are looked at again with every change of the binding, and now and then. */
const SHARE_RETRY_MS = 10_000;

export function startTaintEvictionController(
  context: ControllerContext,
  fleet: FleetState,
  writer: BindingWriter,
  guard: FailoverGuard | undefined,
): Controller {
  const { clock, logger, profile, failoverMetrics } = context;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const queues = {
    ResourceBinding: queueOf("binding-eviction"),
    ClusterResourceBinding: queueOf("cluster-binding-eviction"),
  };
  /** Keys that were queued and not carried out yet, by cluster. */
  const waiting = new Map<string, Set<string>>();
  const targeting = new TargetIndex(context, (binding, cluster, isNews) => {
    const tainted = clusters.get(undefined, cluster);
    if (isNews && tainted !== undefined && drivesOut(tainted)) add(cluster, bindingKey(binding));
  });
  failoverMetrics.watchQueues(
    () => [
      ["binding-eviction", queues.ResourceBinding.depth],
      ["cluster-binding-eviction", queues.ClusterResourceBinding.depth],
    ],
    () =>
      [...waiting].flatMap(([cluster, keys]) =>
        BINDING_KINDS.map((kind) => ({
          cluster,
          kind,
          count: [...keys].filter((key) => key.startsWith(`${kind}/`)).length,
        })),
      ),
  );
  fleet.subscribe(({ before, after }) => {
    if (after === undefined || !drivesOut(after)) return;
    if (before !== undefined && equalJson(before.spec.taints ?? [], after.spec.taints ?? [])) return;
    addAll(after.metadata.name ?? "");
  });
  guard?.onRelease(addAll);
  // Where nothing rests between evictions, everything else may wait for them.
  if (profile.safeFailover !== undefined)
    for (const queue of Object.values(queues)) context.urgent.watch(() => queue.depth);

  const evictionOptions = {
    purgeMode: profile.evictionPurgeMode,
    statefulInjection: profile.featureGates.StatefulFailoverInjection,
  };

  function queueOf(name: EvictionQueueName): WorkQueue {
    const isSafe = profile.safeFailover !== undefined;
    const pace = new EvictionPace(profile.evictionRate, isSafe ? undefined : profile.evictionLimiter);
    const queue: WorkQueue = new WorkQueue(
      { name, clock, logger, workers: isSafe ? SAFE_WORKERS : WORKERS, minBackoffMs: 200 },
      async (key, signal) => {
        const started = performance.now();
        try {
          const result = await step(key);
          failoverMetrics.processed(name, false, (performance.now() - started) / 1000);
          pace.succeeded(key);
          // As Karmada: also when there was nothing to do.
          await rest(pace, signal);
          return result;
        } catch (error) {
          if (signal.aborted) throw error;
          failoverMetrics.processed(name, true, (performance.now() - started) / 1000);
          if (isSafe) throw error;
          const requeueAfterMs = Math.min(RECHECK_MS, pace.retryAfterMs(key, clock.now()));
          logger.warn("eviction failed", { queue: name, key, error: messageOf(error), requeueAfterMs });
          return { requeueAfterMs };
        }
      },
    );
    return queue;
  }

  async function rest(pace: EvictionPace, signal: AbortSignal): Promise<void> {
    const ms = pace.restMs(clock.now());
    if (ms > 0) await sleep(clock, ms, signal);
    pace.rested();
  }

  function addAll(cluster: string): void {
    for (const key of targeting.of(cluster)) add(cluster, key);
  }

  function add(cluster: string, key: string): void {
    const keys = waiting.get(cluster) ?? new Set();
    waiting.set(cluster, keys.add(key));
    queues[key.startsWith("Cluster") ? "ClusterResourceBinding" : "ResourceBinding"].add(`${key}@${cluster}`);
  }

  function done(cluster: string, key: string): undefined {
    const keys = waiting.get(cluster);
    keys?.delete(key);
    if (keys?.size === 0) waiting.delete(cluster);
    return undefined;
  }

  /** The key is `KIND/NAMESPACE/NAME@CLUSTER`. */
  async function step(entry: string): Promise<StepResult | undefined> {
    const [key = "", clusterName = ""] = entry.split("@");
    const binding = findBinding(context, key);
    const cluster = clusters.get(undefined, clusterName);
    if (binding === undefined || cluster === undefined) return done(clusterName, key);
    const now = clock.now();
    const decision = decideTaintEviction(binding, cluster, now, evictionOptions);
    switch (decision.verdict) {
      case "stay":
        return done(clusterName, key);
      case "later":
        return { requeueAfterMs: decision.atMs - now };
      case "error":
        throw new AppError("eviction-undecided", decision.reason, { recovery: "retry" });
      case "evict":
    }
    // What is held comes back with its release.
    if (guard?.holdOf(clusterName) !== undefined) return undefined;
    const tooMuch =
      profile.safeFailover && whyTooMuchAtOnce(binding, clusterName, profile.safeFailover.workloadShare, answers);
    if (tooMuch !== undefined) {
      logger.debug("postponed eviction", { binding: key, cluster: clusterName, reason: tooMuch });
      return { requeueAfterMs: SHARE_RETRY_MS };
    }
    const requests = [decision.request, ...(profile.safeFailover === undefined ? [] : lostWith(binding, clusterName))];
    try {
      await evictBinding(context, writer, binding, requests);
    } catch (error) {
      if (isNotFound(error)) return done(clusterName, key);
      if (isConflict(error)) return { requeueAfterMs: 20 };
      for (const request of requests) tellEviction(context, binding, request.cluster, error);
      throw error;
    }
    for (const request of requests) {
      tellEviction(context, binding, request.cluster);
      logger.info("evicted workload", { binding: key, cluster: request.cluster });
      done(request.cluster, key);
    }
    return undefined;
  }

  /**
   * The evictions that are due from clusters that were lost, too. Left one by one, a workload would be placed on those that
   * are next.
   */
  function lostWith(binding: AnyBinding, clusterName: string): EvictionRequest[] {
    return targetsOf(binding).flatMap((name) => {
      const cluster = clusters.get(undefined, name);
      if (name === clusterName || cluster === undefined || answers(name)) return [];
      const decision = decideTaintEviction(binding, cluster, clock.now(), evictionOptions);
      return decision.verdict === "evict" && guard?.holdOf(name) === undefined ? [decision.request] : [];
    });
  }

  function answers(name: string): boolean {
    const cluster = clusters.get(undefined, name);
    return cluster !== undefined && isReady(cluster);
  }

  return {
    stop: async () => {
      await Promise.all([queues.ResourceBinding.stop(), queues.ClusterResourceBinding.stop()]);
    },
  };
}

/** Which bindings target a cluster, and what is news about them. */
class TargetIndex {
  readonly #byCluster = new Map<string, Set<string>>();

  constructor(context: ControllerContext, listener: (binding: AnyBinding, cluster: string, isNews: boolean) => void) {
    for (const kind of BINDING_KINDS) {
      context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
        const key = bindingKey(change.object);
        const before = change.type === "updated" ? change.previous : undefined;
        if (change.type !== "added") for (const name of targetsOf(before ?? change.object)) this.#remove(name, key);
        if (change.type === "deleted") return;
        // Another scheduler writes the placement that it applied some time after the spec.
        const isNews =
          before === undefined ||
          before.metadata.generation !== change.object.metadata.generation ||
          appliedOf(before) !== appliedOf(change.object) ||
          statusOf(before) !== statusOf(change.object);
        for (const name of targetsOf(change.object)) {
          const keys = this.#byCluster.get(name) ?? new Set();
          this.#byCluster.set(name, keys.add(key));
          listener(change.object, name, isNews);
        }
      });
    }
  }

  of(cluster: string): readonly string[] {
    return [...(this.#byCluster.get(cluster) ?? [])];
  }

  #remove(cluster: string, key: string): void {
    const keys = this.#byCluster.get(cluster);
    keys?.delete(key);
    if (keys?.size === 0) this.#byCluster.delete(cluster);
  }
}

function targetsOf(binding: AnyBinding): readonly string[] {
  return (binding.spec.clusters ?? []).map((target) => target.name);
}

function appliedOf(binding: AnyBinding): string | undefined {
  return binding.metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION];
}

function statusOf(binding: AnyBinding): readonly AggregatedStatusItem[] | undefined {
  return binding.status?.aggregatedStatus;
}

export function drivesOut(cluster: Cluster): boolean {
  return cluster.spec.taints?.some((taint) => taint.effect === "NoExecute") === true;
}
