// Filling the virtual nodes of a cluster's resource models.

import type { ModelNodes } from "./capacity.ts";
import { type ComponentRequest, isCountedOnNodes, nodeUnits, type PodRequest } from "./requirements.ts";

/** Pods one virtual node takes, as kubelets do unless told otherwise. */
const PODS_PER_NODE = 110;

/** How many pods with `request` the virtual nodes take, each node by itself. */
export function countPodsOnNodes(models: readonly ModelNodes[], request: PodRequest): number {
  let total = 0;
  for (const nodes of models) {
    total += nodes.count * Math.min(PODS_PER_NODE, fitByResources(nodes.resources, request));
  }
  return total;
}

function fitByResources(resources: ReadonlyMap<string, number>, request: PodRequest): number {
  let fit = Number.POSITIVE_INFINITY;
  for (const [resource, amount] of request.resources) {
    if (!isCountedOnNodes(resource)) continue;
    const wanted = nodeUnits(resource, amount);
    if (wanted > 0) fit = Math.min(fit, Math.floor((resources.get(resource) ?? 0) / wanted));
  }
  return fit;
}

interface Node {
  pods: number;
  /** Shared with the model until something is put on the node. */
  resources: ReadonlyMap<string, number>;
}

/** Nodes that pods of whole component sets are put on, first fit. */
export class VirtualNodes {
  readonly #nodes: readonly Node[];

  constructor(models: readonly ModelNodes[]) {
    this.#nodes = models.flatMap((nodes) =>
      Array.from({ length: nodes.count }, () => ({ pods: PODS_PER_NODE, resources: nodes.resources })),
    );
  }

  /** Puts whole sets of `components` on the nodes, at most `limit`, and answers how many found room. */
  placeSets(components: readonly ComponentRequest[], limit: number): number {
    // Nodes only fill up: where a component found no room it will find none later.
    const firsts = components.map(() => 0);
    for (let sets = 0; sets < limit; sets++) {
      for (const [index, component] of components.entries()) {
        firsts[index] = this.#firstWithRoom(firsts[index] as number, component);
        if (this.#place(component, firsts[index] as number) < component.replicas) return sets;
      }
    }
    return limit;
  }

  /** How many pods with `request` the nodes still take, each node by itself. */
  countPods(request: PodRequest): number {
    return this.#nodes.reduce((sum, node) => sum + roomOn(node, request), 0);
  }

  #firstWithRoom(from: number, request: PodRequest): number {
    let index = from;
    while (index < this.#nodes.length && roomOn(this.#nodes[index] as Node, request) <= 0) index++;
    return index;
  }

  /** Puts the replicas of one component on the nodes from `first` on, and answers how many found room. */
  #place(component: ComponentRequest, first: number): number {
    let left = component.replicas;
    for (let index = first; index < this.#nodes.length && left > 0; index++) {
      const node = this.#nodes[index] as Node;
      const count = Math.min(left, roomOn(node, component));
      if (count <= 0) continue;
      node.pods -= count;
      const rest = new Map(node.resources);
      for (const [resource, amount] of component.resources) {
        const held = rest.get(resource);
        if (held !== undefined) rest.set(resource, held - count * nodeUnits(resource, amount));
      }
      node.resources = rest;
      left -= count;
    }
    return component.replicas - left;
  }
}

function roomOn(node: Node, request: PodRequest): number {
  return Math.min(node.pods, fitByResources(node.resources, request));
}
