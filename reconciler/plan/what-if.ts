// What is left of workloads when a cluster, a zone, a region or a provider stops answering: before and after a change.
import type { Cluster } from "../../api/cluster.ts";
import type { ReportedLoss } from "../../api/plan-report.ts";
import type { TargetCluster } from "../../api/work.ts";
import { Turn } from "../../runtime/turn.ts";
import { APPLIED_PLACEMENT_ANNOTATION } from "../scheduler/applied-placement.ts";
import { decideScheduling } from "../scheduler/decide-scheduling.ts";
import { FleetIndex } from "../scheduler/fleet/fleet-index.ts";
import { whyIgnored } from "../scheduler/occasion.ts";
import { namesDescend } from "../scheduler/schedule.ts";
import type { AnyBinding } from "../works/binding.ts";
import { possibleLosses } from "./possible-losses.ts";
import { ReplicaMinima } from "./replica-minimum.ts";
import { reportedObject } from "./report-words.ts";
import type { Outcome } from "./river.ts";
import type { World } from "./world.ts";

type LostObject = ReportedLoss["objects"][number];
export type Survival = NonNullable<LostObject["after"]>;

/** One side of a change: where everything goes, in this world. */
export interface WhatIfSide {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly world: Pick<World, "clusters" | "templates" | "budgets">;
}

/**
 * What each loss would do to the objects of these keys that are there after the change, the worst first. Objects without
 * replicas, and losses that touch none of them, are left out. Rests between objects, which may be many.
 */
export async function whatIf(
  keys: readonly string[],
  before: WhatIfSide,
  after: WhatIfSide,
  now: number,
): Promise<ReportedLoss[]> {
  const turn = new Turn();
  const fresh = new Survivals(after.world.clusters, now);
  const old = isSameFleet(before.world.clusters, after.world.clusters)
    ? fresh
    : new Survivals(before.world.clusters, now);
  const minima = new ReplicaMinima(after.world);
  const alike = new Map<string, Alike>();
  const objects: { readonly object: LostObject["object"]; readonly like: Alike }[] = [];
  for (const key of keys) {
    if (turn.isOver) await turn.next();
    const outcome = after.outcomes.get(key);
    const was = before.outcomes.get(key)?.binding;
    const is = outcome?.binding;
    if (outcome === undefined || sum(was?.spec.clusters) + sum(is?.spec.clusters) === 0) continue;
    const { minimum, from } = minima.of(outcome.template, sum((is ?? was)?.spec.clusters));
    const kind = JSON.stringify([was && old.kindOf(was), is && fresh.kindOf(is), minimum, from]);
    const like = alike.get(kind) ?? { was, is, minimum, from };
    alike.set(kind, like);
    objects.push({ object: reportedObject(outcome.ref), like });
  }
  const found: ReportedLoss[] = [];
  for (const loss of possibleLosses(after.world.clusters)) {
    const lost = new Set(loss.clusters);
    fresh.lose(lost);
    if (old !== fresh) old.lose(lost);
    const fates = new Map<Alike, Omit<LostObject, "object"> | undefined>();
    for (const like of alike.values()) {
      if (turn.isOver) await turn.next();
      fates.set(like, fateOf(like, old, fresh));
    }
    const touched: LostObject[] = [];
    for (const { object, like } of objects) {
      const fate = fates.get(like);
      if (fate !== undefined) touched.push({ object, ...fate });
    }
    if (touched.length === 0) continue;
    const { what, name, clusters, also } = loss;
    const all = also === undefined ? {} : { also: [...also] };
    found.push({ loss: { what, name, clusters: [...clusters], ...all }, objects: touched.sort(worstFirst) });
  }
  return found.sort((a, b) => worstFirst(a.objects[0], b.objects[0]));
}

/** Objects that no loss tells apart. */
interface Alike {
  readonly was: AnyBinding | undefined;
  readonly is: AnyBinding | undefined;
  readonly minimum: number;
  readonly from: LostObject["minimumFrom"];
}

/** Undefined when what is lost has no replicas of theirs. */
function fateOf(
  { was, is, minimum, from }: Alike,
  old: Survivals,
  fresh: Survivals,
): Omit<LostObject, "object"> | undefined {
  const then = old.of(was);
  const thereafter = fresh.of(is);
  if (then === undefined && thereafter === undefined) return undefined;
  const outcome = outcomeOf(thereafter, minimum);
  return {
    minimum,
    ...(from === undefined ? {} : { minimumFrom: from }),
    ...(then === undefined ? {} : { before: then }),
    ...(thereafter === undefined ? {} : { after: thereafter }),
    outcome,
    comparison: compareSurvival(then, thereafter, was === undefined && outcome === "survives"),
  };
}

function isSameFleet(a: readonly Cluster[], b: readonly Cluster[]): boolean {
  return a.length === b.length && a.every((cluster, i) => cluster === b[i]);
}

function sum(targets: readonly TargetCluster[] | undefined): number {
  let total = 0;
  for (const { replicas = 0 } of targets ?? []) total += replicas;
  return total;
}

function outcomeOf(survival: Survival | undefined, minimum: number): LostObject["outcome"] {
  if (survival === undefined) return "untouched";
  if (survival.kept >= minimum) return "survives";
  if (survival.recovered >= minimum) return "recovers";
  return survival.recovered === 0 ? "down" : "below-minimum";
}

/** By the share that goes on at once, then by what failover brings back. What is new and survives is no worse. */
function compareSurvival(
  before: Survival | undefined,
  after: Survival | undefined,
  isNewAndWell: boolean,
): LostObject["comparison"] {
  if (before === undefined || after === undefined)
    return isNewAndWell || before === after ? "same" : after === undefined ? "better" : "worse";
  const difference = after.kept / after.placed - before.kept / before.placed || after.recovered - before.recovered;
  return difference === 0 ? "same" : difference > 0 ? "better" : "worse";
}

const OUTCOMES = ["down", "below-minimum", "recovers", "survives", "untouched"] as const;
const COMPARISONS = ["worse", "same", "better"] as const;

function worstFirst(a: LostObject | undefined, b: LostObject | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return (
    OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) ||
    COMPARISONS.indexOf(a.comparison) - COMPARISONS.indexOf(b.comparison)
  );
}

const LOST = { key: "cluster.karmada.io/not-ready", effect: "NoExecute" as const };

/** The cluster as it is seen when it does not answer. */
function unreachable(cluster: Cluster): Cluster {
  return { ...cluster, spec: { ...cluster.spec, taints: [...(cluster.spec.taints ?? []), LOST] } };
}

/** The fleet without these clusters: they are there, and do not answer. */
export function fleetWithout(clusters: readonly Cluster[], lost: ReadonlySet<string>): FleetIndex {
  return new FleetIndex(
    clusters.map((cluster) => (lost.has(cluster.metadata.name ?? "") ? unreachable(cluster) : cluster)),
  );
}

/** Undefined when the object has no replicas in what is lost. `fleet` is without that already. */
export function survivalOf(
  binding: AnyBinding,
  lost: ReadonlySet<string>,
  fleet: () => FleetIndex,
  now: number,
): Survival | undefined {
  const targets = binding.spec.clusters ?? [];
  const kept = targets.filter((target) => !lost.has(target.name));
  const [placed, left] = [sum(targets), sum(kept)];
  if (placed === left) return undefined;
  return { placed, kept: left, recovered: sum(moveAway(binding, kept, lost, fleet(), now)) };
}

/** Where the object is once it was moved away from what is lost, as failover does it. */
function moveAway(
  binding: AnyBinding,
  kept: readonly TargetCluster[],
  lost: ReadonlySet<string>,
  fleet: FleetIndex,
  now: number,
): readonly TargetCluster[] {
  const tasks = [...lost].map((fromCluster) => ({
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
  const decision = decideScheduling(evicted, fleet, now);
  return decision.verdict === "scheduled" ? (decision.clusters ?? kept) : kept;
}

/** What survives in one fleet: asked once for all bindings that a decision cannot tell apart. */
export class Survivals {
  readonly #clusters: readonly Cluster[];
  readonly #now: number;
  readonly #kinds = new WeakMap<AnyBinding, string>();
  #lost: ReadonlySet<string> = new Set();
  /** One for all losses: what it works out for a placement is brought up to date where clusters go and come back. */
  #fleet: FleetIndex | undefined;
  #lostInFleet: ReadonlySet<string> = new Set();
  #known = new Map<string, Survival | undefined>();

  constructor(clusters: readonly Cluster[], now: number) {
    this.#clusters = clusters;
    this.#now = now;
  }

  /** From now on these are lost, and no others. */
  lose(clusters: ReadonlySet<string>): void {
    this.#lost = clusters;
    this.#known = new Map();
  }

  /** Undefined when there is no binding, or it has no replicas in what is lost. */
  of(binding: AnyBinding | undefined): Survival | undefined {
    if (binding?.spec.clusters?.some(({ name, replicas = 0 }) => replicas > 0 && this.#lost.has(name)) !== true)
      return undefined;
    const kind = this.kindOf(binding);
    if (this.#known.has(kind)) return this.#known.get(kind);
    const survival = survivalOf(binding, this.#lost, () => this.#fleetNow(), this.#now);
    this.#known.set(kind, survival);
    return survival;
  }

  /** Equal for bindings that no loss tells apart. */
  kindOf(binding: AnyBinding): string {
    let kind = this.#kinds.get(binding);
    if (kind === undefined) {
      kind = decisionKey(binding);
      this.#kinds.set(binding, kind);
    }
    return kind;
  }

  #fleetNow(): FleetIndex {
    this.#fleet ??= new FleetIndex(this.#clusters);
    if (this.#lostInFleet === this.#lost) return this.#fleet;
    for (const cluster of this.#clusters) {
      const name = cluster.metadata.name ?? "";
      const isLost = this.#lost.has(name);
      if (isLost !== this.#lostInFleet.has(name)) this.#fleet.set(isLost ? unreachable(cluster) : cluster);
    }
    this.#lostInFleet = this.#lost;
    return this.#fleet;
  }
}

/**
 * Equal for bindings whose replicas go to the same clusters, whatever is lost: all that a decision looks at. Of the
 * object's name it knows nothing, unless expressions of the placement look at the object.
 */
function decisionKey(binding: AnyBinding): string {
  const { metadata, spec, status } = binding;
  const { apiVersion, kind, namespace, name, uid } = spec.resource;
  const isNamed = (spec.placement?.flaghoist?.scores?.length ?? 0) > 0;
  return JSON.stringify([
    // References to others, and those of others to it, decide about other objects only.
    { ...spec, resource: undefined, requiredBy: undefined },
    [apiVersion, kind, namesDescend(uid)],
    isNamed ? [namespace, name] : [],
    whyIgnored(binding) !== undefined,
    metadata.deletionTimestamp != null,
    metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION],
    [status?.schedulerObservingAffinityName, status?.lastScheduledTime],
  ]);
}
