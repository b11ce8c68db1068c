// The health that Argo CD gives to Karmada's bindings, by the rules it documents for them.
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { ArgoHealth } from "./argocd.ts";

export interface BindingHealth {
  readonly status: ArgoHealth;
  readonly message?: string;
}

const INSUFFICIENT: BindingHealth = { status: "Progressing", message: "Current resource status is insufficient" };
const UNHEALTHY: BindingHealth = { status: "Degraded", message: "Current resource status is unhealthy" };

/**
 * The health of a ResourceBinding or ClusterResourceBinding: Progressing until every cluster it was scheduled to has
 * reported, then Degraded if one is unhealthy, or unknown because nothing was applied there.
 *
 * A binding without the field `clusters` belongs to a dependency: it goes where the bindings go that need it, and is
 * judged by whoever reported. An empty list is a binding that waits for the scheduler.
 */
export function bindingHealth(binding: KubeObject): BindingHealth {
  if (binding.metadata.deletionTimestamp !== undefined) return { status: "Progressing", message: "Pending deletion" };
  const clusters = listOf(binding["spec"], "clusters");
  const reports = listOf(binding["status"], "aggregatedStatus") ?? [];
  if (clusters?.length === 0 || reports.length === 0) return INSUFFICIENT;
  if (clusters !== undefined && clusters.length !== reports.length) return INSUFFICIENT;
  return reports.some(isBad) ? UNHEALTHY : { status: "Healthy" };
}

function isBad(report: unknown): boolean {
  if (!isObject(report)) return false;
  return report["health"] === "Unhealthy" || (report["health"] === "Unknown" && report["applied"] !== true);
}

function listOf(parent: unknown, field: string): readonly unknown[] | undefined {
  const list = isObject(parent) ? parent[field] : undefined;
  return Array.isArray(list) ? list : undefined;
}
