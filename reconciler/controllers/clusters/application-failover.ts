// Moves applications away from clusters where they stay unhealthy, as spec.failover.application of their policy says.
import type { ResourceBindingSpec } from "../../../api/work.ts";
import { isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { gvkOf } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { decideApplicationFailover, type UnhealthySince } from "../../failover/application-failover.ts";
import { evictFromCluster } from "../../failover/evict.ts";
import { preserveState } from "../../failover/preserve-state.ts";
import { rememberHome } from "../../scheduler/relocation/home-clusters.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { concernedBindings, type Interpretation } from "../interpretation/interpretation.ts";
import { BINDING_KINDS, bindingKey, findBinding } from "../scheduling/binding-key.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";

const NOTHING: UnhealthySince = new Map();

export function startApplicationFailoverController(
  context: ControllerContext,
  interpretation: Interpretation,
): Controller {
  const { client, clock, logger, events, profile } = context;
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
      ...(profile.featureGates.StatefulFailoverInjection
        ? { preservedLabels: (cluster: string) => preservedLabelsOf(binding, cluster) }
        : {}),
    });
    if (decision.unhealthySince.size === 0) unhealthy.delete(key);
    else unhealthy.set(key, decision.unhealthySince);
    const evicted = decision.evictions.reduce<ResourceBindingSpec>(
      (spec, request) => evictFromCluster(spec, request) ?? spec,
      binding.spec,
    );
    if (evicted !== binding.spec) {
      const names = decision.evictions.map((request) => request.cluster);
      try {
        await write(binding, evicted);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        if (isConflict(error)) return { requeueAfterMs: 20 };
        for (const name of names) tell(binding, "Warning", `Evict from cluster ${name} failed: ${messageOf(error)}`);
        throw error;
      }
      for (const name of names) tell(binding, "Normal", `Evict from cluster ${name} succeed.`);
      logger.info("moved unhealthy application", { binding: key, clusters: names.join(", ") });
    }
    return decision.nextMs === undefined ? undefined : { requeueAfterMs: Math.max(1, decision.nextMs - now) };
  }

  /** The clusters are left in one write, so that the scheduler sees all of what it has to place elsewhere. */
  async function write(binding: AnyBinding, spec: ResourceBindingSpec): Promise<void> {
    const annotations = { ...binding.metadata.annotations, ...rememberHome(binding, clock.now()) };
    // The same kind with another spec of its type.
    const changed = { ...binding, metadata: { ...binding.metadata, annotations }, spec } as AnyBinding;
    const stored = await client.update(changed, { fieldManager: "flaghoist-failover" });
    context.informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind).adopt(stored);
  }

  function tell(binding: AnyBinding, type: "Normal" | "Warning", message: string): void {
    const reason = type === "Normal" ? "EvictWorkloadFromClusterSucceed" : "EvictWorkloadFromClusterFailed";
    for (const subject of [subjectOf(binding), templateSubject(binding)]) events.record(subject, type, reason, message);
  }

  return { stop: () => queue.stop() };
}

function preservedLabelsOf(binding: AnyBinding, cluster: string): Record<string, string> | undefined {
  const preservation = binding.spec.failover?.application?.statePreservation;
  if (preservation == null) return undefined;
  const item = binding.status?.aggregatedStatus?.find((entry) => entry.clusterName === cluster);
  return preserveState(preservation, item);
}
