// How many clusters may be given up at once: whether they died, or whether it is we who lost the network.

import type { Cluster, Taint } from "../../api/cluster.ts";
import { findCondition } from "../../kube/conditions.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { NOT_READY_TAINT, UNREACHABLE_TAINT } from "./condition-taints.ts";

/** On a Cluster: `evict` says that it is really dead, `hold` that nothing may be moved away from it. */
export const FAILOVER_ANNOTATION = "gitops.flaghoist.io/failover";

/** The condition that tells why the workloads of a cluster that does not answer stay where they are. */
export const FAILOVER_HELD_CONDITION = "FailoverHeld";

export interface BlastRadiusSettings {
  /** How long a cluster must have been not ready before it is given up. */
  readonly unreachableAfterMs: number;
  /** The greatest share of the fleet, from 0 to 1, that may be given up within `windowMs`. One cluster always may. */
  readonly fleetShare: number;
  readonly windowMs: number;
  /** How long the fleet must have been without a recovery before clusters that were held are given up after all. */
  readonly settleMs: number;
}

/** What is known of a cluster, all of it from its stored object, so that a restart knows the same. */
export interface ClusterStanding {
  readonly name: string;
  readonly state: "ready" | "lost";
  /** Since when (milliseconds) it is in this state. */
  readonly since: number;
  /** Since when (milliseconds) our taint drives its workloads out. */
  readonly evictingSince: number | undefined;
  /** What a person says about it. */
  readonly override: "evict" | "hold" | undefined;
  /** It was held when it was last looked at. */
  readonly wasHeld: boolean;
}

export type HoldReason = "HeldByAnnotation" | "NoClusterReachable" | "MostClustersLost" | "FleetNotSettled";

export interface Hold {
  readonly reason: HoldReason;
  /** For people: what holds it, and how to go on. */
  readonly message: string;
}

export interface BlastRadius {
  /** Lost clusters from which nothing may be moved. */
  readonly held: ReadonlyMap<string, Hold>;
  /** Lost clusters that are to be given up now. */
  readonly due: readonly string[];
  /** When (milliseconds) to decide again although nothing changed. */
  readonly nextMs?: number;
}

/**
 * The standing of a cluster; undefined for one that does not count: it is being removed, or it was never ready, so that
 * nothing can have run there.
 */
export function standingOf(cluster: Cluster): ClusterStanding | undefined {
  const { metadata, spec, status } = cluster;
  const ready = findCondition(status?.conditions, "Ready");
  if (metadata.deletionTimestamp != null || ready === undefined) return undefined;
  // A version is written together with the first Ready.
  if (ready.status !== "True" && !status?.kubernetesVersion) return undefined;
  const evicting = (spec.taints ?? []).find(isEvictingTaint);
  return {
    name: metadata.name ?? "",
    state: ready.status === "True" ? "ready" : "lost",
    since: timeOf(ready.lastTransitionTime),
    evictingSince: evicting === undefined ? undefined : timeOf(evicting.timeAdded),
    override: readOverride(metadata.annotations?.[FAILOVER_ANNOTATION]),
    wasHeld: findCondition(status?.conditions, FAILOVER_HELD_CONDITION)?.status === "True",
  };
}

/** What a person says of a cluster; undefined for nothing, and for words that say neither. */
export function readOverride(text: string | undefined): ClusterStanding["override"] {
  return text === "evict" || text === "hold" ? text : undefined;
}

/** Whether the taint is one by which we give a cluster up. */
export function isEvictingTaint({ key, effect }: Taint): boolean {
  return effect === "NoExecute" && (key === NOT_READY_TAINT || key === UNREACHABLE_TAINT);
}

/** The taint by which a cluster is given up: its key says in which way it is not ready. */
export function evictingTaintFor(cluster: Cluster): Taint {
  const unknown = findCondition(cluster.status?.conditions, "Ready")?.status === "Unknown";
  return { key: unknown ? UNREACHABLE_TAINT : NOT_READY_TAINT, effect: "NoExecute" };
}

/** An unreadable time counts as long ago: what nobody can date holds nothing back. */
function timeOf(text: string | undefined): number {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? 0 : time;
}

/**
 * Decides at `now` (milliseconds) which lost clusters are given up and which are held. `doubtful` are clusters that are
 * still called ready, and did not answer when they were asked just now: they count as lost.
 *
 * Clusters that wait to be given up never grow too old to count; those that were given up count for the window. When both
 * together are more than the share, nothing at all is moved: if most of a fleet vanishes, it is likelier that our network
 * did. What is held stays so until enough clusters are back, or a person says that they are dead.
 */
export function decideBlastRadius(
  standings: readonly ClusterStanding[],
  now: number,
  settings: BlastRadiusSettings,
  doubtful: ReadonlySet<string> = new Set(),
): BlastRadius {
  const held = new Map<string, Hold>();
  const counted = standings.filter((one) => one.override !== "hold");
  for (const one of standings)
    if (one.override === "hold" && one.state === "lost") held.set(one.name, byAnnotation(one));

  const lost = counted.filter((one) => one.state === "lost" && one.override !== "evict");
  const pending = lost.filter((one) => one.evictingSince === undefined);
  const recent = lost.filter((one) => (one.evictingSince ?? Number.NEGATIVE_INFINITY) > now - settings.windowMs);
  const ready = counted.filter((one) => one.state === "ready" && !doubtful.has(one.name));
  const vanished =
    pending.length + recent.length + (counted.filter((one) => one.state === "ready").length - ready.length);
  const total = ready.length + vanished;
  const limit = ready.length === 0 ? 0 : Math.max(1, Math.floor(settings.fleetShare * total + 1e-9));

  const confirmed = counted.filter((one) => one.state === "lost" && one.override === "evict").map((one) => one.name);
  if (vanished > limit) {
    const why = whyHeld(ready.length, vanished, total, settings);
    for (const one of [...pending, ...recent])
      held.set(one.name, { reason: why.reason, message: `${why.words}. ${waysOn(one.name)}` });
    const ends = recent.map((one) => (one.evictingSince ?? now) + settings.windowMs + 1);
    return { held, due: confirmed, ...earliestOf(ends) };
  }
  const due: string[] = [...confirmed];
  const times: number[] = [];
  const lastRecovery = Math.max(...ready.map((one) => one.since), Number.NEGATIVE_INFINITY);
  for (const one of pending) {
    const dueAt = one.since + settings.unreachableAfterMs;
    // The network may come and go: clusters that were held are not given up in its first good moment.
    const settledAt =
      one.wasHeld && lastRecovery > one.since ? lastRecovery + settings.settleMs : Number.NEGATIVE_INFINITY;
    if (settledAt > now) {
      const words = `other clusters came back a moment ago, and it may too: it is given up at ${rfc3339(Math.max(settledAt, dueAt))} if it does not`;
      held.set(one.name, { reason: "FleetNotSettled", message: `Its workloads stay: ${words}. ${waysOn(one.name)}` });
    }
    if (Math.max(dueAt, settledAt) <= now) due.push(one.name);
    else times.push(Math.max(dueAt, settledAt));
  }
  return { held, due, ...earliestOf(times) };
}

function byAnnotation({ name }: ClusterStanding): Hold {
  return {
    reason: "HeldByAnnotation",
    message: `Its workloads stay: annotation ${FAILOVER_ANNOTATION}=hold asks for it. To let failover decide again: kubectl annotate cluster ${name} ${FAILOVER_ANNOTATION}-`,
  };
}

function whyHeld(
  ready: number,
  vanished: number,
  total: number,
  { fleetShare }: BlastRadiusSettings,
): { readonly reason: HoldReason; readonly words: string } {
  if (ready === 0) {
    return {
      reason: "NoClusterReachable",
      words: `Its workloads stay: none of ${total} ${total === 1 ? "cluster" : "clusters"} answers, so the network of the control plane may be what is lost, and there is nowhere to move to`,
    };
  }
  const percent = Math.round(fleetShare * 100);
  return {
    reason: "MostClustersLost",
    words: `Its workloads stay: ${vanished} of ${total} clusters do not answer, which is more than the ${percent}% that may be given up at once; the network of the control plane may be what is lost`,
  };
}

function waysOn(name: string): string {
  return `If the cluster is really dead: kubectl annotate cluster ${name} ${FAILOVER_ANNOTATION}=evict`;
}

function earliestOf(times: readonly number[]): { readonly nextMs?: number } {
  return times.length === 0 ? {} : { nextMs: Math.min(...times) };
}
