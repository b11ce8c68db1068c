// The decision of one scheduling cycle: which node a Pod goes to, or why to none.
import type { LabelRequirement } from "../../../kube/selectors.ts";
import type { Random } from "../../../runtime/random.ts";
import { filterNode, filterResources } from "./node-filters.ts";
import type { NodeInfo } from "./node-info.ts";
import { AffinityCounts } from "./pod-affinity.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { Plugin, Rejection } from "./rejection.ts";
import { reject } from "./rejection.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import { scoreNodes } from "./scores.ts";
import { SpreadCounts } from "./topology-spread.ts";
import { type StorageView, VolumeFit } from "./volume-fit.ts";

/** What a Pod is placed by. */
export interface Placement {
  readonly cache: SchedulerCache;
  readonly storage: StorageView;
  /** Selects the Pods of the same Services and set. */
  readonly ownSelector: (pod: PodFacts) => readonly LabelRequirement[];
}

/** What is worked out once for all nodes. Mutable, for trying out what preemption would change. */
export interface Cycle {
  readonly pod: PodFacts;
  readonly spread: SpreadCounts | undefined;
  readonly affinity: AffinityCounts | undefined;
  readonly volumes: VolumeFit | undefined;
}

/** Why no node will do. */
export interface Diagnosis {
  /** What is wrong with the Pod on whatever node; then there is nothing about nodes. */
  readonly everywhere: Rejection | undefined;
  readonly byNode: ReadonlyMap<string, Rejection>;
  /** What is said of nodes that were not even looked at. */
  readonly elsewhere: string | undefined;
  readonly plugins: ReadonlySet<Plugin>;
}

type PlaceResult =
  | { readonly fits: true; readonly node: NodeInfo; readonly cycle: Cycle; readonly best: readonly NodeInfo[] }
  | { readonly fits: false; readonly diagnosis: Diagnosis; readonly cycle: Cycle | undefined };

/** Begins a cycle; a rejection when the Pod fits nowhere whatever the nodes are like. */
function beginCycle(pod: PodFacts, { cache, storage }: Placement): Cycle | Rejection {
  const { namedNodes } = pod.spec;
  if (namedNodes !== undefined && namedNodes.size === 0) return reject("NodeAffinity", "pod affinity terms conflict");
  const volumes = VolumeFit.of(pod, storage, cache);
  if (volumes !== undefined && "plugin" in volumes) return volumes;
  return { pod, volumes, spread: SpreadCounts.of(pod, cache), affinity: AffinityCounts.of(pod, cache) };
}

/** The cycle, to try removals on. */
export function copyCycle(cycle: Cycle): Cycle {
  return { ...cycle, spread: cycle.spread?.copy(), affinity: cycle.affinity?.copy() };
}

/** Places a Pod by what the cluster is like now. Ties are broken by chance. */
export function placePod(pod: PodFacts, placement: Placement, random: Random): PlaceResult {
  const { cache } = placement;
  const cycle = beginCycle(pod, placement);
  if ("plugin" in cycle) {
    const diagnosis = { everywhere: cycle, byNode: new Map(), elsewhere: undefined, plugins: new Set([cycle.plugin]) };
    return { fits: false, diagnosis, cycle: undefined };
  }
  const nominated = pod.nominatedNode === undefined ? undefined : cache.node(pod.nominatedNode);
  // The node that was made free is the one that will do.
  if (nominated !== undefined && filterWithNominated(cycle, nominated, cache) === undefined)
    return { fits: true, node: nominated, cycle, best: [nominated] };
  const { namedNodes } = pod.spec;
  const nodes = namedNodes === undefined ? cache.nodes() : cache.nodes().filter(({ name }) => namedNodes.has(name));
  const feasible: NodeInfo[] = [];
  const byNode = new Map<string, Rejection>();
  for (const info of nodes) {
    const rejection = filterWithNominated(cycle, info, cache);
    if (rejection === undefined) feasible.push(info);
    else byNode.set(info.name, rejection);
  }
  if (feasible.length === 0) {
    const plugins = new Set([...byNode.values()].map(({ plugin }) => plugin));
    if (namedNodes !== undefined) plugins.add("NodeAffinity");
    const elsewhere = namedNodes === undefined ? undefined : "node(s) didn't satisfy plugin(s) [NodeAffinity]";
    return { fits: false, diagnosis: { everywhere: undefined, byNode, elsewhere, plugins }, cycle };
  }
  const best = bestOf(pod, feasible, placement);
  return { fits: true, node: best.length === 1 ? best[0]! : random.pick(best), cycle, best };
}

function bestOf(pod: PodFacts, feasible: readonly NodeInfo[], { cache, ownSelector }: Placement): readonly NodeInfo[] {
  if (feasible.length === 1) return feasible;
  const scores = scoreNodes(pod, feasible, cache, () => ownSelector(pod));
  const most = Math.max(...scores);
  return feasible.filter((_, index) => scores[index] === most);
}

/** All filters, in the order of Kubernetes: the first that rejects says why. */
function filterOne({ pod, spread, affinity, volumes }: Cycle, info: NodeInfo): Rejection | undefined {
  const { facts } = info;
  if (facts === undefined) return reject("NodeName", "node not found");
  return (
    filterNode(pod, facts, info) ??
    filterResources(pod, facts, info) ??
    volumes?.filter(facts) ??
    spread?.filter(facts) ??
    affinity?.filter(facts)
  );
}

/**
 * Filters with the Pods for which the node is being made free and that matter as much, and without: they may come or not.
 */
export function filterWithNominated(cycle: Cycle, info: NodeInfo, cache: SchedulerCache): Rejection | undefined {
  const { facts } = info;
  const others = [...cache.nominatedTo(info.name)].filter(
    ({ uid, spec }) => uid !== cycle.pod.uid && spec.priority >= cycle.pod.spec.priority && !info.pods.has(uid),
  );
  if (others.length === 0 || facts === undefined) return filterOne(cycle, info);
  const withThem = info.copy();
  const changed = copyCycle(cycle);
  for (const other of others) {
    withThem.add(other);
    changed.spread?.change(other, facts, 1);
    changed.affinity?.change(other, facts, 1);
  }
  return filterOne(changed, withThem) ?? filterOne(cycle, info);
}
