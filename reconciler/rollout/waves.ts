// Which wave a cluster belongs to.
import type { Cluster } from "../../api/cluster.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { countOf, type WaveSettings } from "./settings.ts";

/** Index of the wave of each cluster, by name. Clusters that are not known belong to the last one. */
export function assignWaves(
  names: readonly string[],
  clusterOf: (name: string) => Cluster | undefined,
  waves: readonly WaveSettings[],
): ReadonlyMap<string, number> {
  const assigned = new Map<string, number>();
  let left = [...names].sort();
  for (const [index, { clusterAffinity, partition }] of waves.entries()) {
    const selected = left.filter((name) => {
      const cluster = clusterOf(name);
      return clusterAffinity === undefined || (cluster !== undefined && clusterMatches(cluster, clusterAffinity));
    });
    // A share of few clusters is one at least: a wave that nobody belongs to would prove nothing.
    const size = partition === undefined ? selected.length : Math.max(1, countOf(partition, names.length));
    for (const name of selected.slice(0, size)) assigned.set(name, index);
    left = left.filter((name) => !assigned.has(name));
  }
  return assigned;
}
