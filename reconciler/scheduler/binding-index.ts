// Bindings by their placement, so that what concerns a placement is asked once for all of its bindings.

import type { PlacementInUse } from "./fleet-triggers.ts";
import type { Binding } from "./occasion.ts";

export interface PlacementGroup extends PlacementInUse {
  /** Keys of the bindings; changes in place. */
  readonly keys: ReadonlySet<string>;
}

interface Group extends PlacementGroup {
  readonly content: string;
  readonly keys: Set<string>;
}

/** Keys of bindings, grouped by the content of their placement and the affinity group in use. */
export class BindingIndex {
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<string, Group>();

  get size(): number {
    return this.#groupOf.size;
  }

  /** One for each distinct placement in use. May be walked while bindings change. */
  groups(): Iterable<PlacementGroup> {
    return this.#groups.values();
  }

  /** The placement of a binding; undefined when the binding is not in here. */
  find(key: string): PlacementInUse | undefined {
    return this.#groupOf.get(key);
  }

  /** Takes in a binding as it is now. One without a placement is not kept. */
  set(key: string, binding: Binding): void {
    const { placement } = binding.spec;
    if (placement == null) {
      this.delete(key);
      return;
    }
    const hasGroups = placement.clusterAffinities != null && placement.clusterAffinity == null;
    const affinityName = hasGroups ? (binding.status?.schedulerObservingAffinityName ?? "") : "";
    const observed =
      !hasGroups || binding.status?.schedulerObservedGeneration === (binding.metadata.generation ?? undefined);
    const present = this.#groupOf.get(key);
    const same = present?.affinityName === affinityName && present.observed === observed;
    if (same && present.placement === placement) return;
    const content = `${observed ? "" : "?"}${affinityName} ${JSON.stringify(placement)}`;
    if (present?.content === content) return;
    this.#leave(key, present);
    let group = this.#groups.get(content);
    if (group === undefined) {
      group = { content, placement, affinityName, observed, keys: new Set() };
      this.#groups.set(content, group);
    }
    group.keys.add(key);
    this.#groupOf.set(key, group);
  }

  delete(key: string): void {
    this.#leave(key, this.#groupOf.get(key));
    this.#groupOf.delete(key);
  }

  #leave(key: string, group: Group | undefined): void {
    group?.keys.delete(key);
    if (group?.keys.size === 0) this.#groups.delete(group.content);
  }
}
