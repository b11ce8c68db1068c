// What a cluster has room for, read once per report of the cluster into plain numbers.

import type { AllocatableModeling, Cluster, ResourceModel } from "../../../api/cluster.ts";
import {
  type Quantity,
  quantityMilliNumber,
  quantityNumber,
  subtractQuantities,
  tryParseQuantity,
  ZERO_QUANTITY,
} from "../../../kube/quantity.ts";

/** One amount in the units that different rules count in. */
export interface Amount {
  /** Whole units, rounded up. */
  readonly units: number;
  readonly milli: number;
  /** Thousandths for decimal quantities (`2`, `500m`), units for binary ones (`1Gi`). */
  readonly own: number;
}

/** Equal virtual nodes of one grade of the cluster's resource models. */
export interface ModelNodes {
  readonly count: number;
  /** What each of them has at least: milli for cpu, units for the rest. */
  readonly resources: ReadonlyMap<string, number>;
}

export interface Capacity {
  /** Pods the cluster still takes; may be negative. */
  readonly pods: number;
  /** What is left of each resource the cluster reports; may be negative. */
  readonly available: ReadonlyMap<string, Amount>;
  /** Virtual nodes by ascending grade; absent when the cluster reports none or they make no sense. */
  readonly models: readonly ModelNodes[] | undefined;
}

/** The capacity a cluster reports; undefined when it reports none. An amount that makes no sense is as good as none. */
export function readCapacity(cluster: Cluster): Capacity | undefined {
  const summary = cluster.status?.resourceSummary;
  if (summary == null) return undefined;
  const available = new Map<string, Amount>();
  for (const [resource, total] of Object.entries(summary.allocatable ?? {})) {
    const whole = readQuantity(total);
    if (whole === undefined) continue;
    const running = readQuantity(summary.allocated?.[resource]) ?? ZERO_QUANTITY;
    const waiting = readQuantity(summary.allocating?.[resource]) ?? ZERO_QUANTITY;
    available.set(resource, readAmount(subtractQuantities(subtractQuantities(whole, running), waiting)));
  }
  return {
    pods: countPods(summary.allocatable) - countPods(summary.allocated) - countPods(summary.allocating),
    available,
    models: readModels(cluster.spec.resourceModels, summary.allocatableModelings),
  };
}

function countPods(list: Readonly<Record<string, string | number>> | undefined): number {
  const pods = readQuantity(list?.["pods"]);
  return pods === undefined ? 0 : quantityNumber(pods);
}

function readQuantity(value: string | number | undefined): Quantity | undefined {
  return value === undefined ? undefined : tryParseQuantity(String(value).trim());
}

export function readAmount(quantity: Quantity): Amount {
  const units = quantityNumber(quantity);
  const milli = quantityMilliNumber(quantity);
  return { units, milli, own: quantity.format === "BinarySI" ? units : milli };
}

function readModels(
  models: readonly ResourceModel[] | undefined,
  counts: readonly AllocatableModeling[] | undefined,
): readonly ModelNodes[] | undefined {
  if (models == null || models.length === 0 || counts == null || counts.length === 0) return undefined;
  if (counts.some((entry) => entry.count < 0)) return undefined;
  const nodes: ModelNodes[] = [];
  for (const model of [...models].sort((a, b) => a.grade - b.grade)) {
    const count = counts.reduce((sum, entry) => sum + (entry.grade === model.grade ? entry.count : 0), 0);
    if (count === 0) continue;
    const resources = new Map<string, number>();
    for (const range of model.ranges) {
      const least = readAmount(readQuantity(range.min) ?? ZERO_QUANTITY);
      resources.set(range.name, range.name === "cpu" ? least.milli : least.units);
    }
    nodes.push({ count, resources });
  }
  return nodes;
}
