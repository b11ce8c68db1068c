// Beyond Karmada (placement.flaghoist.failBack, and what safe failover moved): a workload returns to the better clusters once they have been well for long.

import type { TargetCluster } from "../../../api/work.ts";
import { firstUntolerated, keepsAway } from "../../../kube/taints.ts";
import { HELD_REPLICAS_ANNOTATION } from "../../works/metadata-keys.ts";
import type { DecisionOptions, SchedulingDecision } from "../decide-scheduling.ts";
import { estimateFor } from "../estimates/estimates.ts";
import type { ClusterRecord } from "../fleet/cluster-record.ts";
import { readReadiness } from "../fleet/cluster-wellness.ts";
import { AFFINITY_BIT, findGroup } from "../fleet/filters.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import { type Binding, findOccasion, type Occasion, whyIgnored } from "../occasion.ts";
import { resolveGates } from "../options.ts";
import { dividesReplicas, isWorkload, placesSets } from "../workload.ts";
import { homeClusters, stabilizationOf } from "./home-clusters.ts";
import { earliest, listNames, newTargets, type Relocation, tryOut } from "./relocation.ts";

export interface FailBackOptions extends DecisionOptions {
  /** When (milliseconds) the last taint that drives workloads out was taken from a cluster, where that is known. */
  readonly untaintedSince?: (cluster: string) => number | undefined;
}

/** One way back. */
interface Way {
  /** The affinity group to return to; absent when the group in use stays. */
  readonly group?: string;
  /** What to return to, for people. */
  readonly to: string;
  /** Positions of the clusters that the way is about. */
  readonly members: readonly number[];
}

/**
 * Whether `binding` returns at `now` (milliseconds): to an earlier affinity group, or to the clusters that it was driven
 * out of. Only clusters count that have been ready without a break for the whole window, as their conditions say, and
 * that no filter refuses. It returns only if all replicas find room there, beside what runs there already; else it stays.
 */
export function decideFailBack(binding: Binding, fleet: FleetIndex, now: number, options: FailBackOptions): Relocation {
  const seconds = stabilizationOf(binding);
  if (seconds === undefined) return { verdict: "none", reason: "failBack is not set" };
  const unconcerned = whyUnconcerned(binding, fleet, options);
  if (unconcerned !== undefined) return { verdict: "none", reason: unconcerned };
  const { spec } = binding;
  const home = homeClusters(binding);
  const ways = [...earlierGroups(binding, fleet), ...homeward(binding, fleet, home)];
  if (ways.length === 0) return { verdict: "none", reason: "it is where it belongs" };
  const refusals: string[] = [];
  const waits: number[] = [];
  let triedFor: Occasion | undefined;
  for (const way of ways) {
    const avoid = new Map<string, string>();
    const held = new Set((spec.clusters ?? []).map((target) => target.name));
    let well = 0;
    for (const position of way.members) {
      const record = fleet.records[position] as ClusterRecord;
      const due = wellFrom(record, options) + seconds * 1_000;
      if (due <= now) well++;
      else {
        if (Number.isFinite(due)) waits.push(due);
        if (!held.has(record.name)) avoid.set(record.name, "ClusterNotWellForLong");
      }
    }
    if (well === 0) {
      refusals.push(`${way.to}: no cluster has been well for ${seconds}s`);
      continue;
    }
    const reason = `${way.to} has been well for ${seconds}s`;
    const occasion: Occasion = { kind: "fail-back", reason: `returns: ${reason}` };
    triedFor ??= occasion;
    // Filters let a present target stay whatever its taints; but this is about coming back.
    const from = (home ?? spec.clusters ?? []).filter(
      ({ name }) => !avoid.has(name) && (held.has(name) || !isKeptAway(fleet, name, binding)),
    );
    const { group } = way;
    const trial = tryOut(
      { binding, occasion, from, avoid, ...(group === undefined ? {} : { group }) },
      fleet,
      now,
      options,
    );
    const refusal = whyNot(binding, trial.clusters, trial.decision, way, { fleet, now, options, seconds });
    if (refusal !== undefined) {
      refusals.push(`${way.to}: ${refusal}`);
      continue;
    }
    const clusters = trial.clusters ?? [];
    const endsAtHome = home === undefined || newTargets(clusters, home).length === 0;
    return {
      verdict: "move",
      occasion,
      reason: occasion.reason,
      ...trial,
      clusters,
      endsAtHome,
      ...earliest(...waits),
    };
  }
  const reason = `stays where it is: ${refusals.join("; ")}`;
  return triedFor === undefined
    ? { verdict: "none", reason, away: true, ...earliest(...waits) }
    : { verdict: "stay", occasion: triedFor, reason, ...earliest(...waits) };
}

function whyUnconcerned(binding: Binding, fleet: FleetIndex, options: DecisionOptions): string | undefined {
  const { spec, metadata } = binding;
  if (metadata.deletionTimestamp != null) return "it is being deleted";
  if ((spec.clusters?.length ?? 0) === 0) return "it has no clusters";
  if ((spec.gracefulEvictionTasks?.length ?? 0) > 0) return "it is still leaving other clusters";
  if (metadata.annotations?.[HELD_REPLICAS_ANNOTATION] !== undefined) return "it is still moving";
  const ignored = whyIgnored(binding, options.schedulerName);
  if (ignored !== undefined) return ignored;
  const occasion = findOccasion(binding, fleet, resolveGates(options).MultiplePodTemplatesScheduling);
  // What goes everywhere has an occasion at any time.
  return occasion === undefined || occasion.kind === "not-divided"
    ? undefined
    : `it is scheduled anyway: ${occasion.reason}`;
}

/** The affinity groups before the one in use, first one first. */
function* earlierGroups(binding: Binding, fleet: FleetIndex): Generator<Way> {
  const { spec, status } = binding;
  const { placement } = spec;
  if (placement == null || placement.clusterAffinity != null) return;
  const observed = findGroup(placement, status?.schedulerObservingAffinityName ?? "");
  for (const { affinityName } of (placement.clusterAffinities ?? []).slice(0, Math.max(0, observed))) {
    const plan = fleet.plan(placement, spec.resource, affinityName, isWorkload(spec));
    const members = Array.from(plan.refusals.keys()).filter(
      (position) => ((plan.refusals[position] as number) & AFFINITY_BIT) === 0,
    );
    yield { group: affinityName, to: `affinity group ${affinityName}`, members };
  }
}

/** The clusters that were left, if they still match the group in use. */
function* homeward(binding: Binding, fleet: FleetIndex, home: readonly TargetCluster[] | undefined): Generator<Way> {
  const { spec, status } = binding;
  const { placement } = spec;
  if (placement == null || home === undefined) return;
  const group = status?.schedulerObservingAffinityName ?? "";
  const plan = fleet.plan(placement, spec.resource, group, isWorkload(spec));
  const left = newTargets(spec.clusters ?? [], home).filter((name) => {
    const position = fleet.position(name);
    return position !== undefined && ((plan.refusals[position] as number) & AFFINITY_BIT) === 0;
  });
  if (left.length === 0) return;
  const members = left.map((name) => fleet.position(name) as number);
  const inGroups = placement.clusterAffinity == null && group !== "";
  yield { ...(inGroups ? { group } : {}), to: `left cluster ${listNames(left)}`, members };
}

/** Since when (milliseconds) the cluster has been well; infinite while it is not. */
function wellFrom({ name, cluster, deleting }: ClusterRecord, options: FailBackOptions): number {
  const readiness = readReadiness(cluster);
  if (deleting || readiness?.ready !== true) return Number.POSITIVE_INFINITY;
  return Math.max(readiness.since, options.untaintedSince?.(name) ?? 0);
}

function isKeptAway(fleet: FleetIndex, name: string, { spec }: Binding): boolean {
  const taints = fleet.records[fleet.position(name) ?? -1]?.cluster.spec.taints ?? [];
  return firstUntolerated(taints.filter(keepsAway), spec.placement?.clusterTolerations) !== undefined;
}

interface Circumstances {
  readonly fleet: FleetIndex;
  readonly now: number;
  readonly options: FailBackOptions;
  readonly seconds: number;
}

/** Why the way is not taken; undefined when it works out. */
function whyNot(
  binding: Binding,
  result: readonly TargetCluster[] | undefined,
  decision: SchedulingDecision,
  way: Way,
  { fleet, now, options, seconds }: Circumstances,
): string | undefined {
  if (result === undefined)
    return `it would fail there (${decision.failedGroups[0]?.error.message ?? decision.reason})`;
  const { spec } = binding;
  const before = spec.clusters ?? [];
  const members = new Set(way.members.map((position) => fleet.records[position]?.name ?? ""));
  if (!newTargets(before, result).some((name) => members.has(name)) && way.group === groupInUse(binding)) {
    return "nothing would move";
  }
  for (const { name } of result) {
    const position = fleet.position(name);
    const record = position === undefined ? undefined : fleet.records[position];
    if (record === undefined) return `cluster ${name} is gone`;
    // A present target outside of the way may stay, if it works.
    const windowMs = members.has(name) ? seconds * 1_000 : 0;
    if (wellFrom(record, options) + windowMs > now) return `cluster ${name} has not been well for ${windowMs / 1_000}s`;
  }
  return whyTooTight(binding, result, fleet, options);
}

function groupInUse({ spec, status }: Binding): string | undefined {
  return spec.placement?.clusterAffinity == null ? status?.schedulerObservingAffinityName || undefined : undefined;
}

/** Room for every replica, also where the placement divides without asking for room; and no fewer than wanted. */
function whyTooTight(
  { spec }: Binding,
  result: readonly TargetCluster[],
  fleet: FleetIndex,
  options: FailBackOptions,
): string | undefined {
  const { placement } = spec;
  if (placement == null || !dividesReplicas(spec) || (spec.replicas ?? 0) === 0) return undefined;
  const gates = resolveGates(options);
  const sets = placesSets(spec, placement, gates.MultiplePodTemplatesScheduling);
  const table = estimateFor(fleet, spec, sets, gates, options);
  const room = table instanceof Int32Array ? table : table.values;
  const running = new Map((spec.clusters ?? []).map((target) => [target.name, target.replicas ?? 0]));
  for (const { name, replicas = 0 } of result) {
    const has = (room[fleet.position(name) ?? -1] ?? 0) + (running.get(name) ?? 0);
    if (has < replicas) return `cluster ${name} has room for ${has} of ${replicas} replicas`;
  }
  return undefined;
}
