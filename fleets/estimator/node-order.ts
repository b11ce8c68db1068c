// In which order pods of component sets try the nodes of a cluster.
import type { NodeTraits } from "./node-request.ts";

/**
 * Nodes by zone, each zone in the order in which its nodes came: the order in which Kubernetes' scheduler and with it
 * Karmada's estimators go through them, one of each zone in turn.
 */
export class NodeOrder<T extends { readonly traits: NodeTraits }> {
  readonly #zones = new Map<string, T[]>();
  #list: readonly T[] | undefined = [];

  add(node: T): void {
    const zone = zoneOf(node.traits);
    const nodes = this.#zones.get(zone);
    if (nodes === undefined) this.#zones.set(zone, [node]);
    else nodes.push(node);
    this.#list = undefined;
  }

  /** Puts `next` in the place of `node`; in another zone it comes last. */
  replace(node: T, next: T): void {
    const zone = zoneOf(node.traits);
    const nodes = this.#zones.get(zone);
    const index = nodes?.indexOf(node) ?? -1;
    if (nodes === undefined || index < 0 || zone !== zoneOf(next.traits)) {
      this.remove(node);
      this.add(next);
      return;
    }
    nodes[index] = next;
    this.#list = undefined;
  }

  remove(node: T): void {
    const zone = zoneOf(node.traits);
    const left = (this.#zones.get(zone) ?? []).filter((other) => other !== node);
    if (left.length === 0) this.#zones.delete(zone);
    else this.#zones.set(zone, left);
    this.#list = undefined;
  }

  list(): readonly T[] {
    this.#list ??= [...this.#inTurn()];
    return this.#list;
  }

  *#inTurn(): Generator<T> {
    const zones = [...this.#zones.values()];
    const longest = zones.reduce((most, nodes) => Math.max(most, nodes.length), 0);
    for (let index = 0; index < longest; index++) {
      for (const nodes of zones) {
        const node = nodes[index];
        if (node !== undefined) yield node;
      }
    }
  }
}

/** The names before 1.17 still count first, as in Kubernetes. */
function zoneOf({ labels }: NodeTraits): string {
  const zone = labels["failure-domain.beta.kubernetes.io/zone"] ?? labels["topology.kubernetes.io/zone"] ?? "";
  const region = labels["failure-domain.beta.kubernetes.io/region"] ?? labels["topology.kubernetes.io/region"] ?? "";
  return `${region}\u0000${zone}`;
}
