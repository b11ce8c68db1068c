// Moves applications away from clusters where they stay unhealthy, as spec.failover.application of their policy says.
import type { Cluster } from "../../../api/cluster.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { gvkOf } from "../../../kube/object.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { decideApplicationFailover, type UnhealthySince } from "../../failover/application-failover.ts";
import { preserveState } from "../../failover/preserve-state.ts";
import { whyTooMuchAtOnce } from "../../failover/workload-share.ts";
import { isReady } from "../../scheduler/fleet/cluster-wellness.ts";
import type { Binding } from "../../scheduler/occasion.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { concernedBindings, type Interpretation } from "../interpretation/interpretation.ts";
import { BINDING_KINDS, bindingKey, findBinding } from "../scheduling/binding-key.ts";
import type { BindingWriter } from "../scheduling/binding-writer.ts";
import { evictBinding, tellEviction } from "./evicted-binding.ts";

const NOTHING: UnhealthySince = new Map();

export function startApplicationFailoverController(
  context: ControllerContext,
  interpretation: Interpretation,
  writer: BindingWriter,
): Controller {
  const { clock, logger, profile } = context;
  const clusters = context.informers.of<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
  const queue = new WorkQueue({ name: "application-failover", clock, logger, workers: 4, minBackoffMs: 200 }, step);
  /** By key. As Karmada: in memory, so that a restart begins anew. */
  const unhealthy = new Map<string, UnhealthySince>();
  for (const kind of BINDING_KINDS) {
    context.informers.of<AnyBinding>(BINDING_API_VERSION, kind).subscribe((change) => {
      const key = bindingKey(change.object);
      if (change.type === "deleted") unhealthy.delete(key);
      else if (change.object.spec.failover?.application != null || unhealthy.has(key)) queue.add(key);
    });
  }

  interpretation.subscribe((change) => {
    for (const binding of concernedBindings(context, change, ["InterpretHealth"]))
      if (binding.spec.failover?.application != null) queue.add(bindingKey(binding));
  });

  async function step(key: string): Promise<StepResult | undefined> {
    const binding = findBinding(context, key);
    if (binding === undefined || binding.metadata.deletionTimestamp !== undefined) {
      unhealthy.delete(key);
      return undefined;
    }
    const now = clock.now();
    const decision = decideApplicationFailover(binding, unhealthy.get(key) ?? NOTHING, now, {
      healthIsInterpreted: interpretation.hookEnabled(gvkOf(binding.spec.resource), "InterpretHealth"),
      gracefulEviction: profile.featureGates.GracefulEviction,
      ...(profile.safeFailover === undefined ? {} : { mustWait }),
      ...(profile.featureGates.StatefulFailoverInjection
        ? { preservedLabels: (cluster: string) => preservedLabelsOf(binding, cluster) }
        : {}),
    });
    if (decision.unhealthySince.size === 0) unhealthy.delete(key);
    else unhealthy.set(key, decision.unhealthySince);
    if (decision.failure !== undefined) throw decision.failure;
    if (decision.evictions.length > 0) {
      // The clusters are left in one write, so that the scheduler sees all of what it has to place elsewhere.
      const names = decision.evictions.map((request) => request.cluster);
      try {
        await evictBinding(context, writer, binding, decision.evictions);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        if (isConflict(error)) return { requeueAfterMs: 20 };
        for (const name of names) tellEviction(context, binding, name, error);
        throw error;
      }
      for (const name of names) tellEviction(context, binding, name);
      logger.info("moved unhealthy application", { binding: key, clusters: names.join(", ") });
    }
    return decision.nextMs === undefined ? undefined : { requeueAfterMs: Math.max(1, decision.nextMs - now) };
  }

  /** What fails everywhere is not helped by leaving everywhere: most of a workload stays until the rest has a place. */
  function mustWait(binding: Binding, cluster: string): string | undefined {
    const share = profile.safeFailover?.workloadShare ?? 1;
    return whyTooMuchAtOnce(binding, cluster, share, (name) => {
      const known = clusters.get(undefined, name);
      return known !== undefined && isReady(known);
    });
  }

  return { stop: () => queue.stop() };
}

function preservedLabelsOf(binding: AnyBinding, cluster: string): Record<string, string> | undefined {
  const preservation = binding.spec.failover?.application?.statePreservation;
  if (preservation == null || preservation.rules.length === 0) return undefined;
  const item = binding.status?.aggregatedStatus?.find((entry) => entry.clusterName === cluster);
  return preserveState(preservation, item);
}
