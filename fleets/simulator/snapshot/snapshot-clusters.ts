// From a snapshot to the simulated clusters that begin as the real ones were. Pure.
import type { Cluster } from "../../../api/cluster.ts";
import type { SimulatedClusterOptions } from "../simulated-cluster.ts";
import type { Snapshot } from "./snapshot-file.ts";

/**
 * The clusters of a snapshot, without those that did not answer, by name; where they stand is taken from the Cluster
 * objects of the control plane.
 */
export function snapshotClusters(
  snapshot: Snapshot,
): Pick<SimulatedClusterOptions, "name" | "imported" | "labels" | "traits">[] {
  const registered = new Map<string, Cluster>();
  for (const { object } of snapshot.controlPlane?.objects ?? []) {
    // Objects of this kind have this form; the control plane checked them.
    if (object.kind === "Cluster") registered.set(object.metadata.name ?? "", object as unknown as Cluster);
  }
  return [...snapshot.clusters.values()]
    .filter((part) => part.unreachable === undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, version, objects }) => {
      const { metadata, spec } = registered.get(name) ?? {};
      const zone = spec?.zones?.[0] ?? spec?.zone;
      return {
        name,
        imported: objects,
        labels: metadata?.labels ?? {},
        traits: {
          region: spec?.region,
          provider: spec?.provider,
          ...(zone === undefined ? {} : { zone }),
          ...(version === undefined ? {} : { kubernetesVersion: version }),
        },
      };
    });
}
