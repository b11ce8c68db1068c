// What a filter says when it refuses a cluster: to Karmada's users, and to those who want to know what to change.

import type { Cluster } from "../../../api/cluster.ts";
import type { ClusterAffinity, Placement } from "../../../api/policy.ts";
import type { ObjectReference } from "../../../api/work.ts";
import { firstUntolerated, formatTaint } from "../../../kube/taints.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import { pluginRefusalOf, type SchedulingOptions } from "../options.ts";
import type { ClusterRecord } from "./cluster-record.ts";
import {
  type AffinityChoice,
  FILTER_BITS,
  FILTER_NAMES,
  type FilterName,
  missingProperty,
  PLUGIN_BIT,
} from "./filters.ts";

/** One filter's refusal of one cluster. */
export interface Refusal {
  /** The name of a plugin, where one of the user's refuses. */
  readonly filter: string;
  /** Karmada's text, which becomes part of the condition's message. */
  readonly reason: string;
  /** The same for people, with what exactly is missing. */
  readonly detail: string;
  /** Where to change it: a field of the binding's spec (and so of the policy's), or of the cluster. */
  readonly path: string;
}

/** What was asked of the cluster. */
export interface Asked {
  readonly placement: Placement;
  readonly affinity: AffinityChoice;
  readonly resource: Pick<ObjectReference, "apiVersion" | "kind">;
  /** With what plugins refused. */
  readonly options?: SchedulingOptions | undefined;
}

/** The refusals behind `bits`, in the order of `FILTER_NAMES`; those of plugins last. */
export function describeRefusals(bits: number, record: ClusterRecord, asked: Asked): Refusal[] {
  const refusals: Refusal[] = FILTER_NAMES.filter((filter) => (bits & FILTER_BITS[filter]) !== 0).map((filter) => ({
    filter,
    ...describe(filter, record, asked),
  }));
  const byPlugin = (bits & PLUGIN_BIT) === 0 ? undefined : describePlugin(record, asked);
  return byPlugin === undefined ? refusals : [...refusals, byPlugin];
}

/** Karmada's text of the first refusal behind `bits`; undefined when there is none. */
export function firstReason(bits: number, record: ClusterRecord, asked: Asked): string | undefined {
  const filter = FILTER_NAMES.find((name) => (bits & FILTER_BITS[name]) !== 0);
  if (filter !== undefined) return describe(filter, record, asked).reason;
  return (bits & PLUGIN_BIT) === 0 ? undefined : describePlugin(record, asked)?.reason;
}

function describePlugin(record: ClusterRecord, { options = {} }: Asked): Refusal | undefined {
  const refusal = pluginRefusalOf(options, record.name);
  if (refusal === undefined) return undefined;
  const { plugin, reason } = refusal;
  return {
    filter: plugin,
    reason: `cluster(s) were refused by plugin ${plugin}: ${reason}`,
    detail: `plugin ${plugin}: ${reason}`,
    path: `plugins.modules: ${plugin}`,
  };
}

function describe(filter: FilterName, record: ClusterRecord, asked: Asked): Omit<Refusal, "filter"> {
  const { name } = record;
  switch (filter) {
    case "APIEnablement":
      return {
        reason: "cluster(s) did not have the API resource",
        detail: describeMissingApi(record.cluster, asked.resource),
        path: `Cluster ${name}: status.apiEnablements`,
      };
    case "TaintToleration": {
      const taint = firstUntolerated(record.taints, asked.placement.clusterTolerations);
      const text = taint === undefined ? "" : formatTaint(taint);
      return {
        reason: `cluster(s) had untolerated taint {${text}}`,
        detail: `taint ${text} is not tolerated`,
        path: "placement.clusterTolerations",
      };
    }
    case "ClusterAffinity":
      return {
        reason: "cluster(s) did not match the placement cluster affinity constraint",
        ...describeMismatch(record.cluster, asked.affinity),
      };
    case "SpreadConstraint": {
      const missing = missingProperty(record, asked.placement) ?? { index: 0, field: "region" };
      const label = missing.field.startsWith("label ") ? `metadata.labels: ${missing.field.slice(6)}` : undefined;
      return {
        reason: `cluster(s) did not have ${missing.field} property`,
        detail: `has no ${missing.field}, which spreadConstraints[${missing.index}] needs`,
        path: `Cluster ${name}: ${label ?? `spec.${missing.field}`}`,
      };
    }
    case "ClusterEviction":
      return {
        reason: "cluster(s) is in the process of eviction",
        detail: "the object is being moved away from it",
        path: "gracefulEvictionTasks",
      };
    case "WorkloadAffinity":
      return {
        reason: "ResourceBinding with the same affinity group does not target this cluster",
        detail: "others of its affinity group are not there",
        path: "placement.workloadAffinity.affinity",
      };
    case "WorkloadAntiAffinity":
      return {
        reason: "cluster already has workload with the same anti-affinity group",
        detail: "another of its anti-affinity group is there",
        path: "placement.workloadAffinity.antiAffinity",
      };
  }
}

function describeMissingApi(cluster: Cluster, resource: Asked["resource"]): string {
  const count = cluster.status?.apiEnablements?.length ?? 0;
  const complete = cluster.status?.conditions?.some(
    (condition) => condition.type === "CompleteAPIEnablements" && condition.status === "True",
  );
  const state = complete === true ? "complete" : "the list is not complete";
  return `no API ${resource.apiVersion} ${resource.kind} (cluster reports ${count} API versions; ${state})`;
}

function describeMismatch(
  cluster: Cluster,
  { primary, overflow, path }: AffinityChoice,
): { detail: string; path: string } {
  if (primary === undefined) return { detail: "no affinity group is in use", path };
  const part = firstMismatch(cluster, primary);
  const also = overflow.length === 0 ? "" : ", nor is it in an overflow affinity";
  return { detail: `${DETAILS[part]}${also}`, path: `${path}.${part}` };
}

type AffinityPart = "exclude" | "labelSelector" | "fieldSelector" | "clusterNames";

const DETAILS: Readonly<Record<AffinityPart, string>> = {
  exclude: "is excluded by name",
  labelSelector: "its labels do not match",
  fieldSelector: "its provider, region or zones do not match",
  clusterNames: "is not in the list of names",
};

function firstMismatch(cluster: Cluster, affinity: ClusterAffinity): AffinityPart {
  const { exclude, labelSelector, fieldSelector } = affinity;
  if (exclude != null && !clusterMatches(cluster, { exclude })) return "exclude";
  if (labelSelector != null && !clusterMatches(cluster, { labelSelector })) return "labelSelector";
  if (fieldSelector != null && !clusterMatches(cluster, { fieldSelector })) return "fieldSelector";
  return "clusterNames";
}
