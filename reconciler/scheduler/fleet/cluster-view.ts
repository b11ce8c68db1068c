// A cluster as those see it who judge clusters themselves: score expressions and scheduling plugins.

import type { Cluster } from "../../../api/cluster.ts";
import type { PluginCluster } from "../plugin.ts";

/** Every field is there, empty where the cluster has nothing to say; quantities are as the cluster writes them. */
export function viewCluster({ metadata, spec, status }: Cluster): PluginCluster {
  return {
    name: metadata.name ?? "",
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    region: spec.region ?? "",
    provider: spec.provider ?? "",
    zones: spec.zones ?? [],
    taints: (spec.taints ?? []).map(({ key, value = "", effect }) => ({ key, value, effect })),
    conditions: (status?.conditions ?? []).map(({ type, status: state, reason = "" }) => ({
      type,
      status: state,
      reason,
    })),
    kubernetesVersion: status?.kubernetesVersion ?? "",
    allocatable: textsOf(status?.resourceSummary?.allocatable),
    allocated: textsOf(status?.resourceSummary?.allocated),
  };
}

function textsOf(quantities: Readonly<Record<string, string | number>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(quantities ?? {}).map(([name, amount]) => [name, String(amount)]));
}
