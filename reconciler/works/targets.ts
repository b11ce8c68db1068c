// Which clusters a binding means, and which of its Works have no place any more.

import type { GracefulEvictionTask, TargetCluster, Work } from "../../api/work.ts";
import type { AnyBinding } from "./binding.ts";
import { BINDING_ID_LABEL, CLUSTER_BINDING_ID_LABEL } from "./metadata-keys.ts";
import { clusterOfExecutionNamespace, EXECUTION_NAMESPACE_PREFIX } from "./naming.ts";

/** The chosen clusters, and those of the objects that depend on this one; each once, in that order. */
export function effectiveTargets(binding: AnyBinding): readonly TargetCluster[] {
  const { clusters = [], requiredBy = [] } = binding.spec;
  if (requiredBy.length === 0) return clusters;
  const targets = new Map<string, TargetCluster>();
  for (const target of [clusters, ...requiredBy.map((referrer) => referrer.clusters ?? [])].flat()) {
    if (!targets.has(target.name)) targets.set(target.name, target);
  }
  return [...targets.values()];
}

/**
 * Clusters whose Work must not be deleted: the targets, and those the object leaves only once it is well elsewhere.
 * Works of the latter are left exactly as they are.
 */
export function clustersToKeep(binding: AnyBinding): ReadonlySet<string> {
  const keep = new Set(effectiveTargets(binding).map((target) => target.name));
  for (const task of binding.spec.gracefulEvictionTasks ?? []) {
    if (!purgesDirectly(task)) keep.add(task.fromCluster);
  }
  return keep;
}

/** Bindings of earlier versions of Karmada may have the mode under its former name. */
const DIRECT_PURGES: ReadonlySet<string | undefined> = new Set(["Directly", "Immediately"]);

/** Whether the old copy goes before a new one comes. */
export function purgesDirectly(task: GracefulEvictionTask): boolean {
  return DIRECT_PURGES.has(task.purgeMode);
}

/** Those of the binding's Works that stand in clusters it no longer means. */
export function orphanWorks(binding: AnyBinding, works: readonly Work[]): readonly Work[] {
  const keep = clustersToKeep(binding);
  return works.filter((work) => !keep.has(clusterOf(work) ?? ""));
}

/**
 * Works in clusters that must be empty before anything new is sent anywhere. While there are any, the others wait: two
 * copies at a time are what such a move is meant to avoid.
 */
export function worksToAwait(binding: AnyBinding, works: readonly Work[]): readonly Work[] {
  const leaving = new Set(
    (binding.spec.gracefulEvictionTasks ?? []).filter(purgesDirectly).map((task) => task.fromCluster),
  );
  return leaving.size === 0 ? [] : works.filter((work) => leaving.has(clusterOf(work) ?? ""));
}

/** The cluster a Work is for; undefined when it stands in no execution namespace. */
export function clusterOf(work: Work): string | undefined {
  const { namespace = "" } = work.metadata;
  return namespace.startsWith(EXECUTION_NAMESPACE_PREFIX) ? clusterOfExecutionNamespace(namespace) : undefined;
}

/** The permanent id of a binding; undefined before admission gave it one. */
export function bindingId(binding: AnyBinding): string | undefined {
  return binding.metadata.labels?.[bindingIdLabel(binding)] || undefined;
}

/** The label by which the Works of a binding are found. */
export function bindingIdLabel(binding: AnyBinding): string {
  return binding.kind === "ResourceBinding" ? BINDING_ID_LABEL : CLUSTER_BINDING_ID_LABEL;
}
