// What the status of a FederatedResourceQuota says of its clusters.
import { addQuantities, formatQuantity, type Quantity, quantityFromJson } from "../kube/quantity.ts";
import type { ClusterQuotaStatus } from "./quota.ts";

/** What the clusters use together; used where admission does not count by itself. */
export function usedInClusters(statuses: readonly ClusterQuotaStatus[]): Record<string, string> {
  const sum = new Map<string, Quantity>();
  for (const { used } of statuses) {
    for (const [name, amount] of Object.entries(used ?? {})) {
      const before = sum.get(name);
      sum.set(name, before === undefined ? quantityFromJson(amount) : addQuantities(before, quantityFromJson(amount)));
    }
  }
  return Object.fromEntries(
    [...sum].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, q]) => [name, formatQuantity(q)]),
  );
}
