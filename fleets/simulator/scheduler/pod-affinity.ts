// Affinity and anti-affinity between Pods: what they allow, and which nodes they prefer.
import { type AffinityTerm, type AffinityTerms, type Labels, matchesTerm } from "./affinity-terms.ts";
import type { NodeFacts, NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import { type Rejection, reject } from "./rejection.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";

/** Counts by a node label and its value. */
class DomainCounts {
  readonly #counts: Map<string, number>;

  constructor(counts = new Map<string, number>()) {
    this.#counts = counts;
  }

  get size(): number {
    return this.#counts.size;
  }

  add(labels: Labels, topologyKey: string, amount: number): void {
    const value = labels[topologyKey];
    if (value === undefined) return;
    const domain = domainOf(topologyKey, value);
    const count = (this.#counts.get(domain) ?? 0) + amount;
    if (count === 0) this.#counts.delete(domain);
    else this.#counts.set(domain, count);
  }

  get(topologyKey: string, value: string): number {
    return this.#counts.get(domainOf(topologyKey, value)) ?? 0;
  }

  copy(): DomainCounts {
    return new DomainCounts(new Map(this.#counts));
  }
}

function domainOf(topologyKey: string, value: string): string {
  return `${topologyKey}\0${value}`;
}

/** Which domains required terms speak of. Mutable, for trying out what preemption would change. */
export class AffinityCounts {
  readonly #pod: PodFacts;
  readonly #cache: SchedulerCache;
  readonly #meant = new Map<AffinityTerm, boolean>();
  /** Domains where a Pod is that does not want this one. */
  readonly #unwanted: DomainCounts;
  /** Domains with Pods that match all terms of affinity. */
  readonly #wanted: DomainCounts;
  /** Domains with Pods that match a term of anti-affinity. */
  readonly #avoided: DomainCounts;

  private constructor(
    pod: PodFacts,
    cache: SchedulerCache,
    counts: readonly [DomainCounts, DomainCounts, DomainCounts],
  ) {
    this.#pod = pod;
    this.#cache = cache;
    [this.#unwanted, this.#wanted, this.#avoided] = counts;
  }

  /** Undefined when no required term is about the Pod. */
  static of(pod: PodFacts, cache: SchedulerCache): AffinityCounts | undefined {
    const counts = new AffinityCounts(pod, cache, [new DomainCounts(), new DomainCounts(), new DomainCounts()]);
    for (const info of cache.nodesWithAffinity()) {
      if (info.facts === undefined) continue;
      for (const [terms, count] of info.antiAffinity) counts.#countUnwanted(terms, info.facts, count);
    }
    const { affinity, antiAffinity } = pod.spec;
    if (affinity.required.length > 0 || antiAffinity.required.length > 0) {
      for (const { namespace, labels, byNode } of cache.groups.all()) {
        for (const [node, count] of byNode) {
          const facts = cache.node(node)?.facts;
          if (facts !== undefined) counts.#countTerms(namespace, labels, facts, count);
        }
      }
    } else if (counts.#unwanted.size === 0) return undefined;
    return counts;
  }

  copy(): AffinityCounts {
    const counts = [this.#unwanted.copy(), this.#wanted.copy(), this.#avoided.copy()] as const;
    return new AffinityCounts(this.#pod, this.#cache, counts);
  }

  /** A Pod comes to a node, or goes. */
  change(other: PodFacts, node: NodeFacts, change: 1 | -1): void {
    this.#countUnwanted(other.spec.antiAffinity, node, change);
    this.#countTerms(other.namespace, other.labels, node, change);
  }

  filter(node: NodeFacts): Rejection | undefined {
    if (!this.#satisfiesAffinity(node)) return reject("InterPodAffinity", "node(s) didn't match pod affinity rules");
    if (this.#avoided.size > 0) {
      for (const { topologyKey } of this.#pod.spec.antiAffinity.required) {
        const value = node.labels[topologyKey];
        if (value !== undefined && this.#avoided.get(topologyKey, value) > 0)
          return reject("InterPodAffinity", "node(s) didn't match pod anti-affinity rules", true);
      }
    }
    if (this.#unwanted.size > 0) {
      for (const key in node.labels)
        if (this.#unwanted.get(key, node.labels[key] ?? "") > 0)
          return reject("InterPodAffinity", "node(s) didn't satisfy existing pods anti-affinity rules", true);
    }
    return undefined;
  }

  #satisfiesAffinity(node: NodeFacts): boolean {
    const terms = this.#pod.spec.affinity.required;
    let found = true;
    for (const { topologyKey } of terms) {
      const value = node.labels[topologyKey];
      if (value === undefined) return false;
      if (this.#wanted.get(topologyKey, value) <= 0) found = false;
    }
    if (found) return true;
    // As Kubernetes: the first of Pods that want each other may go anywhere.
    return this.#wanted.size === 0 && this.#matchesAll(terms, this.#pod.namespace, this.#pod.labels);
  }

  #countUnwanted({ required }: AffinityTerms, node: NodeFacts, amount: number): void {
    for (const term of required) if (this.#isMeant(term)) this.#unwanted.add(node.labels, term.topologyKey, amount);
  }

  /** Whether a term of another Pod is about this one. */
  #isMeant(term: AffinityTerm): boolean {
    let isMeant = this.#meant.get(term);
    if (isMeant === undefined) {
      const { namespace, labels } = this.#pod;
      isMeant = matchesTerm(term, namespace, labels, this.#cache.namespaceLabels(namespace));
      this.#meant.set(term, isMeant);
    }
    return isMeant;
  }

  #countTerms(namespace: string, labels: Labels, node: NodeFacts, amount: number): void {
    const { affinity, antiAffinity } = this.#pod.spec;
    if (this.#matchesAll(affinity.required, namespace, labels))
      for (const { topologyKey } of affinity.required) this.#wanted.add(node.labels, topologyKey, amount);
    for (const term of antiAffinity.required)
      if (matchesTerm(term, namespace, labels, this.#cache.namespaceLabels(namespace)))
        this.#avoided.add(node.labels, term.topologyKey, amount);
  }

  #matchesAll(terms: readonly AffinityTerm[], namespace: string, labels: Labels): boolean {
    const namespaceLabels = this.#cache.namespaceLabels(namespace);
    return terms.length > 0 && terms.every((term) => matchesTerm(term, namespace, labels, namespaceLabels));
  }
}

/** What a required term of another Pod counts as a preference. */
const REQUIRED_WEIGHT = 1;

/** The scores of nodes by preferred terms, of the Pod and of those that run, 0 to 100; undefined when nothing is preferred. */
export function scoreAffinity(
  pod: PodFacts,
  feasible: readonly NodeInfo[],
  cache: SchedulerCache,
): number[] | undefined {
  const sums = new Map<string, Map<string, number>>();
  const add = (node: NodeFacts, topologyKey: string, amount: number): void => {
    const value = node.labels[topologyKey];
    if (value === undefined) return;
    const domains = sums.get(topologyKey) ?? new Map<string, number>();
    sums.set(topologyKey, domains);
    domains.set(value, (domains.get(value) ?? 0) + amount);
  };
  countOwnPreferences(pod, cache, add);
  countOthersPreferences(pod, cache, add);
  if (sums.size === 0) return undefined;
  const totals = feasible.map(({ facts }) => {
    let total = 0;
    for (const [key, domains] of sums) total += domains.get(facts?.labels[key] ?? "\0") ?? 0;
    return total;
  });
  const most = Math.max(...totals);
  const least = Math.min(...totals);
  return totals.map((total) => (most === least ? 0 : Math.trunc(100 * ((total - least) / (most - least)))));
}

type AddScore = (node: NodeFacts, topologyKey: string, amount: number) => void;

function countOwnPreferences(pod: PodFacts, cache: SchedulerCache, add: AddScore): void {
  const own = [
    ...pod.spec.affinity.preferred.map((term) => ({ term, weight: term.weight })),
    ...pod.spec.antiAffinity.preferred.map((term) => ({ term, weight: -term.weight })),
  ];
  if (own.length === 0) return;
  for (const { namespace, labels, byNode } of cache.groups.all()) {
    for (const { term, weight } of own) {
      if (!matchesTerm(term, namespace, labels, cache.namespaceLabels(namespace))) continue;
      for (const [node, count] of byNode) {
        const facts = cache.node(node)?.facts;
        if (facts !== undefined) add(facts, term.topologyKey, weight * count);
      }
    }
  }
}

function countOthersPreferences(pod: PodFacts, cache: SchedulerCache, add: AddScore): void {
  const namespaceLabels = cache.namespaceLabels(pod.namespace);
  const meant = new Map<AffinityTerm, boolean>();
  const isMeant = (term: AffinityTerm): boolean => {
    let known = meant.get(term);
    if (known === undefined) {
      known = matchesTerm(term, pod.namespace, pod.labels, namespaceLabels);
      meant.set(term, known);
    }
    return known;
  };
  for (const { facts, affinity, antiAffinity } of cache.nodesWithAffinity()) {
    if (facts === undefined) continue;
    const count = (term: AffinityTerm, weight: number): void => {
      if (isMeant(term)) add(facts, term.topologyKey, weight);
    };
    for (const [{ required, preferred }, pods] of affinity) {
      for (const term of required) count(term, REQUIRED_WEIGHT * pods);
      for (const term of preferred) count(term, term.weight * pods);
    }
    for (const [{ preferred }, pods] of antiAffinity) for (const term of preferred) count(term, -term.weight * pods);
  }
}
