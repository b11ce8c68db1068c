// Moving an application away from clusters where it stays unhealthy.

import type { ApplicationFailoverBehavior } from "../../api/policy.ts";
import type { Binding } from "../scheduler/occasion.ts";
import type { EvictionRequest } from "./evict.ts";

const DEFAULT_TOLERATION_SECONDS = 300;

/** Since when (milliseconds) a binding's copies have been unhealthy, by cluster. Kept in memory: a restart begins anew. */
export type UnhealthySince = ReadonlyMap<string, number>;

export interface ApplicationFailoverDecision {
  /** One per cluster to leave, to be carried out together. */
  readonly evictions: readonly EvictionRequest[];
  /** What to remember until the next decision. */
  readonly unhealthySince: UnhealthySince;
  /** When to decide again although nothing changed (milliseconds). */
  readonly nextMs?: number;
}

const NOTHING: ApplicationFailoverDecision = { evictions: [], unhealthySince: new Map() };

export interface ApplicationFailoverContext {
  /** Whether something interprets the health of the kind; without that nothing moves. */
  readonly healthIsInterpreted: boolean;
  /** Labels to hand to the new copy, read from the old copy's status; for gate StatefulFailoverInjection. */
  readonly preservedLabels?: (cluster: string) => Record<string, string> | undefined;
}

/** Decides at `now` (milliseconds). Only `Unhealthy` counts: a health that is unknown starts the time anew, as a good one does. */
export function decideApplicationFailover(
  binding: Binding,
  remembered: UnhealthySince,
  now: number,
  context: ApplicationFailoverContext,
): ApplicationFailoverDecision {
  const { spec, status } = binding;
  const behavior = spec.failover?.application;
  if (behavior == null || spec.propagateDeps !== true || !context.healthIsInterpreted) return NOTHING;
  const toleranceMs = (behavior.decisionConditions.tolerationSeconds ?? DEFAULT_TOLERATION_SECONDS) * 1000;
  const leaving = new Set((spec.gracefulEvictionTasks ?? []).map((task) => task.fromCluster));
  const targets = new Set((spec.clusters ?? []).map((target) => target.name));
  const unhealthySince = new Map<string, number>();
  const due: string[] = [];
  let nextMs = Number.POSITIVE_INFINITY;
  for (const { clusterName, health } of status?.aggregatedStatus ?? []) {
    if (health !== "Unhealthy" || leaving.has(clusterName) || !targets.has(clusterName)) continue;
    const known = remembered.get(clusterName);
    const since = known ?? now;
    unhealthySince.set(clusterName, since);
    // Never on first sight: what is unhealthy for a moment may be starting.
    if (known !== undefined && now > since + toleranceMs) due.push(clusterName);
    else nextMs = Math.min(nextMs, since + toleranceMs + 1);
  }
  const before = (spec.clusters ?? []).map((target) => target.name);
  return {
    evictions: due.map((cluster) => requestFor(binding, behavior, cluster, before, context)),
    unhealthySince,
    ...(nextMs === Number.POSITIVE_INFINITY ? {} : { nextMs }),
  };
}

function requestFor(
  binding: Binding,
  behavior: ApplicationFailoverBehavior,
  cluster: string,
  clustersBeforeFailover: string[],
  context: ApplicationFailoverContext,
): EvictionRequest {
  const purgeMode = behavior.purgeMode ?? "Gracefully";
  const preservedLabelState = context.preservedLabels?.(cluster);
  const prefix = binding.kind === "ClusterResourceBinding" ? "cluster-" : "";
  return {
    cluster,
    purgeMode,
    producer: `${prefix}resource-binding-application-failover-controller`,
    reason: "ApplicationFailure",
    ...(purgeMode === "Gracefully" && behavior.gracePeriodSeconds != null
      ? { gracePeriodSeconds: behavior.gracePeriodSeconds }
      : {}),
    ...(purgeMode === "Never" ? { suppressDeletion: true } : {}),
    ...(preservedLabelState === undefined ? {} : { preservedLabelState, clustersBeforeFailover }),
  };
}
