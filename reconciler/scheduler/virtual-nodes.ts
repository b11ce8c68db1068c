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
  readonly resources: Map<string, number>;
}

/** Nodes that pods of whole component sets are put on, first fit. */
export class VirtualNodes {
  readonly #nodes: readonly Node[];

  constructor(models: readonly ModelNodes[]) {
    this.#nodes = models.flatMap((nodes) =>
      Array.from({ length: nodes.count }, () => ({ pods: PODS_PER_NODE, resources: new Map(nodes.resources) })),
    );
  }

  /** Puts whole sets of `components` on the nodes, at most `limit`, and answers how many found room. */
  placeSets(components: readonly ComponentRequest[], limit: number): number {
    let sets = 0;
    while (sets < limit && components.every((component) => this.place(component) === component.replicas)) sets++;
    return sets;
  }

  /** How many pods with `request` the nodes still take, each node by itself. */
  countPods(request: PodRequest): number {
    return this.#nodes.reduce((sum, node) => sum + Math.min(node.pods, fitByResources(node.resources, request)), 0);
  }

  /** Puts the replicas of one component on the nodes and answers how many found room. */
  place(component: ComponentRequest): number {
    let left = component.replicas;
    for (const node of this.#nodes) {
      if (left <= 0) break;
      const count = Math.min(left, node.pods, fitByResources(node.resources, component));
      if (count <= 0) continue;
      node.pods -= count;
      for (const [resource, amount] of component.resources) {
        const held = node.resources.get(resource);
        if (held !== undefined) node.resources.set(resource, held - count * nodeUnits(resource, amount));
      }
      left -= count;
    }
    return component.replicas - left;
  }
}
