// Pods by their labels: of the many Pods of a workload only one must be looked at.
import { type LabelRequirement, matchesRequirements } from "../../../kube/selectors.ts";
import type { Labels } from "./affinity-terms.ts";
import type { PodFacts } from "./pod-facts.ts";

/** Bound Pods of one namespace that have the same labels and are all going, or all not. */
interface LabelGroup {
  readonly namespace: string;
  readonly labels: Labels;
  readonly isTerminating: boolean;
  /** How many there are on each node. */
  readonly byNode: Map<string, number>;
}

/** Counts Pods with the same labels together, by node. */
export class LabelGroups {
  readonly #groups = new Map<string, Map<string, LabelGroup>>();

  /** Counts a Pod on its node, or no longer. */
  add(pod: PodFacts, node: string, change: 1 | -1): void {
    const groups = this.#groups.get(pod.namespace) ?? new Map<string, LabelGroup>();
    this.#groups.set(pod.namespace, groups);
    const key = keyOf(pod);
    let group = groups.get(key);
    if (group === undefined) {
      group = { namespace: pod.namespace, labels: pod.labels, isTerminating: pod.isTerminating, byNode: new Map() };
      groups.set(key, group);
    }
    const count = (group.byNode.get(node) ?? 0) + change;
    if (count > 0) group.byNode.set(node, count);
    else group.byNode.delete(node);
    if (group.byNode.size === 0) groups.delete(key);
  }

  /** Groups of one namespace whose labels satisfy the requirements. */
  *matching(namespace: string, selector: readonly LabelRequirement[]): Iterable<LabelGroup> {
    for (const group of this.#groups.get(namespace)?.values() ?? [])
      if (matchesRequirements(selector, group.labels)) yield group;
  }

  *all(): Iterable<LabelGroup> {
    for (const groups of this.#groups.values()) yield* groups.values();
  }
}

function keyOf({ labels, isTerminating }: PodFacts): string {
  return JSON.stringify([
    isTerminating,
    ...Object.keys(labels)
      .sort()
      .map((key) => [key, labels[key]]),
  ]);
}
