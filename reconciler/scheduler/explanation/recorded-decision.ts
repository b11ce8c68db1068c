// A scheduling decision with everything it depended on, as plain data: what explanations and replays work from.

import type { Cluster } from "../../../api/cluster.ts";
import type { ResourceBindingSpec, ResourceBindingStatus, TargetCluster } from "../../../api/work.ts";
import type { ClusterScore } from "../fleet/scores.ts";
import type { OccasionKind } from "../occasion.ts";
import type { AssumedWorkload, GroupMember, PluginRefusal, SchedulingOptions } from "../options.ts";
import type { GroupedResult } from "../schedule-in-groups.ts";
import type { SchedulingErrorKind } from "../scheduling-error.ts";

/** `SchedulingOptions` without functions and maps. */
export interface RecordedOptions
  extends Pick<
    SchedulingOptions,
    | "featureGates"
    | "emptyWorkloadPropagation"
    | "compatibility"
    | "disabledFilters"
    | "withoutLocality"
    | "pluginFailure"
  > {
  /** What others than the clusters themselves said of their room, by cluster. */
  readonly estimates?: readonly RecordedEstimate[];
  readonly affinityMembers?: readonly GroupMember[];
  readonly antiAffinityMembers?: readonly GroupMember[];
  readonly assumedWorkloads?: Readonly<Record<string, readonly AssumedWorkload[]>>;
  readonly pluginScores?: Readonly<Record<string, readonly ClusterScore[]>>;
  readonly pluginRefusals?: Readonly<Record<string, PluginRefusal>>;
  readonly recordedScores?: Readonly<Record<string, number>>;
}

export interface RecordedEstimate {
  readonly name?: string;
  readonly replicas: Readonly<Record<string, number>>;
}

export interface RecordedFailure {
  readonly kind: SchedulingErrorKind;
  readonly message: string;
}

/** What scheduling answered: clusters, or why none. */
export interface RecordedAnswer {
  readonly clusters?: readonly TargetCluster[];
  /** The affinity group whose clusters were chosen. */
  readonly affinityName?: string;
  readonly error?: RecordedFailure;
  /** Affinity groups that were tried in vain, in order. */
  readonly failedGroups: readonly (RecordedFailure & { readonly affinityName: string })[];
}

export interface RecordedDecision {
  /** RFC 3339. */
  readonly decidedAt: string;
  readonly occasion: { readonly kind: OccasionKind; readonly reason: string } | undefined;
  readonly fleetVersion: number;
  /** As scheduling saw it, `clusters` as they were before. */
  readonly spec: ResourceBindingSpec;
  readonly status: Pick<ResourceBindingStatus, "schedulerObservingAffinityName" | "lastScheduledTime">;
  /** Every cluster of the fleet, with at least what this decision looks at. */
  readonly clusters: readonly Cluster[];
  readonly options: RecordedOptions;
  readonly answer: RecordedAnswer;
}

/** The options as data; `clusters` are the names to ask estimates for. */
export function recordOptions(options: SchedulingOptions | undefined, clusters: Iterable<string>): RecordedOptions {
  if (options === undefined) return {};
  const { featureGates, emptyWorkloadPropagation, compatibility, disabledFilters, pluginFailure } = options;
  const { withoutLocality } = options;
  const { pluginScores, pluginRefusals, recordedScores } = options;
  const { estimates, affinityMembers, antiAffinityMembers, assumedWorkloads } = options;
  const names = estimates === undefined ? [] : [...clusters];
  return {
    ...(featureGates === undefined ? {} : { featureGates }),
    ...(emptyWorkloadPropagation === undefined ? {} : { emptyWorkloadPropagation }),
    ...(withoutLocality === undefined ? {} : { withoutLocality }),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(disabledFilters === undefined ? {} : { disabledFilters }),
    ...(pluginFailure === undefined ? {} : { pluginFailure }),
    ...(pluginScores === undefined ? {} : { pluginScores: Object.fromEntries(pluginScores) }),
    ...(pluginRefusals === undefined ? {} : { pluginRefusals: Object.fromEntries(pluginRefusals) }),
    ...(recordedScores === undefined ? {} : { recordedScores: Object.fromEntries(recordedScores) }),
    ...(affinityMembers === undefined ? {} : { affinityMembers: affinityMembers.map(clustersOnly) }),
    ...(antiAffinityMembers === undefined ? {} : { antiAffinityMembers: antiAffinityMembers.map(clustersOnly) }),
    ...(assumedWorkloads === undefined ? {} : { assumedWorkloads: Object.fromEntries(assumedWorkloads) }),
    ...(estimates === undefined
      ? {}
      : {
          estimates: estimates.map((estimate) => ({
            ...(estimate.name === undefined ? {} : { name: estimate.name }),
            replicas: Object.fromEntries(
              names.flatMap((name): [string, number][] => {
                const replicas = estimate.replicasOf(name);
                return replicas === undefined ? [] : [[name, replicas]];
              }),
            ),
          })),
        }),
  };
}

function clustersOnly({ clusters }: GroupMember): GroupMember {
  return { clusters };
}

/** The options as scheduling takes them. */
export function restoreOptions(recorded: RecordedOptions): SchedulingOptions {
  const { estimates, assumedWorkloads, pluginScores, pluginRefusals, recordedScores, ...rest } = recorded;
  return {
    ...rest,
    ...(pluginScores === undefined ? {} : { pluginScores: new Map(Object.entries(pluginScores)) }),
    ...(pluginRefusals === undefined ? {} : { pluginRefusals: new Map(Object.entries(pluginRefusals)) }),
    ...(recordedScores === undefined ? {} : { recordedScores: new Map(Object.entries(recordedScores)) }),
    ...(assumedWorkloads === undefined ? {} : { assumedWorkloads: new Map(Object.entries(assumedWorkloads)) }),
    ...(estimates === undefined
      ? {}
      : {
          estimates: estimates.map(({ name, replicas }) => {
            const byCluster = new Map(Object.entries(replicas));
            return {
              ...(name === undefined ? {} : { name }),
              replicasOf: (cluster: string) => byCluster.get(cluster),
            };
          }),
        }),
  };
}

/** The answer as data. */
export function recordAnswer({ result, affinityName, failed }: GroupedResult): RecordedAnswer {
  const { clusters, error } = result;
  return {
    ...(clusters === undefined ? {} : { clusters }),
    ...(affinityName === undefined ? {} : { affinityName }),
    ...(error === undefined ? {} : { error: { kind: error.kind, message: error.message } }),
    failedGroups: failed.map((attempt) => ({
      affinityName: attempt.affinityName,
      kind: attempt.error.kind,
      message: attempt.error.message,
    })),
  };
}

/** One line of text that two answers share when and only when they are the same to the last field. */
export function answerText(answer: RecordedAnswer): string {
  const { clusters, affinityName, error, failedGroups } = answer;
  return JSON.stringify([
    clusters?.map(({ name, replicas, components }) => [
      name,
      replicas ?? null,
      components?.map((component) => [component.name, component.replicas]) ?? null,
    ]) ?? null,
    affinityName ?? null,
    error === undefined ? null : [error.kind, error.message],
    failedGroups.map((group) => [group.affinityName, group.kind, group.message]),
  ]);
}
