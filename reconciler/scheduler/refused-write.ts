// What becomes of a scheduling decision whose result the API server does not take.

import { setCondition } from "../../kube/conditions.ts";
import {
  failureEvent,
  type SchedulingDecision,
  type SchedulingFailure,
  scheduledCondition,
} from "./decide-scheduling.ts";
import type { Binding } from "./occasion.ts";

/** The server's answer to the write of a result. */
export interface Refusal {
  /** True when a FederatedResourceQuota denied it: status 403 with reason QuotaExceeded. */
  readonly byQuota: boolean;
  readonly message: string;
}

/**
 * The decision that remains: the binding keeps its clusters, its condition says why, and it is tried again. As Karmada, a
 * result that was to take all clusters away keeps its reason NoClusterFit and names both failures.
 * Differs from Karmada: the affinity group in use stays that of the clusters that stay.
 */
export function decideRefused(
  binding: Binding,
  decision: SchedulingDecision,
  refusal: Refusal,
  now: number,
): SchedulingDecision {
  const failure = failureOf(decision, refusal);
  const { clusters: _clusters, annotations: _annotations, ...rest } = decision;
  const present = binding.status?.conditions;
  const condition = scheduledCondition(failure, present, now);
  return {
    ...rest,
    verdict: "failed",
    reason: failure.message,
    status: { conditions: setCondition(present, condition, condition.lastTransitionTime) },
    condition,
    events: [...decision.events.slice(0, decision.failedGroups.length), failureEvent(failure)],
    requeue: "backoff",
  };
}

function failureOf({ error }: SchedulingDecision, { byQuota, message }: Refusal): SchedulingFailure {
  if (error !== undefined) return { kind: error.kind, message: `[${error.message}, ${message}]` };
  return { kind: byQuota ? "QuotaExceeded" : "SchedulerError", message };
}
