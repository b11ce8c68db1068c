// How many replicas, or whole sets of components, a cluster has room for, by what it reports of itself.

import type { Capacity, ModelNodes } from "./capacity.ts";
import { type ComponentRequest, nodeUnits, type PodRequest } from "./requirements.ts";
import { countPodsOnNodes, VirtualNodes } from "./virtual-nodes.ts";

/** "No limit known": the highest number a binding can carry. */
export const UNLIMITED = 2_147_483_647;

export interface EstimatorOptions {
  /** Whether resource models count (gate CustomizedClusterResourceModeling). */
  readonly resourceModels: boolean;
}

/** Workloads that are on their way to a cluster and not yet in what it reports, each by its components. */
export type Pending = readonly (readonly ComponentRequest[])[];

/** Replicas with `request` that fit; `request` is undefined when the workload states no requirements at all. */
export function estimateReplicas(
  capacity: Capacity | undefined,
  request: PodRequest | undefined,
  options: EstimatorOptions,
  pending: Pending = [],
): number {
  if (capacity === undefined || capacity.pods <= 0) return 0;
  if (request === undefined) return Math.min(capacity.pods, UNLIMITED);
  if (options.resourceModels && capacity.models !== undefined) {
    const onNodes =
      pending.length === 0
        ? countPodsOnNodes(capacity.models, request)
        : occupiedNodes(capacity.models, pending).countPods(request);
    return Math.min(capacity.pods, onNodes, UNLIMITED);
  }
  return Math.min(capacity.pods, fitInSummary(capacity, request), UNLIMITED);
}

function fitInSummary(capacity: Capacity, request: PodRequest): number {
  let fit = UNLIMITED;
  for (const [resource, wanted] of request.resources) {
    const left = capacity.available.get(resource);
    if (left === undefined || left.units <= 0) return 0;
    fit = Math.min(fit, Math.floor(nodeUnits(resource, left) / nodeUnits(resource, wanted)));
  }
  return fit;
}

/** Whole sets of `components` that fit. */
export function estimateSets(
  capacity: Capacity | undefined,
  components: readonly ComponentRequest[],
  options: EstimatorOptions,
  pending: Pending = [],
): number {
  if (capacity === undefined || capacity.pods <= 0) return 0;
  const podsPerSet = components.reduce((sum, component) => sum + component.replicas, 0);
  if (podsPerSet <= 0) return Math.min(capacity.pods, UNLIMITED);
  let sets = Math.floor(capacity.pods / podsPerSet);
  for (const [resource, perSet] of sumPerSet(components)) {
    if (perSet <= 0) continue;
    const left = capacity.available.get(resource)?.own ?? 0;
    if (left <= 0) return 0;
    sets = Math.min(sets, Math.floor(left / perSet));
  }
  sets = Math.min(sets, UNLIMITED);
  if (!options.resourceModels || capacity.models === undefined || sets <= 0) return sets;
  return occupiedNodes(capacity.models, pending).placeSets(components, sets);
}

function occupiedNodes(models: readonly ModelNodes[], pending: Pending): VirtualNodes {
  const nodes = new VirtualNodes(models);
  for (const components of pending) nodes.placeSets(components, 1);
  return nodes;
}

function sumPerSet(components: readonly ComponentRequest[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const component of components) {
    for (const [resource, amount] of component.resources) {
      sums.set(resource, (sums.get(resource) ?? 0) + amount.own * component.replicas);
    }
  }
  return sums;
}
