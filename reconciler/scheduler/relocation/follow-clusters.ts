// Beyond Karmada (placement.flaghoist.rescheduleOn): divided replicas follow the labels and the health of clusters.

import type { Placement } from "../../../api/policy.ts";
import type { TargetCluster } from "../../../api/work.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import type { DecisionOptions } from "../decide-scheduling.ts";
import { strategyOf } from "../division/assign.ts";
import type { ClusterRecord } from "../fleet/cluster-record.ts";
import { isReady, readReadiness } from "../fleet/cluster-wellness.ts";
import { AFFINITY_BIT, SPREAD_BIT } from "../fleet/filters.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { PlacementPlan } from "../fleet/plan.ts";
import { type Binding, findOccasion, type Occasion, type OccasionKind, whyIgnored } from "../occasion.ts";
import { resolveGates } from "../options.ts";
import { dividesReplicas, isWorkload } from "../workload.ts";
import { earliest, listNames, newTargets, type Relocation, tryOut } from "./relocation.ts";

export const DEFAULT_HEALTH_DAMPING_MS = 60_000;

export interface FollowOptions extends DecisionOptions {
  /** How long a cluster's Ready condition must have stayed as it is before workloads follow it. */
  readonly healthDampingMs?: number;
}

const UNREADY = "ClusterNotReady";

/** Why a target is left. */
interface Leaving {
  readonly kind: OccasionKind;
  /** For people. */
  readonly text: string;
}

/**
 * Whether `binding` is to be placed anew at `now` (milliseconds), because a target no longer matches its placement, or has
 * not been ready for long enough, or because the placement would have its replicas elsewhere by now. Only replicas of
 * targets that are left move, save where the placement prescribes the division (static weights, overflow tiers). Nothing
 * moves to a cluster that is not ready, and nothing at all unless every replica finds a place.
 *
 * It looks at the present state alone: a change that nobody was there to see counts as well.
 */
export function decideFollowing(binding: Binding, fleet: FleetIndex, now: number, options: FollowOptions): Relocation {
  const unconcerned = whyUnconcerned(binding, fleet, options);
  if (unconcerned !== undefined) return { verdict: "none", reason: unconcerned };
  const { spec, status } = binding;
  const { placement, clusters = [] } = spec;
  if (placement == null) return { verdict: "none", reason: "no placement" };
  const followed = new Set(placement.flaghoist?.rescheduleOn);
  const dampingMs = followed.has("ClusterHealth") ? (options.healthDampingMs ?? DEFAULT_HEALTH_DAMPING_MS) : undefined;
  const plan = fleet.plan(placement, spec.resource, status?.schedulerObservingAffinityName ?? "", isWorkload(spec));
  const leaving = new Map<string, Leaving>();
  // What does not match is refused as it is, and may match the next affinity group; what is not ready is of no use there.
  const avoid = new Map<string, string>();
  const waits: number[] = [];
  let keepsMismatch = false;
  for (const { name } of clusters) {
    const position = fleet.position(name);
    const record = position === undefined ? undefined : fleet.records[position];
    if (position === undefined || record === undefined) continue;
    const mismatch = whyMismatched(plan, position, name);
    const unwell = dampingMs === undefined ? undefined : whyUnwell(record, now, dampingMs, waits);
    if (unwell !== undefined) avoid.set(name, UNREADY);
    // Health alone drives nothing out of a healthy cluster, whatever its labels.
    if (mismatch !== undefined && !followed.has("ClusterLabels")) keepsMismatch = true;
    const why = followed.has("ClusterLabels") ? (mismatch ?? unwell) : unwell;
    if (why !== undefined) leaving.set(name, why);
  }
  if (leaving.size === 0 && (keepsMismatch || !mayFitBetter(placement, plan))) {
    return { verdict: "none", reason: "every target is well", ...earliest(...waits) };
  }
  for (const [name, word] of unsettled(fleet, plan, clusters, { now, dampingMs, waits })) avoid.set(name, word);
  const next = earliest(...waits);
  const occasion = occasionOf(leaving);
  const observed = status?.schedulerObservingAffinityName;
  // Only a target that is left is reason enough to go on to the next affinity group.
  const group = leaving.size === 0 && plan.affinity.path.includes("clusterAffinities[") ? observed : undefined;
  const trial = tryOut(
    { binding, occasion, from: clusters, avoid, ...(group === undefined ? {} : { group }) },
    fleet,
    now,
    options,
  );
  if (leaving.size === 0) return toBetterClusters(binding, trial, next);
  if (trial.clusters === undefined) {
    const reason = `${occasion.reason}, but its replicas stay, because elsewhere: ${trial.decision.reason}`;
    return { verdict: "stay", occasion, reason, ...next };
  }
  const { reason } = occasion;
  return { verdict: "move", occasion, reason, ...trial, clusters: trial.clusters, endsAtHome: false, ...next };
}

function whyUnconcerned(binding: Binding, fleet: FleetIndex, options: FollowOptions): string | undefined {
  const { spec, status, metadata } = binding;
  const { placement } = spec;
  if (placement == null || (placement.flaghoist?.rescheduleOn?.length ?? 0) === 0) return "rescheduleOn is not set";
  const strategy = strategyOf(placement);
  if (strategy === undefined || strategy === "Duplicated" || !dividesReplicas(spec) || (spec.replicas ?? 0) === 0) {
    return "its replicas are not divided";
  }
  if (metadata.deletionTimestamp != null) return "it is being deleted";
  const ignored = whyIgnored(binding, options.schedulerName);
  if (ignored !== undefined) return ignored;
  const inGroups = placement.clusterAffinity == null && (placement.clusterAffinities?.length ?? 0) > 0;
  if (inGroups && !status?.schedulerObservingAffinityName) return "it was not scheduled yet";
  const occasion = findOccasion(binding, fleet, resolveGates(options).MultiplePodTemplatesScheduling);
  return occasion === undefined ? undefined : `it is scheduled anyway: ${occasion.reason}`;
}

/**
 * Whether another cluster can be better than a target that is well: by fixed weights, as a lower tier, by a score. What is
 * divided by room alone has no better clusters, only roomier ones.
 */
function mayFitBetter(placement: Placement, plan: PlacementPlan): boolean {
  return (
    strategyOf(placement) === "StaticWeight" ||
    plan.tiers !== undefined ||
    (placement.flaghoist?.scores?.length ?? 0) > 0
  );
}

function whyMismatched(plan: PlacementPlan, position: number, name: string): Leaving | undefined {
  const bits = plan.refusals[position] as number;
  if ((bits & (AFFINITY_BIT | SPREAD_BIT)) === 0) return undefined;
  const what = (bits & AFFINITY_BIT) !== 0 ? plan.affinity.path : "placement.spreadConstraints";
  return { kind: "target-mismatched", text: `cluster ${name} no longer matches ${what}` };
}

function whyUnwell(record: ClusterRecord, now: number, dampingMs: number, waits: number[]): Leaving | undefined {
  const readiness = readReadiness(record.cluster);
  if (readiness === undefined || readiness.ready) return undefined;
  const due = readiness.since + dampingMs;
  if (due > now) {
    waits.push(due);
    return undefined;
  }
  const text = `cluster ${record.name} has not been ready since ${rfc3339(readiness.since)}`;
  return { kind: "target-not-ready", text };
}

interface Settling {
  readonly now: number;
  /** Undefined: clusters that are ready now will do. */
  readonly dampingMs: number | undefined;
  readonly waits: number[];
}

/** Clusters that match and must not get replicas that they do not have: not ready, or not for long enough. */
function* unsettled(
  fleet: FleetIndex,
  plan: PlacementPlan,
  targets: readonly TargetCluster[],
  { now, dampingMs, waits }: Settling,
): Generator<readonly [string, string]> {
  const held = new Set(targets.map((target) => target.name));
  // A workload that finds no place in the group in use goes on to the next.
  const mayChangeGroup = plan.affinity.path !== "placement.clusterAffinity" && plan.affinity.primary !== undefined;
  for (const [position, record] of fleet.records.entries()) {
    const matches = ((plan.refusals[position] as number) & AFFINITY_BIT) === 0;
    if (held.has(record.name) || !(matches || mayChangeGroup)) continue;
    if (!isReady(record.cluster)) {
      yield [record.name, UNREADY];
      continue;
    }
    const settled = dampingMs === undefined ? now : (readReadiness(record.cluster)?.since ?? now) + dampingMs;
    if (settled <= now) continue;
    waits.push(settled);
    yield [record.name, "ClusterNotReadyForLong"];
  }
}

function occasionOf(leaving: ReadonlyMap<string, Leaving>): Occasion {
  const [first, ...others] = leaving.values();
  if (first === undefined) return { kind: "better-clusters", reason: "clusters changed" };
  const more = others.length === 0 ? "" : `, as for ${others.length} more`;
  return { kind: first.kind, reason: `${first.text}${more}` };
}

/** No target is left: what remains is that the placement itself has the replicas elsewhere. */
function toBetterClusters(
  { spec }: Binding,
  { clusters, decision, input }: ReturnType<typeof tryOut>,
  next: { readonly nextMs?: number },
): Relocation {
  const before = spec.clusters ?? [];
  if (clusters === undefined || decision.clusters === undefined) {
    return { verdict: "none", reason: "every target is well, and nothing else fits better", ...next };
  }
  const added = newTargets(before, clusters);
  const left = newTargets(clusters, before);
  // More room in a present target is no matter of labels and health.
  if (added.length === 0 && spec.placement != null && strategyOf(spec.placement) !== "StaticWeight") {
    return { verdict: "none", reason: "every target is well, and no other cluster fits better", ...next };
  }
  const parts = [
    ...(added.length === 0 ? [] : [`${listNames(added)} is to have replicas now`]),
    ...(left.length === 0 ? [] : [`${listNames(left)} is to have none`]),
  ];
  const reason = parts.length === 0 ? "the weights of its clusters changed" : parts.join(", ");
  const occasion: Occasion = { kind: "better-clusters", reason: `clusters changed: ${reason}` };
  return {
    verdict: "move",
    occasion,
    reason: occasion.reason,
    input,
    clusters,
    decision: { ...decision, reason: occasion.reason, occasion },
    endsAtHome: false,
    ...next,
  };
}
