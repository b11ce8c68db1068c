// When a cluster that reports for itself (Pull) counts as silent.
import type { Condition } from "../kube/object.ts";
import { rfc3339 } from "../runtime/clock.ts";

export interface LivenessTimes {
  /** Silence after which a cluster that has reported before is Unknown. Karmada's --cluster-monitor-grace-period. */
  readonly graceMs: number;
  /** As `graceMs`, from its creation, for one that never has. Karmada's --cluster-startup-grace-period. */
  readonly startupGraceMs: number;
}

/** What is remembered of one cluster between looks; lost in a restart, which begins a new grace, as with Karmada. */
export interface LivenessMemory {
  readonly ready: Condition | undefined;
  /** Of its Lease, in milliseconds. */
  readonly renewedAt: number | undefined;
  readonly heardAt: number;
}

/** A Pull cluster as the store has it. */
export interface LivenessSigns {
  readonly ready: Condition | undefined;
  /** `spec.renewTime` of its Lease; undefined without one. */
  readonly renewTime: string | undefined;
  /** Milliseconds. */
  readonly createdAt: number;
}

export interface LivenessDecision {
  readonly memory: LivenessMemory;
  /** The Ready condition to publish in place of the present one; undefined: it stays. */
  readonly condition: Condition | undefined;
}

/**
 * Whether to call the cluster Unknown (failover.md of Karmada, section 2). A changed Ready condition and a renewed Lease
 * are signs of life at the time at which they are seen, so that its clock and ours may differ.
 */
export function decideLiveness(
  signs: LivenessSigns,
  memory: LivenessMemory | undefined,
  times: LivenessTimes,
  nowMs: number,
): LivenessDecision {
  const { ready, renewTime, createdAt } = signs;
  const renewed = renewTime === undefined ? Number.NaN : Date.parse(renewTime);
  const isRenewed = !Number.isNaN(renewed) && (memory?.renewedAt === undefined || memory.renewedAt < renewed);
  const isChanged = memory === undefined ? ready !== undefined : !isSame(memory.ready, ready);
  const heardAt = isChanged || isRenewed ? nowMs : (memory?.heardAt ?? createdAt);
  const next: LivenessMemory = { ready, renewedAt: isRenewed ? renewed : memory?.renewedAt, heardAt };

  const graceMs = ready === undefined ? times.startupGraceMs : times.graceMs;
  if (nowMs <= heardAt + graceMs || ready?.status === "Unknown") return { memory: next, condition: undefined };
  const condition: Condition = {
    type: "Ready",
    status: "Unknown",
    reason: ready === undefined ? "ClusterStatusNeverUpdated" : "ClusterStatusUnknown",
    message:
      ready === undefined
        ? "Cluster status controller never posted cluster status."
        : "Cluster status controller stopped posting cluster status.",
    lastTransitionTime: rfc3339(nowMs),
  };
  return { memory: next, condition };
}

/** What to remember once `decision` was written: what we say ourselves is no sign of life. */
export function afterWriting({ memory, condition }: LivenessDecision): LivenessMemory {
  return condition === undefined ? memory : { ...memory, ready: condition };
}

/** A stored condition may have lost fractions of seconds, and fields that are not of it. */
function isSame(a: Condition | undefined, b: Condition | undefined): boolean {
  return (
    a?.status === b?.status &&
    a?.reason === b?.reason &&
    a?.message === b?.message &&
    a?.lastTransitionTime === b?.lastTransitionTime
  );
}
