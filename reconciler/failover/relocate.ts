// Carrying out a move that nobody asked for by hand, so that no replica that serves goes before its successor does.

import type { GracefulEvictionTask, ResourceBindingSpec, TargetCluster } from "../../api/work.ts";
import type { Binding } from "../scheduler/occasion.ts";
import { withHeldReplicas } from "../scheduler/relocation/held-replicas.ts";
import { HOME_CLUSTERS_ANNOTATION } from "../scheduler/relocation/home-clusters.ts";
import { type Move, RELOCATION_PRODUCER } from "../scheduler/relocation/relocation.ts";
import { HELD_REPLICAS_ANNOTATION } from "../works/metadata-keys.ts";
import { type EvictionRequest, evictFromCluster } from "./evict.ts";

/**
 * The binding as it is to be written for `move`. Clusters that are left get a task that keeps their copy; those that only
 * lose replicas keep what they have until `releaseRelocated` lets it go. `remembered` are annotations to add.
 */
export function relocate(
  binding: Binding,
  move: Move,
  remembered: Readonly<Record<string, string>> | undefined,
): Binding {
  const after = new Map(move.clusters.map((target) => [target.name, target]));
  let spec: ResourceBindingSpec = binding.spec;
  for (const { name } of binding.spec.clusters ?? []) {
    if (after.has(name)) continue;
    spec = evictFromCluster(spec, { cluster: name, ...leaveOf(binding, move) }) ?? spec;
  }
  const {
    [HELD_REPLICAS_ANNOTATION]: _held,
    [HOME_CLUSTERS_ANNOTATION]: home,
    ...others
  } = binding.metadata.annotations ?? {};
  const held = heldBack(binding, after);
  const annotations = {
    ...others,
    ...(home === undefined || move.endsAtHome ? {} : { [HOME_CLUSTERS_ANNOTATION]: home }),
    ...remembered,
    ...(held === undefined ? {} : { [HELD_REPLICAS_ANNOTATION]: JSON.stringify(held) }),
  };
  // The same kind with other values of its fields.
  return {
    ...binding,
    metadata: { ...binding.metadata, annotations },
    spec: { ...spec, clusters: [...move.clusters] },
  } as Binding;
}

function leaveOf({ spec }: Binding, { occasion, reason }: Move): Omit<EvictionRequest, "cluster"> {
  const wanted = spec.failover?.cluster?.purgeMode;
  const common = { producer: RELOCATION_PRODUCER, reason: REASONS[occasion.kind] ?? "Relocated", message: reason };
  // Applications that must never run twice say so in their policy.
  if (wanted === "Directly") return { ...common, purgeMode: "Directly" };
  // What does not serve any more may go after the usual time. What does stays for as long as its successor takes.
  return occasion.kind === "target-not-ready"
    ? { ...common, purgeMode: "Gracefully" }
    : { ...common, purgeMode: "Gracefully", suppressDeletion: true };
}

const REASONS: Readonly<Partial<Record<Move["occasion"]["kind"], string>>> = {
  "target-mismatched": "ClusterMismatched",
  "target-not-ready": "ClusterNotReady",
  "better-clusters": "BetterClusters",
  "fail-back": "FailBack",
};

/** What clusters keep that are to have fewer replicas: beside what serves elsewhere they would be missing meanwhile. */
function heldBack(binding: Binding, after: ReadonlyMap<string, TargetCluster>): Record<string, number> | undefined {
  // Parallelism of Jobs is no stock of servers.
  if (binding.spec.resource.apiVersion === "batch/v1" || binding.spec.failover?.cluster?.purgeMode === "Directly") {
    return undefined;
  }
  // Of an earlier move they may still have more than they are to have.
  const held = withHeldReplicas(binding, binding.spec.clusters ?? [])
    .map(({ name, replicas = 0 }) => [name, replicas] as const)
    .filter(([name, replicas]) => replicas > (after.get(name)?.replicas ?? replicas));
  return held.length === 0 ? undefined : Object.fromEntries(held);
}

/**
 * Lets go what such a move held back; undefined when nothing is held, or when its successors are not all well yet, as
 * `replaced` says.
 */
export function releaseRelocated(binding: Binding, replaced: boolean): Binding | undefined {
  const { metadata, spec } = binding;
  const held = metadata.annotations?.[HELD_REPLICAS_ANNOTATION];
  const tasks = spec.gracefulEvictionTasks ?? [];
  const kept = tasks.filter((task) => !isHeldTask(task));
  if (!replaced || (held === undefined && kept.length === tasks.length)) return undefined;
  const { [HELD_REPLICAS_ANNOTATION]: _held, ...annotations } = metadata.annotations ?? {};
  const { gracefulEvictionTasks: _tasks, ...rest } = spec;
  // The same kind with other values of its fields.
  return {
    ...binding,
    metadata: { ...metadata, annotations },
    spec: kept.length === 0 ? rest : { ...rest, gracefulEvictionTasks: kept },
  } as Binding;
}

/** Whether `releaseRelocated` has something to do sooner or later. */
export function holdsBack({ metadata, spec }: Binding): boolean {
  return (
    metadata.annotations?.[HELD_REPLICAS_ANNOTATION] !== undefined ||
    (spec.gracefulEvictionTasks ?? []).some(isHeldTask)
  );
}

function isHeldTask(task: GracefulEvictionTask): boolean {
  return task.producer === RELOCATION_PRODUCER && task.suppressDeletion === true;
}
