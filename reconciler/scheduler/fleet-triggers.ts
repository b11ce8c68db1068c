// Which bindings are looked at again because a cluster changed. Asked once for each distinct placement, not for each binding.

import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import { equalJson } from "../../kube/object.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { findGroup } from "./fleet/filters.ts";

/** A cluster before and after a change; undefined before it came, and after it went. */
export interface ClusterChange {
  readonly before: Cluster | undefined;
  readonly after: Cluster | undefined;
}

/** A placement as bindings have it in use. */
export interface PlacementInUse {
  readonly placement: Placement;
  /** Name of the group of `clusterAffinities` in use; empty before one is chosen, and where there are none. */
  readonly affinityName: string;
  /** False for bindings with `clusterAffinities` whose last change the scheduler has not dealt with. */
  readonly observed: boolean;
}

/** One reason to look at bindings again. */
export interface FleetTrigger {
  /** Whether any placement may want to hear of the change; asked once for each change. */
  matters(change: ClusterChange): boolean;
  /** Whether bindings with this placement are to be looked at again after a change that matters. */
  concerns(use: PlacementInUse, change: ClusterChange): boolean;
  /** The kinds, as `apps/v1/Deployment`, whose bindings a change that matters concerns; without it, those of all kinds. */
  kinds?(change: ClusterChange): ReadonlySet<string>;
}

/**
 * As Karmada: a cluster whose labels or spec change, or that begins to leave, concerns the placements whose affinity in use
 * selects it, as it was or as it is. A new cluster does not: its first change does, when it says what it offers. Overflow
 * affinities do not count.
 * Differs from Karmada: a cluster that vanishes without notice counts as leaving.
 */
export const KARMADA_TRIGGER: FleetTrigger = {
  matters({ before, after }) {
    if (before === undefined) return false;
    if (after === undefined) return !isLeaving(before);
    return (
      isLeaving(after) !== isLeaving(before) ||
      before.metadata.generation !== after.metadata.generation ||
      !equalJson(before.metadata.labels ?? {}, after.metadata.labels ?? {})
    );
  },
  concerns(use, { before, after }) {
    const leaves = before !== undefined && after !== undefined && isLeaving(after) && !isLeaving(before);
    return (!leaves && isSelected(use, before)) || isSelected(use, after);
  },
};

/**
 * Differs from Karmada: a cluster that begins to serve a kind concerns the bindings of that kind. There, what was
 * scheduled before its definition had reached a cluster stays away from it until something else changes.
 */
export const SERVED_KINDS_TRIGGER: FleetTrigger = {
  matters: (change) => newlyServed(change).size > 0,
  concerns: (use, { after }) => isSelected(use, after),
  kinds: newlyServed,
};

/** Every reason there is. */
export const FLEET_TRIGGERS: readonly FleetTrigger[] = [KARMADA_TRIGGER, SERVED_KINDS_TRIGGER];

const NO_KINDS: ReadonlySet<string> = new Set();

/** The kinds that a cluster serves and did not serve before. A new cluster's first change tells what it serves. */
function newlyServed({ before, after }: ClusterChange): ReadonlySet<string> {
  if (before === undefined || after === undefined) return NO_KINDS;
  if (equalJson(before.status?.apiEnablements ?? [], after.status?.apiEnablements ?? [])) return NO_KINDS;
  const served = new Set(servedKinds(before));
  return new Set(servedKinds(after).filter((kind) => !served.has(kind)));
}

function servedKinds(cluster: Cluster): readonly string[] {
  return (cluster.status?.apiEnablements ?? []).flatMap(({ groupVersion, resources }) =>
    (resources ?? []).map(({ kind }) => `${groupVersion}/${kind}`),
  );
}

/** Whether the affinity in use selects the cluster, or bindings may yet come to one that does. */
export function isSelected(use: PlacementInUse, cluster: Cluster | undefined): boolean {
  if (cluster === undefined) return false;
  const { placement, affinityName } = use;
  const groups = placement.clusterAffinities;
  if (placement.clusterAffinity != null || groups == null || groups.length === 0) {
    return placement.clusterAffinity == null || clusterMatches(cluster, placement.clusterAffinity);
  }
  if (!use.observed) return true;
  const group = groups[Math.max(0, findGroup(placement, affinityName))];
  return group === undefined || clusterMatches(cluster, group);
}

function isLeaving(cluster: Cluster): boolean {
  return cluster.metadata.deletionTimestamp != null;
}
