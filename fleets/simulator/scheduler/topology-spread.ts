// Topology spread constraints: what they allow, and which nodes they prefer.
import { type LabelRequirement, matchesRequirements } from "../../../kube/selectors.ts";
import type { Labels } from "./affinity-terms.ts";
import { isChosen, toleratesTaints } from "./node-filters.ts";
import type { NodeFacts, NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import { type Rejection, reject } from "./rejection.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import type { SpreadConstraint } from "./spread-constraints.ts";

const HOSTNAME = "kubernetes.io/hostname";
const MISMATCH = "node(s) didn't match pod topology spread constraints";

/** How the Pods that hard constraints are about are spread. Mutable, for trying out what preemption would change. */
export class SpreadCounts {
  readonly #pod: PodFacts;
  readonly #constraints: readonly SpreadConstraint[];
  /** By constraint: how many Pods in each domain. */
  readonly #counts: readonly Map<string, number>[];
  readonly #least: (number | undefined)[];

  private constructor(pod: PodFacts, constraints: readonly SpreadConstraint[], counts: readonly Map<string, number>[]) {
    this.#pod = pod;
    this.#constraints = constraints;
    this.#counts = counts;
    this.#least = constraints.map(() => undefined);
  }

  /** Undefined when the Pod has no hard constraint. */
  static of(pod: PodFacts, cache: SchedulerCache): SpreadCounts | undefined {
    const constraints = pod.spec.spread.hard;
    if (constraints.length === 0) return undefined;
    const counts = constraints.map(() => new Map<string, number>());
    const onNodes = constraints.map(({ selector }) => countByNode(cache, pod.namespace, selector));
    for (const { facts } of cache.nodes()) {
      if (facts === undefined || !hasAllDomains(facts.labels, constraints)) continue;
      constraints.forEach((constraint, index) => {
        if (!counts[index] || !countsNode(constraint, pod, facts)) return;
        add(counts[index], facts.labels[constraint.topologyKey] ?? "", onNodes[index]?.get(facts.name) ?? 0);
      });
    }
    return new SpreadCounts(pod, constraints, counts);
  }

  copy(): SpreadCounts {
    return new SpreadCounts(
      this.#pod,
      this.#constraints,
      this.#counts.map((each) => new Map(each)),
    );
  }

  /** A Pod comes to a node, or goes. */
  change(other: PodFacts, node: NodeFacts, change: 1 | -1): void {
    if (other.namespace !== this.#pod.namespace || !hasAllDomains(node.labels, this.#constraints)) return;
    this.#constraints.forEach((constraint, index) => {
      const counts = this.#counts[index];
      if (counts === undefined || !matches(constraint.selector, other.labels)) return;
      if (!countsNode(constraint, this.#pod, node)) return;
      add(counts, node.labels[constraint.topologyKey] ?? "", change);
      this.#least[index] = undefined;
    });
  }

  filter(node: NodeFacts): Rejection | undefined {
    for (const [index, constraint] of this.#constraints.entries()) {
      const domain = node.labels[constraint.topologyKey];
      if (domain === undefined) return reject("PodTopologySpread", `${MISMATCH} (missing required label)`);
      const self = matches(constraint.selector, this.#pod.labels) ? 1 : 0;
      const skew = (this.#counts[index]?.get(domain) ?? 0) + self - this.#leastOf(index, constraint.minDomains);
      if (skew > constraint.maxSkew) return reject("PodTopologySpread", MISMATCH, true);
    }
    return undefined;
  }

  #leastOf(index: number, minDomains: number): number {
    const counts = this.#counts[index] ?? new Map<string, number>();
    if (counts.size < minDomains) return 0;
    let least = this.#least[index];
    if (least === undefined) {
      least = Number.MAX_SAFE_INTEGER;
      for (const count of counts.values()) least = Math.min(least, count);
      this.#least[index] = least;
    }
    return least;
  }
}

/** Constraints of Pods that have none themselves but belong to a Service or a set. */
const SYSTEM_DEFAULTS: readonly { readonly topologyKey: string; readonly maxSkew: number }[] = [
  { topologyKey: HOSTNAME, maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5 },
];

/**
 * The scores of nodes by soft constraints, 0 to 100; undefined when there are none. `ownSelector` selects the Pods of the
 * same Services and the same set.
 */
export function scoreSpread(
  pod: PodFacts,
  feasible: readonly NodeInfo[],
  cache: SchedulerCache,
  ownSelector: () => readonly LabelRequirement[],
): number[] | undefined {
  const { hard, soft } = pod.spec.spread;
  const hasOwn = hard.length + soft.length > 0;
  const constraints = hasOwn ? soft : systemConstraints(ownSelector());
  if (constraints.length === 0) return undefined;
  const isIgnored = feasible.map(({ facts }) => hasOwn && !hasAllDomains(facts?.labels ?? {}, constraints));
  const totals = feasible.map(() => 0);
  for (const constraint of constraints) {
    const onNodes = countByNode(cache, pod.namespace, constraint.selector);
    const domains = new Map<string, number>();
    const isHost = constraint.topologyKey === HOSTNAME;
    if (!isHost) {
      feasible.forEach(({ facts }, index) => {
        if (!isIgnored[index]) domains.set(facts?.labels[constraint.topologyKey] ?? "", 0);
      });
      for (const { facts } of cache.nodes()) {
        if (facts === undefined || (hasOwn && !hasAllDomains(facts.labels, constraints))) continue;
        const domain = facts.labels[constraint.topologyKey] ?? "";
        if (domains.has(domain) && countsNode(constraint, pod, facts))
          add(domains, domain, onNodes.get(facts.name) ?? 0);
      }
    }
    const size = isHost ? isIgnored.filter((each) => !each).length : domains.size;
    const weight = Math.log(size + 2);
    feasible.forEach(({ facts, name }, index) => {
      const domain = facts?.labels[constraint.topologyKey];
      if (isIgnored[index] || domain === undefined) return;
      const count = isHost ? (onNodes.get(name) ?? 0) : (domains.get(domain) ?? 0);
      totals[index] = (totals[index] ?? 0) + count * weight + (constraint.maxSkew - 1);
    });
  }
  return normalize(totals.map(Math.round), isIgnored);
}

function systemConstraints(selector: readonly LabelRequirement[]): SpreadConstraint[] {
  if (selector.length === 0) return [];
  return SYSTEM_DEFAULTS.map((each) => ({
    ...each,
    selector,
    minDomains: 1,
    honorsAffinity: true,
    honorsTaints: false,
  }));
}

/** The fewer Pods, the more points; nodes that are left out get none. */
function normalize(totals: readonly number[], isIgnored: readonly boolean[]): number[] {
  const counted = totals.filter((_, index) => !isIgnored[index]);
  const most = Math.max(0, ...counted);
  const least = Math.min(...counted);
  return totals.map((total, index) => {
    if (isIgnored[index]) return 0;
    return most === 0 ? 100 : Math.trunc((100 * (most + least - total)) / most);
  });
}

/** How many Pods that are not on their way out match, on each node. */
function countByNode(
  cache: SchedulerCache,
  namespace: string,
  selector: readonly LabelRequirement[] | undefined,
): Map<string, number> {
  const counts = new Map<string, number>();
  // As Kubernetes: a selector of everything counts nothing.
  if (selector === undefined || selector.length === 0) return counts;
  for (const group of cache.groups.matching(namespace, selector)) {
    if (group.isTerminating) continue;
    for (const [node, count] of group.byNode) add(counts, node, count);
  }
  return counts;
}

function matches(selector: readonly LabelRequirement[] | undefined, labels: Labels): boolean {
  return selector !== undefined && matchesRequirements(selector, labels);
}

function hasAllDomains(labels: Labels, constraints: readonly SpreadConstraint[]): boolean {
  return constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined);
}

/** Whether the constraint's policies let the node count. */
function countsNode(constraint: SpreadConstraint, pod: PodFacts, node: NodeFacts): boolean {
  if (constraint.honorsAffinity && !isChosen(pod, node)) return false;
  return !constraint.honorsTaints || toleratesTaints(pod, node);
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}
