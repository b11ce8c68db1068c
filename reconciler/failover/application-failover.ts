// Moving an application away from clusters where it stays unhealthy.

import type { ApplicationFailoverBehavior } from "../../api/policy.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Binding } from "../scheduler/occasion.ts";
import { type EvictionRequest, evictFromCluster } from "./evict.ts";

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
  /** Why nothing is evicted although something is due: to be thrown once the rest is remembered. */
  readonly failure?: unknown;
}

const NOTHING: ApplicationFailoverDecision = { evictions: [], unhealthySince: new Map() };

export interface ApplicationFailoverContext {
  /** Whether something interprets the health of the kind; without that nothing moves. */
  readonly healthIsInterpreted: boolean;
  /** Labels to hand to the new copy, read from the old copy's status; for gate StatefulFailoverInjection. */
  readonly preservedLabels?: (cluster: string) => Record<string, string> | undefined;
  /** Karmada's gate GracefulEviction: without it, nothing leaves gracefully. */
  readonly gracefulEviction?: boolean;
  /** Beyond Karmada: why a copy that is due has to wait; it is looked at again with the next change of the binding. */
  readonly mustWait?: (binding: Binding, cluster: string) => string | undefined;
}

/**
 * Decides at `now` (milliseconds). Only `Unhealthy` counts: a health that is unknown starts the time anew, as a good one
 * does.
 */
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
  const reported = new Map((status?.aggregatedStatus ?? []).map((item) => [item.clusterName, item.health]));
  // As Karmada: a copy that nobody reports on any more neither counts nor starts anew.
  const unhealthySince = new Map([...remembered].filter(([name]) => targets.has(name) && !reported.has(name)));
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
  const next = nextMs === Number.POSITIVE_INFINITY ? {} : { nextMs };
  try {
    return { ...evictAll(binding, behavior, due, context), unhealthySince, ...next };
  } catch (failure) {
    return { evictions: [], unhealthySince, failure };
  }
}

function evictAll(
  binding: Binding,
  behavior: ApplicationFailoverBehavior,
  due: readonly string[],
  context: ApplicationFailoverContext,
): Pick<ApplicationFailoverDecision, "evictions"> {
  const before = (binding.spec.clusters ?? []).map((target) => target.name);
  const evictions: EvictionRequest[] = [];
  let spec = binding.spec;
  for (const cluster of due) {
    // Each with those that leave already.
    if (context.mustWait?.({ ...binding, spec } as Binding, cluster) !== undefined) continue;
    const request = requestFor(binding, behavior, cluster, before, context);
    evictions.push(request);
    spec = evictFromCluster(spec, request) ?? spec;
  }
  return { evictions };
}

function requestFor(
  binding: Binding,
  behavior: ApplicationFailoverBehavior,
  cluster: string,
  clustersBeforeFailover: string[],
  context: ApplicationFailoverContext,
): EvictionRequest {
  const purgeMode = behavior.purgeMode ?? "Gracefully";
  if (purgeMode === "Gracefully" && context.gracefulEviction === false) {
    throw new AppError(
      "failover-not-graceful",
      `GracefulEviction featureGate must be enabled when purgeMode is ${purgeMode}`,
      { recovery: "retry" },
    );
  }
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
