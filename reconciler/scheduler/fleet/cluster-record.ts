// A cluster as the scheduler reads it: what its decisions ask for, taken out of the object once.

import type { Cluster, Taint } from "../../../api/cluster.ts";
import { equalJson } from "../../../kube/object.ts";
import { keepsAway } from "../../../kube/taints.ts";
import { type Capacity, readCapacity } from "../estimates/capacity.ts";

export interface ClusterRecord {
  readonly name: string;
  readonly cluster: Cluster;
  readonly deleting: boolean;
  readonly region: string;
  /** Taints that keep workloads away, in the cluster's order. */
  readonly taints: readonly Taint[];
  readonly capacity: Capacity | undefined;
}

/** `capacity` is given when it is known to be as before. */
export function readCluster(cluster: Cluster, capacity?: Capacity): ClusterRecord {
  return {
    name: cluster.metadata.name ?? "",
    cluster,
    deleting: cluster.metadata.deletionTimestamp != null,
    region: cluster.spec.region ?? "",
    taints: (cluster.spec.taints ?? []).filter(keepsAway),
    capacity: capacity ?? readCapacity(cluster),
  };
}

/** Whether the cluster serves `kind` in `apiVersion`, as far as it reported. */
export function servesApi(cluster: Cluster, apiVersion: string, kind: string): boolean {
  return (cluster.status?.apiEnablements ?? []).some(
    (enablement) =>
      enablement.groupVersion === apiVersion && (enablement.resources ?? []).some((resource) => resource.kind === kind),
  );
}

/** Whether `before` and `after` are alike in everything that filters and affinities look at. */
export function sameForFilters(before: Cluster, after: Cluster): boolean {
  return (
    (before.metadata.deletionTimestamp == null) === (after.metadata.deletionTimestamp == null) &&
    equalJson(before.metadata.labels ?? {}, after.metadata.labels ?? {}) &&
    before.spec.provider === after.spec.provider &&
    before.spec.region === after.spec.region &&
    equalJson(before.spec.zones ?? [], after.spec.zones ?? []) &&
    equalJson(before.spec.taints ?? [], after.spec.taints ?? []) &&
    equalJson(before.status?.apiEnablements ?? [], after.status?.apiEnablements ?? [])
  );
}

/** Whether `before` and `after` have the same room. */
export function sameForEstimates(before: Cluster, after: Cluster): boolean {
  return (
    equalJson(before.status?.resourceSummary ?? null, after.status?.resourceSummary ?? null) &&
    equalJson(before.spec.resourceModels ?? [], after.spec.resourceModels ?? [])
  );
}
