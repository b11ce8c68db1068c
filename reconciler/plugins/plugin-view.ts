// Clusters as scheduling plugins see them.
import type { Cluster } from "../../api/cluster.ts";
import { viewCluster } from "../scheduler/fleet/cluster-view.ts";
import type { PluginCluster } from "../scheduler/plugin.ts";

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
