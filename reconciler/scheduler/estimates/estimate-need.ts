// What estimators are to be asked before a binding is scheduled, and about which clusters.

import type { Component, ReplicaRequirements } from "../../../api/work.ts";
import { strategyOf } from "../division/assign.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import { type Binding, findOccasion, whyIgnored } from "../occasion.ts";
import { resolveGates, type SchedulingOptions } from "../options.ts";
import { candidateNames } from "../schedule.ts";
import { groupsInTurn } from "../schedule-in-groups.ts";
import { placesSets } from "../workload.ts";
import { estimatesNothing } from "./estimates.ts";

export interface EstimateNeed {
  /** Names of the clusters that passed the filters; one list for each affinity group that may be tried, in order. */
  readonly groups: readonly (readonly string[])[];
  /** Whole sets of these are asked for; absent: single replicas. */
  readonly components: readonly Component[] | undefined;
  /** What one replica needs, when it is not sets that are asked for. */
  readonly requirements: ReplicaRequirements | undefined;
  /** Namespace of the workload; empty for one without. */
  readonly namespace: string;
}

/**
 * Undefined when no estimate has a say: nothing is scheduled now, there are no replicas, or every cluster that passes the
 * filters gets what it gets whatever its room.
 */
export function findEstimateNeed(
  binding: Binding,
  fleet: FleetIndex,
  options: SchedulingOptions & { readonly schedulerName?: string },
): EstimateNeed | undefined {
  const { spec, status, metadata } = binding;
  const { placement } = spec;
  if (placement == null || metadata.deletionTimestamp != null || estimatesNothing(spec)) return undefined;
  if (whyIgnored(binding, options.schedulerName) !== undefined) return undefined;
  const { MultiplePodTemplatesScheduling } = resolveGates(options);
  if (!estimatesCount(binding) || findOccasion(binding, fleet, MultiplePodTemplatesScheduling) === undefined)
    return undefined;
  const groups = groupsInTurn({ spec, status, fleet, options }).map((schedulerObservingAffinityName) =>
    candidateNames({ spec, status: { ...status, schedulerObservingAffinityName }, fleet, options }),
  );
  const sets = placesSets(spec, placement, MultiplePodTemplatesScheduling);
  return {
    groups,
    components: sets ? (spec.components ?? []) : undefined,
    requirements: sets ? undefined : spec.replicaRequirements,
    namespace: spec.resource.namespace ?? "",
  };
}

/** Without constraints on spreading, room changes nothing for what goes everywhere or by fixed weights but the order. */
function estimatesCount({ spec }: Binding): boolean {
  const { placement } = spec;
  if (placement == null) return false;
  if ((placement.spreadConstraints?.length ?? 0) > 0 || placement.flaghoist != null) return true;
  const strategy = strategyOf(placement);
  return strategy !== "Duplicated" && strategy !== "StaticWeight";
}
