// Putting whole sets of components on nodes, each replica on the first node that has room.
import { type Amounts, addAmounts, countFits, NO_AMOUNTS, remainingAmounts } from "./amounts.ts";
import type { ComponentRequest, NodeRequest, NodeTraits } from "./node-request.ts";

export interface RoomyNode {
  readonly traits: NodeTraits;
  /** What is free on the node. */
  readonly room: Amounts;
}

/** The highest number of replicas or sets that is told. */
export const MOST = 2_147_483_647;

/** Nodes that fill up; the nodes given stay as they are. */
export class SetPlacement {
  readonly #traits: readonly NodeTraits[];
  readonly #room: Amounts[];

  constructor(nodes: readonly RoomyNode[]) {
    this.#traits = nodes.map((node) => node.traits);
    this.#room = nodes.map((node) => node.room);
  }

  /** How many replicas with `request` the nodes take, each node by itself. */
  countFits(request: NodeRequest): number {
    let fits = 0;
    for (const [index, traits] of this.#traits.entries())
      if (request.accepts(traits)) fits += countFits(this.#room[index] as Amounts, request.amounts);
    return Math.min(fits, MOST);
  }

  /**
   * Puts whole sets on the nodes, at most `limit`, and answers how many found room. What was taken by a set that did not
   * fit whole stays taken, as in Karmada's estimators.
   */
  place(components: readonly ComponentRequest[], limit: number): number {
    const wanted = components.filter((component) => component.replicas > 0);
    if (wanted.length === 0) return limit;
    // Nodes only fill up: where a component found no room it will find none later.
    const firsts = wanted.map(() => 0);
    let sets = 0;
    while (sets < limit) {
      for (const [index, component] of wanted.entries())
        firsts[index] = this.#firstWithRoom(firsts[index] as number, component);
      const several = this.#placeOnFirsts(wanted, firsts, limit - sets);
      if (several > 0) {
        sets += several;
        continue;
      }
      for (const [index, component] of wanted.entries())
        if (!this.#placeOne(component, firsts[index] as number)) return sets;
      sets++;
    }
    return sets;
  }

  #firstWithRoom(from: number, component: ComponentRequest): number {
    let index = from;
    while (index < this.#room.length && this.#fitsAt(index, component) <= 0) index++;
    return index;
  }

  #fitsAt(index: number, component: ComponentRequest): number {
    if (!component.accepts(this.#traits[index] as NodeTraits)) return 0;
    return countFits(this.#room[index] as Amounts, component.amounts);
  }

  /**
   * As many sets as fit wholly on the first node that each component has room on: the same as placing them one by one,
   * in one step. Answers 0 when not even one does.
   */
  #placeOnFirsts(components: readonly ComponentRequest[], firsts: readonly number[], limit: number): number {
    const demands = new Map<number, Amounts>();
    for (const [index, component] of components.entries()) {
      const first = firsts[index] as number;
      if (first >= this.#room.length) return 0;
      demands.set(first, addAmounts(demands.get(first) ?? NO_AMOUNTS, component.amounts, component.replicas));
    }
    let sets = limit;
    for (const [first, demand] of demands) {
      const room = this.#room[first] as Amounts;
      sets = Math.min(sets, Math.trunc(room.pods / demand.pods), countFits(room, demand));
    }
    if (sets <= 0) return 0;
    for (const [first, demand] of demands)
      this.#room[first] = remainingAmounts(this.#room[first] as Amounts, addAmounts(NO_AMOUNTS, demand, sets));
    return sets;
  }

  #placeOne(component: ComponentRequest, first: number): boolean {
    let left = component.replicas;
    for (let index = first; index < this.#room.length && left > 0; index++) {
      const count = Math.min(left, this.#fitsAt(index, component));
      if (count <= 0) continue;
      const taken = addAmounts(NO_AMOUNTS, component.amounts, count);
      this.#room[index] = remainingAmounts(this.#room[index] as Amounts, taken);
      left -= count;
    }
    return left === 0;
  }
}
