// Takes back replicas that cannot run where they were put, so that the scheduler puts them elsewhere.
import type { ObjectReference, ResourceBinding } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { refOf } from "../../../kube/object.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { Turn } from "../../../runtime/turn.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import {
  canDeschedule,
  clustersShortOfReady,
  type DescheduleDecision,
  decideDescheduling,
} from "../../failover/deschedule.ts";
import { BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext, DeschedulerProfile } from "../context.ts";
import { subjectOf } from "../events.ts";
import { bindingKey } from "./binding-key.ts";
import { templateSubject } from "./binding-writer.ts";

/** Knows of the replicas that clusters find no place for. */
export interface UnschedulableReplicas {
  /**
   * Replicas of the workload in the cluster that have been unschedulable for longer than `thresholdMs`; undefined when
   * nobody can tell. May reject; what rejects counts as unknown.
   */
  unschedulable(
    cluster: string,
    workload: ObjectReference,
    thresholdMs: number,
    signal: AbortSignal,
  ): Promise<number | undefined>;
}

/** Bindings that are looked at at the same time, and clusters that are asked about one of them. */
const BINDINGS_AT_ONCE = 4;
const CLUSTERS_AT_ONCE = 8;

/** Looks at all bindings at once and again `intervalMs` after each round. As Karmada: only at those with a namespace. */
export function startDescheduler(
  context: ControllerContext,
  source: UnschedulableReplicas,
  { intervalMs, thresholdMs, timeoutMs }: DeschedulerProfile,
): Controller {
  const { client, clock, logger } = context;
  const bindings = context.informers.of<ResourceBinding>(BINDING_API_VERSION, "ResourceBinding");
  const queue = new WorkQueue(
    { name: "descheduler", clock, logger, workers: BINDINGS_AT_ONCE, minBackoffMs: 500 },
    look,
  );
  let timer: Timer | undefined;
  let isStopped = false;

  async function round(): Promise<void> {
    const turn = new Turn();
    for (const binding of bindings.all()) {
      if (turn.isOver) await turn.next();
      if (isStopped) return;
      if (clustersShortOfReady(binding).length > 0 && canDeschedule(binding)) queue.add(bindingKey(binding));
    }
    await queue.whenIdle();
    if (!isStopped) timer = clock.after(intervalMs, () => void round());
  }

  async function look(key: string, signal: AbortSignal): Promise<StepResult | undefined> {
    const [, namespace, name = ""] = key.split("/");
    const binding = bindings.get(namespace, name);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) return undefined;
    const clusters = clustersShortOfReady(binding);
    const counts = await mapLimit(clusters, CLUSTERS_AT_ONCE, (cluster) => ask(cluster, binding, signal));
    // What the clusters told is about this binding: one that changed meanwhile waits for the next round.
    if (bindings.get(namespace, name)?.metadata.generation !== binding.metadata.generation) return undefined;
    const byCluster = new Map(clusters.map((cluster, i) => [cluster, counts[i] ?? 0]));
    const decision = decideDescheduling(binding, (cluster) => byCluster.get(cluster) ?? 0);
    if (decision !== undefined) await write(binding, decision);
    return undefined;
  }

  async function ask(cluster: string, binding: ResourceBinding, signal: AbortSignal): Promise<number> {
    const late = new AbortController();
    const deadline = clock.after(timeoutMs, () => late.abort(new Error(`no answer within ${timeoutMs} ms`)));
    const either = AbortSignal.any([signal, late.signal]);
    const ended = new Promise<never>((_, reject) => {
      either.addEventListener("abort", () => reject(either.reason), { once: true });
    });
    try {
      // A source that does not listen to its signal must not hold up the round either.
      return (
        (await Promise.race([source.unschedulable(cluster, binding.spec.resource, thresholdMs, either), ended])) ?? 0
      );
    } catch (error) {
      if (signal.aborted) throw error;
      logger.debug("unschedulable replicas are unknown", {
        cluster,
        binding: bindingKey(binding),
        error: messageOf(error),
      });
      return 0;
    } finally {
      deadline.cancel();
    }
  }

  async function write(binding: ResourceBinding, { clusters, message }: DescheduleDecision): Promise<void> {
    const { resourceVersion } = binding.metadata;
    try {
      const patch = { metadata: { resourceVersion }, spec: { clusters } };
      const options = { fieldManager: "flaghoist-descheduler" };
      bindings.adopt(await client.patch<ResourceBinding>(refOf(binding), patch, "merge", options));
    } catch (error) {
      // Whoever wrote in between knows more; the next round sees it.
      if (isConflict(error) || isNotFound(error)) return;
      tell(binding, "Warning", "DescheduleBindingFailed", messageOf(error));
      throw error;
    }
    tell(binding, "Normal", "DescheduleBindingSucceed", message);
    logger.info("took replicas back", { binding: bindingKey(binding), message });
  }

  function tell(binding: ResourceBinding, type: "Normal" | "Warning", reason: string, message: string): void {
    for (const subject of [subjectOf(binding), templateSubject(binding)])
      context.events.record(subject, type, reason, message);
  }

  void round();
  return {
    stop: async () => {
      isStopped = true;
      timer?.cancel();
      await queue.stop();
    },
  };
}
