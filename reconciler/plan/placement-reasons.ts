// Why a change has objects in other clusters, or in none: from the decisions themselves, made once more with their trace.
import type { Place, PlacementChange } from "../../api/plan-report.ts";
import type { ObjectRef } from "../../kube/object.ts";
import { refKey, refOf } from "../../kube/object.ts";
import { matchPolicy } from "../policies/match.ts";
import { type Policy, policyKey, policyName } from "../policies/policy-index.ts";
import { clusterList, objectName } from "../reports/words.ts";
import { formatPlacement, whatChanged } from "../scheduler/applied-placement.ts";
import type { SchedulingTrace } from "../scheduler/explanation/trace.ts";
import type { Comparison } from "./compare-worlds.ts";
import { DecidedAgain } from "./decided-again.ts";
import { type ClusterExplanation, explainCluster } from "./explain-clusters.ts";
import type { Outcome } from "./river.ts";

/** Objects whose reasons are looked for. Where more move, what moves them is what they have in common. */
const MOST_OBJECTS = 100;
/** Different reasons of one object. */
const MOST_REASONS = 8;
const MOST_REFUSALS = 5;

type ClusterChange = PlacementChange["clusters"][number];
type Refused = NonNullable<PlacementChange["refused"]>;

/** One side of the comparison, for one object. */
interface Side {
  readonly outcome: Outcome | undefined;
  readonly trace: SchedulingTrace | undefined;
  readonly again: DecidedAgain;
}

/** Finds reasons when they are asked for: objects that stay where they are cost nothing. */
export class PlacementReasons {
  readonly #compared: Pick<Comparison, "before" | "after">;
  readonly #placeOf: (ref: ObjectRef) => Place | undefined;
  readonly #before: DecidedAgain;
  readonly #after: DecidedAgain;
  /** By namespace and name of the binding. */
  #bound: ReadonlyMap<string, ObjectRef> | undefined;
  #explained = 0;
  #leftOut = 0;

  constructor(compared: Pick<Comparison, "before" | "after">, placeOf: (ref: ObjectRef) => Place | undefined) {
    this.#compared = compared;
    this.#placeOf = placeOf;
    this.#before = new DecidedAgain(compared.before);
    this.#after = new DecidedAgain(compared.after);
  }

  /** Objects whose reasons nobody looked for; undefined when there are none. */
  get cut(): { readonly what: string; readonly left: number; readonly of: number } | undefined {
    const of = this.#explained + this.#leftOut;
    return this.#leftOut === 0 ? undefined : { what: "reasons of placements", left: this.#leftOut, of };
  }

  /** The change of an object's placement with its policy, and why each cluster has more, less or nothing of it. */
  of(key: string, change: PlacementChange): PlacementChange {
    const sides = this.#sides(key);
    if (sides === undefined) return change;
    const { before, after } = sides;
    const policies = this.#policies(before.outcome, after.outcome);
    // What is deleted goes from everywhere, and needs no other reason.
    if (after.outcome === undefined) return { ...policies, ...change };
    const summary = whyAnew(before, after);
    const refused = summary === undefined && before.outcome !== undefined ? [] : refusedIn(after);
    return {
      ...policies,
      clusters: fewReasons(change.clusters.map((one) => this.#withReason(one, before, after))),
      ...(summary === undefined ? {} : { summary }),
      ...(refused.length === 0 ? {} : { refused }),
    };
  }

  /** What it comes to that an object cannot be placed, and why, a line for each reason; undefined for other problems. */
  ofProblem(
    object: ObjectRef,
    problem: string,
  ): { readonly message: string; readonly reasons: readonly string[] } | undefined {
    const { decision, copies = [] } = this.#compared.after.outcomes.get(refKey(object)) ?? {};
    if (decision?.verdict !== "failed" || decision.reason !== problem) return undefined;
    const comesTo = copies.length > 0 ? "stays where it is, and is not placed anew" : "is in no cluster";
    const message = `${comesTo}: ${problem}`;
    const after = this.#sides(refKey(object))?.after;
    if (after?.trace === undefined) return { message, reasons: [] };
    const told = groupedReasons(
      after.trace.clusters.map(({ cluster }) => {
        const { refusals, spareReason } = explained(cluster, after) ?? {};
        const changes = (refusals ?? []).map(({ words, change }) => `${words} → ${change}`);
        return { cluster, reason: [...changes, ...(spareReason === undefined ? [] : [spareReason])].join("; ") };
      }),
    );
    return { message, reasons: told.map(({ clusters, reason }) => `${clusterList(clusters)}: ${reason}`) };
  }

  #sides(key: string): { readonly before: Side; readonly after: Side } | undefined {
    const { before, after } = this.#compared;
    const [was, is] = [before.outcomes.get(key), after.outcomes.get(key)];
    if (this.#explained >= MOST_OBJECTS) {
      this.#leftOut++;
      return undefined;
    }
    this.#explained++;
    const side = (outcome: Outcome | undefined, again: DecidedAgain): Side => ({
      outcome,
      trace: outcome === undefined ? undefined : again.trace(outcome),
      again,
    });
    return { before: side(is === undefined ? undefined : was, this.#before), after: side(is, this.#after) };
  }

  #policies(
    before: Outcome | undefined,
    after: Outcome | undefined,
  ): Pick<PlacementChange, "policyBefore" | "policyAfter" | "policyPlace"> {
    const place = after?.policy === undefined ? undefined : this.#placeOf(refOf(after.policy));
    return {
      ...(before?.policy === undefined ? {} : { policyBefore: policyName(before.policy) }),
      ...(after?.policy === undefined ? {} : { policyAfter: policyName(after.policy) }),
      ...(place === undefined ? {} : { policyPlace: place }),
    };
  }

  #withReason(change: ClusterChange, before: Side, after: Side): ClusterChange {
    const reason = this.#reason(change, before, after);
    return reason === undefined ? change : { ...change, reason };
  }

  #reason({ cluster, there }: ClusterChange, before: Side, after: Side): string | undefined {
    switch (there) {
      case "came":
        return this.#leader(cluster, after) ?? whyCame(cluster, before, after);
      case "goes": {
        const leader = this.#leader(cluster, before);
        return leader === undefined ? whyGone(cluster, after) : `${leader}, which is there no more`;
      }
      case "stays":
        return shareWords(cluster, before, after);
    }
  }

  /** What the object only follows to a cluster; undefined when it is there for itself. */
  #leader(cluster: string, { outcome }: Side): string | undefined {
    const { clusters = [], requiredBy = [] } = outcome?.binding?.spec ?? {};
    if (clusters.some(({ name }) => name === cluster)) return undefined;
    const leader = requiredBy.find(({ clusters: own = [] }) => own.some(({ name }) => name === cluster));
    if (leader === undefined) return undefined;
    this.#bound ??= new Map(
      [...this.#compared.before.outcomes.values(), ...this.#compared.after.outcomes.values()].map(
        ({ ref, binding }) => [`${binding?.metadata.namespace ?? ""}/${binding?.metadata.name}`, ref],
      ),
    );
    const ref = this.#bound.get(`${leader.namespace ?? ""}/${leader.name}`);
    return `follows ${ref === undefined ? `binding ${leader.name}` : objectName(ref)}`;
  }
}

function whyCame(cluster: string, before: Side, after: Side): string | undefined {
  const share = shareWords(cluster, before, after);
  if (before.outcome === undefined) return share;
  if (before.again.cluster(cluster) === undefined) return "the cluster comes with this change";
  if (before.outcome.policy === undefined) return share;
  const then = explained(cluster, before);
  const words = then?.refusals.map((refusal) => refusal.words).join("; ") || then?.spareReason;
  return words === undefined ? share : [`before: ${words}`, ...(share === undefined ? [] : [share])].join("; ");
}

function whyGone(cluster: string, after: Side): string | undefined {
  if (after.again.cluster(cluster) === undefined) return "the cluster goes with this change";
  if (after.trace?.clusters.find((entry) => entry.cluster === cluster)?.verdict === "deleting")
    return "the cluster is being removed";
  const now = explained(cluster, after);
  return now?.refusals.map(({ words }) => words).join("; ") || now?.spareReason;
}

/** `weight 1 → 2`, or the room that the replicas were divided by; undefined where nothing divides them. */
function shareWords(cluster: string, before: Side, after: Side): string | undefined {
  const shareOf = ({ trace }: Side): { readonly weight: number; readonly isStatic: boolean } | undefined => {
    const [division, ...others] = trace?.divisions ?? [];
    if (division === undefined || others.length > 0) return undefined;
    const weight = division.weights.find(({ name }) => name === cluster)?.weight;
    return weight === undefined ? undefined : { weight, isStatic: division.strategy === "StaticWeight" };
  };
  const now = shareOf(after);
  if (now === undefined) return undefined;
  if (!now.isStatic) return `has room for ${now.weight}`;
  const then = shareOf(before);
  return then === undefined || !then.isStatic || then.weight === now.weight
    ? `weight ${now.weight}`
    : `weight ${then.weight} → ${now.weight}`;
}

/** What made the choice come out differently, in a sentence; undefined for a new object, and where single clusters did. */
function whyAnew(before: Side, after: Side): string | undefined {
  const [was, is] = [before.outcome, after.outcome];
  if (was === undefined || is === undefined) return undefined;
  if (is.policy === undefined || was.policy === undefined) return undefined;
  if (policyKey(was.policy) !== policyKey(is.policy)) return whyOtherPolicy(was.policy, is.policy, is, after);
  const placement = is.binding?.spec.placement;
  const old = was.binding?.spec.placement;
  const group = was.binding?.status?.schedulerObservingAffinityName;
  const changed = placement == null || old == null ? undefined : whatChanged(placement, formatPlacement(old), group);
  if (changed !== undefined) return `policy ${policyName(is.policy)} changes its spec.${changed}`;
  const [then, now] = [was.binding?.spec.replicas, is.binding?.spec.replicas];
  return then === now ? undefined : `replicas ${then ?? 0} → ${now ?? 0}`;
}

function whyOtherPolicy(was: Policy, is: Policy, { template }: Outcome, after: Side): string {
  const { candidates } = matchPolicy(template, after.again.policies);
  const key = policyKey(was);
  const lost = candidates.find(({ policy }) => policyKey(policy) === key);
  const isThere = after.again.policies.some((policy) => policyKey(policy) === key);
  const why = !isThere
    ? "which goes"
    : lost === undefined
      ? "which does not select it any more"
      : lost.verdict === "best"
        ? "as policies of the object's own namespace come first"
        : `which ${lost.verdict === "lower-priority" ? "has " : ""}${lost.reason}`;
  return `policy ${policyName(is)} takes the place of ${policyName(was)}, ${why}`;
}

/** Clusters that the policy's affinity takes in, and something else refuses. */
function refusedIn(side: Side): Refused {
  const entries = side.trace?.clusters.filter(
    ({ verdict, refusals }) => verdict === "refused" && !refusals.some(({ filter }) => filter === "ClusterAffinity"),
  );
  return groupedReasons(
    (entries ?? []).map(({ cluster }) => ({
      cluster,
      reason: (explained(cluster, side)?.refusals ?? []).map(({ words }) => words).join("; "),
    })),
  );
}

/** What an absent cluster has to do with the object. */
function explained(name: string, { again, outcome, trace }: Side): ClusterExplanation | undefined {
  const cluster = again.cluster(name);
  const entry = trace?.clusters.find((each) => each.cluster === name);
  if (cluster === undefined || entry === undefined) return undefined;
  const placement = outcome?.binding?.spec.placement ?? {};
  const absent = { present: undefined, copy: undefined, status: undefined, leaving: undefined };
  return explainCluster({ cluster, trace: entry, scheduling: trace, placement, ...absent });
}

/** Clusters together that have the same reason, up to a number of reasons. */
function groupedReasons(clusters: readonly { readonly cluster: string; readonly reason: string }[]): Refused {
  const groups = Map.groupBy(
    clusters.filter(({ reason }) => reason !== ""),
    ({ reason }) => reason,
  );
  return [...groups]
    .slice(0, MOST_REFUSALS)
    .map(([reason, same]) => ({ clusters: same.map(({ cluster }) => cluster), reason }));
}

/** Past a number of different reasons nobody reads them. */
function fewReasons(clusters: readonly ClusterChange[]): ClusterChange[] {
  const told = new Set<string>();
  return clusters.map((change) => {
    const { reason, ...bare } = change;
    if (reason === undefined) return change;
    if (told.size >= MOST_REASONS && !told.has(reason)) return bare;
    told.add(reason);
    return change;
  });
}
