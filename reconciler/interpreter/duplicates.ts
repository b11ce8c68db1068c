// Workloads of which every cluster has a whole copy. Added up, two clusters with two replicas each would be four of two:
// kstatus waits for the surplus to go, and a cluster without any pod hides behind the others. The template shows the copy
// that lags most instead, as good as the fleet is. Differs from Karmada, which adds up.

import type { AggregatedStatusItem } from "../../api/work.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { type Aggregate, type MemberStatus, reportedStatuses, withStatus } from "./aggregation.ts";
import { fieldsAt, integerAt, optionalIntegerAt, present } from "./field-access.ts";
import type { Status } from "./interpreter.ts";

/** How many replicas the copy is to have, in what is collected of it. No status of Kubernetes has a field of this name. */
const SPEC_REPLICAS = "specReplicas";

/** Collects as `reflect` does, and how many replicas the copy is to have. */
export function withSpecReplicas(
  reflect: (object: KubeObject) => Status | undefined,
): (object: KubeObject) => Status | undefined {
  return (object) => {
    const reflected = reflect(object);
    return reflected === undefined ? undefined : { ...reflected, [SPEC_REPLICAS]: wantedReplicas(object) };
  };
}

/** The reports as those of parts of one workload: none of them is told to be of a whole copy. The very `items` if none is. */
export function asParts(items: readonly AggregatedStatusItem[]): readonly AggregatedStatusItem[] {
  if (!items.some(({ status }) => isObject(status) && SPEC_REPLICAS in status)) return items;
  return items.map((item) => {
    if (!isObject(item.status)) return item;
    const { [SPEC_REPLICAS]: _, ...status } = item.status;
    return { ...item, status };
  });
}

/** Aggregates as `aggregate` does; where every cluster has a whole copy, `counters` are those of the copy that lags most. */
export function ofWeakestCopy(aggregate: Aggregate, counters: readonly string[]): Aggregate {
  return (object, items, now) => {
    const aggregated = aggregate(object, items, now);
    const members = reportedStatuses(items);
    if (!areDuplicates(object, items, members)) return aggregated;
    const status: Record<string, unknown> = { ...fieldsAt(aggregated, "status") };
    const wanted = wantedReplicas(object);
    for (const counter of counters) {
      const counts = members.map((member) => integerAt(member.status, counter));
      if (members.length < items.length) counts.push(0);
      const most = Math.max(...counts);
      const isSurplus = counter === "replicas" && most > wanted;
      status[counter] = isSurplus || counter === "unavailableReplicas" ? most : Math.min(...counts);
    }
    return withStatus(aggregated, present(status));
  };
}

function areDuplicates(
  object: KubeObject,
  items: readonly AggregatedStatusItem[],
  members: readonly MemberStatus[],
): boolean {
  const wanted = wantedReplicas(object);
  return (
    items.length > 1 &&
    members.length > 0 &&
    wanted > 0 &&
    members.every(({ status }) => optionalIntegerAt(status, SPEC_REPLICAS) === wanted)
  );
}

function wantedReplicas(object: KubeObject): number {
  return optionalIntegerAt(fieldsAt(object, "spec"), "replicas") ?? 1;
}
