// When a cluster counts as ready. A change between ready and not ready is believed only after it has lasted.
import type { Condition } from "../kube/object.ts";
import { rfc3339 } from "../runtime/clock.ts";

/** What one probe saw. */
export type Probe = "healthy" | "unhealthy" | "offline" | "not-configured";

export interface Thresholds {
  /** How long a cluster must look bad before it is published as not ready. */
  readonly failureMs: number;
  /** How long it must look good before it is published as ready again. */
  readonly successMs: number;
}

/** As Karmada's --cluster-failure-threshold and --cluster-success-threshold. */
export const DEFAULT_THRESHOLDS: Thresholds = { failureMs: 30_000, successMs: 30_000 };

/** What is remembered between probes of one cluster; lost in a restart, as Karmada's is. */
export interface ProbeMemory {
  readonly status: Condition["status"];
  readonly since: number;
}

export interface HealthDecision {
  readonly condition: Condition;
  readonly memory: ProbeMemory;
  /** Time until the present observation, if it lasts, will be published; undefined when it is already. */
  readonly publishInMs: number | undefined;
}

function observed(probe: Probe, detail: string | undefined): Pick<Condition, "status" | "reason" | "message"> {
  switch (probe) {
    case "healthy":
      return { status: "True", reason: "ClusterReady", message: "cluster is healthy and ready to accept workloads" };
    case "unhealthy":
      return {
        status: "False",
        reason: "ClusterNotReady",
        message: "cluster is reachable but health endpoint responded without ok",
      };
    case "offline":
      return { status: "False", reason: "ClusterNotReachable", message: "cluster is not reachable" };
    case "not-configured":
      return {
        status: "False",
        reason: "StatusCollectionFailed",
        message: detail ?? "the cluster's credentials cannot be used",
      };
  }
}

/**
 * The Ready condition to publish after a probe (failover.md of Karmada, "damping"): the first observation is taken as
 * it is; a flip between True and not-True relative to the published condition waits for its threshold.
 */
export function decideReady(
  probe: Probe,
  published: Condition | undefined,
  memory: ProbeMemory | undefined,
  thresholds: Thresholds,
  nowMs: number,
  detail?: string,
): HealthDecision {
  const seen = observed(probe, detail);
  const next: ProbeMemory =
    memory !== undefined && memory.status === seen.status ? memory : { status: seen.status, since: nowMs };
  const flips =
    published !== undefined && memory !== undefined && (published.status === "True") !== (seen.status === "True");
  if (flips) {
    const threshold = seen.status === "True" ? thresholds.successMs : thresholds.failureMs;
    const left = next.since + threshold - nowMs;
    if (left > 0) return { condition: published, memory: next, publishInMs: left };
  }
  const changed = published?.status !== seen.status;
  const lastTransitionTime = changed ? rfc3339(nowMs) : published.lastTransitionTime;
  return { condition: { type: "Ready", ...seen, lastTransitionTime }, memory: next, publishInMs: undefined };
}
