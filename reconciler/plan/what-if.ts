// What is left of workloads when a cluster, or all clusters of a region, stop answering: before and after a change.
import type { Cluster } from "../../api/cluster.ts";
import type { TargetCluster } from "../../api/work.ts";
import type { ObjectRef } from "../../kube/object.ts";
import { decideScheduling } from "../scheduler/decide-scheduling.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import type { AnyBinding } from "../works/binding.ts";
import type { Outcome } from "./river.ts";

/** Something that may fail. */
export interface Loss {
  readonly what: "cluster" | "region";
  readonly name: string;
  readonly clusters: readonly string[];
}

export interface Survival {
  /** Replicas that are placed while all is well. */
  readonly placed: number;
  /** Replicas that go on at once. */
  readonly kept: number;
  /** Replicas once the others were moved, where failover is on. */
  readonly recovered: number;
}

export interface SurvivalChange {
  readonly object: ObjectRef;
  /** Undefined: the object was not there, or not in what is lost. */
  readonly before: Survival | undefined;
  readonly after: Survival | undefined;
}

export interface WhatIf {
  readonly loss: Loss;
  readonly objects: readonly SurvivalChange[];
}

type Outcomes = ReadonlyMap<string, Outcome>;

/** Every cluster, and every region of several clusters that is not the whole fleet. */
export function possibleLosses(clusters: readonly Cluster[]): Loss[] {
  const names = clusters.map((cluster) => cluster.metadata.name ?? "").sort();
  const regions = new Map<string, string[]>();
  for (const { metadata, spec } of clusters) {
    if (!spec.region) continue;
    regions.set(spec.region, [...(regions.get(spec.region) ?? []), metadata.name ?? ""]);
  }
  return [
    ...names.map((name): Loss => ({ what: "cluster", name, clusters: [name] })),
    ...[...regions]
      .filter(([, members]) => members.length > 1 && members.length < clusters.length)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, members]): Loss => ({ what: "region", name, clusters: members.sort() })),
  ];
}

/**
 * What each loss would do to the objects of these keys. Objects without replicas, and losses that touch none of them,
 * are left out.
 */
export function whatIf(
  keys: readonly string[],
  before: { readonly outcomes: Outcomes; readonly clusters: readonly Cluster[] },
  after: { readonly outcomes: Outcomes; readonly clusters: readonly Cluster[] },
  now: number,
): WhatIf[] {
  return possibleLosses(after.clusters).flatMap((loss): WhatIf[] => {
    const objects = keys.flatMap((key): SurvivalChange[] => {
      const object = (after.outcomes.get(key) ?? before.outcomes.get(key))?.ref;
      const then = survivalOf(before.outcomes.get(key), loss, before.clusters, now);
      const thereafter = survivalOf(after.outcomes.get(key), loss, after.clusters, now);
      if (object === undefined || (then === undefined && thereafter === undefined)) return [];
      return [{ object, before: then, after: thereafter }];
    });
    return objects.length === 0 ? [] : [{ loss, objects }];
  });
}

/** Undefined when the object has no replicas in what is lost. */
function survivalOf(
  outcome: Outcome | undefined,
  loss: Loss,
  clusters: readonly Cluster[],
  now: number,
): Survival | undefined {
  const binding = outcome?.binding;
  const targets = binding?.spec.clusters ?? [];
  const lost = targets.filter((target) => loss.clusters.includes(target.name));
  if (binding === undefined || sum(lost) === 0) return undefined;
  const kept = targets.filter((target) => !loss.clusters.includes(target.name));
  return { placed: sum(targets), kept: sum(kept), recovered: sum(moveAway(binding, kept, loss, clusters, now)) };
}

function sum(targets: readonly TargetCluster[]): number {
  return targets.reduce((total, target) => total + (target.replicas ?? 0), 0);
}

/** Where the object is once it was moved away from what is lost, as failover does it. */
function moveAway(
  binding: AnyBinding,
  kept: readonly TargetCluster[],
  loss: Loss,
  clusters: readonly Cluster[],
  now: number,
): readonly TargetCluster[] {
  const fleet = clusters.map((cluster) =>
    loss.clusters.includes(cluster.metadata.name ?? "")
      ? { ...cluster, spec: { ...cluster.spec, taints: [...(cluster.spec.taints ?? []), LOST] } }
      : cluster,
  );
  const tasks = loss.clusters.map((fromCluster) => ({
    fromCluster,
    producer: "TaintManager",
    reason: "TaintUntolerated",
  }));
  const evicted = {
    ...binding,
    spec: {
      ...binding.spec,
      clusters: [...kept],
      gracefulEvictionTasks: [...(binding.spec.gracefulEvictionTasks ?? []), ...tasks],
    },
    // The same kind with other targets.
  } as AnyBinding;
  const decision = decideScheduling(evicted, new FleetIndex(fleet), now);
  return decision.verdict === "scheduled" ? (decision.clusters ?? kept) : kept;
}

const LOST = { key: "cluster.karmada.io/not-ready", effect: "NoExecute" as const };
