// The decision of the scheduler core: a binding's spec and status over a fleet.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../../api/cluster.ts";
import type { ResourceBinding, ResourceBindingSpec, ResourceBindingStatus, TargetCluster } from "../../../api/work.ts";
import { FleetIndex } from "../../../reconciler/scheduler/fleet/fleet-index.ts";
import type { AssumedWorkload, GroupMember, SchedulerGates } from "../../../reconciler/scheduler/options.ts";
import { schedule } from "../../../reconciler/scheduler/schedule.ts";
import { bindingName } from "../../../reconciler/works/naming.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import type { Suite, SuiteOptions } from "../suite.ts";

export interface ScheduleInput {
  readonly fleet: string;
  readonly spec: ResourceBindingSpec;
  readonly status: ResourceBindingStatus;
  readonly enableEmptyWorkloadPropagation?: boolean;
  readonly featureGates?: Partial<SchedulerGates>;
  /** The other bindings there are, for gate WorkloadAffinity. */
  readonly bindings?: readonly ResourceBinding[];
  /** What is on its way to clusters, by cluster, for gate SchedulingOvercommitProtection. */
  readonly assumedWorkloads?: Readonly<Record<string, readonly AssumedWorkload[]>>;
}

interface Answer {
  readonly clusters?: readonly TargetCluster[];
  readonly failure?: { readonly kind: string; readonly message: string };
  readonly reasons?: Readonly<Record<string, readonly { readonly plugin: string; readonly reason: string }[]>>;
}

interface Expected {
  readonly clusters?: readonly TargetCluster[];
  readonly anyOrder?: boolean;
  readonly error?: string;
  readonly errorKind?: string;
  readonly errorAnyOf?: readonly string[];
  readonly reasons?: Answer["reasons"];
}

/** The fleets that cases name, by id. */
export function readFleets(vectors: string): ReadonlyMap<string, readonly Cluster[]> {
  // The file is recorded in this form.
  const fleets = JSON.parse(readFileSync(join(vectors, "scheduler-fleets.json"), "utf8")) as readonly {
    readonly id: string;
    readonly clusters: readonly Cluster[];
  }[];
  return new Map(fleets.map((fleet) => [fleet.id, fleet.clusters]));
}

/** Our decision, as comparable as it gets. */
export function answerSchedule(input: ScheduleInput, fleet: FleetIndex): Answer {
  const result = schedule({
    spec: input.spec,
    status: input.status,
    fleet,
    options: {
      explain: true,
      emptyWorkloadPropagation: input.enableEmptyWorkloadPropagation === true,
      featureGates: input.featureGates ?? {},
      affinityMembers: others(input, "affinityGroup"),
      antiAffinityMembers: others(input, "antiAffinityGroup"),
      assumedWorkloads: new Map(Object.entries(input.assumedWorkloads ?? {})),
    },
  });
  if (result.error === undefined) return { clusters: result.clusters };
  const failure = { kind: result.error.kind, message: result.error.message };
  if (failure.kind !== "NoClusterFit") return { failure };
  const refused = (result.trace?.clusters ?? []).filter((cluster) => cluster.verdict === "refused");
  const reasons = refused.map((cluster) => [
    cluster.cluster,
    cluster.refusals
      .map((refusal) => ({ plugin: refusal.filter, reason: refusal.reason }))
      .sort((a, b) => (a.plugin < b.plugin ? -1 : 1)),
  ]);
  return { failure, reasons: Object.fromEntries(reasons) };
}

/** The other bindings of the same namespace and group. */
function others({ spec, bindings = [] }: ScheduleInput, group: "affinityGroup" | "antiAffinityGroup"): GroupMember[] {
  const own = spec.workloadAffinityGroups?.[group];
  const name = bindingName(spec.resource.kind, spec.resource.name);
  return bindings
    .filter(({ metadata }) => metadata.namespace === spec.resource.namespace && metadata.name !== name)
    .filter((binding) => own !== undefined && binding.spec.workloadAffinityGroups?.[group] === own)
    .map((binding) => ({ clusters: binding.spec.clusters ?? [] }));
}

/** Takes out what Karmada leaves to chance. */
export function normalizeSchedule(input: ScheduleInput, expected: unknown, actual: unknown): Comparable {
  // Both come from this file and from the recorded format above.
  const want = expected as Expected;
  const got = actual as Answer;
  if (want.error === undefined) {
    return {
      expected: { ...want, clusters: comparable(input.spec, want.clusters ?? []) },
      actual: got.clusters === undefined ? got : { clusters: comparable(input.spec, got.clusters) },
    };
  }
  // Karmada asks its filters in random order, so that a cluster several of them refuse may be counted under any.
  const texts = want.errorAnyOf ?? [want.error];
  const message = texts.includes(got.failure?.message ?? "") ? got.failure?.message : want.error;
  const { reasons } = want;
  return {
    expected: { failure: { kind: want.errorKind, message }, ...(reasons === undefined ? {} : { reasons }) },
    actual: reasons === undefined ? { failure: got.failure } : got,
  };
}

/**
 * Targets in a form to compare: an absent number of replicas means 0, and those at the end that gained nothing are in
 * no particular order (Karmada appends them in random order).
 */
export function comparable(spec: ResourceBindingSpec, targets: readonly TargetCluster[]): readonly TargetCluster[] {
  const plain = targets.map((target) => ({ ...target, replicas: target.replicas ?? 0 }));
  const byName = (a: TargetCluster, b: TargetCluster): number => (a.name < b.name ? -1 : 1);
  // With tiers, such an end is wherever a tier ends.
  const tiers = spec.placement?.clusterAffinities?.some((term) => term.overflowAffinities != null) === true;
  if (tiers) return plain.sort(byName);
  const before = new Map((spec.clusters ?? []).map((target) => [target.name, target.replicas]));
  // Behind them may stand the clusters that got nothing, in the order of selection.
  const withSome = plain.findLastIndex((target) => target.replicas > 0) + 1;
  const placed = plain.slice(0, withSome);
  const gained = placed.findLastIndex((target) => before.get(target.name) !== target.replicas) + 1;
  return [...placed.slice(0, gained), ...placed.slice(gained).sort(byName), ...plain.slice(withSome)];
}

export const suite: Suite = {
  run(options: SuiteOptions) {
    const fleets = new Map([...readFleets(options.vectors)].map(([id, clusters]) => [id, new FleetIndex(clusters)]));
    return caseSuite<ScheduleInput>(
      "scheduler.json",
      (input) => answerSchedule(input, fleets.get(input.fleet) ?? new FleetIndex()),
      normalizeSchedule,
    ).run(options);
  },
};
