// What is left of workloads when a cluster, or all clusters of a region, stop answering: before and after a change.
import type { Cluster } from "../../api/cluster.ts";
import type { TargetCluster } from "../../api/work.ts";
import type { ObjectRef } from "../../kube/object.ts";
import { Turn } from "../../runtime/turn.ts";
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

/** One side of a change: where everything goes, among these clusters. */
export interface WhatIfSide {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly clusters: readonly Cluster[];
}

/**
 * What each loss would do to the objects of these keys. Objects without replicas, and losses that touch none of them,
 * are left out. Rests between objects, which may be many.
 */
export async function whatIf(
  keys: readonly string[],
  before: WhatIfSide,
  after: WhatIfSide,
  now: number,
): Promise<WhatIf[]> {
  const turn = new Turn();
  const isSameFleet =
    before.clusters.length === after.clusters.length &&
    before.clusters.every((cluster, i) => cluster === after.clusters[i]);
  const found: WhatIf[] = [];
  for (const loss of possibleLosses(after.clusters)) {
    const lost = new Set(loss.clusters);
    const fresh = new LostFleet(after.clusters, lost, now);
    const old = isSameFleet ? fresh : new LostFleet(before.clusters, lost, now);
    const objects: SurvivalChange[] = [];
    for (const key of keys) {
      if (turn.isOver) await turn.next();
      const object = (after.outcomes.get(key) ?? before.outcomes.get(key))?.ref;
      const then = old.survivalOf(before.outcomes.get(key));
      const thereafter = fresh.survivalOf(after.outcomes.get(key));
      if (object === undefined || (then === undefined && thereafter === undefined)) continue;
      objects.push({ object, before: then, after: thereafter });
    }
    if (objects.length > 0) found.push({ loss, objects });
  }
  return found;
}

function sum(targets: readonly TargetCluster[]): number {
  return targets.reduce((total, target) => total + (target.replicas ?? 0), 0);
}

const LOST = { key: "cluster.karmada.io/not-ready", effect: "NoExecute" as const };

/** A fleet in which some clusters do not answer. */
class LostFleet {
  readonly #lost: ReadonlySet<string>;
  readonly #fleet: FleetIndex;
  readonly #now: number;

  constructor(clusters: readonly Cluster[], lost: ReadonlySet<string>, now: number) {
    this.#lost = lost;
    this.#now = now;
    // One for all objects: what it works out for a placement is worked out once.
    this.#fleet = new FleetIndex(
      clusters.map((cluster) =>
        lost.has(cluster.metadata.name ?? "")
          ? { ...cluster, spec: { ...cluster.spec, taints: [...(cluster.spec.taints ?? []), LOST] } }
          : cluster,
      ),
    );
  }

  /** Undefined when the object has no replicas in what is lost. */
  survivalOf(outcome: Outcome | undefined): Survival | undefined {
    const binding = outcome?.binding;
    const targets = binding?.spec.clusters ?? [];
    const lost = targets.filter((target) => this.#lost.has(target.name));
    if (binding === undefined || sum(lost) === 0) return undefined;
    const kept = targets.filter((target) => !this.#lost.has(target.name));
    return { placed: sum(targets), kept: sum(kept), recovered: sum(this.#moveAway(binding, kept)) };
  }

  /** Where the object is once it was moved away from what is lost, as failover does it. */
  #moveAway(binding: AnyBinding, kept: readonly TargetCluster[]): readonly TargetCluster[] {
    const tasks = [...this.#lost].map((fromCluster) => ({
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
    const decision = decideScheduling(evicted, this.#fleet, this.#now);
    return decision.verdict === "scheduled" ? (decision.clusters ?? kept) : kept;
  }
}
