// Writing a binding that leaves a cluster, and telling of it.
import type { ResourceBindingSpec } from "../../../api/work.ts";
import { rememberHome } from "../../scheduler/relocation/home-clusters.ts";
import { type AnyBinding, BINDING_API_VERSION } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import { subjectOf } from "../events.ts";
import { templateSubject } from "../scheduling/binding-writer.ts";

/** Writes the spec of a binding that leaves clusters, and where it was before. Throws what the server refuses. */
export async function writeEvicted(
  context: ControllerContext,
  binding: AnyBinding,
  spec: ResourceBindingSpec,
): Promise<void> {
  const { safeFailover } = context.profile;
  await writeSpec(context, binding, spec, rememberHome(binding, context.clock.now(), safeFailover?.failBackSeconds));
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
