// Where Karmada's arithmetic errs and ours does not.
import type { Cluster } from "../../../../../api/cluster.ts";
import { readCapacity } from "../../../../../reconciler/scheduler/estimates/capacity.ts";

export const WRAPPING = "an overcommitted fractional amount, which Kubernetes' arithmetic takes for a huge one";

/**
 * Whether some resource of the cluster is short by more than 2^63 billionths, counted in fractions: the library that Karmada
 * counts with then cuts the number to 64 bits and may find that there is room.
 */
export function hasWrappingAmount(cluster: Cluster): boolean {
  const { allocatable, allocated, allocating } = cluster.status?.resourceSummary ?? {};
  return [...(readCapacity(cluster)?.available ?? [])].some(([resource, amount]) => {
    const texts = [allocatable, allocated, allocating].map((list) => String(list?.[resource] ?? ""));
    return amount.units < -9_000_000_000 && texts.some((text) => /\.|[nu]$/.test(text));
  });
}
