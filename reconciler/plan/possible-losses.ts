// What of a fleet may fail in one go.
import type { Cluster } from "../../api/cluster.ts";
import type { ReportedLoss } from "../../api/plan-report.ts";

/** Something that may fail as a whole. */
export interface Loss {
  readonly what: ReportedLoss["loss"]["what"];
  readonly name: string;
  /** In order of name. */
  readonly clusters: readonly string[];
  /** What fails with it because it has the same clusters. */
  readonly also?: readonly Pick<Loss, "what" | "name">[];
}

export const LOSS_KINDS = ["cluster", "zone", "region", "provider"] as const satisfies readonly Loss["what"][];

/**
 * Every cluster, and every zone, region and provider that is not the whole fleet. Those with the same clusters are one
 * loss: a single cluster's goes by the cluster's name, any other by the widest. A cluster in several zones is not lost
 * with one of them.
 */
export function possibleLosses(clusters: readonly Cluster[]): Loss[] {
  const byClusters = new Map<string, Loss[]>();
  for (const kind of LOSS_KINDS) {
    for (const loss of lossesOf(kind, clusters)) {
      if (kind !== "cluster" && loss.clusters.length === clusters.length) continue;
      const key = JSON.stringify(loss.clusters);
      byClusters.set(key, [...(byClusters.get(key) ?? []), loss]);
    }
  }
  const losses = [...byClusters.values()].flatMap((same): Loss[] => {
    const first = same[0]?.what === "cluster" ? same[0] : same.at(-1);
    if (first === undefined) return [];
    const also = same.filter((loss) => loss !== first).map(({ what, name }) => ({ what, name }));
    return [also.length === 0 ? first : { ...first, also }];
  });
  return LOSS_KINDS.flatMap((kind) => losses.filter(({ what }) => what === kind).sort(byName));
}

/** All that can fail of one kind, in order of name, the whole fleet included. */
export function lossesOf(what: Loss["what"], clusters: readonly Cluster[]): Loss[] {
  const members = new Map<string, string[]>();
  for (const cluster of clusters) {
    const name = namesOf(what, cluster);
    if (name === undefined) continue;
    members.set(name, [...(members.get(name) ?? []), cluster.metadata.name ?? ""]);
  }
  return [...members].map(([name, lost]): Loss => ({ what, name, clusters: lost.sort() })).sort(byName);
}

function byName(a: Loss, b: Loss): number {
  return a.name < b.name ? -1 : 1;
}

/** Undefined for what belongs to none, or to several. */
function namesOf(what: Loss["what"], { metadata, spec }: Cluster): string | undefined {
  switch (what) {
    case "cluster":
      return metadata.name ?? "";
    case "zone": {
      const zones = zonesOf(spec);
      return zones.length === 1 ? zones[0] : undefined;
    }
    case "region":
      return spec.region || undefined;
    case "provider":
      return spec.provider || undefined;
  }
}

/** The zones a cluster stands in. As Karmada: `zone` counts where there are no `zones`. */
export function zonesOf({ zone, zones }: Cluster["spec"]): readonly string[] {
  if (zones !== undefined && zones.length > 0) return [...new Set(zones)];
  return zone ? [zone] : [];
}
