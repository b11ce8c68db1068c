// Kinds that clusters are about to serve, because their definitions go there.
import type { APIEnablement, Cluster } from "../../api/cluster.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Copy } from "./copy.ts";

/** The clusters as they will be when they have these copies of definitions. */
export function withDefinedKinds(clusters: readonly Cluster[], definitions: readonly Copy[]): readonly Cluster[] {
  if (definitions.length === 0) return clusters;
  return clusters.map((cluster) => {
    const own = definitions
      .filter((copy) => copy.cluster === cluster.metadata.name)
      .flatMap(({ manifest }) => definedKinds(manifest));
    const known = cluster.status?.apiEnablements ?? [];
    const news = own.filter(
      ({ groupVersion, kind }) =>
        !known.some(
          (entry) =>
            entry.groupVersion === groupVersion && entry.resources?.some((resource) => resource.kind === kind) === true,
        ),
    );
    if (news.length === 0) return cluster;
    const added = news.map(({ groupVersion, kind, name }) => ({ groupVersion, resources: [{ kind, name }] }));
    return { ...cluster, status: { ...cluster.status, apiEnablements: mergeEnablements([...known, ...added]) } };
  });
}

function mergeEnablements(entries: readonly APIEnablement[]): APIEnablement[] {
  const merged = new Map<string, APIEnablement>();
  for (const { groupVersion, resources = [] } of entries) {
    const before = merged.get(groupVersion)?.resources ?? [];
    merged.set(groupVersion, { groupVersion, resources: [...before, ...resources] });
  }
  return [...merged.values()];
}

function definedKinds(definition: KubeObject): { groupVersion: string; kind: string; name: string }[] {
  // Placed by the same rules as any object; what is missing just defines nothing.
  const spec = definition["spec"] as
    | {
        group?: string;
        names?: { kind?: string; plural?: string };
        versions?: readonly { name?: string; served?: boolean }[];
      }
    | undefined;
  return (spec?.versions ?? [])
    .filter((version) => version.served === true)
    .map((version) => ({
      groupVersion: `${spec?.group}/${version.name}`,
      kind: spec?.names?.kind ?? "",
      name: spec?.names?.plural ?? "",
    }));
}
