// What one cluster has to do with an object: chosen, spare or refused, and what differs in its copy.
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterAffinity, FieldSelectorRequirement, Placement } from "../../api/policy.ts";
import type { AggregatedStatusItem } from "../../api/work.ts";
import { findCondition } from "../../kube/conditions.ts";
import { isObject } from "../../kube/object.ts";
import { matchesRequirements, requirementsOf } from "../../kube/selectors.ts";
import { FAILOVER_HELD_CONDITION } from "../failover/blast-radius.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import type { ClusterTrace, SchedulingTrace } from "../scheduler/explanation/trace.ts";
import type { Refusal } from "../scheduler/fleet/refusals.ts";
import type { Copy } from "./copy.ts";
import { type OverriddenField, overriddenFields, type PolicyOrigin } from "./overridden-fields.ts";

export interface RefusalExplanation {
  readonly filter: string;
  /** `taint maintenance=true:NoSchedule is not tolerated`. */
  readonly words: string;
  /** Where to change it: a field of the policy's spec, or of the Cluster. */
  readonly field: string;
  /** The smallest change that would have it accepted. */
  readonly change: string;
}

export interface ClusterExplanation {
  readonly cluster: string;
  /** `placed`: it is there. `follows`: it is there because objects that need it are. */
  readonly verdict: "placed" | "follows" | "spare" | "refused" | "leaving";
  readonly replicas: number | undefined;
  /** Why it is not there although nothing refuses it. */
  readonly spareReason: string | undefined;
  readonly refusals: readonly RefusalExplanation[];
  /** What would refuse it, were it not there already. */
  readonly waived: readonly RefusalExplanation[];
  readonly overrides: readonly OverriddenField[];
  readonly state: CopyHealth | undefined;
  /** Why the cluster itself is not well; undefined when it is. */
  readonly trouble: string | undefined;
  /** Who knew of less room than the cluster reports; undefined when nobody did. */
  readonly room: string | undefined;
  /** What expressions and plugins say of the cluster; undefined when none was asked. */
  readonly scores: string | undefined;
  /** Why its copy leaves; undefined unless it does. */
  readonly leaving: string | undefined;
}

export interface CopyHealth {
  readonly applied: boolean | undefined;
  readonly message: string | undefined;
  readonly health: string | undefined;
  readonly readyReplicas: number | undefined;
}

export interface ClusterRequest {
  readonly cluster: Cluster;
  readonly trace: ClusterTrace | undefined;
  /** What the present state makes of the cluster, where that is not what `trace` says. */
  readonly now?: ClusterTrace | undefined;
  readonly scheduling: SchedulingTrace | undefined;
  readonly placement: Placement;
  /** Where it is now: replicas, or undefined when it is not; `null` where replicas are not counted. */
  readonly present: { readonly replicas: number | undefined; readonly follows: boolean } | undefined;
  readonly copy: Copy | undefined;
  readonly policyOrigin?: PolicyOrigin | undefined;
  readonly status: AggregatedStatusItem | undefined;
  /** Message of the eviction that takes it out of the cluster. */
  readonly leaving: string | undefined;
}

export function explainCluster(request: ClusterRequest): ClusterExplanation {
  const { cluster, trace, present, copy } = request;
  const current = request.now ?? trace;
  const words = (refusals: readonly Refusal[] | undefined): RefusalExplanation[] =>
    (refusals ?? []).map((refusal) => refusalWords(refusal, request));
  const verdict = verdictOf(request);
  const ready = findCondition(cluster.status?.conditions, "Ready");
  return {
    cluster: cluster.metadata.name ?? "",
    verdict,
    replicas: present?.replicas,
    spareReason: verdict === "spare" ? whySpare(request) : undefined,
    refusals: verdict === "refused" ? words(trace?.refusals) : [],
    waived: present === undefined ? [] : words([...(current?.waived ?? []), ...(current?.refusals ?? [])]),
    overrides: copy === undefined ? [] : overriddenFields(copy, request.policyOrigin),
    state: present === undefined ? undefined : healthOf(request.status),
    room: roomWords(trace, request),
    scores: scoreWords(trace, request.now),
    leaving: verdict === "leaving" ? request.leaving : undefined,
    trouble: ready === undefined || ready.status === "True" ? undefined : troubleOf(cluster, ready.message),
  };
}

/** With why nothing is moved away from it, where the guard of failover holds that. */
function troubleOf({ status }: Cluster, message: string | undefined): string {
  const held = findCondition(status?.conditions, FAILOVER_HELD_CONDITION);
  return `cluster is not ready: ${message}${held?.status === "True" ? `. ${held.message}` : ""}`;
}

function verdictOf({ trace, present, leaving }: ClusterRequest): ClusterExplanation["verdict"] {
  if (leaving !== undefined) return "leaving";
  if (present !== undefined) return present.follows ? "follows" : "placed";
  return trace?.verdict === "refused" || trace?.verdict === "deleting" ? "refused" : "spare";
}

function whySpare({ trace, scheduling, present }: ClusterRequest): string | undefined {
  if (trace === undefined || present !== undefined) return undefined;
  if (trace.verdict === "chosen") return "would be chosen if it were placed anew";
  const selection = scheduling?.selection;
  if (selection !== undefined && !selection.selected.includes(trace.cluster)) {
    const region = selection.regions?.find((candidate) => candidate.clusters.includes(trace.cluster));
    const group = selection.groups?.find((each) => !each.chosen && each.clusters.includes(trace.cluster));
    const name = region === undefined || region.chosen ? undefined : `region ${region.region}`;
    const left = name ?? (group === undefined ? undefined : `${group.by} ${group.group}`);
    const where = left === undefined ? "" : `${left} is not among the `;
    return `fits, not needed: ${where}${selection.reason} (${specPath(selection.path)})`;
  }
  if (scheduling?.error !== undefined) {
    const room = trace.available ?? trace.estimate;
    return room === undefined ? "fits" : `fits, has room for ${room} of ${scheduling.replicas}${loweredWords(trace)}`;
  }
  const [division] = scheduling?.divisions ?? [];
  const weight = division?.weights.find((share) => share.name === trace.cluster)?.weight;
  if (weight === 0) return "fits, but its weight is 0";
  if (division?.strategy === "Aggregated") return "fits, not needed: the others have room enough";
  if (trace.estimate === 0) return `fits, but has no room for a replica${loweredWords(trace)}`;
  return weight === undefined
    ? "fits, not needed"
    : `fits, but weight ${weight} earns none of ${division?.target ?? 0} replicas`;
}

/** Where it is: who knew of less room than the cluster reports, or how much is left when there was not enough. */
function roomWords(trace: ClusterTrace | undefined, { scheduling, present }: ClusterRequest): string | undefined {
  if (trace?.estimate === undefined) return undefined;
  if (scheduling?.error !== undefined && present !== undefined) {
    return `room for ${trace.estimate} more${loweredWords(trace)}`;
  }
  return trace.loweredBy === undefined ? undefined : `room for ${trace.estimate}${loweredWords(trace)}`;
}

/** ` (estimator paris-1 says so; by its own report 12)`. */
export function loweredWords({ loweredBy, reported }: ClusterTrace): string {
  return loweredBy === undefined ? "" : ` (${loweredBy} says so; its own report has room for ${reported ?? 0})`;
}

/** As Karmada: what a cluster is preferred by that has the object already. */
const CURRENT_TARGET_SCORE = 100;

/** `score 140: cheap 70 × 2`. A record has the sum alone, so that the parts are told as long as they still make it up. */
function scoreWords(trace: ClusterTrace | undefined, now: ClusterTrace | undefined): string | undefined {
  const parts = trace?.scores ?? now?.scores;
  if (trace?.score === undefined || parts === undefined || parts.length === 0) return undefined;
  const words = parts.map(({ name, value, weight, error }) =>
    error === undefined ? `${name} ${value}${weight === 1 ? "" : ` × ${weight}`}` : `${name} 0 (${error})`,
  );
  const sum = parts.reduce((total, { value, weight }) => total + value * weight, 0);
  const isSame = trace.score === sum || trace.score === sum + CURRENT_TARGET_SCORE;
  return `score ${trace.score}${isSame ? `: ${words.join(", ")}` : ""}`;
}

/** `placement.x` is a field of the policy's spec. */
function specPath(path: string): string {
  return path.replace(/^placement\b/, "spec.placement");
}

function refusalWords(refusal: Refusal, { cluster, placement, scheduling }: ClusterRequest): RefusalExplanation {
  const { filter, detail, path } = refusal;
  const affinity = affinityOf(placement, scheduling?.affinityGroup);
  const exact = filter === "ClusterAffinity" && affinity !== undefined ? affinityMiss(cluster, affinity) : undefined;
  const change = changeFor(refusal, cluster, affinity);
  return { filter, words: exact ?? detail, field: specPath(path), change };
}

function changeFor({ filter, path, detail }: Refusal, cluster: Cluster, affinity: ClusterAffinity | undefined): string {
  const name = cluster.metadata.name ?? "";
  switch (filter) {
    case "APIEnablement":
      return `install what serves it in ${name}`;
    case "TaintToleration":
      return `tolerate it there, or take ${/^taint (\S+)/.exec(detail)?.[1] ?? "the taint"} off ${name}`;
    case "ClusterAffinity":
      return affinityChange(path.slice(path.lastIndexOf(".") + 1), cluster, affinity);
    case "SpreadConstraint":
      return `give Cluster ${name} one`;
    case "ClusterEviction":
      return "wait until the old copy is gone";
    case "WorkloadAffinity":
      return "place the others of its group there first";
    case "WorkloadAntiAffinity":
      return "move the others of its group away first";
    default:
      // Whatever else refuses is a plugin of the user's.
      return `ask whoever keeps plugin ${filter}`;
  }
}

function affinityChange(part: string, cluster: Cluster, affinity: ClusterAffinity | undefined): string {
  const name = cluster.metadata.name ?? "";
  switch (part) {
    case "exclude":
      return `take ${name} out of the list`;
    case "clusterNames":
      return `add ${name} to the list`;
    case "labelSelector": {
      const labels = cluster.metadata.labels ?? {};
      const unmet = safely(() =>
        requirementsOf(affinity?.labelSelector ?? {}).find((one) => !matchesRequirements([one], labels)),
      );
      const [value] = unmet?.values ?? [];
      const isWanted = unmet?.operator === "=" || unmet?.operator === "==" || unmet?.operator === "in";
      if (unmet !== undefined && isWanted) return `label ${name} with ${unmet.key}=${value ?? ""}`;
      return unmet === undefined ? "change the selector" : `change label ${unmet.key} of ${name}, or the selector`;
    }
    case "fieldSelector":
      return fieldChange(cluster, affinity);
    default:
      return "name an affinity group that takes it in";
  }
}

function affinityOf(placement: Placement, group: string | undefined): ClusterAffinity | undefined {
  return (
    placement.clusterAffinity ?? placement.clusterAffinities?.find((term) => term.affinityName === group) ?? undefined
  );
}

function fieldChange({ metadata, spec }: Cluster, affinity: ClusterAffinity | undefined): string {
  const { name = "" } = metadata;
  const unmet = unmetField({ metadata, spec } as Cluster, affinity?.fieldSelector);
  if (unmet?.operator !== "In") return `change the selector, or ${unmet?.key ?? "the fields"} of Cluster ${name}`;
  const has = fieldOf(spec, unmet.key);
  return has === "" ? `set the ${unmet.key} of Cluster ${name}` : `add ${has} to the values`;
}

function unmetField(
  cluster: Cluster,
  selector: ClusterAffinity["fieldSelector"],
): FieldSelectorRequirement | undefined {
  return (selector?.matchExpressions ?? []).find(
    (expression) => !clusterMatches(cluster, { fieldSelector: { matchExpressions: [expression] } }),
  );
}

function fieldOf({ provider = "", region = "", zones = [] }: Cluster["spec"], key: string): string {
  return key === "provider" ? provider : key === "region" ? region : zones.join(", ");
}

/** Which label, or which of provider, region and zones, the cluster would need; undefined when that is not it. */
function affinityMiss(
  cluster: Cluster,
  { exclude, labelSelector, fieldSelector }: ClusterAffinity,
): string | undefined {
  if (exclude?.includes(cluster.metadata.name ?? "") === true) return undefined;
  if (labelSelector != null && !clusterMatches(cluster, { labelSelector })) {
    const labels = cluster.metadata.labels ?? {};
    const unmet = safely(() => requirementsOf(labelSelector).find((one) => !matchesRequirements([one], labels)));
    if (unmet === undefined) return undefined;
    return missWords(`label ${unmet.key}`, labels[unmet.key], unmet.operator, unmet.values);
  }
  if (fieldSelector == null || clusterMatches(cluster, { fieldSelector })) return undefined;
  const unmet = unmetField(cluster, fieldSelector);
  if (unmet === undefined) return undefined;
  return missWords(unmet.key, fieldOf(cluster.spec, unmet.key), unmet.operator.toLowerCase(), unmet.values ?? []);
}

/** `region is moon, wanted eu-west or ap-northeast`. */
function missWords(key: string, has: string | undefined, operator: string, values: readonly string[]): string {
  const is = has === undefined || has === "" ? `${key} is not set` : `${key} is ${has}`;
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return `${is}, wanted ${values.join(" or ")}`;
    case "!=":
    case "notin":
      return `${is}, which is not wanted`;
    case "exists":
      return is;
    case "!":
    case "doesnotexist":
      return `${is}, wanted none`;
    default:
      return `${is}, wanted ${operator} ${values.join(" or ")}`;
  }
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function healthOf(item: AggregatedStatusItem | undefined): CopyHealth | undefined {
  if (item === undefined) return undefined;
  const status = isObject(item.status) ? item.status : {};
  const ready = status["readyReplicas"];
  return {
    applied: item.applied,
    message: item.appliedMessage === undefined || item.appliedMessage === "" ? undefined : item.appliedMessage,
    health: item.health,
    readyReplicas: typeof ready === "number" ? ready : undefined,
  };
}
