// The filters a cluster must pass, as bits, and what each says when it refuses.

import type { ClusterAffinity, ClusterAffinityTerm, Placement, SpreadConstraint } from "../../../api/policy.ts";
import { firstUntolerated } from "../../../kube/taints.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import type { ClusterRecord } from "./cluster-record.ts";

/**
 * The filters by Karmada's names, in the order in which a refusal is reported.
 * Differs from Karmada: there the order is random, so that the same refusals can make different messages.
 */
export const FILTER_NAMES = [
  "APIEnablement",
  "TaintToleration",
  "ClusterAffinity",
  "SpreadConstraint",
  "ClusterEviction",
  "WorkloadAffinity",
  "WorkloadAntiAffinity",
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

export const API_BIT = 1;
export const TAINT_BIT = 2;
export const AFFINITY_BIT = 4;
export const SPREAD_BIT = 8;
export const EVICTION_BIT = 16;
export const WORKLOAD_AFFINITY_BIT = 32;
export const WORKLOAD_ANTI_AFFINITY_BIT = 64;
/** Not a filter: a cluster that is going away is passed over without a word. */
export const DELETING_BIT = 128;

/** Not one of Karmada's filters: a plugin of the user refuses the cluster. */
export const PLUGIN_BIT = 256;

/** What a current target is not asked again. */
export const WAIVED_FOR_TARGETS = API_BIT | TAINT_BIT;

export const FILTER_BITS: Readonly<Record<FilterName, number>> = {
  APIEnablement: API_BIT,
  TaintToleration: TAINT_BIT,
  ClusterAffinity: AFFINITY_BIT,
  SpreadConstraint: SPREAD_BIT,
  ClusterEviction: EVICTION_BIT,
  WorkloadAffinity: WORKLOAD_AFFINITY_BIT,
  WorkloadAntiAffinity: WORKLOAD_ANTI_AFFINITY_BIT,
};

/** The mask that keeps the bits of all filters but the `disabled` ones. */
export function enabledMask(disabled: readonly FilterName[] = []): number {
  return disabled.reduce((mask, name) => mask & ~FILTER_BITS[name], 255 | PLUGIN_BIT);
}

/** The affinities of which one must match; none means every cluster fits. */
export interface AffinityChoice {
  readonly primary: ClusterAffinity | undefined;
  readonly overflow: readonly ClusterAffinity[];
  /** Where in the placement the choice is written. */
  readonly path: string;
}

/** What of `placement` decides, given the affinity group under consideration. */
export function chooseAffinity(placement: Placement, groupName: string, workload: boolean): AffinityChoice {
  if (placement.clusterAffinity != null) {
    return { primary: placement.clusterAffinity, overflow: [], path: "placement.clusterAffinity" };
  }
  const index = findGroup(placement, groupName);
  const group = placement.clusterAffinities?.[index];
  if (group === undefined) return { primary: undefined, overflow: [], path: "placement.clusterAffinities" };
  return {
    primary: group,
    overflow: workload ? (group.overflowAffinities ?? []) : [],
    path: `placement.clusterAffinities[${index}]`,
  };
}

/** Index of the group called `name` in `clusterAffinities`; -1 when there is none. */
export function findGroup(placement: Placement, name: string): number {
  return placement.clusterAffinities?.findIndex((term: ClusterAffinityTerm) => term.affinityName === name) ?? -1;
}

/** Whether a cluster is selected. */
export type ClusterTest = (record: ClusterRecord) => boolean;

/** The test that one of the choice's affinities is for a cluster. */
export function affinityTest({ primary, overflow }: AffinityChoice): ClusterTest {
  if (primary === undefined) return () => true;
  const tests = [primary, ...overflow].map(testOf);
  return (record) => tests.some((test) => test(record));
}

/** Lists of names that are searched once per cluster of a large fleet. */
const LONG_LIST = 16;

function testOf(affinity: ClusterAffinity): ClusterTest {
  const { clusterNames, ...rest } = affinity;
  if (clusterNames == null || clusterNames.length <= LONG_LIST) {
    return (record) => clusterMatches(record.cluster, affinity);
  }
  const names = new Set(clusterNames);
  return (record) => names.has(record.name) && clusterMatches(record.cluster, rest);
}

/** Which of the placement's own filters refuse the cluster. Evictions and other bindings are not its matter. */
export function refusalBits(
  record: ClusterRecord,
  placement: Placement,
  isSelected: ClusterTest,
  servesApi: boolean,
): number {
  let bits = record.deleting ? DELETING_BIT : 0;
  if (!servesApi) bits |= API_BIT;
  if (firstUntolerated(record.taints, placement.clusterTolerations) !== undefined) bits |= TAINT_BIT;
  if (!isSelected(record)) bits |= AFFINITY_BIT;
  if (missingProperty(record, placement) !== undefined) bits |= SPREAD_BIT;
  return bits;
}

/** Tier of the cluster in an overflow group: 0 for the group itself, then its overflow affinities, 1000 for neither. */
export function overflowTier(record: ClusterRecord, group: ClusterAffinityTerm): number {
  if (clusterMatches(record.cluster, group)) return 0;
  const index = (group.overflowAffinities ?? []).findIndex((entry) => clusterMatches(record.cluster, entry));
  return index < 0 ? 1000 : index + 1;
}

/** The property that a spread constraint needs and a cluster does not have. */
export interface MissingProperty {
  readonly index: number;
  readonly field: "provider" | "region" | "zones" | `label ${string}`;
}

export function missingProperty(record: ClusterRecord, placement: Placement): MissingProperty | undefined {
  const { spec } = record.cluster;
  for (const [index, constraint] of (placement.spreadConstraints ?? []).entries()) {
    if (constraint.spreadByField === "provider" && !spec.provider) return { index, field: "provider" };
    if (constraint.spreadByField === "region" && !spec.region) return { index, field: "region" };
    if (constraint.spreadByField === "zone" && !spec.zones?.length) return { index, field: "zones" };
    if (lacksLabel(record, placement, constraint)) return { index, field: `label ${constraint.spreadByLabel}` };
  }
  return undefined;
}

/** As with properties, a cluster without the label is in no group; Karmada does not know such constraints. */
function lacksLabel({ cluster }: ClusterRecord, placement: Placement, { spreadByLabel }: SpreadConstraint): boolean {
  if (placement.flaghoist?.strictSpread !== true || !spreadByLabel) return false;
  return cluster.metadata.labels?.[spreadByLabel] === undefined;
}
