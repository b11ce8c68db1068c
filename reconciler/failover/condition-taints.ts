// Taints that follow the Ready condition of a cluster.

import type { Cluster, Taint } from "../../api/cluster.ts";
import { rfc3339 } from "../../runtime/clock.ts";

export const NOT_READY_TAINT = "cluster.karmada.io/not-ready";
export const UNREACHABLE_TAINT = "cluster.karmada.io/unreachable";

/** Taints to add, and those to remove, which are compared by key and effect. */
export interface TaintChange {
  readonly add: readonly Taint[];
  readonly remove: readonly Taint[];
}

/**
 * What the cluster's Ready condition asks for. The taints only keep new workloads away: an unhealthy cluster by itself
 * drives nothing out.
 */
export function taintsForCondition(cluster: Cluster): TaintChange {
  const ready = cluster.status?.conditions?.find((condition) => condition.type === "Ready");
  const notReady: Taint = { key: NOT_READY_TAINT, effect: "NoSchedule" };
  const unreachable: Taint = { key: UNREACHABLE_TAINT, effect: "NoSchedule" };
  switch (ready?.status) {
    case "True":
      return { add: [], remove: [notReady, unreachable] };
    case "False":
      return { add: [notReady], remove: [unreachable] };
    case "Unknown":
      return { add: [unreachable], remove: [notReady] };
    case undefined:
      return { add: [notReady], remove: [] };
  }
}

/** True for the same key and effect; the value does not tell taints apart. */
export function isSameTaint(a: Pick<Taint, "key" | "effect">, b: Pick<Taint, "key" | "effect">): boolean {
  return a.key === b.key && a.effect === b.effect;
}

/** The taints after `change`, new ones stamped with `now` (milliseconds); undefined when nothing changes. */
export function changeTaints(
  taints: readonly Taint[] | undefined,
  change: TaintChange,
  now: number,
): Taint[] | undefined {
  const before = taints ?? [];
  const kept = before.filter((taint) => !change.remove.some((other) => isSameTaint(taint, other)));
  const added = change.add
    .filter((taint) => !kept.some((other) => isSameTaint(taint, other)))
    .map((taint) => ({ ...taint, timeAdded: rfc3339(now) }));
  return kept.length === before.length && added.length === 0 ? undefined : [...kept, ...added];
}

/** A list of taints in Karmada's words. */
export function describeTaints(taints: readonly Taint[]): string {
  if (taints.length === 0) return "cluster now does not have taints";
  const each = taints.map(({ key, value, effect }) => `{Key:${key},${value ? `Value:${value},` : ""}Effect:${effect}}`);
  return `cluster now has taints([${each.join(",")}])`;
}
