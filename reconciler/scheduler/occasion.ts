// When a binding is scheduled, and why.

import type { ClusterResourceBinding, ResourceBinding, ResourceBindingSpec } from "../../api/work.ts";
import { CLUSTER_POLICY_ID_LABEL, POLICY_ID_LABEL } from "../works/metadata-keys.ts";
import { APPLIED_PLACEMENT_ANNOTATION, whatChanged } from "./applied-placement.ts";
import type { FleetIndex } from "./fleet/fleet-index.ts";
import { isRescheduleRequested, isWorkload } from "./workload.ts";

export type Binding = ResourceBinding | ClusterResourceBinding;

export const DEFAULT_SCHEDULER_NAME = "default-scheduler";

/** Marks bindings that something other than a policy manages, and wants scheduled. */
export const BINDING_MANAGED_BY_LABEL = "binding.karmada.io/managed-by";

const OWNER_LABELS = [POLICY_ID_LABEL, CLUSTER_POLICY_ID_LABEL, BINDING_MANAGED_BY_LABEL] as const;

/** Why the scheduler passes a binding over, for good or for now; undefined when it is the scheduler's business. */
export function whyIgnored(binding: Binding, schedulerName: string = DEFAULT_SCHEDULER_NAME): string | undefined {
  const other = whyNotOurs(binding, schedulerName);
  if (other !== undefined) return other;
  const labels = binding.metadata.labels ?? {};
  // Bindings of dependencies follow their referrers, and those whose policy is gone keep what they have.
  return OWNER_LABELS.some((label) => labels[label]) ? undefined : "no policy claims the binding";
}

function whyNotOurs(binding: Binding, schedulerName: string): string | undefined {
  const wanted = binding.spec.schedulerName || DEFAULT_SCHEDULER_NAME;
  if (wanted !== schedulerName) return `another scheduler is asked for: ${wanted}`;
  return binding.spec.suspension?.scheduling === true
    ? "scheduling is suspended (spec.suspension.scheduling)"
    : undefined;
}

export type OccasionKind =
  | "placement-changed"
  | "replicas-changed"
  | "reschedule-requested"
  | "not-divided"
  | "target-deleting"
  /** Beyond Karmada, found by `decideFollowing`: a target does not match, or is not ready, any more; others fit better. */
  | "target-mismatched"
  | "target-not-ready"
  | "better-clusters"
  /** Beyond Karmada, found by `decideFailBack`: clusters that were left are well again. */
  | "fail-back";

/** Why a binding is scheduled now. */
export interface Occasion {
  readonly kind: OccasionKind;
  /** For people. */
  readonly reason: string;
}

/** The occasion to schedule `binding`; undefined when its clusters are still what its spec asks for. */
export function findOccasion(binding: Binding, fleet: FleetIndex, multiplePodTemplates: boolean): Occasion | undefined {
  const { spec, status, metadata } = binding;
  const { placement } = spec;
  if (placement == null) return undefined;
  const applied = metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION];
  const changed = whatChanged(placement, applied, status?.schedulerObservingAffinityName);
  if (changed !== undefined) return { kind: "placement-changed", reason: `placement changed: ${changed}` };
  const replicas = whyReplicasDiffer(spec, multiplePodTemplates);
  if (replicas !== undefined) return { kind: "replicas-changed", reason: replicas };
  if (isRescheduleRequested(spec, status)) {
    return { kind: "reschedule-requested", reason: `spec.rescheduleTriggeredAt ${spec.rescheduleTriggeredAt}` };
  }
  const strategy = placement.replicaScheduling;
  const duplicated = strategy == null || strategy.replicaSchedulingType === "Duplicated";
  if (duplicated || !isWorkload(spec)) {
    return { kind: "not-divided", reason: "goes to every cluster that fits, so each change of the fleet counts" };
  }
  const deleting = (spec.clusters ?? []).find((target) => {
    const position = fleet.position(target.name);
    return position !== undefined && fleet.records[position]?.deleting === true;
  });
  return deleting === undefined
    ? undefined
    : { kind: "target-deleting", reason: `cluster ${deleting.name} is being removed` };
}

function whyReplicasDiffer(spec: ResourceBindingSpec, multiplePodTemplates: boolean): string | undefined {
  const strategy = spec.placement?.replicaScheduling;
  if (strategy == null) return undefined;
  const clusters = spec.clusters ?? [];
  if (multiplePodTemplates && (spec.components?.length ?? 0) > 0 && clusters.length === 0) {
    return "components are on no cluster";
  }
  const wanted = spec.replicas ?? 0;
  if (strategy.replicaSchedulingType === "Duplicated") {
    const other = clusters.find((target) => (target.replicas ?? 0) !== wanted);
    return other === undefined ? undefined : `${other.replicas ?? 0} of ${wanted} replicas in ${other.name}`;
  }
  const placed = clusters.reduce((sum, target) => sum + (target.replicas ?? 0), 0);
  return placed === wanted ? undefined : `${placed} of ${wanted} replicas are placed`;
}
