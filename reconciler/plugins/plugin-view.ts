// Clusters as scheduling plugins see them.
import type { Cluster } from "../../api/cluster.ts";
import type { PluginCluster } from "../scheduler/plugin.ts";

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

/** Remembers views for as long as they say the same, however often their clusters report. */
export class ClusterViews {
  readonly #known = new Map<string, { cluster: Cluster; readonly text: string; readonly view: PluginCluster }>();

  /** The same object as before when a plugin could not tell the difference. */
  of(cluster: Cluster): PluginCluster {
    const name = cluster.metadata.name ?? "";
    const known = this.#known.get(name);
    if (known?.cluster === cluster) return known.view;
    const view = viewCluster(cluster);
    const text = JSON.stringify(view);
    if (known?.text === text) {
      known.cluster = cluster;
      return known.view;
    }
    this.#known.set(name, { cluster, text, view });
    return view;
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
