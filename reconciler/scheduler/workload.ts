// What the spec of a binding says of the workload itself.

import type { Placement } from "../../api/policy.ts";
import type { ResourceBindingSpec, ResourceBindingStatus } from "../../api/work.ts";

/** True when the object has replicas or parts to speak of, and is not mere configuration. */
export function isWorkload(spec: ResourceBindingSpec): boolean {
  return (spec.replicas ?? 0) > 0 || spec.replicaRequirements != null || (spec.components?.length ?? 0) >= 1;
}

/** Whether replicas are assigned at all. What has several components goes to clusters as a whole. */
export function dividesReplicas(spec: ResourceBindingSpec): boolean {
  return ((spec.replicas ?? 0) > 0 || spec.replicaRequirements != null) && (spec.components?.length ?? 0) <= 1;
}

/** Whether a workload of several components is placed as a whole into exactly one cluster. */
export function placesSets(spec: ResourceBindingSpec, placement: Placement, gate: boolean): boolean {
  if (!gate || (spec.components?.length ?? 0) === 0) return false;
  return (placement.spreadConstraints ?? []).some(
    (constraint) => constraint.spreadByField === "cluster" && constraint.minGroups === 1 && constraint.maxGroups === 1,
  );
}

/** Whether someone asked, after the last scheduling, for a fresh choice. Times are whole seconds. */
export function isRescheduleRequested(
  spec: Pick<ResourceBindingSpec, "rescheduleTriggeredAt">,
  status: Pick<ResourceBindingStatus, "lastScheduledTime"> | undefined,
): boolean {
  if (spec.rescheduleTriggeredAt == null || status?.lastScheduledTime == null) return false;
  return Date.parse(spec.rescheduleTriggeredAt) > Date.parse(status.lastScheduledTime);
}
