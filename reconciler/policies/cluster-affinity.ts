// Which clusters a policy means: the one answer that scheduling, weights and overrides share.

import type { Cluster } from "../../api/cluster.ts";
import type { ClusterAffinity, FieldSelector, FieldSelectorRequirement } from "../../api/policy.ts";
import type { LabelSelector } from "../../kube/selectors.ts";
import { validSelectorMatches } from "./label-match.ts";

/**
 * True when `affinity` selects `cluster`: every part that is given must hold, and no part at all selects every cluster.
 * A selector that is not valid selects nothing.
 */
export function clusterMatches(cluster: Cluster, affinity: ClusterAffinity): boolean {
  const name = cluster.metadata.name ?? "";
  if (affinity.exclude?.includes(name) === true) return false;
  const { labelSelector, fieldSelector, clusterNames } = affinity;
  if (labelSelector != null && !validSelectorMatches(labelSelector, cluster.metadata.labels ?? {})) return false;
  if (fieldSelector != null && !fieldsMatch(cluster, fieldSelector)) return false;
  return clusterNames == null || clusterNames.length === 0 || clusterNames.includes(name);
}

interface SplitFieldSelector {
  readonly zones: readonly FieldSelectorRequirement[];
  /** The rest, which reads like a label selector over the fields of the cluster. */
  readonly others: LabelSelector;
}

// Policies are matched against every cluster, so that taking a selector apart once pays.
const SPLIT = new WeakMap<FieldSelector, SplitFieldSelector>();

function splitFieldSelector(selector: FieldSelector): SplitFieldSelector {
  let split = SPLIT.get(selector);
  if (split === undefined) {
    const all = selector.matchExpressions ?? [];
    split = {
      zones: all.filter(({ key }) => key === "zone"),
      others: { matchExpressions: all.filter(({ key }) => key !== "zone") },
    };
    SPLIT.set(selector, split);
  }
  return split;
}

function fieldsMatch(cluster: Cluster, selector: FieldSelector): boolean {
  const { zones, others } = splitFieldSelector(selector);
  const fields: Record<string, string> = {};
  if (cluster.spec.provider) fields["provider"] = cluster.spec.provider;
  if (cluster.spec.region) fields["region"] = cluster.spec.region;
  return (
    zones.every((requirement) => zonesMatch(cluster.spec.zones ?? [], requirement)) &&
    validSelectorMatches(others, fields)
  );
}

// A cluster has several zones, so that a requirement is about the overlap of two lists. The singular `spec.zone` is
// superseded and never looked at.
function zonesMatch(zones: readonly string[], requirement: FieldSelectorRequirement): boolean {
  const overlaps = zones.some((zone) => requirement.values?.includes(zone) === true);
  switch (requirement.operator) {
    case "In":
      return overlaps;
    case "NotIn":
      return !overlaps;
    case "Exists":
      return zones.length > 0;
    case "DoesNotExist":
      return zones.length === 0;
    default:
      return false;
  }
}
