// In which order pods of component sets try the nodes of a cluster.
import type { NodeTraits } from "./node-request.ts";

/**
 * One node of each zone in turn, as Kubernetes' scheduler and with it Karmada's estimators go through them. Zones and nodes
 * by name, so that the same nodes always give the same answer; Karmada's order within a zone is by chance.
 */
export class NodeOrder<T extends { readonly traits: NodeTraits }> {
  readonly #nodes = new Map<string, T>();
  #list: readonly T[] | undefined;

  /** Adds a node, or puts it in the place of that with its name. */
  set(node: T): void {
    this.#nodes.set(node.traits.name, node);
    this.#list = undefined;
  }

  delete(name: string): void {
    this.#nodes.delete(name);
    this.#list = undefined;
  }

  list(): readonly T[] {
    this.#list ??= inTurn([...this.#nodes.values()]);
    return this.#list;
  }
}

function inTurn<T extends { readonly traits: NodeTraits }>(nodes: readonly T[]): readonly T[] {
  const zones = new Map<string, T[]>();
  for (const node of [...nodes].sort((a, b) => (a.traits.name < b.traits.name ? -1 : 1))) {
    const zone = zones.get(zoneOf(node.traits));
    if (zone === undefined) zones.set(zoneOf(node.traits), [node]);
    else zone.push(node);
  }
  const sorted = [...zones.keys()].sort().map((name) => zones.get(name) ?? []);
  const turns = sorted.reduce((most, zone) => Math.max(most, zone.length), 0);
  return Array.from({ length: turns }, (_, turn) => sorted.flatMap((zone) => zone.slice(turn, turn + 1))).flat();
}

/** The names before 1.17 still count first, as in Kubernetes. */
function zoneOf({ labels }: NodeTraits): string {
  const zone = labels["failure-domain.beta.kubernetes.io/zone"] ?? labels["topology.kubernetes.io/zone"] ?? "";
  const region = labels["failure-domain.beta.kubernetes.io/region"] ?? labels["topology.kubernetes.io/region"] ?? "";
  return `${region}\u0000${zone}`;
}
