// Why an object is where it is: everything that decided about it, from the policy down to single fields.
import type { Cluster } from "../../api/cluster.ts";
import { GITOPS_GROUP } from "../../api/gitops.ts";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBindingStatus, TargetCluster } from "../../api/work.ts";
import { equalJson, type KubeObject, type ObjectRef, parseApiVersion, refKey, refOf } from "../../kube/object.ts";
import { rfc3339 } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import { SYNC_NAME_LABEL, SYNC_NAMESPACE_LABEL } from "../controllers/sync-decisions.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import { readSkipList, whyNotTemplate } from "../policies/considered.ts";
import { FleetIndex } from "../scheduler/fleet-index.ts";
import { findOccasion } from "../scheduler/occasion.ts";
import { type GroupedResult, scheduleInGroups } from "../scheduler/schedule-in-groups.ts";
import type { DivisionTrace, SchedulingTrace, SelectionTrace } from "../scheduler/trace.ts";
import type { AnyBinding } from "../works/binding.ts";
import { effectiveTargets } from "../works/targets.ts";
import { type ClusterExplanation, explainCluster } from "./explain-clusters.ts";
import {
  type NearPolicy,
  nameOfPolicy,
  nearPolicies,
  type OtherPolicy,
  otherPolicies,
  type PolicyName,
  whyChosen,
} from "./explain-policies.ts";
import { isNamespace, namespaceCopies, whyNamespaceStays } from "./namespaces.ts";
import { copiesOf, findBinding, type Outcome, type RiverOptions, runRiver } from "./river.ts";
import type { World } from "./world.ts";

/** Where an object is written. */
export interface Origin {
  /** `shop/apps`. */
  readonly sync?: string | undefined;
  readonly revision?: string | undefined;
  /** `deploy/web.yaml:3`, or the folder when the file is not known. */
  readonly file?: string | undefined;
}

export interface DivisionExplanation extends DivisionTrace {
  /** By cluster: the static rule, counted from 1, that gives the weight. */
  readonly ruleOf: Readonly<Record<string, number>>;
  /** Static rules that match no cluster. */
  readonly idleRules: readonly number[];
}

export interface Explanation {
  readonly object: ObjectRef;
  readonly origin: Origin | undefined;
  /**
   * `placed`: in at least one cluster. `unplaced`: a policy has it, but it is in no cluster. `attached`: goes where
   * objects go that need it. `everywhere`: a namespace, which every cluster gets. `unclaimed`: no policy selects it. `kept`: never leaves the control plane.
   */
  readonly state: "placed" | "unplaced" | "attached" | "everywhere" | "unclaimed" | "kept";
  /** Why it is kept, or cannot be placed. */
  readonly reason: string | undefined;
  readonly policy: (PolicyName & { readonly why: string; readonly origin: Origin | undefined }) | undefined;
  readonly otherPolicies: readonly OtherPolicy[];
  readonly nearPolicies: readonly NearPolicy[];
  /** The objects that need this one; `name` is that of a binding when the object is not known. */
  readonly follows: readonly ObjectRef[];
  readonly replicas: number | undefined;
  readonly affinityGroup:
    | { readonly name: string; readonly failed: readonly { readonly name: string; readonly message: string }[] }
    | undefined;
  readonly clusters: readonly ClusterExplanation[];
  readonly strategy: SchedulingTrace["strategy"] | undefined;
  readonly selection: SelectionTrace | undefined;
  readonly divisions: readonly DivisionExplanation[];
  /** Set when a division from scratch would come out differently. */
  readonly differs:
    | { readonly present: readonly TargetCluster[]; readonly fresh: readonly TargetCluster[]; readonly reason: string }
    | undefined;
  /** Conditions that keep the object from being as wanted. */
  readonly blocking: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  readonly problems: readonly string[];
  readonly lastScheduledTime: string | undefined;
}

export interface ExplainOptions extends RiverOptions {
  /** Where an object is written, for those of which it is known. */
  readonly originOf?: (object: KubeObject) => Origin | undefined;
}

/** Explains one of the world's templates. Throws `object-unknown` when the world does not have it. */
export function explain(world: World, object: ObjectRef, options: ExplainOptions): Explanation {
  const template = world.templates.find((candidate) => refKey(refOf(candidate)) === refKey(object));
  if (template === undefined)
    throw new AppError("object-unknown", `there is no ${object.kind} ${object.name}`, { recovery: "stall" });
  const originOf = options.originOf ?? originByLabels;
  const common = { object, origin: originOf(template) };
  const kept = whyKept(template);
  if (kept !== undefined) return { ...NOTHING, ...common, state: "kept", reason: kept };

  if (isNamespace(template))
    return { ...NOTHING, ...common, state: "everywhere", clusters: everywhere(world, template) };

  const outcome = runRiver({ ...world, templates: [template], partial: true }, options).get(refKey(object));
  const stored = findBinding(world, template);
  const { policy } = outcome ?? {};
  const follows = referrersOf(world, stored);
  const about = {
    ...common,
    follows,
    policy:
      policy === undefined
        ? undefined
        : { ...nameOfPolicy(policy), why: whyChosen(template, policy, world), origin: originOf(policy) },
    otherPolicies: policy === undefined ? [] : otherPolicies(template, policy, world),
    nearPolicies: policy === undefined ? nearPolicies(template, world) : [],
    problems: outcome?.problems ?? [],
    blocking: blockingConditions(stored?.status),
    lastScheduledTime: stored?.status?.lastScheduledTime,
  };
  const binding = outcome?.binding ?? stored;
  if (binding === undefined) {
    const reason = outcome?.problems[0];
    return { ...NOTHING, ...about, state: policy === undefined ? "unclaimed" : "unplaced", reason };
  }
  return { ...NOTHING, ...about, ...explainPlacement({ world, template, outcome, stored, binding, options }) };
}

/** Why the object never leaves the control plane; undefined when it may. */
function whyKept(template: KubeObject): string | undefined {
  if (isNamespace(template)) return whyNamespaceStays(template);
  const { group } = parseApiVersion(template.apiVersion);
  // What feeds the control plane itself.
  if (group === GITOPS_GROUP) return `objects of group ${group} are not propagated`;
  return whyNotTemplate(template, readSkipList());
}

function everywhere(world: World, namespace: KubeObject): ClusterExplanation[] {
  const copies = new Map(namespaceCopies(world, namespace).map((copy) => [copy.cluster, copy]));
  return [...world.clusters].sort(byName).map((cluster) => {
    const copy = copies.get(cluster.metadata.name ?? "");
    return explainCluster({
      cluster,
      trace: undefined,
      scheduling: undefined,
      placement: {},
      present: copy === undefined ? undefined : { replicas: undefined, follows: false },
      copy,
      status: undefined,
      leaving: copy === undefined ? "the cluster is being removed" : undefined,
    });
  });
}

/** An explanation of nothing in particular, to be filled in. */
export const NOTHING: Omit<Explanation, "object" | "origin" | "state"> = {
  reason: undefined,
  policy: undefined,
  otherPolicies: [],
  nearPolicies: [],
  follows: [],
  replicas: undefined,
  affinityGroup: undefined,
  clusters: [],
  strategy: undefined,
  selection: undefined,
  divisions: [],
  differs: undefined,
  blocking: [],
  problems: [],
  lastScheduledTime: undefined,
};

/** By the labels of a Sync. The revision and file are not on the object. */
export function originByLabels(object: KubeObject): Origin | undefined {
  const labels = object.metadata.labels ?? {};
  const name = labels[SYNC_NAME_LABEL];
  return name === undefined ? undefined : { sync: `${labels[SYNC_NAMESPACE_LABEL] ?? ""}/${name}` };
}

function referrersOf(world: World, binding: AnyBinding | undefined): ObjectRef[] {
  return (binding?.spec.requiredBy ?? []).map(({ name, namespace }) => {
    const referrer = world.bindings.find(
      (other) => other.metadata.name === name && (other.metadata.namespace ?? "") === (namespace ?? ""),
    );
    const resource = referrer?.spec.resource;
    return resource === undefined
      ? { apiVersion: "work.karmada.io/v1alpha2", kind: "ResourceBinding", namespace, name }
      : { apiVersion: resource.apiVersion, kind: resource.kind, namespace: resource.namespace, name: resource.name };
  });
}

function blockingConditions(status: ResourceBindingStatus | undefined): Explanation["blocking"] {
  return (status?.conditions ?? [])
    .filter((condition) => condition.status === "False")
    .map(({ type, reason, message }) => ({ type, reason, message }));
}

interface PlacementRequest {
  readonly world: World;
  readonly template: KubeObject;
  readonly outcome: Outcome | undefined;
  /** As the control plane has it. */
  readonly stored: AnyBinding | undefined;
  /** As it is to be. */
  readonly binding: AnyBinding;
  readonly options: ExplainOptions;
}

type PlacementExplanation = Pick<
  Explanation,
  "state" | "reason" | "replicas" | "affinityGroup" | "clusters" | "strategy" | "selection" | "divisions" | "differs"
>;

function explainPlacement(request: PlacementRequest): PlacementExplanation {
  const { world, template, outcome, stored, binding, options } = request;
  // What is, where something is; what is to be, where the loops have not been yet.
  const present = stored ?? binding;
  const targets = effectiveTargets(present);
  const own = new Set((present.spec.clusters ?? []).map((target) => target.name));
  const fresh = outcome?.policy === undefined ? undefined : placeAnew(world, binding, stored);
  const trace = fresh?.result.trace;
  const traces = new Map(trace?.clusters.map((entry) => [entry.cluster, entry]));
  const copies = new Map(
    copiesOf(world, template, present, options, []).copies.map((copy) => [copy.cluster, copy] as const),
  );
  const statuses = new Map(stored?.status?.aggregatedStatus?.map((item) => [item.clusterName, item]));
  const leaving = new Map(
    (present.spec.gracefulEvictionTasks ?? []).map((task) => [task.fromCluster, task.message ?? task.reason]),
  );
  const placement = binding.spec.placement ?? {};
  const clusters = [...world.clusters].sort(byName).map((cluster) => {
    const name = cluster.metadata.name ?? "";
    const target = targets.find((candidate) => candidate.name === name);
    return explainCluster({
      cluster,
      trace: traces.get(name),
      scheduling: trace,
      placement,
      present:
        target === undefined
          ? undefined
          : own.has(name)
            ? { replicas: target.replicas, follows: false }
            : { replicas: undefined, follows: true },
      copy: copies.get(name),
      status: statuses.get(name),
      leaving: target === undefined ? leaving.get(name) : undefined,
    });
  });
  const claimed = outcome?.policy !== undefined;
  const state = targets.length === 0 ? "unplaced" : !claimed && own.size === 0 ? "attached" : "placed";
  return {
    state,
    reason: state === "unplaced" ? (fresh?.result.error?.message ?? outcome?.problems[0]) : undefined,
    replicas: binding.spec.replicas,
    affinityGroup: groupOf(placement, fresh, stored),
    clusters,
    strategy: trace?.strategy,
    selection: trace?.selection,
    divisions: (trace?.divisions ?? []).map((division) => withRules(division, placement, world.clusters)),
    differs: stored === undefined ? undefined : difference(request, stored, fresh),
  };
}

/**
 * Places the binding from scratch: as a requested reschedule does, so that what it has now counts as room. Ordered
 * affinity groups start with the one in use.
 */
function placeAnew(world: World, binding: AnyBinding, stored: AnyBinding | undefined): GroupedResult | undefined {
  if (binding.spec.placement === undefined) return undefined;
  const spec = {
    ...binding.spec,
    clusters: stored?.spec.clusters ?? [],
    rescheduleTriggeredAt: rfc3339(1_000),
  };
  const status = { ...stored?.status, lastScheduledTime: rfc3339(0) };
  return scheduleInGroups({ spec, status, fleet: new FleetIndex(world.clusters), options: { explain: true } });
}

function groupOf(
  placement: Placement,
  fresh: GroupedResult | undefined,
  stored: AnyBinding | undefined,
): Explanation["affinityGroup"] {
  if ((placement.clusterAffinities ?? []).length === 0) return undefined;
  const name = fresh?.affinityName ?? stored?.status?.schedulerObservingAffinityName;
  if (name === undefined) return undefined;
  const failed = (fresh?.failed ?? []).map(({ affinityName, error }) => ({
    name: affinityName,
    message: error.message,
  }));
  return { name, failed };
}

/** The division with the static rule behind each weight. */
export function withRules(
  division: DivisionTrace,
  placement: Placement,
  clusters: readonly Cluster[],
): DivisionExplanation {
  const rules = placement.replicaScheduling?.weightPreference?.staticWeightList ?? [];
  if (division.strategy !== "StaticWeight" || rules.length === 0) return { ...division, ruleOf: {}, idleRules: [] };
  const ruleOf: Record<string, number> = {};
  for (const { name, weight } of division.weights) {
    const cluster = clusters.find((candidate) => candidate.metadata.name === name);
    const index = rules.findIndex(
      (rule) => rule.weight === weight && cluster !== undefined && clusterMatches(cluster, rule.targetCluster),
    );
    if (index >= 0) ruleOf[name] = index + 1;
  }
  const idleRules = rules.flatMap((rule, index) =>
    clusters.some((cluster) => clusterMatches(cluster, rule.targetCluster)) ? [] : [index + 1],
  );
  return { ...division, ruleOf, idleRules };
}

/** How the present placement differs from one made from scratch, and why it stays or is about to change. */
function difference(
  { world, binding, outcome }: PlacementRequest,
  stored: AnyBinding,
  fresh: GroupedResult | undefined,
): Explanation["differs"] {
  const anew = fresh?.result.clusters;
  if (anew === undefined) return undefined;
  const present = byNames(stored.spec.clusters ?? []);
  const wanted = byNames(anew);
  if (equalJson(present, wanted)) return undefined;
  const inPlace = { ...binding, spec: { ...binding.spec, clusters: stored.spec.clusters } } as AnyBinding;
  const occasion = findOccasion(inPlace, new FleetIndex(world.clusters), false);
  const upcoming = outcome?.decision?.clusters;
  const reason =
    occasion !== undefined && upcoming !== undefined
      ? `it is about to change: ${occasion.reason}`
      : "what is placed stays where it is until the placement, the replicas or the fleet ask for a change";
  return { present, fresh: wanted, reason };
}

function byNames(targets: readonly TargetCluster[]): TargetCluster[] {
  return [...targets].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function byName(a: Cluster, b: Cluster): number {
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}
