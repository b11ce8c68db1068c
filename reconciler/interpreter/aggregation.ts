// What the native aggregations have in common: taking the status apart cluster by cluster, and writing it only if it
// differs.

import type { AggregatedStatusItem } from "../../api/work.ts";
import { equalJson, isObject, type KubeObject } from "../../kube/object.ts";
import { type Fields, optionalFieldsAt } from "./field-access.ts";

export type Aggregate = (object: KubeObject, items: readonly AggregatedStatusItem[], now: string) => KubeObject;

/** The status one cluster reported. */
export interface MemberStatus {
  readonly clusterName: string;
  readonly status: Fields;
}

/** The items that have a status at all. */
export function reportedStatuses(items: readonly AggregatedStatusItem[]): readonly MemberStatus[] {
  const reported: MemberStatus[] = [];
  for (const item of items) {
    const status = optionalFieldsAt(item, "status");
    if (status !== undefined) reported.push({ clusterName: item.clusterName, status });
  }
  return reported;
}

/** The object with `status`, or the very same object when it already says so: zero and absent are the same there. */
export function withStatus(object: KubeObject, status: Fields): KubeObject {
  return equalJson(withoutZeros(object["status"]), withoutZeros(status)) ? object : { ...object, status };
}

function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutZeros(item) ?? null);
  if (isObject(value)) {
    const kept = Object.entries(value)
      .map(([key, inner]) => [key, withoutZeros(inner)] as const)
      .filter(([, inner]) => inner !== undefined);
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  }
  return value === null || value === 0 || value === "" || value === false ? undefined : value;
}
