// Writing a binding that leaves a cluster, and telling of it.
import type { ResourceBindingSpec } from "../../../api/work.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { type EvictionRequest, evictFromCluster } from "../../failover/evict.ts";
import { relocate } from "../../failover/relocate.ts";
import { decideScheduling } from "../../scheduler/decide-scheduling.ts";
import { rememberHome } from "../../scheduler/relocation/home-clusters.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { type BindingWriter, templateSubject } from "../scheduling/binding-writer.ts";

async function writeEvicted(context: ControllerContext, binding: AnyBinding, spec: ResourceBindingSpec): Promise<void> {
  await writeSpec(context, binding, spec, homeOf(context, binding));
}

/**
 * Evicts a binding from clusters. Beyond Karmada, with safe failover, it is placed anew in the same write, and clusters
 * that lose replicas by that keep theirs until the others serve. Throws what the server refuses.
 */
export async function evictBinding(
  context: ControllerContext,
  writer: BindingWriter,
  binding: AnyBinding,
  requests: readonly EvictionRequest[],
): Promise<void> {
  const spec = requests.reduce<ResourceBindingSpec>(
    (present, request) => evictFromCluster(present, request) ?? present,
    binding.spec,
  );
  if (context.profile.safeFailover !== undefined && (await placeAnew(context, writer, binding, spec))) return;
  await writeEvicted(context, binding, spec);
}

/** Answers false when the rest of the fleet has no place, or the server refuses what was chosen: nothing is written then. */
async function placeAnew(
  context: ControllerContext,
  writer: BindingWriter,
  binding: AnyBinding,
  spec: ResourceBindingSpec,
): Promise<boolean> {
  // The same kind with another spec of its type.
  const evicted = { ...binding, spec: withTimes(spec, rfc3339(context.clock.now())) } as AnyBinding;
  const relocation = await writer.relocate(
    binding,
    (fleet, now, options) => {
      const decision = decideScheduling(evicted, fleet, now, { ...options, quiet: false });
      const { occasion, reason, clusters = spec.clusters ?? [] } = decision;
      if (decision.verdict !== "scheduled" || occasion === undefined) return { verdict: "none", reason };
      return { verdict: "move", occasion, reason, input: evicted, decision, clusters, endsAtHome: false };
    },
    (move) => relocate(evicted, move, homeOf(context, binding)),
  );
  return relocation.verdict === "move";
}

/** Tasks begin with the write that makes them: one write less for each workload than if their time came later. */
function withTimes(spec: ResourceBindingSpec, creationTimestamp: string): ResourceBindingSpec {
  const gracefulEvictionTasks = (spec.gracefulEvictionTasks ?? []).map((task) => ({ creationTimestamp, ...task }));
  return { ...spec, gracefulEvictionTasks };
}

function homeOf(
  { profile, clock }: ControllerContext,
  binding: AnyBinding,
): Readonly<Record<string, string>> | undefined {
  return rememberHome(binding, clock.now(), profile.safeFailover?.failBackSeconds);
}

/** Writes another spec and adds annotations. Throws what the server refuses. */
export async function writeSpec(
  context: ControllerContext,
  binding: AnyBinding,
  spec: ResourceBindingSpec,
  added: Readonly<Record<string, string>> = {},
): Promise<void> {
  const annotations = { ...binding.metadata.annotations, ...added };
  // The same kind with another spec of its type.
  const changed = { ...binding, metadata: { ...binding.metadata, annotations }, spec } as AnyBinding;
  const stored = await context.client.update(changed, { fieldManager: "flaghoist-failover" });
  context.informers.of<AnyBinding>(BINDING_API_VERSION, binding.kind).adopt(stored);
}

/** Records Karmada's events about a copy that leaves a cluster, or failed to. */
export function tellEviction(
  context: ControllerContext,
  binding: AnyBinding,
  cluster: string,
  failure?: unknown,
): void {
  for (const subject of [subjectOf(binding), templateSubject(binding)]) {
    if (failure === undefined)
      context.events.record(
        subject,
        "Normal",
        "EvictWorkloadFromClusterSucceed",
        `Evict from cluster ${cluster} succeed.`,
      );
    else
      context.events.record(
        subject,
        "Warning",
        "EvictWorkloadFromClusterFailed",
        `Evict from cluster ${cluster} failed.`,
      );
  }
}
