// Taking back replicas that cannot run where they were put.

import type { Placement } from "../../api/policy.ts";
import type { TargetCluster } from "../../api/work.ts";
import { APPLIED_PLACEMENT_ANNOTATION, parsePlacement } from "../scheduler/applied-placement.ts";
import type { Binding } from "../scheduler/occasion.ts";

export interface DescheduleDecision {
  /** The targets with fewer replicas; the scheduler puts those that are missing elsewhere. */
  readonly clusters: readonly TargetCluster[];
  /** Text of the event. */
  readonly message: string;
}

/** Whether the binding can be looked at: a Deployment divided by room. */
export function canDeschedule(binding: Binding): boolean {
  const { resource } = binding.spec;
  if (resource.apiVersion !== "apps/v1" || resource.kind !== "Deployment") return false;
  const text = binding.metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION];
  return text !== undefined && isDividedByRoom(parsePlacement(text));
}

function isDividedByRoom(placement: Placement | undefined): boolean {
  const strategy = placement?.replicaScheduling;
  if (strategy?.replicaSchedulingType !== "Divided") return false;
  return strategy.replicaDivisionPreference === "Aggregated" || Boolean(strategy.weightPreference?.dynamicWeight);
}

/** The targets that have fewer ready replicas than are assigned to them: those whose unschedulable ones are asked for. */
export function clustersShortOfReady(binding: Binding): readonly string[] {
  return (binding.spec.clusters ?? [])
    .filter((target) => readyIn(binding, target.name) < (target.replicas ?? 0))
    .map((target) => target.name);
}

/**
 * Takes away the replicas of each cluster that have been unschedulable there for too long, as `unschedulableIn` counts
 * them; undefined when there are none. Never takes a replica that is ready.
 */
export function decideDescheduling(
  binding: Binding,
  unschedulableIn: (cluster: string) => number,
): DescheduleDecision | undefined {
  const taken: string[] = [];
  let total = 0;
  const clusters = (binding.spec.clusters ?? []).map((target) => {
    const assigned = target.replicas ?? 0;
    const ready = readyIn(binding, target.name);
    if (ready >= assigned) return target;
    const unschedulable = unschedulableIn(target.name);
    if (unschedulable <= 0 || unschedulable > assigned) return target;
    const replicas = Math.max(assigned - unschedulable, ready);
    if (replicas === assigned) return target;
    taken.push(`${assigned - replicas} replica(s) in cluster(${target.name})`);
    total += assigned - replicas;
    return { ...target, replicas };
  });
  if (total === 0) return undefined;
  return {
    clusters,
    message: `Binding has been descheduled, ${taken.join(", ")}, ${total} total descheduled replica(s)`,
  };
}

/** Ready replicas as the cluster reports them; -1 when it reports none. */
function readyIn(binding: Binding, cluster: string): number {
  const status = binding.status?.aggregatedStatus?.find((item) => item.clusterName === cluster)?.status;
  const ready = status?.["readyReplicas"];
  return typeof ready === "number" ? ready : -1;
}
